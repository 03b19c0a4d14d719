"""A member of an object in a JSON file, put in and taken out as text: all else stays as it is, to the byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.decoder import scanstring  # pyright: ignore[reportAttributeAccessIssue]
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class NotEditable(ValueError):
    """The file is not a JSON object of objects; the text says what it is."""


@dataclass(frozen=True, slots=True)
class _Member:
    key: str
    start: int
    """Where its key begins."""
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class _Object:
    start: int
    """Just after its opening brace."""
    members: list[_Member]

    def get(self, key: str) -> _Member | None:
        return next((member for member in self.members if member.key == key), None)


def get(text: str, outer: str, key: str) -> Any:
    """The value of `key` in the object `outer` of the file's object, or None. Raises `NotEditable`."""
    root = _root(text)
    within = root.get(outer)
    member = _object(text, within.value, f"`{outer}`").get(key) if within is not None else None
    return None if member is None else json.loads(text[member.value : member.end])


def put(text: str | None, outer: str, key: str, value: Any) -> str:
    """The file's text with the member, new or in the place of the one of that name. Raises `NotEditable`."""
    made = json.dumps(value, ensure_ascii=False)
    name = json.dumps(key)
    if text is None:
        return _whole(outer, key, value)
    root = _root(text)
    within = root.get(outer)
    if within is None:
        # The spaces inside of the braces say that the object around is ours as well.
        return _added(text, root, f"{json.dumps(outer)}: {{ {name}: {made} }}")
    inner = _object(text, within.value, f"`{outer}`")
    there = inner.get(key)
    if there is not None:
        old = json.loads(text[there.value : there.end])
        if old == value:
            return text
        if text == _whole(outer, key, old):
            return _whole(outer, key, value)
        return text[: there.value] + made + text[there.end :]
    return _added(text, inner, f"{name}: {made}")


def take(text: str, outer: str, key: str) -> str | None:
    """The file's text without the member; None where nothing is left of a file that was made for it. Raises `NotEditable`."""
    root = _root(text)
    within = root.get(outer)
    if within is None:
        return text
    inner = _object(text, within.value, f"`{outer}`")
    there = inner.get(key)
    if there is None:
        return text
    if len(inner.members) == 1:
        if text == _whole(outer, key, json.loads(text[there.value : there.end])):
            return None
        inside = text[inner.start : within.end - 1]
        if inside.startswith(' "') and inside.endswith("} "):
            return _removed(text, root, within)
    return _removed(text, inner, there)


def _whole(outer: str, key: str, value: Any) -> str:
    """A file that has nothing else in it."""
    return json.dumps({outer: {key: value}}, indent=2, ensure_ascii=False) + "\n"


def _added(text: str, around: _Object, member: str) -> str:
    if not around.members:
        return text[: around.start] + member + text[around.start :]
    last = around.members[-1]
    before = around.members[-2].end if len(around.members) > 1 else around.start
    # As the member before is set off from what is before it.
    space = text[before : last.start].replace(",", "") or " "
    return f"{text[: last.end]},{space}{member}{text[last.end :]}"


def _removed(text: str, around: _Object, member: _Member) -> str:
    place = around.members.index(member)
    if place > 0:
        return text[: around.members[place - 1].end] + text[member.end :]
    if len(around.members) > 1:
        return text[: member.start] + text[around.members[1].start :]
    return text[: member.start] + text[member.end :]


def _root(text: str) -> _Object:
    try:
        json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotEditable(f"it is not JSON: {error}") from None
    return _object(text, 1 if text.startswith("\ufeff") else 0, "it")


def _object(text: str, at: int, what: str) -> _Object:
    """The object that begins there, in text that is JSON."""
    at = _skip(text, at)
    if text[at] != "{":
        raise NotEditable(f"{what} is not an object")
    start = at + 1
    members: list[_Member] = []
    at = _skip(text, start)
    while text[at] != "}":
        begun = at
        key, at = scanstring(text, at + 1)
        value = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, value)
        if any(member.key == key for member in members):
            raise NotEditable(f"{what} has {key!r} twice")
        members.append(_Member(key, begun, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return _Object(start, members)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
