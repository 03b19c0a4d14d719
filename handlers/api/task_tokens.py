"""Answers of those who hold a task's token: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat."""

from __future__ import annotations

from typing import Any

from ...statelang.asl import NotJson, measure, read_json
from ...statelang.engine import DATA_LIMIT, is_genuine, messages, read_token
from ...statelang.engine.messages import Message
from ..executions import ExecutionNotFound
from ..runtime import Runtime
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
        raise invalid_token()
    waiting = loaded.snapshot["frames"].get(frame)
    if (
        loaded.snapshot["status"] != "RUNNING"
        or waiting is None
        or waiting["phase"] != "task"
        or waiting["task"]["id"] != task
    ):
        raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    message: Message = messages.by_token(make(frame, task))
    for failure in executions.advance({execution: [message]}).values():
        raise failure
    return {}
