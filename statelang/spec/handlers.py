"""What is known of the handlers that a spec names, before any of them is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .contracts import Contract


@dataclass(frozen=True, slots=True)
class Handler:
    """`event` and `result` are None where nothing is said of them. `problem` tells why that may be: what is wrong, and a
    way on."""

    event: Contract | None = None
    result: Contract | None = None
    problem: tuple[str, str | None] | None = None


HandlersOf = Callable[[str], Handler | None]
"""Gives the handler by the name that a `task:` has; None where nothing is known of it."""


def no_handlers(name: str) -> Handler | None:
    """Nothing is known of any."""
    return None
