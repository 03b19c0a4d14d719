"""The cloud in one process: takes what is in its queues to the handlers, as AWS would.

    with LocalCloud(store, functions) as cloud:
        cloud.call("CreateStateMachine", name="hello", definition=definition, roleArn=ROLE)
        started = cloud.call("StartExecution", stateMachineArn=..., input="{}")
        cloud.wait(started["executionArn"])

The handlers run one after the other on the thread that waits; functions that run in processes of their own
are waited for on other threads, so that they overlap. Under a virtual clock time stands still while there is
anything to do and then jumps to what is due next.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ..handlers import advance, tasks, telemetry, timers
from ..handlers.api import front_door
from ..handlers.functions import Functions
from ..handlers.http import Http
from ..handlers.loading import Loaded
from ..handlers.mocks import MockedTasks
from ..handlers.own_functions import WithOwn
from ..handlers.runtime import Body, Clients, Elsewhere, Lacks, Observer, Runtime
from ..handlers.store import Store
from ..handlers.workflows import ROLE as ROLE
from .clock import Clock, RealClock, VirtualClock
from .events import function_url_event, scheduled_event, sqs_event
from .queues import LocalQueues, OnlyOwn

_LOOK_AT_STORE = 1.0
"""Seconds after which somebody who waits looks whether another process has moved the execution on."""

_SEND = 2.0
"""Seconds between two times at which telemetry is sent."""
_LAST_WORDS = 15.0


class CallFailed(Exception):
    """The front door refused: `type` is the API's exception (`ExecutionDoesNotExist`, …)."""

    def __init__(self, type: str, message: str):
        super().__init__(f"{type}: {message}")
        self.type = type
        self.message = message


class Stuck(RuntimeError):
    """Nothing in this cloud can move the execution on: no message, no task, no timer."""


class LocalCloud:
    """`workers`: how many functions may run at once; 0 calls them on the thread of the handlers. `owns` says of which
    executions commands are carried out here; without it, of all."""

    def __init__(
        self,
        store: Store,
        functions: Functions,
        *,
        clock: Clock | None = None,
        workers: int = 8,
        observer: Observer | None = None,
        mocks: MockedTasks | None = None,
        clients: Clients | None = None,
        http: Http | None = None,
        owns: Callable[[str], bool] | None = None,
        elsewhere: Elsewhere | None = None,
        lacks: Lacks | None = None,
    ):
        self.clock = clock or RealClock()
        self.queues = LocalQueues()
        self.runtime = Runtime(
            store,
            self.queues if owns is None else OnlyOwn(self.queues, owns),
            WithOwn(functions, lambda: self.runtime),
            clock=self.clock,
            observer=observer,
            pause=self._pause,
            single_threaded=self.clock.virtual,
            mocks=mocks,
            clients=clients,
            http=http,
            elsewhere=elsewhere,
            lacks=lacks,
            telemetry=telemetry.from_environment(),
        )
        self._sender = Sender(self.runtime) if self.runtime.telemetry is not None else None
        self._runtimes: dict[tuple[str, str], Runtime] = {}
        self.store = store
        self._pool = ThreadPoolExecutor(workers, "stratum-task") if workers else None
        self._workers = workers
        self._submitted = 0
        self._failures: list[BaseException] = []
        self._stood = (-1, 0.0)
        self._closed = False
        self._revision: int | None = None
        self._looked = 0.0

    def __enter__(self) -> LocalCloud:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops the functions. What was in the queues follows from the store again when it is next opened."""
        self._closed = True
        if self._sender is not None:
            self._sender.close()
        close = getattr(self.runtime.functions, "close", None)
        if close is not None:
            close()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def runtime_for(self, account: str, region: str) -> Runtime:
        """The runtime of requests for that account and region; all of them share store, queues and functions."""
        key = (account, region)
        if key not in self._runtimes:
            self._runtimes[key] = self.runtime.at(account, region)
        return self._runtimes[key]

    def call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """An operation of Step Functions' API, through the front door. Raises `CallFailed`."""
        answer = front_door.handle(self.runtime, function_url_event(operation, parameters))
        body = json.loads(answer["body"])
        if answer["statusCode"] != 200:
            raise CallFailed(body["__type"], body["message"])
        return body

    def wait(self, execution: str, *, timeout: float | None = None) -> Loaded:
        """Runs the cloud until the execution has ended. Raises `TimeoutError` after `timeout` real seconds."""
        executions = self.runtime.executions(self.store.tenant)
        self.run(lambda: executions.known(execution).snapshot["status"] != "RUNNING", execution, timeout)
        return executions.known(execution)

    def run(
        self, until: Callable[[], bool], execution: str | None = None, timeout: float | None = None
    ) -> None:
        """Runs handlers until `until()`. Raises `Stuck` where nothing is left that could make it true."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not until():
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"not done after {timeout} s")
            if not self._work() and not self._rest(deadline):
                raise Stuck(f"{execution or 'the cloud'}: nothing is left to do, and nothing is waited for")

    def step(self, seconds: float) -> None:
        """Does what there is to do now, or waits for something to come up, so long at the most."""
        if self._work():
            return
        queues = self.queues
        wake = queues.next_wake
        if isinstance(self.clock, VirtualClock):
            if wake is not None and not self._ready and self._overtaken(wake) <= 0:
                self.clock.advance_to(wake)
                return
            if wake is not None:
                seconds = min(seconds, max(0, self._overtaken(wake)))
        elif wake is not None:
            seconds = min(seconds, max(0, wake - self.clock()) / 1000)
        with queues.changed:
            if not self._ready:
                queues.changed.wait(seconds)
        if not self._ready:
            self._look_at_store()

    def reset(self) -> None:
        """Forgets everything: what is stored, what is under way, what is due."""
        self.queues.clear()
        self.store.clear()
        self.runtime.forget()

    def drain(self) -> None:
        """Runs handlers until there is nothing left to do now (a real clock) or ever (a virtual one)."""
        while (
            self._work()
            or self.queues.in_flight
            or (self.clock.virtual and self.queues.next_wake is not None)
        ):
            self._rest(None)

    def sweep(self) -> int:
        """What the schedule does on AWS once a minute; answers how many executions it woke."""
        return timers.handle(self.runtime, scheduled_event())["woken"]

    # -- the loop --------------------------------------------------------------------------------------

    def _pause(self, milliseconds: int, until: int | None) -> None:
        """Waits inside a handler. Under a virtual clock what there is to do meanwhile is done first, and then
        time jumps."""
        if not isinstance(self.clock, VirtualClock):
            time.sleep(milliseconds / 1000)
            return
        if self._pool is None and self._work():
            return
        at = self.clock() + milliseconds if until is None else until
        wake = self.queues.next_wake
        self.clock.advance_to(at if wake is None else min(at, wake))

    def _work(self) -> bool:
        """Hands out what is in the queues; answers whether there was anything."""
        if self._failures:
            raise self._failures.pop()
        self.queues.ripen(self.clock())
        # What the workers cannot begin yet stays in the queue, where tenants take turns.
        room = self._room()
        given = self.queues.take_tasks() if room is None else self.queues.take_tasks(room) if room else []
        if given and self._pool is None:
            # What waits for others must not keep those of its own batch waiting.
            first = [body for body in given if not _waits(body)] or given[:1]
            self.queues.put_back([body for body in given if body not in first])
            self._perform(first, self.queues.generation)
        elif self._pool is not None:
            for body in given:
                with self.queues.changed:
                    self._submitted += 1
                self._pool.submit(self._perform, [body], self.queues.generation).add_done_callback(
                    self._note_done
                )
        bodies = self.queues.take_messages(self.clock())
        if bodies:
            event = sqs_event("stratum-advance", bodies, self.clock())
            self._deliver_again(bodies, event, advance.handle(self.runtime, event))
        return bool(given or bodies)

    def _perform(self, bodies: Sequence[Body], generation: int) -> None:
        event = sqs_event("stratum-tasks", bodies, self.clock())
        failed: list[Body] = []
        with self.queues.performing(generation):
            try:
                failed = _failed(bodies, event, tasks.handle(self.runtime, event))
            finally:
                self.queues.performed([body for body in bodies if body not in failed])
        if failed and not self._closed and generation == self.queues.generation:
            self.queues.perform_again(failed)

    def _room(self) -> int | None:
        """How many tasks can be begun now; None where they are performed one after the other."""
        return None if self._pool is None else self._workers - self._submitted

    @property
    def _ready(self) -> bool:
        """Whether something waits that can be taken now."""
        return self.queues.messages_wait or (self.queues.waiting and self._room() != 0)

    def _note_done(self, done: Future[None]) -> None:
        with self.queues.changed:
            self._submitted -= 1
            self.queues.changed.notify_all()
        if not done.cancelled() and (error := done.exception()) is not None:
            self._failures.append(error)

    def _deliver_again(self, bodies: Sequence[Body], event: dict[str, Any], answer: dict[str, Any]) -> None:
        if failed := _failed(bodies, event, answer):
            self.queues.deliver_again(failed)

    def _rest(self, deadline: float | None) -> bool:
        """Waits for a task, a timer or, under a virtual clock, not at all; answers False where neither is."""
        queues = self.queues
        wake = queues.next_wake
        if isinstance(self.clock, VirtualClock):
            if wake is None and not queues.in_flight and not queues.waiting:
                return False
            left = _LOOK_AT_STORE if wake is None else self._overtaken(wake)
            if wake is not None and left <= 0 and not self._ready:
                self.clock.advance_to(wake)
                return True
            seconds = min(_LOOK_AT_STORE, max(0, left))
        elif wake is None and not queues.in_flight and not queues.waiting:
            return False
        else:
            seconds = (
                _LOOK_AT_STORE if wake is None else min(_LOOK_AT_STORE, max(0, wake - self.clock()) / 1000)
            )
        if deadline is not None:
            seconds = min(seconds, max(0.0, deadline - time.monotonic()))
        with queues.changed:
            if not self._ready:
                queues.changed.wait(seconds)
        if not self._ready:
            self._look_at_store()
        return True

    def _overtaken(self, wake: int) -> float:
        """Real seconds until virtual time may jump to `wake`: none while nothing runs; a function that does run is given
        the time that it takes, so that a timeout passes as it would."""
        now, moment = self.clock(), time.monotonic()
        if not self.queues.in_flight or now != self._stood[0]:
            self._stood = (now, moment)
        if not self.queues.in_flight:
            return 0
        pace = self.clock.pace if isinstance(self.clock, VirtualClock) else 1.0
        return (wake - now) / 1000 / pace - (moment - self._stood[1])

    def _look_at_store(self) -> None:
        """Goes on with executions that another process has moved: by a decision, a result, a stop."""
        revision, now = self.store.revision(), time.monotonic()
        same = revision == self._revision if revision is not None else now < self._looked + _LOOK_AT_STORE
        if same and not any(executions.moved for executions in self.runtime.all_executions()):
            return
        self._revision, self._looked = revision, now
        for executions in self.runtime.all_executions():
            for execution in executions.outdated():
                executions.dispatch_pending(execution)


class Sender:
    """Writes telemetry out now and then, on a thread of its own: no execution waits for it."""

    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stratum-telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sends what is left, as long as that may take."""
        self._over.set()
        self._thread.join(_LAST_WORDS)

    def _run(self) -> None:
        while not self._over.wait(_SEND):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        if self._runtime.telemetry is not None:
            self._runtime.telemetry.flush(self._runtime)


def _waits(body: Body) -> bool:
    """Whether the task may take as long as somebody else likes."""
    return str(body["command"].get("resource", "")).endswith((":getActivityTask", ":startSyncExecution"))


def _failed(bodies: Sequence[Body], event: dict[str, Any], answer: dict[str, Any]) -> list[Body]:
    """The bodies of those messages of a batch that its handler reports as failed."""
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    records = zip(event["Records"], bodies, strict=True)
    return [body for record, body in records if record["messageId"] in failed]
