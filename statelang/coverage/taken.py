"""What executions have taken of one definition: how often each state was entered, and each way out of it gone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..engine.ways import Way

Hits = dict[str, dict[str, int]]
"""By state and by place in it: `""` for the state itself, EXITED; the state `""` is the machine."""

EXITED = "exited"
NEXT = "Next"
"""The way of a state that goes on with its `Next` or ends its machine: see `times`."""


def times(hits: Mapping[str, Mapping[str, int]], state: str, place: str) -> int:
    """How often the way was gone. A state's `Next` is what it was left by when no catcher took it elsewhere."""
    places = hits.get(state, {})
    if place != NEXT:
        return places.get(place, 0)
    caught = sum(count for other, count in places.items() if other.startswith("Catch["))
    return max(0, places.get(EXITED, 0) - caught)


class Taken:
    """Hits of one definition, distributed maps' child executions included.

    `violations` names, by state, the variable that violations of a step's checks are assigned to
    (`parts.violations_of`). Hits only ever grow, and merging is adding: in whatever order, it comes to the same.
    """

    def __init__(self, violations: Mapping[str, str] | None = None, hits: Hits | None = None):
        self.violations = dict(violations or {})
        self.hits: Hits = {state: dict(places) for state, places in (hits or {}).items()}

    def execution(self) -> Following:
        """Follows one execution from its start."""
        return Following(self)

    def add(self, state: str, place: str, times: int = 1) -> None:
        places = self.hits.setdefault(state, {})
        places[place] = places.get(place, 0) + times

    def merge(self, hits: Mapping[str, Mapping[str, int]]) -> None:
        for state, places in hits.items():
            for place, times in places.items():
                self.add(state, place, times)


class Following:
    """One execution; fed with its history from the beginning, in order."""

    def __init__(self, taken: Taken):
        self._taken = taken
        self._entered: dict[int, str] = {0: ""}

    def feed(self, events: Iterable[Mapping[str, Any]], ways: Sequence[Way]) -> None:
        """Takes further events, and the ways that the engine noted beside them."""
        taken = self._taken
        for event in events:
            kind = event["type"]
            if kind.endswith("StateEntered"):
                name = event["stateEnteredEventDetails"]["name"]
                self._entered[event["id"]] = name
                taken.add(name, "")
            elif kind.endswith("StateExited"):
                details = event["stateExitedEventDetails"]
                taken.add(details["name"], EXITED)
                variable = taken.violations.get(details["name"])
                if variable is not None:
                    for place in _violated(details.get("assignedVariables", {}).get(variable)):
                        taken.add(details["name"], place)
        for entry, place in ways:
            state = self._entered.get(int(entry))
            if state is not None:
                taken.add(state, str(place))


def _violated(assigned: str | None) -> set[str]:
    """The places of the checks that the violations, in JSON text, are of."""
    found = json.loads(assigned) if assigned else []
    if not isinstance(found, list):
        return set()
    return {
        f"violated: {violation.get('that', 'output')}" for violation in found if isinstance(violation, dict)
    }
