"""What executions cost: transitions counted in a history or estimated from a definition, and bills made of them.

- `counts`: what is counted, and counting it in a history.
- `paths`: the least, the typical and the most that a definition can come to.
- `prices`: a price table, checked.
- `bills`: AWS Step Functions Standard and Express, and our own handlers, in dollars.

Nothing here knows a price: the table is given. What AWS counts is said in its guide, "Transitions", and on the
pricing pages of the services.
"""

from .bills import (
    Bill,
    Item,
    Usage,
    estimated_usage,
    express,
    express_memory,
    handlers,
    logged_usage,
    standard,
)
from .counts import Counts, count
from .paths import Estimate, estimate
from .prices import InvalidPrices, Prices, prices_of

__all__ = [
    "Bill",
    "Counts",
    "Estimate",
    "InvalidPrices",
    "Item",
    "Prices",
    "Usage",
    "count",
    "estimate",
    "estimated_usage",
    "express",
    "express_memory",
    "handlers",
    "logged_usage",
    "prices_of",
    "standard",
]
