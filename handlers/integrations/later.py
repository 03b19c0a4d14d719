"""Functions that may run long: invoked asynchronously, so that the tasks handler does not wait, and cost, as long as they.

What comes of them Lambda itself sends to the queue of results, as the record of a destination: also of a function that
timed out, crashed or could not be run. See the AWS Lambda guide, "Capturing records of Lambda asynchronous invocations".
An asynchronous invocation brings no client context, so the event is an envelope that `long_function` opens.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...statelang.engine import messages
from ..functions import Invocation, InvocationResult, InvokeError, function_name
from ..long_function import ENVELOPE
from .outcomes import TaskFailed

if TYPE_CHECKING:
    from ..runtime import Body, Runtime
    from ..tasks import TaskCommand

_SUCCESS = "Success"


class NotOurs(ValueError):
    """The record does not belong to a task that waits for it; the text says in what."""


def begin(runtime: Runtime, execution: str, command: TaskCommand) -> bool:
    """Invokes the function of the task, where it is one whose result comes by itself. Raises `TaskFailed`."""
    functions = runtime.functions_for(command.resource)
    is_long = getattr(functions, "is_long", None)
    if is_long is None:
        return False
    from .lambda_function import asked_for

    asked = asked_for(runtime, execution, command)
    invocation = asked.invocation
    if asked.kind != "RequestResponse" or asked.log or not is_long(function_name(invocation.function)):
        return False
    task = {
        "tenant": command.tenant, "execution": execution, "frame": command.frame, "task": command.task,
        "resource": command.resource, "state": command.state, "context": invocation.client_context, "request": invocation.request_id,
    }  # fmt: skip
    head = json.dumps({ENVELOPE: task}, separators=(",", ":"))[:-1]
    try:
        functions.invoke_later(  # pyright: ignore[reportAttributeAccessIssue]
            Invocation(invocation.function, f'{head},"payload":{invocation.payload}}}', invocation.request_id)
        )
    except InvokeError as error:
        raise TaskFailed(error.error, str(error)) from None
    return True


def answer(runtime: Runtime, record: dict[str, Any]) -> Body:
    """The message that a record of a destination comes to. Raises `NotOurs`.

    Whoever runs as the function could write such a record himself; so it counts for tasks of that function alone.
    """
    from .lambda_function import answer_of, check

    task = record["requestPayload"][ENVELOPE]
    tenant, execution, frame, number = (task[name] for name in ("tenant", "execution", "frame", "task"))
    _check(runtime, task, function_name(record["requestContext"]["functionArn"]))
    context, payload = record.get("responseContext") or {}, record.get("responsePayload")
    failed = context.get("functionError") or record["requestContext"]["condition"] != _SUCCESS
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    if failed and not isinstance(payload, dict):
        # It was never run: too old, or throttled for too long.
        condition = record["requestContext"]["condition"]
        text = json.dumps(
            {"errorType": f"Lambda.{condition}", "errorMessage": f"the event was dropped: {condition}"}
        )
    result = InvocationResult(
        text, "Unhandled" if failed else None, context.get("executedVersion") or "$LATEST"
    )
    try:
        check(result, None)
        output = answer_of(task["resource"], result, task["request"])
        message = messages.task_succeeded(frame, number, output)
    except TaskFailed as error:
        message = messages.task_failed(frame, number, error.error, error.cause)
    return {"tenant": tenant, "execution": execution, "state": task.get("state"), "message": message}


def _check(runtime: Runtime, task: dict[str, Any], function: str) -> None:
    snapshot = runtime.executions(task["tenant"]).load(task["execution"]).snapshot
    frame = snapshot["frames"].get(task["frame"])
    if (
        snapshot["status"] != "RUNNING"
        or frame is None
        or frame["phase"] != "task"
        or frame["task"]["id"] != task["task"]
    ):
        return  # it is late, and the engine lets it pass
    if (
        "token" in frame
        or f"function:{function}" not in frame["task"]["resource"] + frame["task"]["arguments"]
    ):
        raise NotOurs(f"the task does not call {function}")
