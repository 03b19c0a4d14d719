"""What paths are evaluated against."""

from __future__ import annotations

from typing import Any, Protocol


class Scope(Protocol):
    """`$` is the `root`, `$$` the `context`, and `$name` a `variable`."""

    @property
    def root(self) -> Any: ...

    def context(self) -> Any: ...

    def lookup(self, name: str) -> Any:
        """The variable's value. Raises `PathNotFound` where there is none."""
        ...

    def draw(self) -> float:
        """A number from 0 up to 1, of the turn's entropy."""
        ...
