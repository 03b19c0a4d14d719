"""A spec's data as YAML text, laid out as people write specs, with comments above what they are about."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ..spec.source import Path, load_data

WIDTH = 110
_APART = ("types", "input", "steps", "result")
"""Keys with an empty line above them."""

_Notes = Mapping[Path, Sequence[str]]


def write(document: Mapping[str, Any], notes: _Notes) -> str:
    """The text of a spec; `notes` are comments, by the path of what they stand above (`()`: at the top)."""
    lines = [*_comments(notes.get((), ()), 0)]
    for key, value in document.items():
        if key in _APART or (key,) in notes:
            lines.append("")
        lines += _entry(key, value, (key,), 0, notes)
    return "\n".join(lines) + "\n"


def _comments(notes: Sequence[str], indent: int) -> Iterator[str]:
    for note in notes:
        note = "".join(character if character.isprintable() else " " for character in note)
        for line in textwrap.wrap(note, WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False):
            yield f"{' ' * indent}# {line}"


def _entry(key: str, value: Any, path: Path, indent: int, notes: _Notes) -> Iterator[str]:
    yield from _comments(notes.get(path, ()), indent)
    head = f"{' ' * indent}{scalar(key)}:"
    if key == "steps":
        yield head
        for index, step in enumerate(value):
            if index:
                yield ""
            yield from _step(step, (*path, index), indent + 2, notes)
        return
    if isinstance(value, str) and (block := _block(value, indent + 2)):
        yield f"{head} {block[0]}"
        yield from block[1:]
        return
    inline = f"{head} {flow(value)}"
    if (
        not isinstance(value, dict | list)
        or not value
        or (len(inline) <= WIDTH and key != "types" and not _noted(path, notes))
    ):
        yield inline
        return
    yield head
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _entry(name, part, (*path, name), indent + 2, notes)
    else:
        for index, part in enumerate(value):
            yield from _item(part, (*path, index), indent + 2, notes)


def _noted(path: Path, notes: _Notes) -> bool:
    return any(len(at) > len(path) and at[: len(path)] == path for at in notes)


def _step(step: Mapping[str, Any], path: Path, indent: int, notes: _Notes) -> Iterator[str]:
    yield from _comments(notes.get(path, ()), indent)
    first = True
    for key, value in step.items():
        for line in _entry(key, value, (*path, key), indent + 2, notes):
            yield f"{' ' * indent}- {line[indent + 2 :]}" if first else line
            first = False


def _item(value: Any, path: Path, indent: int, notes: _Notes) -> Iterator[str]:
    yield from _comments(notes.get(path, ()), indent)
    inline = f"{' ' * indent}- {flow(value)}"
    if len(inline) <= WIDTH or not isinstance(value, dict) or not value:
        yield inline
    else:
        yield from _step(value, path, indent, {})


def _block(value: str, indent: int) -> list[str]:
    """A text of several lines, or a long one, as a block; nothing where that would not give the same text."""
    if "\n" in value:
        style, lines = "|", value.removesuffix("\n").split("\n")
        style += "" if value.endswith("\n") else "-"
    elif len(value) > WIDTH - indent - 12 and not value.startswith("{%"):
        style, lines = (
            ">-",
            textwrap.wrap(
                value, WIDTH - indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
            ),
        )
    else:
        return []
    made = [style, *(f"{' ' * indent}{line}" if line else "" for line in lines)]
    return made if load_data("a: " + made[0] + "\n" + "\n".join(made[1:]) + "\n") == {"a": value} else []


def flow(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _is_plain(value):
        return value
    # What JSON escapes YAML reads; what no YAML may have raw (surrogates, controls) is escaped.
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _is_plain(value: str) -> bool:
    """Whether the text is itself without quotes, also within braces and brackets."""
    if not value or not value.isprintable() or len(value) > 200:
        return False
    try:
        return yaml.load(f"[{value}]", Loader=yaml.SafeLoader) == [value] and load_data(f"[{value}]") == [
            value
        ]
    except yaml.YAMLError:
        return False
