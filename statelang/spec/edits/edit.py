"""Edits as data, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


class NotEdited(ValueError):
    """The edit is not done, and why: for people. `line` is where the reason stands, from 1, where it stands somewhere."""

    def __init__(self, message: str, line: int | None = None):
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Change:
    """The characters from `start` to `end` of the text that was edited become `insert`."""

    start: int
    end: int
    insert: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a step goes: `after` or `before` another one, or as the last one `into` a step that holds others.

    `branch` names the branch of a parallel; one that is not there is made. All of them None is the end of the workflow.
    """

    after: str | None = None
    before: str | None = None
    into: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """A new step of a kind. Without `id` it is given one that is free.

    What led from the step above leads to it, and it leads on to where that led; of `succeed` and `fail` only where the
    step above has no `next` of its own.
    """

    kind: str
    place: Place
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """The step and the comments that belong to it. What led to it leads to where it led; errors that led to a `fail` do without."""

    step: str


@dataclass(frozen=True, slots=True)
class Move:
    """The step to another place, with the comments that belong to it."""

    step: str
    place: Place


@dataclass(frozen=True, slots=True)
class Rename:
    """Another id, in all that names the step: `next` and its like, and `$step` in expressions."""

    step: str
    to: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Where a way of a step leads: `to` is a step's id or `end`; None takes the way away.

    `way` is `next`, `branch` (of a decision), `error` (an entry of `on_error`) or `revise` (of a gate). `index` is the
    entry's place; without it a new entry is made, before the one that takes everything, with `when` as its condition, or
    of errors `match`.
    """

    step: str
    to: str | None
    way: str = "next"
    index: int | None = None
    when: str | None = None
    match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetField:
    """A field of the step that is text, a number, true or false; None takes it away."""

    step: str
    field: str
    value: str | int | float | bool | None


Edit = Add | Remove | Move | Rename | Connect | SetField
_EDITS: dict[str, type[Any]] = {
    "add": Add, "remove": Remove, "move": Move, "rename": Rename, "connect": Connect, "set": SetField,
}  # fmt: skip
_PLACE = frozenset(field.name for field in fields(Place))


def edit_of(given: Any) -> Edit:
    """The edit that JSON stands for: `{"do": "add", "kind": "wait", "place": {"after": "charge"}}`. Raises ValueError."""
    if not isinstance(given, Mapping) or given.get("do") not in _EDITS:
        raise ValueError(f"an edit is an object with `do`: {', '.join(_EDITS)}")
    kind = _EDITS[given["do"]]
    values = {name: value for name, value in given.items() if name != "do"}
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"`{given['do']}` has no {unknown[0]!r}, but {', '.join(sorted(known))}")
    if "place" in values:
        values["place"] = _place(values["place"])
    for name, value in values.items():
        if name == "match":
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise ValueError("`match` is a list of errors' names")
            values[name] = tuple(value)
        elif name == "index":
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError("`index` is a number from 0 on")
        elif name == "value":
            if value is not None and not isinstance(value, str | int | float | bool):
                raise ValueError("`value` is text, a number, true, false or null")
        elif name != "place" and not isinstance(value, str) and value is not None:
            raise ValueError(f"`{name}` is text")
    try:
        made = kind(**values)
    except TypeError:
        raise ValueError(
            f"`{given['do']}` needs more than {', '.join(sorted(values)) or 'nothing'}"
        ) from None
    needed = "kind" if kind is Add else "to" if kind is Rename else "step"
    for name in {needed, "step" if kind is not Add else "kind"}:
        if not isinstance(getattr(made, name), str):
            raise ValueError(f"`{name}` is text, and must be given")
    return made


def _place(given: Any) -> Place:
    if not isinstance(given, Mapping) or not set(given) <= _PLACE:
        raise ValueError(f"`place` is an object of {', '.join(sorted(_PLACE))}")
    if not all(value is None or isinstance(value, str) for value in given.values()):
        raise ValueError("what is in `place` is text")
    place = Place(**given)
    if sum(each is not None for each in (place.after, place.before, place.into)) > 1:
        raise ValueError("`place` has one of after, before and into")
    return place
