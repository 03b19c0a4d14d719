"""Reading a request's parameters: their types, ranges, names and ARNs, refused as AWS refuses them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ...statelang.asl import NotJson, measure, read_json
from ...statelang.engine import DATA_LIMIT
from ..arns import StatesArn, parse_arn
from .errors import ApiError, invalid_arn, invalid_token, validation

Parameters = Mapping[str, Any]

MAX_NAME = 80
MAX_TOKEN = 3096
_NOT_IN_NAMES = frozenset(' <>{}[]?*"#%\\^|~`$&,;:/')


def text(parameters: Parameters, key: str) -> str:
    """A required string."""
    value = optional_text(parameters, key)
    if value is None:
        raise validation("null", key, "Member must not be null")
    return value


def optional_text(parameters: Parameters, key: str) -> str | None:
    value = parameters.get(key)
    if value is not None and not isinstance(value, str):
        raise ApiError("SerializationException", f"Unexpected value for '{key}': a string was expected")
    return value


def flag(parameters: Parameters, key: str, default: bool) -> bool:
    value = parameters.get(key, default)
    if not isinstance(value, bool):
        raise ApiError("SerializationException", f"Unexpected value for '{key}': true or false was expected")
    return value


def page_size(parameters: Parameters, default: int = 100) -> int:
    """`maxResults`: 0 means the default, 1,000 is the most."""
    value = parameters.get("maxResults") or default
    if isinstance(value, bool) or not isinstance(value, int):
        raise ApiError("SerializationException", "Unexpected value for 'maxResults': a number was expected")
    if value > 1000:
        raise validation(value, "maxResults", "Member must have value less than or equal to 1000")
    if value < 0:
        raise validation(value, "maxResults", "Member must have value greater than or equal to 0")
    return value


def name(parameters: Parameters, key: str = "name") -> str:
    value = text(parameters, key)
    if not value or len(value) > MAX_NAME or any(_refused(character) for character in value):
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


def page_token(parameters: Parameters) -> str | None:
    """`nextToken`, as long as AWS's may be."""
    token = optional_text(parameters, "nextToken")
    if token is not None and len(token) > MAX_TOKEN:
        raise validation(token, "nextToken", f"Member must have length less than or equal to {MAX_TOKEN}")
    return token


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
