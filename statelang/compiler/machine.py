"""What the lists of steps of one machine share while it is made: names, roles, what can be undone."""

from __future__ import annotations

from typing import Any

from ..spec.checks import Contracts, has_deadline
from ..spec.contracts import Contract
from ..spec.models import AnyStep, FallibleStep, GateStep, MapStep, Spec, walk
from ..spec.outline import Outline
from ..spec.reading import RESERVED
from .origins import Origins

State = dict[str, Any]
MAX_NAME = 80
"""Characters of a state's name."""


class Machine:
    """`roles` tells of each state the step that it belongs to, and as what; names are the whole machine's."""

    def __init__(self, spec: Spec, contracts: Contracts, shape: Outline):
        self.spec = spec
        self.contracts = contracts
        self.shape = shape
        self.roles: dict[str, tuple[str | None, str]] = {}
        self.origins = Origins()
        self.values: list[tuple[str, Contract]] = [*contracts.steps.items()]
        """Variables, or paths in them, with the contracts of what they hold."""
        if contracts.input is not None:
            self.values.append(("input", contracts.input))
        self.compensated: dict[str, FallibleStep] = {
            id: placed.step
            for id, placed in shape.steps.items()
            if isinstance(placed.step, FallibleStep) and placed.step.compensate is not None
        }
        self.undoing: dict[str, str] = {}
        """By step, the expression for the input of its compensation, where that is computed when it runs."""
        self.deadline = has_deadline(spec)
        """Whether the workflow's timeout is looked at by every state that waits, as there is something to undo."""
        items = {placed.step.map.as_ for placed in shape.steps.values() if isinstance(placed.step, MapStep)}
        self._variables = {*shape.steps, *items, *RESERVED}
        self._states: dict[str, str] = {}

    def variable(self, wanted: str) -> str:
        """A variable's name that is used nowhere else in the machine: a scope may not have one of a scope around it."""
        name, number = wanted[:MAX_NAME], 2
        while name in self._variables:
            name, number = f"{wanted[: MAX_NAME - 4]}_{number}", number + 1
        self._variables.add(name)
        return name

    def state(self, name: str) -> str:
        """A state's name of at most 80 characters, the same whenever it is asked for."""
        if len(name) <= MAX_NAME:
            return name
        if name not in self._states:
            self._states[name] = f"{name[: MAX_NAME - 6]}… {len(self._states) + 1}"
        return self._states[name]

    # -- what can be undone ------------------------------------------------------------------------------

    def holds_compensation(self, steps: list[AnyStep] | tuple[AnyStep, ...]) -> bool:
        """Whether a step of the list, or within one, can be undone."""
        return any(placed.step.id in self.compensated for placed in walk(steps))

    def undoes_items(self, step: AnyStep) -> bool:
        """Whether items of maps in the step may fail, be tolerated, and have something that is to be undone then."""
        return any(
            isinstance(placed.step, MapStep)
            and placed.step.map.tolerate is not None
            and self.holds_compensation(placed.step.steps)
            for placed in walk([step])
        )

    def revised(self, id: str) -> bool:
        """Whether a gate may lead back to before the step, which then runs once more."""
        flow = self.shape.flow_of(id)
        targets = [edge.target for edge in flow.back]
        return bool(targets) and (id in targets or id in flow.reached_from(targets, back=False))

    def revises(self, step: GateStep) -> set[str]:
        """The steps that may run again once the gate has led back, the gate too."""
        assert step.gate.revise is not None
        target = step.gate.revise.to
        return {target, *self.shape.flow_of(step.id).reached_from([target], back=False)}
