"""Results of invocations that failed, with the error documents that Lambda answers.

See the AWS Lambda guide, "Lambda function handler errors in Python" and "Troubleshoot execution issues in Lambda".
"""

from __future__ import annotations

import json
import signal
from typing import Any

from ...handlers.functions import InvocationResult

NO_NODE = "functions in JavaScript need Node on this machine, and there is no `node` on PATH"


def failed(
    request_id: str, error_type: str, message: str, stack: list[str] | None, log: str = ""
) -> InvocationResult:
    """What the runtime reports; with no `stack`, what Lambda itself says of a function."""
    document: dict[str, Any] = {"errorType": error_type, "errorMessage": message}
    if stack is not None:
        document = {
            "errorMessage": message,
            "errorType": error_type,
            "requestId": request_id,
            "stackTrace": stack,
        }
    return documented(document, log)


def documented(document: dict[str, Any], log: str = "") -> InvocationResult:
    """The result of an invocation that failed with this error document."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # The text of an exception may hold half a character (a file's name that is not UTF-8): no store takes it.
    return InvocationResult(text.encode("utf-8", "replace").decode(), "Unhandled", log=log)


def timed_out(request_id: str, seconds: float, log: str = "") -> InvocationResult:
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return failed(request_id, "Sandbox.Timedout", message, None, log)


def exited(request_id: str, status: int, log: str = "") -> InvocationResult:
    """The process ended before it answered; a negative status is the signal that ended it."""
    if status < 0:
        reason = f"Runtime exited with error: signal: {_signal(-status)}"
    elif status:
        reason = f"Runtime exited with error: exit status {status}"
    else:
        reason = "Runtime exited without providing a reason"
    return failed(request_id, "Runtime.ExitError", f"RequestId: {request_id} Error: {reason}", None, log)


def _signal(number: int) -> str:
    text = signal.strsignal(number)
    return text.lower() if text else f"signal {number}"
