"""Answers of those who hold a task's token: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat."""

from __future__ import annotations

from typing import Any

from ...statelang.asl import NotJson, measure, read_json
from ...statelang.engine import DATA_LIMIT, is_genuine, messages, read_token
from ...statelang.engine.messages import Message
from ..loading import ExecutionNotFound
from ..runtime import Runtime
from ..work.refusal import FORGED, NOT_ALLOWED
from . import parameters as read
from .errors import ApiError, invalid_token
from .parameters import Parameters


def send_task_success(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    output = read.text(parameters, "output")
    if measure(output) > DATA_LIMIT:
        raise ApiError("InvalidOutput", f"Invalid output: the output is larger than {DATA_LIMIT} bytes")
    try:
        read_json(output)
    except NotJson as error:
        raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from None
    return _send(
        runtime, tenant, parameters, lambda frame, task: messages.task_succeeded(frame, task, output)
    )


def send_task_failure(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    error, cause = read.optional_text(parameters, "error"), read.optional_text(parameters, "cause")
    return _send(
        runtime, tenant, parameters, lambda frame, task: messages.task_failed(frame, task, error, cause)
    )


def send_task_heartbeat(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    return _send(runtime, tenant, parameters, messages.heartbeat, last=False)


def _note(runtime: Runtime, tenant: str, execution: str, reason: str, message: str) -> None:
    """Puts into the execution's journal, which its audit tells, that somebody was refused."""
    from ..work.journal import journal_of

    by = runtime.requester or {"via": "api"}
    journal_of(runtime, tenant).note(
        execution, runtime.clock(), "refused", by=by, reason=reason, message=message
    )


def _send(
    runtime: Runtime, tenant: str, parameters: Parameters, make: Any, *, last: bool = True
) -> dict[str, Any]:
    """Tells the execution at once, so that whoever answers knows that it counted."""
    token = read.text(parameters, "taskToken")
    found = read_token(token)
    if found is None:
        raise invalid_token()
    execution, frame, task = found
    executions = runtime.executions(tenant)
    try:
        loaded = executions.load(execution)
    except ExecutionNotFound:
        raise invalid_token() from None
    if not is_genuine(token, loaded.snapshot.get("secret", "")):
        _note(runtime, tenant, execution, FORGED, "a token that this execution has not given out")
        raise invalid_token()
    waiting = loaded.snapshot["frames"].get(frame)
    if (
        loaded.snapshot["status"] != "RUNNING"
        or waiting is None
        or waiting["phase"] != "task"
        or waiting["task"]["id"] != task
    ):
        raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    if last and '"stratum-work"' in waiting["task"]["arguments"]:
        # Whoever may read a history has the token: it proves nobody to be the person or agent that the step asks for.
        told = f"{waiting['state']} is a gate or an agent's step: it is answered where its work is listed, not by its task's token"
        _note(runtime, tenant, execution, NOT_ALLOWED, told)
        raise ApiError("InvalidToken", f"Invalid Token: '{told}'")
    message: Message = messages.by_token(make(frame, task))
    for failure in executions.advance({execution: [message]}).values():
        raise failure
    return {}
