"""Tasks that are Step Functions itself: nested executions, and `aws-sdk:sfn:*`, answered by our own front door.

See the AWS guide, "Start workflow executions from a task state in Step Functions".
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from ..children import ended
from .outcomes import TaskFailed, TaskSubmitted
from .values import as_text

if TYPE_CHECKING:
    from ..runtime import Body, Runtime
    from ..tasks import TaskCommand


def perform(
    runtime: Runtime, tenant: str, execution: str, command: TaskCommand, type: str, action: str
) -> str:
    from ..api.errors import ApiError

    arguments = json.loads(command.arguments)
    if not isinstance(arguments, dict):
        raise TaskFailed("States.Runtime", "The arguments of a task must be a JSON object")
    try:
        if type == "states" and action.startswith("startExecution"):
            return _start(runtime, tenant, execution, command, action, arguments)
        return _call(runtime, tenant, action, arguments)
    except ApiError as error:
        request = uuid.uuid4()
        if type == "states":
            name = error.type if error.type.endswith("Exception") else f"{error.type}Exception"
            cause = f"{error.message} (Service: AWSStepFunctions; Status Code: {error.status}; Error Code: {error.type}; Request ID: {request}; Proxy: null)"
            raise TaskFailed(f"StepFunctions.{name}", cause) from None
        name = error.type if error.type.endswith("Exception") else f"{error.type}Exception"
        cause = f"{error.message} (Service: Sfn, Status Code: {error.status}, Request ID: {request})"
        raise TaskFailed(f"Sfn.{name}", cause) from None


def _start(
    runtime: Runtime,
    tenant: str,
    execution: str,
    command: TaskCommand,
    action: str,
    arguments: dict[str, Any],
) -> str:
    """Starts the nested execution; for `.sync`, it tells this task when it has ended."""
    from ..api.executions import begin

    given = arguments.get("Input")
    parameters = {
        "stateMachineArn": arguments.get("StateMachineArn"),
        # The same name whenever the task is performed again: it is started once.
        "name": arguments.get("Name") or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{execution} {command.key}")),
        "input": "{}"
        if given is None
        else given
        if isinstance(given, str)
        else json.dumps(given, separators=(",", ":"), ensure_ascii=False),
    }
    if action == "startExecution":
        started = begin(runtime, tenant, parameters)
        return _answer(started["executionArn"], round(started["startDate"] * 1000))
    parent = {
        "execution": execution, "frame": command.frame, "task": command.task,
        "kind": action.removeprefix("startExecution."), "credentials": command.role is not None,
    }  # fmt: skip

    def submitted(child: str) -> None:
        """Said before the child begins, which may end in the same breath."""
        from ...statelang.engine import messages

        answer = _answer(child, runtime.clock())
        message = messages.task_submitted(command.frame, command.task, answer, job=child)
        runtime.outbox.advance([{"tenant": tenant, "execution": execution, "message": message}])

    known = begin(runtime, tenant, parameters, parent=parent, before=submitted).get("known")
    if known is not None and known["status"] != "RUNNING":
        # It had been started before, and what it told then may have been lost.
        runtime.outbox.advance([{"tenant": tenant, "execution": execution, "message": ended(known)}])
    raise TaskSubmitted(None)


def stop_child(tenant: str, child: str) -> list[Body]:
    """The message that stops a nested execution whose parent does not wait for it any more."""
    from ...statelang.engine import messages

    return [{"tenant": tenant, "execution": child, "message": messages.stop()}]


def _answer(execution: str, started: int) -> str:
    request = str(uuid.uuid4())
    length = str(len(execution) + 60)
    date = formatdate(usegmt=True)
    headers = {
        "connection": "keep-alive",
        "Content-Length": length,
        "Content-Type": "application/x-amz-json-1.0",
        "Date": date,
    }
    every = {key: [value] for key, value in headers.items()}
    return json.dumps(
        {
            "ExecutionArn": execution,
            "SdkHttpMetadata": {
                "AllHttpHeaders": {"x-amzn-RequestId": [request], **every},
                "HttpHeaders": {**headers, "x-amzn-RequestId": request},
                "HttpStatusCode": 200,
            },
            "SdkResponseMetadata": {"RequestId": request},
            "StartDate": started,
        },
        separators=(",", ":"),
    )


def _call(runtime: Runtime, tenant: str, action: str, arguments: dict[str, Any]) -> str:
    """An operation of the API by its name in the SDK, such as `sendTaskSuccess`."""
    from ..api import front_door

    operation = action[:1].upper() + action[1:]
    if operation not in front_door.OPERATIONS:
        raise TaskFailed(
            "States.Runtime", f"The resource arn:aws:states:::aws-sdk:sfn:{action} is not supported."
        )
    texts = {
        name: as_text(value) for name, value in arguments.items() if name in _TEXTS and value is not None
    }
    answer = front_door.call(runtime, operation, _lower({**arguments, **texts}), tenant)
    return json.dumps(_upper(answer), separators=(",", ":"), ensure_ascii=False)


_TEXTS = ("Cause", "Context", "Definition", "Error", "Input", "Output", "Variables")
"""Parameters that are text: data for them is written as JSON."""


def _lower(value: Any) -> Any:
    """Parameters as the API takes them: the SDK for Java spells them with a capital."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lower(item) for item in value]
    return value


def _upper(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _upper(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_upper(item, key) for item in value]
    if key.endswith(("Date", "timestamp")) and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
