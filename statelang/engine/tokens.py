"""Task tokens: how somebody outside names the one task of an execution that waits for an answer.

A token is signed with its execution's secret, which the start message brings: whoever knows an execution's name
and history ids cannot make one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

_PREFIX = "AQ"


def make_token(execution: str, frame: str, task: int, secret: str = "") -> str:
    """The token of a task; `task` is the id of the event that scheduled it."""
    body = _encode(json.dumps([execution, frame, task], separators=(",", ":")).encode())
    signature = hmac.digest(secret.encode(), body.encode(), hashlib.sha256)
    return f"{_PREFIX}{body}.{_encode(signature[:18])}"


def read_token(token: str) -> tuple[str, str, int] | None:
    """Execution, frame and task of a token, or None for text that is none. Whether it is genuine, only the
    execution's secret can tell (`is_genuine`)."""
    body, _, _ = token.removeprefix(_PREFIX).partition(".")
    if not token.startswith(_PREFIX):
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    match found:
        case [str(execution), str(frame), int(task)]:
            return execution, frame, task
    return None


def is_genuine(token: str, secret: str) -> bool:
    """Whether the token was made with that secret. Takes as long for a token that nearly was."""
    found = read_token(token)
    if found is None:
        return False
    return hmac.compare_digest(token.encode("utf-8", "replace"), make_token(*found, secret).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
