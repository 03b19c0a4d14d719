"""The parts of a workflow that an execution can take or leave: states and every way out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine import ways
from .taken import times

KINDS = (
    "steps", "choices", "branches", "items", "catches", "retries", "ensures", "compensations", "contracts", "timeouts",
    "heartbeats",
)  # fmt: skip
"""Kinds of parts. `steps` are states in plain ASL; `branches` are those of Parallel states; `items` are a Map that
had none, one or many; `ensures` and `contracts` are checks that found something."""

COUNTED = KINDS[:8]
"""What counts unless somebody says otherwise: what an author decided. A contract, a timeout and a heartbeat stand on
nearly every step as a matter of course, and a test for each of them is rarely wanted."""

Path = tuple[str | int, ...]
LineOf = Callable[[Path], int | None]
"""The line of a file at which a path of the definition stands."""

_KIND_OF = {
    "when": "choices", "skipped": "choices", "branch": "choices", "ready": "choices", "waiting": "choices",
    "not ready": "choices", "approve": "choices", "reject": "choices", "revise": "choices", "reminder": "choices",
    "escalation": "choices", "silence": "choices", "again": "choices", "parallel": "branches", ways.NO_ITEMS: "items",
    ways.ONE_ITEM: "items", ways.MANY_ITEMS: "items", "compensated": "compensations", "retry": "retries", "on_error": "catches", "ensure": "ensures", "output": "contracts",
    "timeout": "timeouts", "heartbeat": "heartbeats",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """`owner` is its step or state (`""` for the whole workflow), `label` what it is there (`""` for the step itself).

    It was taken when any of `ways` was: pairs of a state and a place in it, as `Taken` counts them. `key` tells it
    from the other parts of its workflow.
    """

    owner: str
    kind: str
    label: str
    line: int | None
    ways: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        return f"{self.owner}: {self.label}" if self.label else self.owner

    def hits(self, taken: Mapping[str, Mapping[str, int]]) -> int:
        return sum(times(taken, state, place) for state, place in self.ways)


def _nowhere(path: Path) -> int | None:
    return None


# -- specs -------------------------------------------------------------------------------------------------


def parts_of_spec(source_map: Mapping[str, Any]) -> list[Part]:
    """The parts of a compiled spec, by step; in the order of the file."""
    states = source_map["states"]
    found: list[Part] = []
    for id, step in source_map["steps"].items():
        # The state that does a step's work has the step's name.
        own = (id,) if id in states else tuple(step["states"])
        line = step.get("line")
        found.append(Part(id, "steps", "", line, tuple((state, "") for state in own)))
        parts = [
            Part(id, _KIND_OF.get(way["what"], "choices"), _label(way), way.get("line", line), _pairs(way["states"]))
            for way in step["ways"]
        ]  # fmt: skip
        found += sorted(parts, key=lambda part: (part.line or 0, KINDS.index(part.kind)))
    return found


def violations_of(source_map: Mapping[str, Any] | None) -> dict[str, str]:
    """By state, the variable that the violations of a step's checks are assigned to."""
    steps = {} if source_map is None else source_map["steps"]
    return {id: step["violations"] for id, step in steps.items() if "violations" in step}


def _label(way: Mapping[str, Any]) -> str:
    what, text = way["what"], " ".join(way["text"].split())
    if what in ("ensure", "output"):
        return f"{what} {text} violated" if text else f"{what} violated"
    if what == "branch":
        return text
    if what == "parallel":
        return f"branch {text}"
    return f"{what} {text}" if text and what in ("on_error", "waiting", "not ready", "silence") else what


def _pairs(states: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((state, place) for state, place in states)


# -- Amazon States Language --------------------------------------------------------------------------------


def parts_of_definition(definition: Mapping[str, Any], line_of: LineOf = _nowhere) -> list[Part]:
    """The parts of a definition that the validator finds no error in, by state; those within a state after it."""
    found = list(_machine(definition, (), line_of))
    if "TimeoutSeconds" in definition:
        found.append(_part("", "timeouts", ways.TIMEOUT, line_of(("TimeoutSeconds",))))
    return found


def _machine(machine: Mapping[str, Any], at: Path, line_of: LineOf) -> Iterator[Part]:
    for name, state in machine["States"].items():
        path = (*at, "States", name)
        yield Part(name, "steps", "", line_of(path), ((name, ""),))
        yield from _ways(name, state, path, line_of)
        for index, branch in enumerate(state.get("Branches", ())):
            yield from _machine(branch, (*path, "Branches", index), line_of)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _machine(state[key], (*path, key), line_of)


def _part(owner: str, kind: str, place: str, line: int | None, text: str = "") -> Part:
    return Part(owner, kind, f"{place} {text}" if text else place, line, ((owner, place),))


def _ways(name: str, state: Mapping[str, Any], path: Path, line_of: LineOf) -> Iterator[Part]:
    for index, rule in enumerate(state.get("Choices", ())):
        line = line_of((*path, "Choices", index))
        yield _part(name, "choices", ways.choice(index), line, f"→ {rule['Next']}")
    if "Default" in state:
        line = line_of((*path, "Default"))
        yield _part(name, "choices", ways.DEFAULT, line, f"→ {state['Default']}")
    for index in range(len(state.get("Branches", ()))):
        yield _part(name, "branches", ways.branch(index), line_of((*path, "Branches", index)))
    if state["Type"] == "Map":
        items = state.get("Items")
        for place in ways.counts(len(items) if isinstance(items, list) else None):
            yield _part(name, "items", place, line_of(path))
    for index, retrier in enumerate(state.get("Retry", ())):
        if retrier.get("MaxAttempts", 3) > 0:  # else it says what is not retried
            line = line_of((*path, "Retry", index))
            yield _part(name, "retries", ways.retry(index), line, ", ".join(retrier["ErrorEquals"]))
    for index, catcher in enumerate(state.get("Catch", ())):
        text = f"{', '.join(catcher['ErrorEquals'])} → {catcher['Next']}"
        yield _part(name, "catches", ways.catch(index), line_of((*path, "Catch", index)), text)
    if state["Type"] == "Task":
        for kind, place in (("timeouts", ways.TIMEOUT), ("heartbeats", ways.HEARTBEAT)):
            key = place if place in state else f"{place}Path"
            if key in state:
                yield _part(name, kind, place, line_of((*path, key)))
