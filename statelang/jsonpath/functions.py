"""The eighteen intrinsic functions of Amazon States Language, with AWS's limits."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import IntrinsicFailure
from .scope import Scope

MAX_TEXT = 10_000
"""Characters that the functions for encoding and hashing take."""
MAX_RANGE = 1_000
"""Numbers that States.ArrayRange answers with at the most."""

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments it takes, and what it makes of them."""

    least: int
    most: int
    apply: Callable[[Scope, list[Any]], Any]


def _array(value: Any, what: str = "the first argument") -> list[Any]:
    if not isinstance(value, list):
        raise IntrinsicFailure(f"{what} must be an array")
    return value


def _string(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise IntrinsicFailure(f"{what} must be a string")
    return value


def _whole(value: Any, what: str) -> int:
    """AWS rounds numbers that are not whole."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise IntrinsicFailure(f"{what} must be a number")
    return math.floor(value + 0.5) if isinstance(value, float) else value


def _short(value: Any, what: str) -> str:
    text = _string(value, what)
    if len(text) > MAX_TEXT:
        raise IntrinsicFailure(f"{what} has more than {MAX_TEXT} characters")
    return text


def _make_array(scope: Scope, values: list[Any]) -> Any:
    return values


def _array_partition(scope: Scope, values: list[Any]) -> Any:
    items, size = _array(values[0]), _whole(values[1], "the chunk size")
    if size < 1:
        raise IntrinsicFailure("the chunk size must be at least 1")
    return [items[at : at + size] for at in range(0, len(items), size)]


def _array_contains(scope: Scope, values: list[Any]) -> Any:
    return any(same(item, values[1]) for item in _array(values[0]))


def _array_range(scope: Scope, values: list[Any]) -> Any:
    first, last, step = (_whole(value, "every argument") for value in values)
    if step == 0:
        raise IntrinsicFailure("the step must not be 0")
    count = max(0, (last - first) // step + 1)
    if count > MAX_RANGE:
        raise IntrinsicFailure(f"the range has more than {MAX_RANGE} numbers")
    return [first + step * index for index in range(count)]


def _array_get_item(scope: Scope, values: list[Any]) -> Any:
    items, index = _array(values[0]), _whole(values[1], "the index")
    if not 0 <= index < len(items):
        raise IntrinsicFailure(f"the index {index} is outside of the array of {len(items)} items")
    return items[index]


def _array_length(scope: Scope, values: list[Any]) -> Any:
    return len(_array(values[0]))


def _array_unique(scope: Scope, values: list[Any]) -> Any:
    seen: set[str] = set()
    unique: list[Any] = []
    for item in _array(values[0]):
        key = json.dumps(_canonical(item), sort_keys=True)
        if key not in seen:
            seen.add(key)
            unique.append(item)
    return unique


def _base64_encode(scope: Scope, values: list[Any]) -> Any:
    return base64.b64encode(_short(values[0], "the argument").encode("utf-8", "surrogatepass")).decode()


def _base64_decode(scope: Scope, values: list[Any]) -> Any:
    try:
        return base64.b64decode(_short(values[0], "the argument"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise IntrinsicFailure(f"the argument is no Base64 of a text: {error}") from None


def _hash(scope: Scope, values: list[Any]) -> Any:
    data = values[0] if isinstance(values[0], str) else _encode(values[0])
    name = _ALGORITHMS.get(_string(values[1], "the algorithm"))
    if name is None:
        raise IntrinsicFailure(f"the algorithm must be one of {', '.join(_ALGORITHMS)}")
    return hashlib.new(
        name, _short(data, "the data").encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()


def _json_merge(scope: Scope, values: list[Any]) -> Any:
    if values[2] is not False:
        raise IntrinsicFailure("only the shallow merging mode is supported: the third argument must be false")
    if not isinstance(values[0], dict) or not isinstance(values[1], dict):
        raise IntrinsicFailure("the first two arguments must be objects")
    return {**values[0], **values[1]}


def _math_random(scope: Scope, values: list[Any]) -> Any:
    first, last = _whole(values[0], "the start"), _whole(values[1], "the end")
    if first >= last:
        raise IntrinsicFailure("the end must be larger than the start")
    drawn = scope.draw() if len(values) < 3 else random.Random(_whole(values[2], "the seed")).random()
    return first + math.floor(drawn * (last - first))


def _math_add(scope: Scope, values: list[Any]) -> Any:
    return _whole(values[0], "the first argument") + _whole(values[1], "the second argument")


def _string_split(scope: Scope, values: list[Any]) -> Any:
    """Every character of the second argument divides; empty parts are left out."""
    text, marks = _string(values[0], "the first argument"), _string(values[1], "the delimiter")
    parts: list[str] = []
    part: list[str] = []
    for character in text:
        if character in marks:
            parts.append("".join(part))
            part = []
        else:
            part.append(character)
    parts.append("".join(part))
    return [part for part in parts if part]


def _uuid(scope: Scope, values: list[Any]) -> Any:
    number = 0
    for _ in range(4):
        number = number << 32 | int(scope.draw() * 2**32)
    return str(uuid.UUID(int=number, version=4))


def _string_to_json(scope: Scope, values: list[Any]) -> Any:
    text = values[0]
    if text is None or text == "":
        return None
    try:
        # A literal keeps the backslash before a brace, which JSON does not know.
        return json.loads(_string(text, "the argument").replace("\\{", "{").replace("\\}", "}"))
    except (ValueError, RecursionError) as error:
        raise IntrinsicFailure(f"the argument is not JSON: {error}") from None


def _json_to_string(scope: Scope, values: list[Any]) -> Any:
    return _encode(values[0])


def _format(scope: Scope, values: list[Any]) -> Any:
    template = _string(values[0], "the template")
    parts: list[str] = []
    used = 1
    at = 0
    while at < len(template):
        character = template[at]
        if character == "\\" and template[at + 1 : at + 2] in ("{", "}", "\\", "'"):
            parts.append(template[at + 1])
            at += 2
        elif template.startswith("{}", at):
            if used >= len(values):
                raise IntrinsicFailure("the template has more places than there are arguments")
            parts.append(_printed(values[used]))
            used += 1
            at += 2
        else:
            parts.append(character)
            at += 1
    if used < len(values):
        raise IntrinsicFailure("the template has fewer places than there are arguments")
    return "".join(parts)


def _printed(value: Any) -> str:
    """As Step Functions prints into a template: an object as Java prints a map, an array as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_printed(item)}" for key, item in value.items()) + "}"
    return _encode(value)


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal; unlike in Python, 1 is not true."""
    return _canonical(left) == _canonical(right)


def _canonical(value: Any) -> Any:
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, list):
        return ["list", [_canonical(item) for item in value]]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


FUNCTIONS: dict[str, Function] = {
    "Array": Function(0, 1_000, _make_array),
    "ArrayPartition": Function(2, 2, _array_partition),
    "ArrayContains": Function(2, 2, _array_contains),
    "ArrayRange": Function(3, 3, _array_range),
    "ArrayGetItem": Function(2, 2, _array_get_item),
    "ArrayLength": Function(1, 1, _array_length),
    "ArrayUnique": Function(1, 1, _array_unique),
    "Base64Encode": Function(1, 1, _base64_encode),
    "Base64Decode": Function(1, 1, _base64_decode),
    "Hash": Function(2, 2, _hash),
    "JsonMerge": Function(3, 3, _json_merge),
    "MathRandom": Function(2, 3, _math_random),
    "MathAdd": Function(2, 2, _math_add),
    "StringSplit": Function(2, 2, _string_split),
    "UUID": Function(0, 0, _uuid),
    "StringToJson": Function(1, 1, _string_to_json),
    "JsonToString": Function(1, 1, _json_to_string),
    "Format": Function(1, 1_000, _format),
}
