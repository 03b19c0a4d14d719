"""The simulation: queues that misbehave, processes that die, and a clock that jumps when there is nothing to do.

Everything that is chosen by chance is chosen with one seed; which process is faster is not.
"""

from __future__ import annotations

import heapq
import json
import multiprocessing
import random
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from chaos.faults import KILLED, Rates
from chaos.worker import work
from stratum.local.clock import EPOCH
from stratum.local.events import function_url_event, scheduled_event, sqs_event

_BATCH = 10
_VISIBILITY = 30_000
_MINUTE = 60_000
_DEATHS = {
    "advance": ("killed before the commit", "killed after the commit", "killed while sending"),
    "tasks": ("killed after the work", "killed while sending"),
    "api": ("killed before the commit", "killed after the commit"),
}


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    call: _Call | None = None


@dataclass(slots=True)
class _Call:
    """One invocation, with what it was given: messages come back when it fails."""

    function: str
    event: dict[str, Any]
    bodies: list[dict[str, Any]] = field(default_factory=list)


class Simulation:
    """`start` executions, `run` to their end, and look at `faults`, `calls` and `now`."""

    def __init__(self, store: str, ledger: str, *, workers: int, rates: Rates, seed: int):
        self.now = EPOCH
        self.faults: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._store, self._ledger, self._rates = store, ledger, rates
        self._chance = random.Random(seed)
        self._queues: dict[str, list[dict[str, Any]]] = {"advance": [], "tasks": []}
        self._later: list[tuple[int, int, str, dict[str, Any]]] = []
        self._count = 0
        self._requests: list[_Call] = []
        self._swept = EPOCH
        self._context = multiprocessing.get_context("spawn")
        self._workers = [self._hire() for _ in range(workers)]

    def close(self) -> None:
        for worker in self._workers:
            worker.connection.close()
            worker.process.join(10)

    def start(self, machine: str, name: str, input: Any) -> None:
        """Somebody's request, who asks again under the same name when there was no answer."""
        parameters = {"stateMachineArn": machine, "name": name, "input": json.dumps(input)}
        self._requests.append(_Call("api", function_url_event("StartExecution", parameters)))

    def run(self, until: int) -> None:
        """Until nothing is on its way any more, and no execution needs to be woken up to the time `until`."""
        while True:
            self._hand_out()
            busy = [worker for worker in self._workers if worker.call is not None]
            if busy:
                for connection in wait([worker.connection for worker in busy]):
                    self._listen(next(worker for worker in busy if worker.connection is connection))
            elif self.now < until:
                self._pass_time()
            else:
                return

    # -- calls -------------------------------------------------------------------------------------------

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._store, self._ledger, self._chance.getrandbits(32))
        process = self._context.Process(target=work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.call is None and (call := self._next_call()) is not None:
                death = None
                if self._chance.random() < self._rates.killed and call.function in _DEATHS:
                    death = self._chance.choice(_DEATHS[call.function])
                self.calls[call.function] += 1
                worker.call = call
                worker.connection.send((call.function, call.event, self.now, death, self._rates.throttled))

    def _next_call(self) -> _Call | None:
        """A request as soon as there is one, else a batch of either queue."""
        if self._requests and (self._chance.random() < 0.2 or not any(self._queues.values())):
            return self._requests.pop()
        names = [name for name, queue in self._queues.items() if queue]
        if not names:
            return None
        name = self._chance.choice(names)
        queue = self._queues[name]
        bodies: list[dict[str, Any]] = []
        for _ in range(min(_BATCH, len(queue))):
            at = (
                0
                if not self._rates.between or self._chance.random() < 0.5
                else self._chance.randrange(len(queue))
            )
            self.faults["reordered"] += at > 0
            bodies.append(queue.pop(at))
        return _Call(name, sqs_event(f"stratum-{name}", bodies, self.now), bodies)

    def _listen(self, worker: _Worker) -> None:
        call = worker.call
        assert call is not None
        try:
            said = worker.connection.recv()
        except EOFError:
            worker.process.join()
            if worker.process.exitcode != KILLED:
                raise RuntimeError(f"a worker ended by itself, with {worker.process.exitcode}") from None
            self._back(call, call.bodies)
            self._workers[self._workers.index(worker)] = self._hire()
            return
        if said[0] == "fault":
            self.faults[said[1]] += 1
        elif said[0] == "send":
            self._send(*said[1:])
        else:
            worker.call = None
            self._answered(call, said[1])

    def _answered(self, call: _Call, answer: Any) -> None:
        if isinstance(answer, str):
            self._back(call, call.bodies)
        elif call.function == "api" and answer["statusCode"] != 200:
            assert answer["statusCode"] >= 500, answer
            self._back(call, [])
        elif call.bodies:
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            records = zip(call.event["Records"], call.bodies, strict=True)
            self._back(call, [body for record, body in records if record["messageId"] in failed])

    def _back(self, call: _Call, bodies: list[dict[str, Any]]) -> None:
        """What was not done comes again: a request at once, messages when they become visible."""
        if call.function == "api":
            self._requests.append(call)
        for body in bodies:
            self._put(call.function, body, self.now + _VISIBILITY)

    # -- messages ----------------------------------------------------------------------------------------

    def _send(self, queue: str, body: dict[str, Any], at: int) -> None:
        rates = self._rates
        self._count += 1
        if rates.between and self._count % rates.between < rates.outage:
            self.faults["dropped"] += 1
            return
        if self._chance.random() < rates.duplicated:
            self.faults["duplicated"] += 1
            self._put(queue, body, max(at, self.now + self._chance.randrange(_MINUTE)))
        if self._chance.random() < rates.delayed:
            self.faults["delayed"] += 1
            at = max(at, self.now) + self._chance.randrange(10 * _MINUTE)
        self._put(queue, body, at)

    def _put(self, queue: str, body: dict[str, Any], at: int) -> None:
        if at <= self.now:
            self._queues[queue].append(body)
        else:
            self._count += 1
            heapq.heappush(self._later, (at, self._count, queue, body))

    def _pass_time(self) -> None:
        """To what is due next: a message, or the sweeper."""
        sweep = self._swept + _MINUTE
        self.now = min(sweep, self._later[0][0]) if self._later else sweep
        while self._later and self._later[0][0] <= self.now:
            _, _, queue, body = heapq.heappop(self._later)
            self._queues[queue].append(body)
        if self.now == sweep:
            self._swept = sweep
            self._requests.append(_Call("timers", scheduled_event()))
