"""Tasks that are Lambda functions: by the function's own ARN, or by `arn:aws:states:::lambda:invoke`.

See the AWS guide, "Invoke an AWS Lambda function with Step Functions".
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from ..functions import Invocation, InvocationResult, InvokeError
from .outcomes import TaskFailed, TaskTimedOut

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand


def call(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """`Resource` is the function: its payload is the task's input, and the task's result what it answers."""
    request = _request_id(command)
    return _invoke(runtime, execution, command, command.resource, command.arguments, request).payload


def invoke(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """`lambda:invoke`: the answer's `Payload` is what the function returned."""
    arguments = json.loads(command.arguments)
    function = arguments.get("FunctionName") if isinstance(arguments, dict) else None
    if not isinstance(function, str):
        raise TaskFailed("States.Runtime", "The field 'FunctionName' is required but was missing")
    payload = arguments.get("Payload", {})
    # A text is the very payload, and has to be JSON itself.
    if not isinstance(payload, str):
        payload = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    elif not _is_json(payload):
        raise TaskFailed(
            "Lambda.InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {payload[:200]}",
        )
    if qualifier := arguments.get("Qualifier"):
        function = f"{function}:{qualifier}"
    request = _request_id(command)
    result = _invoke(runtime, execution, command, function, payload, request)
    # The payload is put in as text: a number keeps the digits that the function gave it.
    head = json.dumps({"ExecutedVersion": result.executed_version})[:-1]
    tail = json.dumps(
        {
            "SdkHttpMetadata": {"HttpStatusCode": 200},
            "SdkResponseMetadata": {"RequestId": request},
            "StatusCode": 200,
        },
        separators=(",", ":"),
    )
    return f'{head},"Payload":{_SPACES.sub(_kept, result.payload) or "null"},{tail[1:]}'


def _invoke(
    runtime: Runtime, execution: str, command: TaskCommand, function: str, payload: str, request: str
) -> InvocationResult:
    context = {
        "idempotency_key": command.key,
        "execution": execution,
        "step": command.state,
        "attempt": command.attempt,
        "tenant": command.tenant,
    }
    invocation = Invocation(
        function=function,
        payload=payload,
        request_id=request,
        client_context=context,
        timeout=command.timeout,
        account=runtime.account,
        region=runtime.region,
    )
    try:
        result = runtime.functions_for(function).invoke(invocation)
    except InvokeError as error:
        raise TaskFailed(error.error, str(error)) from None
    if result.function_error is None:
        return result
    failure: Any = json.loads(result.payload)
    error = failure.get("errorType") or "Lambda.Unknown"
    if error == "Sandbox.Timedout" and command.timeout is not None:
        # The task's own timeout has passed, unless the function has one that is shorter.
        if f" after {command.timeout:.2f} seconds" in failure.get("errorMessage", ""):
            raise TaskTimedOut
    raise TaskFailed(error, result.payload)


_SPACES = re.compile(r'"(?:[^"\\]|\\.)*"|\s+')


def _kept(found: re.Match[str]) -> str:
    return found[0] if found[0][0] == '"' else ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _request_id(command: TaskCommand) -> str:
    """Decided by the idempotency key: a task that is performed again is the same request."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, command.key))
