"""The context object that a TestState request may bring along."""

from __future__ import annotations

from typing import Any

from ...statelang.asl import NotJson, read_json
from .errors import ApiError

_FIELDS: dict[str, dict[str, type]] = {
    "Execution": {"Id": str, "Input": object, "Name": str, "RoleArn": str, "StartTime": str, "RedriveCount": int, "RedriveTime": str},
    "State": {"EnteredTime": str, "Name": str, "RetryCount": int},
    "StateMachine": {"Id": str, "Name": str},
    "Task": {"Token": str},
}  # fmt: skip
_TYPES = {str: "a string", int: "a number"}


def read_context(text: str) -> dict[str, Any]:
    """Raises `ValidationException` for what a context object cannot have."""
    try:
        context = read_json(text)
    except NotJson:
        raise _invalid("the Context object must be valid JSON") from None
    if not isinstance(context, dict):
        raise _invalid("the Context object must be a JSON object")
    for key, fields in context.items():
        if key == "Map":
            raise _invalid("'Map' field is not supported when mocking a Context object")
        if key not in _FIELDS:
            raise _invalid(f"Field '{key}' is not allowed")
        if not isinstance(fields, dict):
            raise _invalid(f"{key} must be an object")
        for name, value in fields.items():
            kind = _FIELDS[key].get(name)
            if kind is None:
                raise _invalid(f"Field '{name}' is not allowed")
            if kind is not object and (not isinstance(value, kind) or isinstance(value, bool)):
                raise _invalid(f"{key}.{name} must be {_TYPES[kind]}")
    return context


def _invalid(reason: str) -> ApiError:
    return ApiError("ValidationException", f"Invalid Context object provided: {reason}")
