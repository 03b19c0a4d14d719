"""Which way a state went, where the history does not say it: AWS's events name neither the choice rule nor the retrier.

A way is `[entry, place]`: the id of the event that entered the state (0 for the machine itself), and a place in
the state's definition such as `Choices[1]`, `Default`, `Retry[0]`, `Catch[2]`, `TimeoutSeconds`, `HeartbeatSeconds` or
`Branches[0]` (that branch came to its end). For a Map the place is one of `NO_ITEMS`, `ONE_ITEM` and `MANY_ITEMS`.
"""

from __future__ import annotations

Way = list[int | str]

DEFAULT = "Default"
TIMEOUT = "TimeoutSeconds"
HEARTBEAT = "HeartbeatSeconds"
NO_ITEMS = "no items"
ONE_ITEM = "one item"
MANY_ITEMS = "many items"


def choice(index: int) -> str:
    return f"Choices[{index}]"


def retry(index: int) -> str:
    return f"Retry[{index}]"


def catch(index: int) -> str:
    return f"Catch[{index}]"


def branch(index: int) -> str:
    return f"Branches[{index}]"


def counts(known: int | None) -> tuple[str, ...]:
    """The ways that a Map can go, whose number of items may be known beforehand."""
    return (NO_ITEMS, ONE_ITEM, MANY_ITEMS) if known is None else (items(known),)


def items(count: int) -> str:
    """The way of a Map that goes through so many items."""
    return NO_ITEMS if count == 0 else ONE_ITEM if count == 1 else MANY_ITEMS
