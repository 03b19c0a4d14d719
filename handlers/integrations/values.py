"""A task's arguments as an operation of AWS takes them, and its answer as Step Functions gives it.

Both follow the operation's model (botocore's): names change by `spell`, and what the model says of a value decides how
JSON holds it: blobs and streams as text, timestamps as ISO 8601 (`aws-sdk:` tasks) or milliseconds (optimized ones).
An object or array for a field that is text is written as JSON, as Step Functions does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Spelling = Callable[[str], str]


class WrongArguments(Exception):
    """The arguments do not fit the operation; each problem is in Step Functions' words."""

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


def to_api(arguments: Any, shape: Any, spell: Spelling) -> dict[str, Any]:
    """Raises `WrongArguments`. `shape` is the operation's input, None for one that takes nothing."""
    if not isinstance(arguments, dict):
        raise WrongArguments(["The arguments of a task must be an object"])
    if shape is None:
        if arguments:
            raise WrongArguments([_unsupported(name) for name in arguments])
        return {}
    problems: list[str] = []
    converted = _structure(arguments, shape, spell, problems)
    if problems:
        raise WrongArguments(problems)
    return converted


def _unsupported(name: str) -> str:
    return f'The field "{name}" is not supported by Step Functions'


def _structure(value: dict[str, Any], shape: Any, spell: Spelling, problems: list[str]) -> dict[str, Any]:
    members = {spell(name): name for name in shape.members}
    converted: dict[str, Any] = {}
    for name, item in value.items():
        member = members.get(name)
        if member is None:
            problems.append(_unsupported(name))
        elif item is not None or _is_text(shape.members[member]):
            converted[member] = _value(item, shape.members[member], name, spell, problems)
    for member in shape.required_members:
        # An idempotency token that is not given is made.
        if member not in converted and not shape.members[member].metadata.get("idempotencyToken"):
            problems.append(f"The field '{spell(member)}' is required but was missing")
    return converted


def _value(value: Any, shape: Any, name: str, spell: Spelling, problems: list[str]) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        if not isinstance(value, dict):
            problems.append(f"The value for the field '{name}' must be an object")
            return {}
        return _structure(value, shape, spell, problems)
    if kind == "list":
        if not isinstance(value, list):
            problems.append(f"The value for the field '{name}' must be an array")
            return []
        return [_value(item, shape.member, name, spell, problems) for item in value]
    if kind == "map":
        if not isinstance(value, dict):
            problems.append(f"The value for the field '{name}' must be an object")
            return {}
        return {key: _value(item, shape.value, key, spell, problems) for key, item in value.items()}
    if kind == "string":
        return as_text(value)
    if kind == "blob":
        return as_text(value).encode()
    if kind in ("integer", "long") and isinstance(value, float) and value.is_integer():
        return int(value)  # JSONata has one kind of number
    if kind in ("float", "double") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _is_text(shape: Any) -> bool:
    return shape.type_name in ("string", "blob")


def as_text(value: Any) -> str:
    """What a field that is text holds: a text itself, or JSON."""
    return value if isinstance(value, str) else compact(value)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_written)


def _written(value: Any) -> str:
    """Bytes, which a call may be given, as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def from_api(answer: Any, shape: Any, spell: Spelling, *, milliseconds: bool) -> dict[str, Any]:
    """The operation's answer: its fields in alphabetical order, what was streamed last."""
    if shape is None:
        return {}
    answer = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    streamed = shape.serialization.get("payload")
    given = _given(answer, shape, spell, milliseconds)
    if streamed in answer and shape.members[streamed].type_name == "blob":
        last = spell(streamed)
        given[last] = given.pop(last)
    return given


def _given(value: Any, shape: Any, spell: Spelling, milliseconds: bool) -> Any:
    kind = shape.type_name
    if isinstance(value, dict):
        if kind == "structure" and not getattr(shape, "is_document_type", False):
            fields = {
                spell(name): _given(item, shape.members[name], spell, milliseconds)
                for name, item in value.items()
                if name in shape.members and item is not None
            }
            return dict(sorted(fields.items()))
        if kind == "map":
            return {key: _given(item, shape.value, spell, milliseconds) for key, item in value.items()}
        return value
    if isinstance(value, list) and kind == "list":
        return [_given(item, shape.member, spell, milliseconds) for item in value]
    return _scalar(value, milliseconds)


def _scalar(value: Any, milliseconds: bool) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000) if milliseconds else iso8601(value)
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value


def iso8601(at: datetime) -> str:
    """As Java writes an instant: without a fraction where there is none."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")
