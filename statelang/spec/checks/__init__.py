"""The static checks of a spec whose structure is right: types, flow, expressions, data against contracts.

- `checker`: goes through the steps, each with what it can see; `plain`, `calls`, `bodies` and `gates` know the kinds.
- `results`: the contracts of what steps come to, and how a task is tried again.
- `fitting`: data that is written in a spec against a contract.
"""

from .checker import check
from .results import (
    ERROR,
    VIOLATIONS,
    Contracts,
    answer_of,
    contracts_of,
    covers_violations,
    has_deadline,
    has_loop,
    outcomes_of,
    retry_of,
)

__all__ = [
    "ERROR",
    "VIOLATIONS",
    "Contracts",
    "answer_of",
    "check",
    "contracts_of",
    "covers_violations",
    "has_deadline",
    "has_loop",
    "outcomes_of",
    "retry_of",
]
