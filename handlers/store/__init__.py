"""Where executions are kept: the `Store` protocol, how commits are stored, and the DynamoDB form.

The embedded SQLite form lives in the local room. One contract suite holds for both.
"""

from .protocol import (
    Broken,
    Commit,
    Conflict,
    Entry,
    Head,
    InvalidToken,
    Page,
    Record,
    Store,
    Stored,
    StoreError,
)
from .verify import verify

__all__ = [
    "Broken",
    "Commit",
    "Conflict",
    "Entry",
    "Head",
    "InvalidToken",
    "Page",
    "Record",
    "Store",
    "StoreError",
    "Stored",
    "verify",
]
