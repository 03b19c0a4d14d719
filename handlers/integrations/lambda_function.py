"""Tasks that are Lambda functions: by the function's own ARN, or by `arn:aws:states:::lambda:invoke`.

See the AWS guide, "Invoke an AWS Lambda function with Step Functions".
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from ..functions import Invocation, InvocationResult, InvokeError
from .calls import could_not_start
from .outcomes import TaskFailed, TaskTimedOut
from .values import compact

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand


def call(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """Calls the function of a task as the task says, and waits for it. Raises `TaskFailed`, `TaskTimedOut`."""
    asked = asked_for(runtime, execution, command)
    if asked.kind != "RequestResponse":
        return _without_result(runtime, asked.invocation, asked.kind)
    try:
        result = runtime.functions_for(asked.invocation.function).invoke(asked.invocation)
    except InvokeError as error:
        raise TaskFailed(error.error, str(error)) from None
    check(result, command.timeout)
    return answer_of(command.resource, result, asked.invocation.request_id, log=asked.log)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task calls: in which of Lambda's ways, and whether the end of the log is wanted with the answer."""

    invocation: Invocation
    kind: str = "RequestResponse"
    log: bool = False


def asked_for(runtime: Runtime, execution: str, command: TaskCommand) -> Asked:
    """Where `Resource` is the function, its payload is the task's input; else the arguments of `lambda:invoke` say.

    Raises `TaskFailed`."""
    if _is_function(command.resource):
        return Asked(_invocation(runtime, execution, command, command.resource, command.arguments))
    arguments = json.loads(command.arguments)
    function = arguments.get("FunctionName") if isinstance(arguments, dict) else None
    if not isinstance(function, str):
        raise could_not_start(arguments, ["The field 'FunctionName' is required but was missing"])
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
    invocation = _invocation(runtime, execution, command, function, payload)
    if given := arguments.get("ClientContext"):
        own = {**_custom(arguments, given), **(invocation.client_context or {})}
        invocation = replace(invocation, client_context=own)
    kind = arguments.get("InvocationType", "RequestResponse")
    if kind not in _STATUS:
        raise could_not_start(
            arguments, [f"The value of the field 'InvocationType' must be one of {', '.join(_STATUS)}"]
        )
    return Asked(invocation, kind, arguments.get("LogType") == "Tail")


def answer_of(resource: str, result: InvocationResult, request: str, *, log: bool = False) -> str:
    """The task's result: what the function answered or, by `lambda:invoke`, what Lambda did, with that as `Payload`."""
    if _is_function(resource):
        return result.payload
    fields: dict[str, Any] = {"ExecutedVersion": result.executed_version}
    if log:
        fields["LogResult"] = base64.b64encode(result.log.encode()[-_LOG_TAIL:]).decode()
    # The payload is put in as text: a number keeps the digits that the function gave it.
    head = compact(fields)[:-1]
    payload = _SPACES.sub(_kept, result.payload) or "null"
    return f'{head},"Payload":{payload},{compact(_about(request, "RequestResponse", result))[1:]}'


def _is_function(resource: str) -> bool:
    """Whether the resource is a function itself, and no integration."""
    return ":states:::" not in resource


_STATUS = {"RequestResponse": 200, "Event": 202, "DryRun": 204}
_LOG_TAIL = 4096


def _without_result(runtime: Runtime, invocation: Invocation, kind: str) -> str:
    """An event that the function is handed some time, or a look whether it could be."""
    functions = runtime.functions_for(invocation.function)
    try:
        if kind == "Event":
            later = getattr(functions, "invoke_later", functions.invoke)
            later(invocation)
        elif (check := getattr(functions, "check", None)) is not None:
            check(invocation)
    except InvokeError as error:
        raise TaskFailed(error.error, str(error)) from None
    return compact({"Payload": "", **_about(invocation.request_id, kind, None)})


def _about(request: str, kind: str, result: InvocationResult | None) -> dict[str, Any]:
    """What the SDK tells of the call."""
    headers = {
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "Date": formatdate(usegmt=True),
    }
    if result is not None:
        headers["Content-Length"] = str(len(result.payload.encode()))
        headers["X-Amz-Executed-Version"] = result.executed_version
    headers["x-amzn-RequestId"] = request
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": _STATUS[kind],
        },
        "SdkResponseMetadata": {"RequestId": request},
        "StatusCode": _STATUS[kind],
    }


def _custom(arguments: Any, given: Any) -> dict[str, Any]:
    """What a `ClientContext` (JSON in base64) has for the function."""
    try:
        custom = json.loads(base64.b64decode(given)).get("custom")
    except (ValueError, TypeError, AttributeError):
        raise could_not_start(
            arguments, ["The value of the field 'ClientContext' has an invalid format"]
        ) from None
    return custom if isinstance(custom, dict) else {}


def _invocation(
    runtime: Runtime, execution: str, command: TaskCommand, function: str, payload: str
) -> Invocation:
    context = {
        "idempotency_key": command.key,
        "execution": execution,
        "step": command.state,
        "attempt": command.attempt,
        "tenant": command.tenant,
    }
    return Invocation(
        function=function,
        payload=payload,
        request_id=_request_id(command),
        client_context=context,
        timeout=command.timeout,
        account=runtime.account,
        region=runtime.region,
    )


def check(result: InvocationResult, timeout: int | None) -> None:
    """Raises `TaskFailed` where the function failed, and `TaskTimedOut` where the task's own `timeout` (seconds) passed."""
    if result.function_error is None:
        return
    failure: Any = json.loads(result.payload)
    error = failure.get("errorType") or "Lambda.Unknown"
    if error == "Sandbox.Timedout" and timeout is not None:
        # The task's own timeout has passed, unless the function has one that is shorter.
        if f" after {timeout:.2f} seconds" in failure.get("errorMessage", ""):
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
