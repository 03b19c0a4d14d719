"""Lambda functions as the tasks handler calls them: the protocol, in the shapes of Lambda's Invoke API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class InvokeError(Exception):
    """Lambda did not run the function. `error` is the name that Retry and Catch see: `Lambda.` and the API's code."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


class FunctionNotFound(InvokeError):
    """There is no function of that name. The text is Lambda's own."""

    def __init__(self, message: str):
        super().__init__("Lambda.ResourceNotFoundException", message)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One synchronous call.

    `function` is a name or an ARN, with or without a qualifier; `payload` JSON text; `timeout` seconds, or None
    for the function's own; `client_context` is what the handler finds as `context.client_context.custom`;
    `account` and `region` are the caller's, where a function that is not named by an ARN is looked for.
    """

    function: str
    payload: str
    request_id: str
    client_context: dict[str, Any] | None = None
    timeout: float | None = None
    account: str = "123456789012"
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What came of a call.

    `payload` is JSON text: what the function returned or, with `function_error` ("Unhandled") set, Lambda's error
    document: `{"errorMessage", "errorType", "requestId", "stackTrace"}` from the runtime, the first two alone
    where the function was ended or its answer refused. `log` is the end of what it printed.
    """

    payload: str
    function_error: str | None = None
    executed_version: str = "$LATEST"
    log: str = ""


class Functions(Protocol):
    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Calls the function and waits for it.

        What the function does wrong is a result. Raises `FunctionNotFound`, or another `InvokeError` where it
        could not be called; any other exception (a shutdown) says nothing about the task.
        """
        ...


def function_name(function: str) -> str:
    """The bare name in a name, a partial ARN (`account:function:name`) or an ARN, without a qualifier."""
    parts = function.split(":")
    if "function" in parts[1:-1]:
        return parts[parts.index("function", 1) + 1]
    return parts[0]
