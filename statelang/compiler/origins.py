"""Where the ways out of states come from: which `when`, branch, retry or route of a step a rule of a state stands for.

Kept for the source map: AWS's definition has no room for it, and coverage, traces and pictures are shown by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..spec.models import Check

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Origin:
    """A part of a step that an execution can take or leave.

    `what` it is (`when`, `skipped`, `ready`, `waiting`, `not ready`, `branch`, `retry`, `on_error`, `ensure`, `output`,
    `timeout`, `heartbeat`, `compensated`; of a gate `approve`, `reject`, `revise`, `reminder`, `escalation`, `silence`;
    of a parallel `parallel`, of a repeat `again`, of a map how many items it has), its `path` in the step, its `text`.
    It is taken where one of `ways` is: pairs of a state and a place in it, as `engine.ways` has them; the place is empty
    for the state itself, and for `ensure` and `output` it is `violated: …`. What leads round a loop says how many `rounds`
    there are at the most, the first included.
    """

    what: str
    path: Path
    text: str
    ways: list[tuple[str, str]] = field(default_factory=list)
    rounds: int | None = None


VIOLATED = "violated: "
"""Followed by the condition of an `ensure`, or by `output` for the contract."""


class Origins:
    """By step, in the order in which they were found."""

    def __init__(self) -> None:
        self.steps: dict[str, list[Origin]] = {}
        self.violations: dict[str, str] = {}
        """By step, the variable that its violations are assigned to."""

    def add(
        self,
        step: str,
        what: str,
        path: Path,
        state: str,
        place: str,
        text: str = "",
        rounds: int | None = None,
    ) -> None:
        """The way `place` out of `state` is that part of the step; it may be others as well."""
        known = self.steps.setdefault(step, [])
        origin = next((each for each in known if (each.what, each.path) == (what, path)), None)
        if origin is None:
            origin = Origin(what, path, text, rounds=rounds)
            known.append(origin)
        origin.ways.append((state, place))

    def route(self, step: str, number: int, match: Sequence[str] | None, state: str, place: str) -> None:
        """The way is the step's `on_error` of that number, for errors of these names."""
        self.add(step, "on_error", ("on_error", number), state, place, ", ".join(match or ["every error"]))

    def checks(self, step: str, variable: str, contract: bool, ensures: Sequence[Check]) -> None:
        """The violations of the step's contract and of each `ensure` are assigned to the variable."""
        self.violations[step] = variable
        if contract:
            self.add(step, "output", ("output",), step, f"{VIOLATED}output")
        for number, check in enumerate(ensures):
            condition = check.that.strip()
            self.add(step, "ensure", ("ensure", number), step, f"{VIOLATED}{condition}", condition)
