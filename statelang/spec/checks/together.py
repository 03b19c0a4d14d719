"""Specs that are known together: what child workflows are given and give, and whether any comes round to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contracts import ANY
from ..diagnostics import Diagnostic
from ..expressions import Path, Scope
from ..models import Spec, WorkflowStep, walk
from . import bodies
from .checker import Check, Checker
from .fitting import misfits, why_not
from .results import Contracts, contracts_of


def called(workflow: str) -> str:
    """The name of the workflow that a step runs, of its alias, version or ARN."""
    return workflow.rpartition(":stateMachine:")[2].partition(":")[0]


def check_together(specs: Mapping[str, Spec]) -> dict[str, list[Diagnostic]]:
    """What is wrong between specs in which nothing else is, by name: of the specs, and of the findings of each."""
    contracts = {name: contracts_of(spec, []) for name, spec in specs.items()}
    found: dict[str, list[Diagnostic]] = {}
    for name, spec in specs.items():
        fits = _Fits(contracts)
        kinds: dict[str, Check] = dict.fromkeys(_KINDS, _nothing)
        Checker(spec, (), {**kinds, **bodies.CHECKS, "workflow": fits})
        found[name] = [*_circles(name, specs), *fits.findings]
    return found


_KINDS = ("task", "decision", "wait", "set", "succeed", "fail", "gate", "agent")


def _nothing(checker: Checker, step: Any, path: Path, scope: Scope) -> None:
    """Steps of other kinds have been checked."""


class _Fits:
    """Checks child workflows against the contracts that they have of their own."""

    def __init__(self, contracts: Mapping[str, Contracts]):
        self.contracts = contracts
        self.findings: list[Diagnostic] = []

    def __call__(self, checker: Checker, step: WorkflowStep, path: Path, scope: Scope) -> None:
        name = called(step.workflow)
        child = self.contracts.get(name)
        if child is None:
            return
        who = f"the workflow {name}"
        if child.input is not None:
            given = {} if step.input is None else step.input
            at = path if step.input is None else (*path, "input")
            self.findings += misfits(given, child.input, at, scope, who)
        wanted = checker.contracts.steps.get(step.id, ANY)
        if child.output is not None and (reason := why_not(child.output, wanted)) is not None:
            message = f"{who} comes to {child.output}, and the contract wants {wanted}"
            self.findings.append(Diagnostic("S304", message, (*path, "output"), None, reason))


def _circles(name: str, specs: Mapping[str, Spec]) -> list[Diagnostic]:
    """The steps of the spec from which it comes to itself, through others."""
    found: list[Diagnostic] = []
    for placed in walk(specs[name].steps):
        step = placed.step
        if not isinstance(step, WorkflowStep) or called(step.workflow) == name:
            continue  # a workflow that runs itself is told without others
        way = _way(called(step.workflow), name, specs)
        if way is not None:
            message = f"these workflows would run each other without end: {' -> '.join([name, *way])}"
            hint = "`repeat` runs steps again, and `map` runs them for every item"
            found.append(Diagnostic("S407", message, (*placed.path, "workflow"), None, hint))
    return found


def _way(start: str, goal: str, specs: Mapping[str, Spec]) -> list[str] | None:
    """The shortest way from a workflow to another, by what runs what."""
    ways, at = [[start]], 0
    seen = {start}
    while at < len(ways):
        way, at = ways[at], at + 1
        if way[-1] == goal:
            return way
        spec = specs.get(way[-1])
        for placed in walk(spec.steps) if spec is not None else ():
            if isinstance(placed.step, WorkflowStep) and (name := called(placed.step.workflow)) not in seen:
                seen.add(name)
                ways.append([*way, name])
    return None
