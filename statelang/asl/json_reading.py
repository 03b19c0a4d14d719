"""JSON texts read, and why one is not JSON, in the words that Step Functions uses (Jackson's)."""

from __future__ import annotations

import json
import re
from typing import Any

_VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
_TOKEN = re.compile(r"[\w$]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.S)
_CLOSES = {"}": "{", "]": "["}


class NotJson(ValueError):
    """The text says why."""


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises `NotJson`."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_float)
    except json.JSONDecodeError as error:
        raise NotJson(_reason(text, error)) from None
    except RecursionError:
        raise NotJson("Document nesting depth exceeds the maximum allowed") from None
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson(str(error)) from None


def _refuse(name: str) -> Any:
    raise NotJson(
        f"Non-standard token '{name}': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow"
    )


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise NotJson(f"The number {text[:40]} is out of range")
    return value


def _reason(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "No content to map due to end-of-input"
    if error.msg.startswith("Unterminated string"):
        return "Unexpected end-of-input: was expecting closing quote for a string value"
    if error.pos >= len(text):
        return f"Unexpected end-of-input: expected close marker for {_container(text)}"
    character = text[error.pos]
    unexpected = f"Unexpected character ('{character}' (code {ord(character)}))"
    if error.msg.startswith("Expecting property name"):
        return f"{unexpected}: was expecting double-quote to start field name"
    if error.msg.startswith("Expecting ':'"):
        return f"{unexpected}: was expecting a colon to separate field name and value"
    if error.msg.startswith("Expecting ','"):
        return f"{unexpected}: was expecting comma to separate {_container(text[: error.pos])} entries"
    if error.msg.startswith("Invalid control character"):
        return f"Illegal unquoted character ((CTRL-CHAR, code {ord(character)})): has to be escaped using backslash to be included in string value"
    if error.msg.startswith("Invalid \\escape"):
        escaped = text[error.pos + 1 : error.pos + 2]
        return f"Unrecognized character escape '{escaped}' (code {ord(escaped) if escaped else 0})"
    if error.msg.startswith(("Expecting value", "Extra data")):
        token = _TOKEN.match(text, error.pos)
        if token is not None:
            return f"Unrecognized token '{token[0]}': was expecting ({_VALUES})"
        return f"{unexpected}: expected a valid value ({_VALUES})"
    return error.msg


def _container(text: str) -> str:
    """What is open at the end of this text: `Object` or `Array`."""
    opened: list[str] = []
    for character in _STRING.sub("", text):
        if character in "{[":
            opened.append(character)
        elif character in _CLOSES and opened:
            opened.pop()
    return "Array" if opened and opened[-1] == "[" else "Object"
