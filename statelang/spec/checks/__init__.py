"""The static checks of a spec whose structure is right: types, flow, expressions, data against contracts.

- `checker`: goes through the steps, each with what it can see.
- `results`: the contracts of what steps come to, and how a task is tried again.
- `fitting`: data that is written in a spec against a contract.
"""

from .checker import check
from .results import VIOLATIONS, Contracts, contracts_of, covers_violations, has_loop, retry_of

__all__ = ["VIOLATIONS", "Contracts", "check", "contracts_of", "covers_violations", "has_loop", "retry_of"]
