"""Backup: a whole store, or some of its tenants, as one stream of lines, and back into an empty store of either form.

- `lines`: the format: JSON Lines with a checksum at the end.
- `writing`: what a store holds, as lines.
- `checking`: whether lines are whole, with every digest computed again.
- `restoring`: lines into a store, and what was written read again.

Commits and payloads go as they are stored, byte by byte: a log that is restored has the digests that it had. Files and
compression are the caller's business.
"""

from .checking import Contents, check
from .lines import Damaged
from .restoring import NotEmpty, restore
from .writing import write

__all__ = ["Contents", "Damaged", "NotEmpty", "check", "restore", "write"]
