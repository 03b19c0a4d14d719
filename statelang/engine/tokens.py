"""Task tokens: how somebody outside names the one task of an execution that waits for an answer."""

from __future__ import annotations

import base64
import binascii
import json

_PREFIX = "AQ"


def make_token(execution: str, frame: str, task: int) -> str:
    """The token of a task; `task` is the id of the event that scheduled it."""
    text = json.dumps([execution, frame, task], separators=(",", ":"))
    return _PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(token: str) -> tuple[str, str, int] | None:
    """Execution, frame and task of a token, or None for text that is none."""
    if not token.startswith(_PREFIX):
        return None
    body = token[len(_PREFIX) :]
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    match found:
        case [str(execution), str(frame), int(task)]:
            return execution, frame, task
    return None
