"""What wants to know of every execution that a test ran, such as coverage.

    forget = observe(lambda observed: ...)

An observer is told when the test's cloud closes, of each of its executions once: with the whole history, also of
those that had not ended, of children of distributed maps and of nested executions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Observed:
    """One execution. `definition` is the whole state machine's, of which a distributed map's child (whose `parent` is
    set) ran a part; `source_map` is there for specs; `events` are history events with AWS's types and fields, times in
    milliseconds, and `ways` what they do not tell (`statelang.engine.ways`); `file` is where the workflow was read from, `test` which test ran it."""

    execution: str
    state_machine: str
    definition: dict[str, Any]
    events: list[dict[str, Any]]
    ways: list[list[int | str]]
    status: str
    source_map: dict[str, Any] | None = None
    file: str | None = None
    parent: str | None = None
    express: bool = False
    test: str | None = None


Observer = Callable[[Observed], None]

_observers: list[Observer] = []


def observe(observer: Observer) -> Callable[[], None]:
    """Has `observer` called; what this answers ends it."""
    _observers.append(observer)

    def forget() -> None:
        if observer in _observers:
            _observers.remove(observer)

    return forget


def observed() -> bool:
    """Whether anybody wants to know."""
    return bool(_observers)


def tell(execution: Observed) -> None:
    for observer in tuple(_observers):  # one may forget itself while it is told
        observer(execution)
