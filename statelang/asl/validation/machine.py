"""A machine as a whole: its own fields, the names of its states, where they lead, and the machines within it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..problems import Problem
from . import advice, states
from .findings import EXPRESSION_CODES, MISSING_TARGET, Body, Findings

MAX_DEPTH = 100
MAX_NAME = 80
_TOP = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
_INNER = {"Comment", "StartAt", "States", "ProcessorConfig"}


def validate(definition: Any, *, type: str = "STANDARD") -> list[Problem]:
    """Every finding in a definition, errors first.

    Where anything else is wrong, AWS says nothing of expressions.
    """
    found = Findings(type)
    if not isinstance(definition, dict):
        found.expected("OBJECT", "/")
        return found.problems
    _machine(found, definition, "", "JSONPath", set(), 0)
    if not found.problems:
        advice.give(found, definition)
    others = [problem for problem in found.problems if problem.code not in EXPRESSION_CODES]
    return [*(others or found.problems), *found.warnings]


def _machine(found: Findings, machine: Body, at: str, inherited: str, names: set[str], depth: int) -> None:
    """`names` are the states of the whole definition met so far."""
    if depth > MAX_DEPTH:
        found.error("States are nested too deeply", at, "TOO_DEEPLY_NESTED")
        return
    found.supported(machine, at, _INNER if depth else _TOP)
    missing = [key for key in ("States", "StartAt") if key not in machine]
    if missing:
        found.required(machine, at, *missing)
    if depth == 0:
        found.one_of(machine, "QueryLanguage", at, states.LANGUAGES)
        found.whole(machine, "TimeoutSeconds", at, 0)
        found.one_of(machine, "Version", at, ("1.0",))
    found.text(machine, "Comment", at, empty=True)
    language = states.language_of(machine, inherited) if depth == 0 else inherited
    start = found.text(machine, "StartAt", at)
    bodies = found.object(machine, "States", at)
    if bodies is None:
        return
    if not bodies:
        found.error("Value cannot be empty", f"{at}/States")
        return
    for name, body in bodies.items():
        place = f"{at}/States/{name}"
        if not name:
            found.error("Invalid State name: '' cannot be empty", place, "INVALID_STATE_NAME")
        if len(name) > MAX_NAME:
            limit = f"exceeds the {MAX_NAME}-character limit allowed by the service"
            found.error(f"Invalid State name: '{name}' {limit}", place, "INVALID_STATE_NAME")
        if name in names:
            found.error(f"Duplicate State name: {name}", place, "DUPLICATE_STATE_NAME")
        names.add(name)
        states.state(found, body, place, language)
        for inner, within in _inner(body, place):
            _machine(found, within, inner, language, names, depth + 1)
    _ways(found, bodies, at, start, inner=depth > 0)


def _inner(body: Any, at: str) -> Iterator[tuple[str, Body]]:
    """The machines within a state, with their places."""
    if not isinstance(body, dict):
        return
    branches = body.get("Branches") if body.get("Type") == "Parallel" else None
    for index, branch in enumerate(branches if isinstance(branches, list) else []):
        if isinstance(branch, dict):
            yield f"{at}/Branches[{index}]", branch
    if body.get("Type") == "Map":
        for key in ("ItemProcessor", "Iterator"):
            if isinstance(body.get(key), dict):
                yield f"{at}/{key}", body[key]


def _ways(found: Findings, bodies: Body, at: str, start: str | None, *, inner: bool) -> None:
    """Whether every way leads to a state, and every state has a way to it.

    Where no state ends the whole machine, AWS says that and nothing of states that cannot be reached; that a machine
    within a state never ends, it does not mind.
    """
    if start is not None and start not in bodies:
        found.error(f"Missing 'Next' target: {start}", f"{at}/StartAt", MISSING_TARGET)
    reached: set[str] = set()
    todo: list[str] = [start] if start is not None and start in bodies else []
    for name, body in bodies.items():
        for place, target in _targets(body):
            if target not in bodies:
                found.error(f"Missing 'Next' target: {target}", f"{at}/States/{name}/{place}", MISSING_TARGET)
    if not inner and not any(_ends(body) for body in bodies.values()):
        found.problems.append(Problem("MISSING_END_STATE", "Workflow has no terminal state", ""))
        return
    while todo:
        name = todo.pop()
        if name in reached or name not in bodies:
            continue
        reached.add(name)
        todo += [target for _, target in _targets(bodies[name])]
    if start is None:
        return
    for name in bodies:
        if name not in reached:
            found.error(f'State "{name}" is not reachable.', f"{at}/States/{name}", MISSING_TARGET)


def _ends(body: Any) -> bool:
    # A state that cannot be read may be one that ends it: what is wrong with it has been said.
    return not isinstance(body, dict) or body.get("Type") not in states.TYPES or (
        body["Type"] in ("Succeed", "Fail") or body.get("End") is True
    )  # fmt: skip


def _targets(body: Any) -> Iterator[tuple[str, str]]:
    """Where a state can go: pairs of the place of the field in it, and the target."""
    if not isinstance(body, dict):
        return
    for key in ("Next", "Default"):
        if isinstance(body.get(key), str):
            yield key, body[key]
    for key in ("Choices", "Catch"):
        entries = body.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict) and isinstance(entry.get("Next"), str):
                yield f"{key}[{index}]/Next", entry["Next"]
