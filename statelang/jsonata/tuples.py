"""Tuples: an item of a path, with the names that `@`, `#` and `%` have bound on the way to it."""

from __future__ import annotations

from typing import Any

from .limits import Frame

Tuple = dict[str, Any]
ITEM = "@"
"""The key of the item itself."""


def frame_of(entry: Tuple, frame: Frame) -> Frame:
    """A scope in which the names of a tuple are variables."""
    return Frame(frame.run, frame, entry)
