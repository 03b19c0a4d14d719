"""Reading a request's parameters, whose types and ranges `shapes` has looked at: names, ARNs, inputs, pages."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ...statelang.asl import NotJson, measure, read_json
from ...statelang.engine import DATA_LIMIT
from ..arns import StatesArn, parse_arn
from .errors import ApiError, invalid_arn, invalid_token

Parameters = Mapping[str, Any]

_NOT_IN_NAMES = frozenset(' <>{}[]?*"#%\\^|~`$&,;:/')


def text(parameters: Parameters, key: str) -> str:
    """A string that the operation cannot do without."""
    return parameters[key]


def optional_text(parameters: Parameters, key: str) -> str | None:
    return parameters.get(key)


def flag(parameters: Parameters, key: str, default: bool) -> bool:
    value = parameters.get(key)
    return default if value is None else value


def page_size(parameters: Parameters, default: int = 100) -> int:
    """`maxResults`: 0 means the default."""
    return parameters.get("maxResults") or default


def page_token(parameters: Parameters) -> str | None:
    return parameters.get("nextToken")


def name(parameters: Parameters, key: str = "name") -> str:
    value = text(parameters, key)
    if any(_refused(character) for character in value):
        raise ApiError("InvalidName", f"Invalid Name: '{value}'")
    return value


def _refused(character: str) -> bool:
    code = ord(character)
    return (
        character in _NOT_IN_NAMES
        or code < 0x20
        or 0x7F <= code <= 0x9F
        or 0xD800 <= code <= 0xDFFF
        or code >= 0xFFFE
    )


def arn(parameters: Parameters, key: str, *kinds: str) -> StatesArn:
    """An ARN of Step Functions of one of these kinds."""
    value = text(parameters, key)
    if not value.startswith("arn:"):
        raise invalid_arn(f"Invalid ARN prefix: {value}")
    found = parse_arn(value)
    if found is None:
        raise invalid_arn(f"Invalid ARN: {value}")
    if found.kind not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {found.kind}")
    return found


def execution_input(parameters: Parameters) -> str:
    """An execution's input: JSON text, `{}` where none is given."""
    value = optional_text(parameters, "input")
    if value is None:
        return "{}"
    if measure(value) > DATA_LIMIT:
        constraint = f"Member must have length less than or equal to {DATA_LIMIT}"
        message = f"1 validation error detected: Value at 'input' failed to satisfy constraint: {constraint}"
        raise ApiError("ValidationException", message)
    try:
        if not value.strip():
            raise NotJson("Invalid execution input.")
        read_json(value)
    except NotJson as error:
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None
    return value


T = TypeVar("T")


def page_of(items: Sequence[T], limit: int, token: str | None) -> tuple[Sequence[T], str | None]:
    """The part of a list that `token` asks for, and the token of what follows."""
    start = 0
    if token is not None:
        try:
            start = int(base64.urlsafe_b64decode(token.encode()).decode())
        except (ValueError, UnicodeError):
            raise invalid_token() from None
        if not 0 < start <= len(items):
            raise invalid_token()
    following = start + limit
    more = base64.urlsafe_b64encode(str(following).encode()).decode() if following < len(items) else None
    return items[start:following], more
