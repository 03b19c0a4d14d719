"""Lambda's error documents: what an invocation answers when its function did not return.

See the AWS Lambda guide, "Understanding retry behavior" and "Lambda function errors".
"""

from __future__ import annotations

import json
import traceback
from typing import Any

from ...handlers.functions import InvocationResult

MAX_RESPONSE = 6_291_556
"""Bytes that a function may answer with."""


def failed(request_id: str, error_type: str, message: str, stack: list[str] | None = None, log: str = "") -> InvocationResult:
    """The result of an invocation that failed."""
    document: dict[str, Any] = {"errorMessage": message, "errorType": error_type, "requestId": request_id}
    if stack is not None:
        document["stackTrace"] = stack
    return InvocationResult(json.dumps(document, ensure_ascii=False, separators=(",", ":")), "Unhandled", log=log)


def timed_out(request_id: str, seconds: float, log: str = "") -> InvocationResult:
    return failed(
        request_id, "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds", log=log
    )


def too_large(request_id: str, size: int, log: str = "") -> InvocationResult:
    message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
    return failed(request_id, "Function.ResponseSizeTooLarge", message, log=log)


def raised(request_id: str, error: BaseException, skip: int) -> InvocationResult:
    """An exception of the handler; the first `skip` frames of its traceback are not its own."""
    frames = traceback.extract_tb(error.__traceback__)[skip:]
    return failed(request_id, type(error).__name__, str(error), traceback.format_list(frames))
