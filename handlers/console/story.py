"""An execution's log as *visits*: each time that it came to a step (of plain ASL: a state), and what happened there.

A visit has parts, one after the other: attempts of its task, the back-off between them, waits, and waiting for a person
or an agent. A story is fed with commits and says which visits changed, so that whoever watches reads each commit once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..audit.redaction import Redactor, learn
from ..audit.trail import Place, Reader
from ..store import Commit
from .secrets import parsed

RUNNING, WAITING, RETRYING, DONE, FAILED, SKIPPED, STOPPED = (
    "running", "waiting", "retrying", "done", "failed", "skipped", "stopped",
)  # fmt: skip
_WORK_ROLES = {"task", "wait", "set", "decision", "succeed", "fail", "parallel", "map", "repeat", "workflow"}
_TASKS = ("Task", "LambdaFunction", "Activity")
_ITEM_ENDS = {
    "MapIterationSucceeded": "done", "MapIterationFailed": "failed", "MapIterationAborted": "stopped",
}  # fmt: skip
_SHORT = 300
"""Characters of a cause in a list of events."""

Event = Mapping[str, Any]


@dataclass(slots=True)
class Part:
    """A stretch of a visit: `what` is `attempt`, `retry` (the back-off before the next one), `wait`, `gate` or `agent`.

    `status` is `running`, `done`, `failed` or `violated`; `event` the one that began it, `last` the one that ended it.
    """

    what: str
    start: int
    event: int
    number: int | None = None
    end: int | None = None
    last: int | None = None
    status: str = RUNNING
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(slots=True)
class Visit:
    """`id` is the event that entered it, `parent` the visit of the Parallel or Map around it.

    `map_run` has the items of a distributed map as executions, `child` is the execution that its task started. `items`
    counts those of a map: `total`, and how many are `done`, `failed` and `stopped`. `events` are the ids of its own.
    """

    id: int
    step: str
    kind: str
    state: str
    start: int
    parent: int | None = None
    iteration: str | None = None
    end: int | None = None
    status: str = RUNNING
    error: str | None = None
    violations: int = 0
    parts: list[Part] = field(default_factory=list)
    worked: bool = False
    tries: int = 0
    map_run: str | None = None
    child: str | None = None
    items: dict[str, int] | None = None
    events: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.id,
            "step": self.step,
            "kind": self.kind,
            "start": self.start,
            "status": self.status,
        }
        for name in (
            "parent",
            "iteration",
            "end",
            "error",
            "violations",
            "tries",
            "map_run",
            "child",
            "items",
        ):
            if (value := getattr(self, name)) not in (None, 0):
                told[name] = dict(value) if isinstance(value, dict) else value
        if self.parts:
            told["parts"] = [part.to_json() for part in self.parts]
        return told


@dataclass(frozen=True, slots=True)
class Row:
    """An event as a list shows it; `seq` is of its commit."""

    id: int
    at: int
    type: str
    seq: int
    visit: int | None
    state: str | None
    iteration: str | None
    resource: str | None
    error: str | None
    cause: str | None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Assigned:
    """Variables that the event `id` of the commit `seq` has assigned, and where."""

    id: int
    seq: int
    names: tuple[str, ...]
    place: Place


@dataclass(slots=True)
class Told:
    """What came of some commits: visits that changed, events, and the ways between steps that were taken."""

    visits: list[Visit]
    events: list[Row]
    taken: list[str]
    seq: int

    def to_json(self) -> dict[str, Any]:
        return {
            "visits": [visit.to_json() for visit in self.visits],
            "events": [row.to_json() for row in self.events],
            "taken": self.taken,
            "seq": self.seq,
        }


class Story:
    """Fed with an execution's commits in order; what it tells is without the secrets that `redactor` knows of.

    Beside `visits`, all by their ids: `rows`, an event's at the place before its id; `of_step`, the visits of each step;
    `assigned`; `taken`, the ways between steps; and `touched`, visits by the commit that has last changed them, in its order.
    """

    def __init__(self, source_map: Mapping[str, Any] | None, redactor: Redactor):
        self._spec = source_map is not None
        self._states: Mapping[str, Any] = (source_map or {}).get("states", {})
        self._steps: Mapping[str, Any] = (source_map or {}).get("steps", {})
        self._violations = {each["violations"] for each in self._steps.values() if "violations" in each}
        self._reader = Reader(source_map or {})
        self._learning = Reader(source_map or {})
        self.redactor = redactor
        self.visits: dict[int, Visit] = {}
        self.rows: list[Row] = []
        self.of_step: dict[str, list[int]] = {}
        self.assigned: list[Assigned] = []
        self.taken: dict[str, int] = {}
        self.touched: OrderedDict[int, int] = OrderedDict()
        self.places: dict[int, Place] = {}
        """Where each visit began."""
        self._of_entry: dict[int, int] = {}
        self._of_event: dict[int, int | None] = {}
        self._open: set[int] = set()
        self._changed: dict[int, Visit] = {}
        self.seq = -1

    def feed(self, commits: Iterable[Commit]) -> Told:
        commits = list(commits)
        changed: dict[int, Visit] = {}
        known, ways_known = len(self.rows), len(self.taken)
        if self.redactor:
            learn(self.redactor, (entry for commit in commits for entry in self._learning.read(commit)))
        for commit in commits:
            self.seq, self._changed = commit.seq, {}
            ways: dict[int, list[str]] = {}
            for entry, way in commit.ways:
                ways.setdefault(int(entry), []).append(str(way))
            for event, place in self._reader.places(commit):
                self._take(event, place, ways.get(place.entry, []))
                self._note(event, place)
            for id in self._changed:
                self.touched[id] = commit.seq
                self.touched.move_to_end(id)
            changed |= self._changed
        return Told(list(changed.values()), self.rows[known:], list(self.taken)[ways_known:], self.seq)

    def row(self, event: int) -> Row | None:
        return self.rows[event - 1] if 0 < event <= len(self.rows) else None

    # -- events ----------------------------------------------------------------------------------------

    def _note(self, event: Event, place: Place) -> None:
        details, id = details_of(event), event["id"]
        visit = self._of_event.get(id)
        cause = _said(details.get("cause"))
        self.rows.append(
            Row(
                id, event["timestamp"], event["type"], self.seq, visit, place.state, place.iteration,
                details.get("resource"), details.get("error"), self.redactor.hide_text(cause)[:_SHORT] if cause else None,
            )
        )  # fmt: skip
        if visit is not None and not event["type"].startswith("MapIteration"):
            self.visits[visit].events.append(id)
        if names := details.get("assignedVariables"):
            self.assigned.append(Assigned(id, self.seq, tuple(names), place))

    def _take(self, event: Event, place: Place, ways: list[str]) -> None:
        kind, at, id = event["type"], event["timestamp"], event["id"]
        if kind.endswith("StateEntered"):
            self._enter(event, place)
            return
        visit = self.visits.get(self._of_entry.get(place.entry, -1))
        self._of_event[id] = visit.id if visit is not None else None
        if kind.startswith("Execution"):
            if kind not in ("ExecutionStarted", "ExecutionRedriven"):
                self._finish(event)
            return
        if visit is None:
            return
        if kind.endswith("StateExited"):
            self._exit(visit, event, ways)
        elif kind.endswith("Scheduled"):
            self._schedule(visit, event)
        elif kind.startswith((*_TASKS, "Evaluation")) and kind.endswith(("Failed", "TimedOut")):
            self._fail(visit, event, any(way.startswith("Retry") for way in ways))
        elif kind.startswith(_TASKS) and kind.endswith("Succeeded"):
            self._close_part(visit, at, id, DONE)
            visit.status, visit.error = RUNNING, None
        elif kind in ("MapStateFailed", "ParallelStateFailed"):
            visit.status = FAILED
        elif kind == "MapStateStarted":
            visit.items = {
                "total": int(details_of(event).get("length", 0)),
                "done": 0,
                "failed": 0,
                "stopped": 0,
            }
        elif kind in _ITEM_ENDS and visit.items is not None:
            visit.items[_ITEM_ENDS[kind]] += 1
        elif kind == "MapRunStarted":
            visit.map_run = details_of(event).get("mapRunArn")
        elif kind == "TaskSubmitted" and str(details_of(event).get("resource")).startswith("startExecution"):
            submitted = parsed(details_of(event).get("output"))
            visit.child = submitted.get("ExecutionArn") if isinstance(submitted, dict) else None
        else:
            return
        self._changed[visit.id] = visit

    def _enter(self, event: Event, place: Place) -> None:
        kind, at, id = event["type"].removesuffix("StateEntered"), event["timestamp"], event["id"]
        mapped = self._states.get(place.state or "", {})
        step = mapped.get("step") if self._spec else place.state
        role = mapped.get("role", "task")
        before = self.visits.get(self._of_event.get(event["previousEventId"]) or -1)
        self._of_event[id] = None
        if step is None:
            return
        parent = self._of_entry.get(place.around.entry) if place.around is not None else None
        same = (
            self._spec and before is not None and (before.step, before.iteration) == (step, place.iteration)
        )
        if same and before is not None and before.parent == parent:
            visit = before
            if visit.end is not None:
                visit.end = None
                visit.status = RETRYING if visit.status == FAILED else RUNNING
        else:
            type = self._steps.get(step, {}).get("kind", kind.lower())
            visit = self.visits[id] = Visit(id, step, type, place.state or step, at, parent, place.iteration)
            self.of_step.setdefault(step, []).append(id)
            self.places[id] = place
        self._open.add(visit.id)
        self._of_entry[id] = self._of_event[id] = visit.id
        if role == "back off":
            self._close_part(visit, at, id, DONE)
            visit.parts.append(Part("retry", at, id))
            visit.status = RETRYING
        elif role in _WORK_ROLES or not self._spec:
            visit.worked = True
            if kind == "Wait":
                visit.parts.append(Part("wait", at, id))
                visit.status = WAITING
            elif visit.status == WAITING:
                visit.status = RUNNING
        self._changed[visit.id] = visit

    def _schedule(self, visit: Visit, event: Event) -> None:
        self._reopen(visit)
        self._close_part(visit, event["timestamp"], event["id"], DONE)
        visit.worked = True
        visit.tries += 1
        what = visit.kind if visit.kind in ("gate", "agent") else "attempt"
        visit.parts.append(Part(what, event["timestamp"], event["id"], visit.tries))
        asks = ".waitForTaskToken" in str(details_of(event).get("resource", ""))
        visit.status = WAITING if what != "attempt" or asks else RUNNING
        visit.error = None

    def _fail(self, visit: Visit, event: Event, again: bool) -> None:
        details, at, id = details_of(event), event["timestamp"], event["id"]
        timed_out = event["type"].endswith("TimedOut")
        visit.error = str(details.get("error") or ("States.Timeout" if timed_out else ""))
        self._close_part(visit, at, id, FAILED, visit.error)
        visit.status = RETRYING if again else FAILED
        if again:
            visit.parts.append(Part("retry", at, id))

    def _exit(self, visit: Visit, event: Event, ways: list[str]) -> None:
        at, details = event["timestamp"], details_of(event)
        chosen = [way for way in ways if way.startswith(("Choices", "Default", "Catch"))]
        self._took(f"{details['name']}|{chosen[0] if chosen else 'Next'}")
        if visit.parts and visit.parts[-1].what in ("wait", "retry"):
            self._close_part(visit, at, event["id"], DONE)
        assigned = details.get("assignedVariables", {})
        found = [each for name in self._violations & assigned.keys() for each in parsed(assigned[name]) or ()]
        if found:
            visit.violations += len(found)
            visit.status, visit.error = FAILED, "not as its contract or `ensure` says"
            if visit.parts:
                visit.parts[-1].status = "violated"
        elif isinstance(error := parsed(assigned.get("error")), dict) and error.get("Error"):
            visit.status, visit.error = FAILED, str(error["Error"])
        self._close(visit, at, FAILED if visit.status == RETRYING else None)

    def _finish(self, event: Event) -> None:
        """The execution has ended: what is still open ends with it."""
        kind, at = event["type"], event["timestamp"]
        culprit = self._of_event.get(event["previousEventId"])
        failing: set[int] = set()
        while culprit is not None and (visit := self.visits.get(culprit)) is not None:
            failing.add(culprit)
            culprit = visit.parent
        for id in sorted(self._open):
            visit = self.visits[id]
            if kind == "ExecutionSucceeded":
                self._close(visit, at, None)
            elif kind != "ExecutionAborted" and id in failing:
                visit.error = visit.error or details_of(event).get("error")
                self._close(visit, at, FAILED)
            else:
                self._close(visit, at, STOPPED)
        self._open.clear()
        for id in failing:
            visit = self.visits[id]
            if visit.kind == "fail":
                visit.status, visit.error = FAILED, details_of(event).get("error")
                self._changed[id] = visit

    # -- visits ----------------------------------------------------------------------------------------

    def _close(self, visit: Visit, at: int, status: str | None) -> None:
        visit.end = at
        if status == STOPPED and visit.status == FAILED and visit.error:
            status = FAILED  # what failed has stopped the others, and was not stopped
        if status is not None:
            visit.status = status
        elif not visit.worked:
            visit.status = SKIPPED
        elif visit.status != FAILED:
            visit.status, visit.error = DONE, None
        if visit.status in (STOPPED, FAILED):
            self._close_part(visit, at, None, visit.status, visit.error)
        self._open.discard(visit.id)
        self._changed[visit.id] = visit
        if visit.kind in ("parallel", "map"):
            # Branches and items that were stopped with it say nothing of their own.
            for id in [each for each in self._open if self.visits[each].parent == visit.id]:
                self._close(self.visits[id], at, STOPPED)

    def _reopen(self, visit: Visit) -> None:
        """A redrive goes on in what had ended, and so in all that is around it."""
        around: Visit | None = visit
        while around is not None and around.id not in self._open:
            around.end, around.status, around.error = None, RUNNING, None
            self._open.add(around.id)
            self._changed[around.id] = around
            around = self.visits.get(around.parent) if around.parent is not None else None

    def _close_part(
        self, visit: Visit, at: int, event: int | None, status: str, error: str | None = None
    ) -> None:
        if visit.parts and (part := visit.parts[-1]).end is None:
            part.end, part.last, part.status, part.error = at, event, status, error

    def _took(self, way: str) -> None:
        self.taken.setdefault(way, self.seq)


def _said(cause: str | None) -> str | None:
    """A cause in a line: of a function's error its message."""
    error = parsed(cause) if cause and cause.startswith("{") else None
    message = error.get("errorMessage") if isinstance(error, dict) else None
    return message if isinstance(message, str) and message else cause


def details_of(event: Event) -> Mapping[str, Any]:
    return next((value for value in event.values() if isinstance(value, Mapping)), {})
