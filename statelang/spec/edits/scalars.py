"""Values as YAML: plain where that reads back as it was, else in double quotes."""

from __future__ import annotations

import json
from typing import Any

from ..source import read_source


def scalar(value: Any, *, flow: bool) -> str:
    """A text, number, boolean or null; with `flow` for within brackets or braces."""
    if not isinstance(value, str):
        return json.dumps(value)
    if value and "\n" not in value and _plain(value, flow):
        return value
    return json.dumps(value, ensure_ascii=False)


def _plain(text: str, flow: bool) -> bool:
    if not text.isprintable():
        return False
    source, findings = read_source(f"[{text}, {{a: {text}}}]" if flow else f"- {text}\n- a: {text}\n")
    return not findings and source.data == [text, {"a": text}]


def flow(value: Any) -> str:
    """Any value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key, flow=True)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, flow=True)


def like(written: str, value: str, *, flow: bool) -> str:
    """The text in the quotes, or none, that `written` has, where it can be."""
    quote = written[:1]
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if quote == '"':
        return json.dumps(value, ensure_ascii=False)
    return scalar(value, flow=flow)
