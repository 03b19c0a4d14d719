"""StartSyncExecution: an Express execution from its start to its end in one request.

The request's own thread carries it out: it performs the tasks that the execution hands out, several at once where
there are several, and waits for what is due. What goes to other executions takes the usual way.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .. import tasks
from ..executions import Executions
from ..runtime import Body, Runtime
from . import parameters as read
from .errors import ApiError
from .executions import begin, resolve
from .parameters import Parameters

_INCLUDED = {"included": True}
_MEMORY = 64
_AT_ONCE = 16


class _Inbox:
    """The outbox of one synchronous execution: what concerns it is kept here, the rest passed on."""

    def __init__(self, runtime: Runtime):
        self._outbox = runtime.outbox
        self.execution = ""
        self.messages: list[dict[str, Any]] = []
        self.tasks: list[Body] = []
        self.due: int | None = None

    def advance(self, bodies: Sequence[Body]) -> None:
        self.messages += [body["message"] for body in bodies if body["execution"] == self.execution]
        others = [body for body in bodies if body["execution"] != self.execution]
        if others:
            self._outbox.advance(others)

    def perform(self, bodies: Sequence[Body]) -> None:
        self.tasks += [body for body in bodies if body["execution"].split(":")[5] == "express"]
        others = [body for body in bodies if body["execution"].split(":")[5] != "express"]
        if others:
            self._outbox.perform(others)

    def perform_later(self, body: Body, at: int) -> None:
        self._outbox.perform_later(body, at)

    def wake(self, tenant: str, execution: str, at: int) -> None:
        if execution.split(":")[5] == "express":
            self.due = at if self.due is None else min(self.due, at)
        else:
            self._outbox.wake(tenant, execution, at)


def start_sync_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = read.arn(parameters, "stateMachineArn", "stateMachine")
    machine, _, _ = resolve(runtime.executions(tenant).store, str(arn), runtime.clock())
    if machine.value["type"] != "EXPRESS":
        raise ApiError(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )
    inbox = _Inbox(runtime)
    own = runtime.with_outbox(inbox)
    executions = own.executions(tenant)
    inbox.execution = begin(own, tenant, parameters)["executionArn"]
    _run(own, executions, inbox)
    return _answer(executions.load(inbox.execution).snapshot)


def _run(runtime: Runtime, executions: Executions, inbox: _Inbox) -> None:
    from ...statelang.engine import messages

    while executions.known(inbox.execution).snapshot["status"] == "RUNNING":
        if inbox.messages:
            taken, inbox.messages = inbox.messages, []
            for failure in executions.advance({inbox.execution: taken}).values():
                raise failure
        elif inbox.tasks:
            given, inbox.tasks = inbox.tasks, []
            for results in _perform(runtime, given):
                inbox.advance(results)
        else:
            due, inbox.due = inbox.due, None
            assert due is not None, "an Express execution has a deadline at the least"
            runtime.sleep_until(due)
            for failure in executions.advance({inbox.execution: [messages.tick()]}).values():
                raise failure


def _perform(runtime: Runtime, bodies: list[Body]) -> list[list[Body]]:
    def one(body: Body) -> list[Body]:
        return tasks.perform(runtime, tasks.TaskBody(**body))

    if len(bodies) == 1 or runtime.single_threaded:
        return [one(body) for body in bodies]
    with ThreadPoolExecutor(min(len(bodies), _AT_ONCE)) as pool:
        return list(pool.map(one, bodies))


def _answer(snapshot: dict[str, Any]) -> dict[str, Any]:
    execution = snapshot["execution"]
    duration = snapshot["stopped"] - execution["started"]
    status = snapshot["status"] if snapshot.get("error") != "States.Timeout" else "TIMED_OUT"
    answer = {
        "executionArn": execution["id"],
        "stateMachineArn": snapshot["state_machine"]["id"],
        "name": execution["name"],
        "startDate": execution["started"] / 1000,
        "stopDate": snapshot["stopped"] / 1000,
        "status": status,
        "input": execution["input"],
        "inputDetails": _INCLUDED,
        # Billed by the 100 milliseconds, and 64 MB at the least.
        "billingDetails": {
            "billedMemoryUsedInMB": _MEMORY,
            "billedDurationInMilliseconds": max(100, -(-duration // 100) * 100),
        },
    }
    for key in ("output", "error", "cause"):
        if snapshot.get(key) is not None:
            answer[key] = snapshot[key]
    if "output" in answer:
        answer["outputDetails"] = _INCLUDED
    return answer
