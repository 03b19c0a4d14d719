"""Every place of a spec that names a step: its id, what leads to it, and its variable in expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from ... import jsonata
from ..expressions import inside, is_expression
from ..reading import RESERVED
from ..source import Path, offsets
from . import scalars
from .edit import Change, NotEdited
from .steps import Found, steps, targets
from .written import Written

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


def usable(id: str, data: Any) -> None:
    """Raises `NotEdited` where a step cannot have that id in this spec."""
    from ...jsonata.library import LIBRARY

    if not _NAME.fullmatch(id):
        raise NotEdited(f"{id!r} cannot be a step's id: letters, digits and `_`, a letter first, at most 60")
    if id in RESERVED or id in LIBRARY:
        raise NotEdited(f"`{id}` cannot be a step's id: the language has that name")
    if any(step.id == id for step in steps(data)):
        raise NotEdited(f"there is a step `{id}` already")
    for step in steps(data):
        over = step.data.get("map")
        if isinstance(over, dict) and over.get("as") == id:
            raise NotEdited(f"`{id}` is the name of the items of `{step.id}`")


def renaming(written: Written, found: Found, to: str) -> tuple[dict[Path, str], list[Change], list[str]]:
    """What the scalars that name the step become, the changes of the text, and what could not be looked into."""
    texts: dict[Path, str] = {(*found.path, "id"): to}
    notes: list[str] = []
    changes = [_whole(written, (*found.path, "id"), to)]
    for step in steps(written.data):
        for place, target in targets(step.data):
            if target == found.id:
                texts[(*step.path, *place)] = to
                changes.append(_whole(written, (*step.path, *place), to))
    for path, text, start in expressions(written.data):
        value = _at(written.data, path)
        line = written.source.nodes[path].start_mark.line + 1
        try:
            places = _variables(text, found.id)
        except jsonata.JsonataError:
            if re.search(rf"\${found.id}\b", text):
                notes.append(f"line {line}: this expression does not parse, and is left as it is")
            continue
        if not places:
            continue
        new = text
        for begin, end in reversed(places):
            new = f"{new[:begin]}${to}{new[end:]}"
        if len(_variables(new, to)) != len(places) + len(_variables(text, to)):
            raise NotEdited(f"line {line}: `${to}` is a name of the expression's own there", line)
        texts[path] = value[:start] + new + value[start + len(text) :]
        changes += [
            _name(written, path, start + begin + 1, start + end, found.id, to) for begin, end in places
        ]
    return texts, changes, notes


def uses(data: Any, id: str) -> list[Path]:
    """The expressions with the step's variable."""
    made: list[Path] = []
    for path, text, _ in expressions(data):
        try:
            if _variables(text, id):
                made.append(path)
        except jsonata.JsonataError:
            continue
    return made


def _variables(text: str, name: str) -> list[tuple[int, int]]:
    tree = jsonata.compile(text).ast
    return [(each.start, each.end) for each in jsonata.free_variables(tree) if each.name == name]


def expressions(data: Any) -> Iterator[tuple[Path, str, int]]:
    """Every expression of the spec: the path of its string, its text, and where in the string it begins."""
    if not isinstance(data, dict):
        return
    bare = {path for step in steps(data) for path in _bare(step)}
    for key in ("steps", "result"):
        yield from _expressions(data.get(key), (key,), bare)


def _expressions(value: Any, path: Path, bare: set[Path]) -> Iterator[tuple[Path, str, int]]:
    if isinstance(value, str):
        if is_expression(value):
            text, start = inside(value)
            yield path, text, start
        elif path in bare:
            yield path, value.strip(), len(value) - len(value.lstrip())
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _expressions(part, (*path, key), bare)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _expressions(part, (*path, index), bare)


def _bare(step: Found) -> Iterator[Path]:
    """The paths of what is an expression without braces, where it is there."""
    yield (*step.path, "when")
    for key in ("needs", "ensure"):
        yield (*step.path, key)
        conditions = step.data.get(key)
        if isinstance(conditions, dict):
            yield (*step.path, key, "that")
        for index in range(len(conditions) if isinstance(conditions, list) else 0):
            yield (*step.path, key, index)
            yield (*step.path, key, index, "that")
    branches = step.data.get("decision")
    for index in range(len(branches) if isinstance(branches, list) else 0):
        yield (*step.path, "decision", index, "when")
    yield (*step.path, "map", "items")
    yield (*step.path, "repeat", "until")
    for key in ("items", "key"):
        yield (*step.path, "repeat", "collect", key)


def _whole(written: Written, path: Path, to: str) -> Change:
    node = written.source.nodes[path]
    start, end = (
        node.start_mark.index,
        node.start_mark.index + len(written.text[node.start_mark.index : node.end_mark.index].rstrip()),
    )
    if node.style in ("|", ">") or written.text[start : start + 1] in ("&", "!"):
        raise NotEdited("the name is written in an unusual way: change it in the text", node.start_mark.line + 1)  # fmt: skip
    return Change(start, end, scalars.like(written.text[start:end], to, flow=True))


def _name(written: Written, path: Path, start: int, end: int, name: str, to: str) -> Change:
    """The name within a scalar whose value has it from `start` to `end`."""
    node = written.source.nodes[path]
    assert isinstance(node, yaml.ScalarNode)
    at = offsets(written.text, node)
    change = Change(at[start], at[end - 1] + 1, to)
    if written.text[change.start : change.end] != name:
        raise NotEdited(f"`${name}` is written in an unusual way here: change it in the text", node.start_mark.line + 1)  # fmt: skip
    return change


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data
