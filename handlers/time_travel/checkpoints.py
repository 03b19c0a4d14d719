"""Named checkpoints: a name for the place where an execution stands. Automatic ones are its commits and need no name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..identity import Identity
from ..store import Conflict, Store

KIND = "checkpoint"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")


class InvalidCheckpoint(ValueError):
    """The name is none, or is taken. The text says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`event` is the id of the first event after it; `by` who made it, as `Identity.to_json` gives it."""

    name: str
    event: int
    at: int
    by: dict[str, str]
    note: str | None = None


def mark(
    store: Store, execution: str, name: str, event: int, now: int, by: Identity, note: str | None = None
) -> Checkpoint:
    """Gives a place a name, once: a checkpoint is never moved. Raises `InvalidCheckpoint`."""
    if not NAME.fullmatch(name):
        raise InvalidCheckpoint(
            f"'{name}' is no name for a checkpoint: a letter, then letters, digits, `_`, `.`, `-`, 80 at most"
        )
    value = {"name": name, "event": event, "at": now, "by": by.to_json(), "note": note}
    try:
        store.put(KIND, f"{execution}/{name}", value, expect=0)
    except Conflict:
        raise InvalidCheckpoint(f"there is a checkpoint '{name}' of this execution already") from None
    return Checkpoint(**value)


def of(store: Store, execution: str) -> list[Checkpoint]:
    """The execution's checkpoints, by event."""
    found: list[Checkpoint] = []
    token = None
    while True:
        page = store.records(KIND, f"{execution}/", token=token)
        found += [Checkpoint(**record.value) for record in page.items]
        token = page.token
        if token is None:
            return sorted(found, key=lambda each: (each.event, each.name))
