"""An execution's history by the states that it entered: what each was given, how often its task was tried, how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .definitions import SERVICES

RUNNING, SUCCEEDED, FAILED, CAUGHT, STOPPED = "RUNNING", "SUCCEEDED", "FAILED", "CAUGHT", "ABORTED"


@dataclass(slots=True, eq=False)
class Visit:
    """One time that a state was entered. Times are milliseconds since the epoch; `arguments` are those of each try of
    its task, as JSON text, `errors` the (error, cause) of each failed one; `iteration` is that of the innermost Map."""

    state: str
    type: str
    entered: int
    input: str | None = None
    output: str | None = None
    exited: int | None = None
    status: str = RUNNING
    iteration: int | None = None
    around: Visit | None = None
    cut: bool = False
    arguments: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        return max(1, len(self.arguments))


@dataclass(slots=True)
class _Place:
    """Where in the tree of states an event is."""

    visit: Visit | None = None
    iteration: int | None = None
    within: bool = False
    """Whether it is inside of the Map state `visit`, which has its own history."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child execution of a distributed map: which iteration it is, and after which event of its parent it began."""

    after: int
    index: int
    events: list[dict[str, Any]]
    children: list[Child] = field(default_factory=list)


def visits_of(events: Iterable[dict[str, Any]], children: Iterable[Child] = ()) -> list[Visit]:
    """The visits, in the order in which the states were entered; those of children after those of their parent."""
    found: list[Visit] = []
    _visits(events, children, _Place(), found)
    return found


def _visits(
    events: Iterable[dict[str, Any]], children: Iterable[Child], start: _Place, found: list[Visit]
) -> None:
    places: dict[int, _Place] = {0: start}
    own: list[Visit] = []
    for event in events:
        kind = event["type"]
        before = places.get(event["previousEventId"]) or start
        place = before
        if kind.endswith("StateEntered"):
            place = _entered(event, before, own)
        elif kind.endswith("StateExited"):
            place = _exited(event, before)
        elif kind.startswith(("MapIteration", "MapState", "ParallelState", "MapRun")):
            place = _around(event, before)
        elif kind == "ExecutionRedriven":
            _reopen(own)
        elif before.visit is not None and not kind.startswith("Execution"):
            _take(event, before.visit)
        places[event["id"]] = place
        if kind.startswith("Execution") and kind not in ("ExecutionStarted", "ExecutionRedriven"):
            _ended(kind, event, own)
    found += own
    for child in children:
        around = places.get(child.after) or start
        _visits(child.events, child.children, _Place(around.visit, child.index, True), found)


def _entered(event: dict[str, Any], before: _Place, found: list[Visit]) -> _Place:
    details = event["stateEnteredEventDetails"]
    around = before.visit
    if before.within:
        pass  # the first state of a distributed map's child: the map may be over by then
    elif around is not None and around.exited is not None:
        around = around.around  # the state before, which is over
    elif around is not None and around.type not in ("Map", "Parallel"):
        _leave(around, event["timestamp"], CAUGHT)  # a Catch leads on from here
        around = around.around
    iteration = before.iteration
    visit = Visit(
        details["name"], event["type"].removesuffix("StateEntered"), event["timestamp"], details.get("input"),
        iteration=iteration, around=around,
    )  # fmt: skip
    found.append(visit)
    return _Place(visit, iteration)


def _exited(event: dict[str, Any], before: _Place) -> _Place:
    details = event["stateExitedEventDetails"]
    visit = before.visit
    while visit is not None and (visit.state != details["name"] or visit.exited is not None):
        visit = visit.around
    if visit is None:
        return before
    visit.output = details.get("output")
    _leave(visit, event["timestamp"], _how(visit))
    return _Place(visit, visit.iteration)


def _how(visit: Visit) -> str:
    """A state whose last try failed was left by a Catch."""
    return CAUGHT if visit.errors and len(visit.errors) >= visit.attempts else SUCCEEDED


def _leave(visit: Visit, at: int, status: str) -> None:
    visit.exited, visit.status = at, status


def _around(event: dict[str, Any], before: _Place) -> _Place:
    """What the events of a Map or Parallel belong to: not to the states within, but to the state itself."""
    kind = event["type"]
    wanted = "Parallel" if kind.startswith("Parallel") else "Map"
    visit = before.visit
    while visit is not None and (visit.type != wanted or visit.exited is not None):
        visit = visit.around
    if visit is None:
        return before
    if kind.endswith(("StateFailed", "RunFailed")):
        visit.errors.append(_error(event))
    if kind == "MapIterationStarted":
        return _Place(visit, event["mapIterationStartedEventDetails"]["index"])
    return _Place(visit, visit.iteration)


def _take(event: dict[str, Any], visit: Visit) -> None:
    kind = event["type"]
    if kind.endswith("Scheduled"):
        details = _details(event)
        resource = details.get("resource", "")
        if "resourceType" in details and not resource.startswith("arn:"):
            resource = f"{SERVICES}{details['resourceType']}:{resource}"
        visit.arguments.append((resource, details.get("parameters", details.get("input", "{}"))))
    elif kind.endswith(("Failed", "TimedOut")) and not kind.startswith("Execution"):
        visit.errors.append(_error(event))


def _ended(kind: str, event: dict[str, Any], found: list[Visit]) -> None:
    for visit in found:
        if visit.exited is None:
            _leave(visit, event["timestamp"], STOPPED if kind == "ExecutionAborted" else FAILED)
            visit.cut = True
            if visit.type == "Fail" or (
                kind != "ExecutionAborted" and not visit.errors and visit is found[-1]
            ):
                visit.errors.append(_error(event))


def _reopen(own: list[Visit]) -> None:
    """A redrive goes on with the states that the execution's end had cut off."""
    for visit in own:
        if visit.cut:
            visit.exited, visit.status, visit.cut = None, RUNNING, False


def _details(event: dict[str, Any]) -> dict[str, Any]:
    return next((value for value in event.values() if isinstance(value, dict)), {})


def _error(event: dict[str, Any]) -> tuple[str, str | None]:
    details = _details(event)
    timed_out = event["type"].endswith("TimedOut")
    return details.get("error") or ("States.Timeout" if timed_out else "States.TaskFailed"), details.get(
        "cause"
    )


def value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
