"""Where steps stand in a spec's data, right or not, and what a new one looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..source import Path
from . import scalars
from .edit import NotEdited

END = "end"
BODIES = ("parallel", "steps")
"""The keys below which a step holds others."""


@dataclass(frozen=True, slots=True)
class Found:
    """A step: `data`, and `list` and `index`, the path of its list and its place in it."""

    id: str
    data: dict[str, Any]
    list: Path
    index: int

    @property
    def path(self) -> Path:
        return (*self.list, self.index)


def lists(data: Any, path: Path = ("steps",)) -> Iterator[tuple[Path, list[Any]]]:
    """Every list of steps with its path, each before those within it."""
    steps = data.get("steps") if isinstance(data, dict) else None
    if not isinstance(steps, list):
        return
    yield path, steps
    for index, step in enumerate(steps):
        if not isinstance(step, dict):
            continue
        if isinstance(step.get("parallel"), dict):
            for name, branch in step["parallel"].items():
                yield from lists({"steps": branch}, (*path, index, "parallel", name))
        if "map" in step or "repeat" in step:
            yield from lists(step, (*path, index, "steps"))


def steps(data: Any) -> Iterator[Found]:
    for path, listed in lists(data):
        for index, step in enumerate(listed):
            if isinstance(step, dict) and isinstance(step.get("id"), str):
                yield Found(step["id"], step, path, index)


def find(data: Any, id: str) -> Found:
    """Raises `NotEdited` where there is none of that id, or more than one."""
    found = [step for step in steps(data) if step.id == id]
    if not found:
        raise NotEdited(f"there is no step `{id}`")
    if len(found) > 1:
        raise NotEdited(f"there are several steps `{id}`: give each an id of its own first")
    return found[0]


def goes_on(step: dict[str, Any]) -> bool:
    """Whether it leads to one step, `next` or the one below: decisions and ends do not."""
    return not {"decision", "succeed", "fail"} & step.keys()


def below(listed: list[Any], index: int) -> str:
    """The step below, or `end`."""
    after = listed[index + 1] if index + 1 < len(listed) else None
    return after["id"] if isinstance(after, dict) and isinstance(after.get("id"), str) else END


def targets(step: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where the step says that it leads: the path within it, and the name."""
    places: list[Path] = [("next",)]
    for key in ("decision", "on_error"):
        entries = step.get(key)
        if isinstance(entries, list):
            places += [(key, index, "next") for index in range(len(entries))]
    places += [("gate", "revise"), ("gate", "revise", "to")]
    for place in places:
        at: Any = step
        for part in place:
            if isinstance(part, str):
                at = at.get(part) if isinstance(at, dict) else None
            else:
                at = at[part] if isinstance(at, list) else None
        if isinstance(at, str):
            yield place, at


# -- new ones ----------------------------------------------------------------------------------------------------


def new(kind: str, id: str, taken: set[str], follower: str) -> dict[str, Any]:
    """A step of the kind with what it must have. Raises `NotEdited` where there is no such kind."""

    def inner(word: str) -> list[dict[str, str]]:
        name = free(f"{id}_{word}", taken)
        taken.add(name)
        return [{"id": name, "task": "module.function"}]

    made: dict[str, Any] = {"id": id}
    if kind == "parallel":
        return made | {"parallel": {"one": inner("one"), "other": inner("other")}}
    if kind == "map":
        return made | {"map": {"items": [1, 2, 3]}, "steps": inner("each")}
    if kind == "repeat":
        return made | {"repeat": {"max": 3, "until": "$round >= 1"}, "steps": inner("round")}
    if kind == "decision":
        return made | {"decision": [{"next": follower}]}
    if kind not in _PLAIN:
        raise NotEdited(f"there is no kind of step {kind!r}: {', '.join(KINDS)}")
    return made | _PLAIN[kind]


_PLAIN: dict[str, dict[str, Any]] = {
    "task": {"task": "module.function"},
    "workflow": {"workflow": "name"},
    "gate": {"gate": {"approvers": ["*"], "timeout": "1d"}},
    "agent": {"agent": "name", "intent": "What is to be done."},
    "wait": {"wait": "1m"},
    "set": {"set": {"name": "value"}},
    "succeed": {"succeed": {}},
    "fail": {"fail": "Failed"},
}
KINDS = (
    "task",
    "decision",
    "parallel",
    "map",
    "repeat",
    "workflow",
    "gate",
    "agent",
    "wait",
    "set",
    "succeed",
    "fail",
)
"""As the language's reference lists them."""


def free(name: str, taken: set[str]) -> str:
    """The name, or with a number where it is taken."""
    name = name[:56]
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def block(value: Any) -> list[str]:
    """A mapping, or a list of them, as lines: steps and branches below each other, and the rest in one line each."""
    if isinstance(value, list):
        made: list[str] = []
        for each in value:
            lines = block(each)
            made += [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]
        return made
    made = []
    for key, each in value.items():
        name = scalars.scalar(key, flow=False)
        if _opens(key, each):
            made += [f"{name}:", *(f"  {line}" for line in block(each))]
        elif isinstance(each, dict | list):
            made.append(f"{name}: {scalars.flow(each)}")
        else:
            made.append(f"{name}: {scalars.scalar(each, flow=False)}")
    return made


def _opens(key: str, value: Any) -> bool:
    """Whether it is written below its key: lists of steps, of branches and of errors."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, dict) for each in value)
    return key == "parallel" and isinstance(value, dict)
