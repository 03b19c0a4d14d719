"""The faults that the simulation makes, and how often."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Any

KILLED = 9
"""The exit code of a process that died as planned."""

KINDS = {
    "duplicated": "messages delivered twice",
    "reordered": "messages delivered before an older one",
    "delayed": "messages held back for up to ten minutes",
    "dropped": "messages lost on their way",
    "killed before the commit": "functions killed before they could commit",
    "killed after the commit": "functions killed between commit and dispatch",
    "killed while sending": "functions killed after a part of what they had to send",
    "killed after the work": "functions killed when a task was done and nobody told",
    "throttled": "writes refused by the store",
}


@dataclass(frozen=True, slots=True)
class Rates:
    """Probabilities: of a message, of a call of a function, of a write. While the way is `down`, every message is lost:
    `outage` messages in each `between`."""

    duplicated: float = 0.05
    delayed: float = 0.05
    killed: float = 0.02
    throttled: float = 0.03
    outage: int = 40
    between: int = 2_000


NONE = Rates(0, 0, 0, 0, 0)


class Throttled(Exception):
    """As DynamoDB's ProvisionedThroughputExceededException."""


class FaultyStore:
    """A store whose writes are refused now and then, and around which the process dies where it was told to.

    `died` tells somebody else how before the process is gone.
    """

    def __init__(self, store: Any, plan: Plan):
        self._store = store
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def for_tenant(self, tenant: str) -> FaultyStore:
        return FaultyStore(self._store.for_tenant(tenant), self._plan)

    def append(self, entries: Any) -> Any:
        self._plan.reach("killed before the commit")
        self._plan.throttle()
        answers = self._store.append(entries)
        self._plan.reach("killed after the commit")
        return answers

    def put_head(self, head: Any) -> None:
        self._plan.throttle()
        self._store.put_head(head)


class Plan:
    """What is to go wrong in one call of a function."""

    def __init__(self, tell: Any, chance: random.Random):
        self._tell = tell
        self._chance = chance
        self._death: str | None = None
        self._throttled = 0.0

    def begin(self, death: str | None, throttled: float) -> None:
        self._death = death
        self._throttled = throttled

    def throttle(self) -> None:
        if self._chance.random() < self._throttled:
            self._tell(("fault", "throttled"))
            raise Throttled("the table's throughput is used up")

    def reach(self, place: str) -> None:
        """Ends the process, without a word to anybody, where this is the place to."""
        if place == self._death:
            self._tell(("fault", place))
            os._exit(KILLED)
