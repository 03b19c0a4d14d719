"""A process in which functions are invoked, one after the other, as in one environment of Lambda."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from chaos.faults import FaultyStore, Plan
from chaos.workload import Ledger, handlers


class Sending:
    """The outbox: each message goes to the simulation at once, so that a process that dies has sent what it has sent."""

    def __init__(self, tell: Any, plan: Plan):
        self._tell = tell
        self._plan = plan

    def advance(self, bodies: Sequence[dict[str, Any]]) -> None:
        self._send("advance", bodies)

    def perform(self, bodies: Sequence[dict[str, Any]]) -> None:
        self._send("tasks", bodies)

    def perform_later(self, body: dict[str, Any], at: int) -> None:
        self._tell(("send", "tasks", body, at))

    def wake(self, tenant: str, execution: str, at: int) -> None:
        body = {"tenant": tenant, "execution": execution, "message": {"type": "tick"}}
        self._tell(("send", "advance", body, at))

    def _send(self, queue: str, bodies: Sequence[dict[str, Any]]) -> None:
        self._plan.reach("killed after the work")
        for number, body in enumerate(bodies):
            if number:
                self._plan.reach("killed while sending")
            self._tell(("send", queue, body, 0))


def work(connection: Connection, store: str, ledger: str, seed: int) -> None:
    """Invokes what it is told to invoke: `(function, event, now, death, throttled)`; answers `("done", answer)`."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
    from stratum.handlers import advance, tasks, timers
    from stratum.handlers.api import front_door
    from stratum.handlers.runtime import Runtime
    from stratum.local.functions import InProcessFunctions
    from stratum.local.stores import open_store

    functions: dict[str, Any] = {
        "advance": advance.handle,
        "tasks": tasks.handle,
        "timers": timers.handle,
        "api": front_door.handle,
    }
    plan = Plan(connection.send, random.Random(seed))
    now = 0
    runtime = Runtime(
        FaultyStore(open_store(store), plan),  # pyright: ignore[reportArgumentType]
        Sending(connection.send, plan),
        InProcessFunctions(handlers(Ledger(ledger))),
        clock=lambda: now,
        single_threaded=True,
    )
    while True:
        try:
            name, event, now, death, throttled = connection.recv()
        except EOFError:
            return
        plan.begin(death, throttled)
        try:
            answer = functions[name](runtime, event)
        except Exception as error:  # as Lambda would: the invocation has failed, the environment lives on
            answer = f"{type(error).__name__}: {error}"
        connection.send(("done", answer))
