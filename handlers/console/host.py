"""What the console's API needs of the place that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..identity import Identity
from ..work.answers import Desk
from .stories import Stories

if TYPE_CHECKING:
    from ..store import Head
    from ..versions.publishing import Published


class Refusal(Exception):
    """What was asked for is not given: `status` is HTTP's; `fields` go with the message."""

    def __init__(self, status: int, message: str, **fields: Any):
        super().__init__(message)
        self.status = status
        self.fields = fields


def _nothing(execution: str, published: Published | None) -> None:
    """Whatever runs executions sees a new one by itself."""


@dataclass(slots=True)
class Console:
    """`desk` has the store, and where gates are decided. `who` acts here: None where nothing may be done.

    - `started` is told of an execution that was begun here, and of the published version that it runs.
    - `cost` gives an execution's cost in a line, `try_out` runs a draft; where they are None, nobody is offered it.
    - `alias` is what is started where neither a version nor an alias is named, if the workflow has one of that name.
    - `place` says in a few words where this is: the store's address, say.
    - `stories` are those that were read before; a console that is made anew for a request is given those of the one before.
    """

    desk: Desk
    who: Identity | None = None
    started: Callable[[str, Published | None], None] = _nothing
    cost: Callable[[Head], str | None] | None = None
    try_out: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    place: str = ""
    alias: str | None = None
    versions: dict[str, str | None] = field(default_factory=dict)
    """The workflows' versions by the digests of their definitions, as they were looked up: a cache."""
    stories: Stories = field(default_factory=Stories)

    @property
    def store(self):
        return self.desk.executions.store

    @property
    def runtime(self):
        return self.desk.runtime

    @property
    def executions(self):
        return self.desk.executions

    def head(self, execution: str) -> Head:
        """Raises `Refusal`."""
        head = self.store.head(execution)
        if head is None:
            raise Refusal(404, f"there is no execution {execution[:300]}")
        return head

    def actor(self) -> Identity:
        """Who acts. Raises `Refusal` where this console only looks."""
        if self.who is None:
            raise Refusal(403, "this console only looks: it was opened read-only")
        return self.who
