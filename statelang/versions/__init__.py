"""Versions of workflows compared: in number, in contract, and in words.

- `semantic`: semantic versions, read and ordered.
- `compatibility`: what a new input or output contract breaks for those who rely on the old one.
- `differences`: what differs between two specs (or definitions), step by step, in words.
"""

from .compatibility import breaks
from .differences import differences
from .semantic import SemanticVersion

__all__ = ["SemanticVersion", "breaks", "differences"]
