"""The `Label` of a distributed map, which becomes part of ARNs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .problems import Problem

CODE = "INVALID_LABEL_NAME"
MAX_LENGTH = 40
_REFUSED = frozenset(' ?*<>{}[]:;,\\|^~$#%&`"')


def check(definition: Any) -> list[Problem]:
    """What is wrong with the labels of a definition, in the words that recordings have."""
    return [Problem(CODE, message, place) for message, place in _walk(definition, "")]


def _walk(value: Any, place: str) -> Iterator[tuple[str, str]]:
    pending = [(value, place)]
    while pending:
        value, place = pending.pop()
        if isinstance(value, dict):
            if value.get("Type") == "Map" and isinstance(value.get("Label"), str):
                message = _wrong(value["Label"])
                if message is not None:
                    yield message, f"{place}/Label"
            pending += [
                (item, f"{place}/{key}") for key, item in value.items() if isinstance(item, dict | list)
            ]
        elif isinstance(value, list):
            pending += [(item, f"{place}[{index}]") for index, item in enumerate(value)]


def _wrong(label: str) -> str | None:
    if not label:
        return "Label cannot be empty"
    if len(label) > MAX_LENGTH:
        return "Label cannot exceed 40 characters"
    for character in label:
        code = ord(character)
        if character in _REFUSED or code < 0x20 or 0x7F <= code <= 0x9F:
            return f"Label contains invalid character: {character!r}"
    return None
