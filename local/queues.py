"""The local cloud's queues and timers: the outbox of its handlers, in memory.

What is in here is lost with the process, as it may be: everything in it follows from the store, and is handed
out again from there.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..handlers.runtime import Body

MAX_RECEIVES = 5
"""How often a message is delivered before it counts as dead."""

_SHARE = 10
"""How many of one tenant are taken at a time while others wait."""


class DeadLetter(RuntimeError):
    """A message was refused every time it was delivered; the log of the handlers says why."""


class FairQueue:
    """A queue that takes turns between tenants, as SQS does between message groups: a backlog of one keeps no other waiting."""

    def __init__(self) -> None:
        self._by_tenant: dict[str, deque[Body]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_tenant.values()))

    def __bool__(self) -> bool:
        return bool(self._by_tenant)

    def extend(self, bodies: Iterable[Body]) -> None:
        for body in bodies:
            self._by_tenant.setdefault(body["tenant"], deque()).append(body)

    def take(self, limit: int) -> list[Body]:
        """Up to `limit` bodies, one of each tenant in turn; where several wait, none has more than a small batch of them."""
        share = _SHARE if len(self._by_tenant) > 1 else limit
        found: list[Body] = []
        turns: Counter[str] = Counter()
        while self._by_tenant and len(found) < limit:
            tenant = next(iter(self._by_tenant))
            if turns[tenant] == share:
                break  # all others have had as many, or have no more
            turns[tenant] += 1
            waiting = self._by_tenant.pop(tenant)
            found.append(waiting.popleft())
            if waiting:
                self._by_tenant[tenant] = waiting  # it is the last now
        return found

    def clear(self) -> None:
        self._by_tenant.clear()


class LocalQueues:
    """Two queues and the ticks that were asked for. Safe to be used by several threads."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._messages = FairQueue()
        self._tasks = FairQueue()
        self._wakes: list[tuple[int, int, Body]] = []
        self._count = 0
        self._in_flight: set[tuple[Any, ...]] = set()
        self._later: list[tuple[int, int, Body]] = []
        self._delayed: set[tuple[Any, ...]] = set()
        self.generation = 0
        """How often the queues were cleared."""
        self._thread = threading.local()

    # -- the outbox ------------------------------------------------------------------------------------

    def advance(self, bodies: Sequence[Body]) -> None:
        with self.changed:
            if getattr(self._thread, "generation", self.generation) == self.generation:
                self._messages.extend(bodies)
                self.changed.notify_all()

    def perform(self, bodies: Sequence[Body]) -> None:
        """A task that is in flight here already, or to be performed later, is not put in a second time."""
        with self.changed:
            for body in bodies:
                key = _task(body)
                if key not in self._in_flight and key not in self._delayed:
                    self._in_flight.add(key)
                    self._tasks.extend([body])
            self.changed.notify_all()

    def perform_later(self, body: Body, at: int) -> None:
        with self.changed:
            if getattr(self._thread, "generation", self.generation) == self.generation:
                self._count += 1
                heapq.heappush(self._later, (at, self._count, body))
                self._delayed.add(_task(body))
                self.changed.notify_all()

    def wake(self, tenant: str, execution: str, at: int) -> None:
        self.advance_at(at, {"tenant": tenant, "execution": execution, "message": {"type": "tick"}})

    def advance_at(self, at: int, body: Body) -> None:
        """Sends a message that arrives at `at`, in milliseconds."""
        with self.changed:
            self._count += 1
            heapq.heappush(self._wakes, (at, self._count, body))
            self.changed.notify_all()

    # -- the other side --------------------------------------------------------------------------------

    def take_messages(self, now: int, limit: int = 100) -> list[Body]:
        """The messages that wait, with what is due at `now`."""
        with self.changed:
            while self._wakes and self._wakes[0][0] <= now:
                self._messages.extend([heapq.heappop(self._wakes)[2]])
            return self._messages.take(limit)

    def ripen(self, now: int) -> None:
        """Tasks that were to be performed by `now` wait to be taken."""
        with self.changed:
            while self._later and self._later[0][0] <= now:
                body = heapq.heappop(self._later)[2]
                self._delayed.discard(_task(body))
                self._in_flight.add(_task(body))
                self._tasks.extend([body])

    def take_tasks(self, limit: int = 100) -> list[Body]:
        with self.changed:
            return self._tasks.take(limit)

    @contextmanager
    def performing(self, generation: int) -> Iterator[None]:
        """While this thread performs tasks taken in that generation: what it says is lost once the queues were cleared."""
        self._thread.generation = generation
        try:
            yield
        finally:
            del self._thread.generation

    def put_back(self, bodies: Sequence[Body]) -> None:
        """Tasks that were taken and not begun: they come first the next time but one."""
        with self.changed:
            self._tasks.extend(bodies)

    def performed(self, bodies: Sequence[Body]) -> None:
        """The tasks are no longer in flight: their results are sent."""
        with self.changed:
            self._in_flight.difference_update(map(_task, bodies))
            self.changed.notify_all()

    def deliver_again(self, bodies: Sequence[Body]) -> None:
        """Puts refused messages back. Raises `DeadLetter` for one that was refused too often."""
        for body in bodies:
            self._received(body, f"the message {body['message']['type']!r}")
        self.advance(bodies)

    def perform_again(self, bodies: Sequence[Body]) -> None:
        """Puts tasks back that could not be performed; they are in flight all the while. Raises `DeadLetter`."""
        for body in bodies:
            self._received(body, _what(body["command"]))
        with self.changed:
            self._tasks.extend(bodies)
            self.changed.notify_all()

    def _received(self, body: Body, what: str) -> None:
        count = body["receives"] = body.get("receives", 0) + 1
        if count >= MAX_RECEIVES:
            raise DeadLetter(f"{body['execution']}: {what} was refused {count} times")

    def clear(self) -> None:
        """Nothing waits any more. What is being performed answers to nobody."""
        with self.changed:
            self._messages.clear()
            self._tasks.clear()
            self._wakes.clear()
            self._in_flight.clear()
            self._later.clear()
            self._delayed.clear()
            self.generation += 1
            self.changed.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether a message or a task waits to be taken."""
        return bool(self._messages or self._tasks)

    @property
    def messages_wait(self) -> bool:
        return bool(self._messages)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def next_wake(self) -> int | None:
        """When the next message or task is due, in milliseconds."""
        return min((heap[0][0] for heap in (self._wakes, self._later) if heap), default=None)


class OnlyOwn:
    """The outbox of a process that is not alone: what belongs to executions that others run is left to them, who find
    it in the store."""

    def __init__(self, queues: LocalQueues, owns: Callable[[str], bool]):
        self._queues = queues
        self._owns = owns

    def advance(self, bodies: Sequence[Body]) -> None:
        self._queues.advance([body for body in bodies if self._owns(body["execution"])])

    def perform(self, bodies: Sequence[Body]) -> None:
        self._queues.perform([body for body in bodies if self._owns(body["execution"])])

    def perform_later(self, body: Body, at: int) -> None:
        if self._owns(body["execution"]):
            self._queues.perform_later(body, at)

    def wake(self, tenant: str, execution: str, at: int) -> None:
        if self._owns(execution):
            self._queues.wake(tenant, execution, at)


def _what(command: Body) -> str:
    if "state" in command:
        return f"the task of {command['state']!r}"
    return f"the command {command['type']!r}"


def _task(body: Body) -> tuple[Any, ...]:
    command = body["command"]
    named = (command.get(key) for key in ("type", "frame", "task", "index", "map_run"))
    return body["tenant"], body["execution"], *named
