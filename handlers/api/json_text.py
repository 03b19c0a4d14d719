"""Why a text is not JSON, in the words that Step Functions uses."""

from __future__ import annotations

import json
import re
from typing import Any

_VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
_TOKEN = re.compile(r"[\w$]+")


class NotJson(ValueError):
    """The text says why."""


def parse(text: str) -> Any:
    """The value of a JSON text. Raises `NotJson`."""
    if not text.strip():
        raise NotJson("Invalid execution input.")
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(_reason(text, error)) from None
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or "nested too deeply") from None


def _refuse(name: str) -> Any:
    raise NotJson(
        f"Non-standard token '{name}': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow"
    )


def _reason(text: str, error: json.JSONDecodeError) -> str:
    if error.pos >= len(text):
        return (
            f"Unexpected end-of-input: expected close marker for {'Array' if '[' in text[:2] else 'Object'}"
        )
    character = text[error.pos]
    unexpected = f"Unexpected character ('{character}' (code {ord(character)}))"
    if error.msg.startswith("Expecting property name"):
        return f"{unexpected}: was expecting double-quote to start field name"
    if error.msg.startswith("Expecting ':'"):
        return f"{unexpected}: was expecting a colon to separate field name and value"
    if error.msg.startswith("Expecting ','"):
        return f"{unexpected}: was expecting comma to separate {'Array' if text.lstrip()[0] == '[' else 'Object'} entries"
    if error.msg.startswith("Expecting value"):
        token = _TOKEN.match(text, error.pos)
        if token is not None:
            return f"Unrecognized token '{token[0]}': was expecting ({_VALUES})"
        return f"{unexpected}: expected a valid value ({_VALUES})"
    return error.msg
