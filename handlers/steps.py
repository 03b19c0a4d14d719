"""The steps of an execution as its history tells them: which ran, how long, how often, how they ended.

For a spec, its source map ties states to steps; in plain ASL every state is a step of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RUNNING, WAITING, RETRYING, DONE, FAILED, SKIPPED, STOPPED = (
    "running", "waiting", "retrying", "done", "failed", "skipped", "stopped",
)  # fmt: skip
COMPENSATE = "compensate"

_HOLDERS = {"parallel", "map", "repeat"}
_WORK_ROLES = {"task", "wait", "set", "decision", "succeed", "fail", *_HOLDERS, COMPENSATE}


@dataclass(slots=True)
class Step:
    """One step. Times are milliseconds since the epoch; `tries` counts the attempts of its task, `runs` how often it has
    begun: in a map or a repeat more than once. `within` is the step around it. What takes back a step's work has a line
    of its own, of the kind `compensate`. Of a map, `items` are those that it was given so far, and `items_done` and
    `items_failed` those that have ended; where it is distributed (`apart`) its executions are counted, not its items."""

    id: str
    kind: str
    status: str = RUNNING
    started: int = 0
    ended: int | None = None
    tries: int = 0
    note: str = ""
    worked: bool = False
    within: str | None = None
    runs: int = 0
    live: int = 0
    """How many of its runs are going on."""
    items: int | None = None
    items_done: int = 0
    items_failed: int = 0
    apart: bool = False

    def elapsed(self, now: int) -> float:
        """Seconds, until it ended or until `now`."""
        return max(0, (self.ended if self.ended is not None else now) - self.started) / 1000

    def to_json(self) -> dict[str, Any]:
        elapsed = None if self.ended is None else (self.ended - self.started) / 1000
        return {
            "step": self.id, "kind": self.kind, "status": self.status, "tries": self.tries, "seconds": elapsed,
            "note": self.note, **({"within": self.within} if self.within else {}), **({"runs": self.runs} if self.runs > 1 else {}),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Exit:
    """A state that was left; what follows from it, follows at once."""

    event: int
    line: str | None
    at: int


class Steps:
    """Fed with history events in order; `steps` is what has come of them so far."""

    def __init__(self, source_map: dict[str, Any] | None = None):
        self.steps: dict[str, Step] = {}
        self.finished: dict[str, Any] | None = None
        self._states: dict[str, dict[str, Any]] = (source_map or {}).get("states", {})
        self._kinds: dict[str, dict[str, Any]] = (source_map or {}).get("steps", {})
        self._spec = source_map is not None
        self._step_at: dict[int, str | None] = {}
        self._line_at: dict[int, str | None] = {}
        self._exit: _Exit | None = None

    def feed(self, events: Iterable[dict[str, Any]], messages: Iterable[dict[str, Any]] = ()) -> list[Step]:
        """Takes further events; answers the steps that changed, each once.

        `messages` are those that the events followed from: they tell of the executions of distributed maps.
        """
        changed: dict[str, Step] = {}
        for message in messages:
            if message["type"] == "child_finished" and (step := self._child(message)) is not None:
                changed[step.id] = step
        for event in events:
            for step in self._take(event):
                changed[step.id] = step
        for step in self._settle():
            changed[step.id] = step
        return list(changed.values())

    @property
    def of_events(self) -> Mapping[int, str | None]:
        """The step that each event so far belongs to, by the event's id."""
        return self._step_at

    def depth(self, step: Step) -> int:
        """How many steps are around it."""
        return len(self._around(step))

    def _around(self, step: Step) -> list[str]:
        found: list[str] = []
        while step.within is not None and step.within in self.steps:
            found.append(step.within)
            step = self.steps[step.within]
        return found

    def _take(self, event: dict[str, Any]) -> list[Step]:
        kind, at, previous = event["type"], event["timestamp"], event["previousEventId"]
        if kind.endswith("StateEntered"):
            return self._entered(event, kind.removesuffix("StateEntered"))
        changed = self._settle()
        self._step_at[event["id"]] = self._step_at.get(previous)
        line = self._line_at[event["id"]] = self._line_at.get(previous)
        if kind.startswith("Execution") and kind != "ExecutionStarted":
            self.finished = event
            return changed + self._end(kind, at, event)
        if kind.endswith("StateExited"):
            # A map or a parallel is left after what is in it, so that its own name tells whose event this is.
            self._step_at[event["id"]], line, _ = self._named(event["stateExitedEventDetails"]["name"], "")
            self._line_at[event["id"]] = line
            self._exit = _Exit(event["id"], line, at)
        step = self.steps.get(line) if line is not None else None
        if step is not None and kind.startswith(("Map", "Parallel")) and not kind.endswith("StateExited"):
            step = self._holder(step)  # what happened is to the whole, and was led to by what is in it
        if kind in ("MapIterationSucceeded", "MapIterationFailed"):
            step = self._iterated(event, kind)
        if step is None:
            return changed
        if kind == "MapStateStarted":
            step.items = (step.items or 0) + event["mapStateStartedEventDetails"].get("length", 0)
        elif kind == "MapRunStarted":
            step.apart = True
        if kind.endswith("Scheduled"):
            step.tries += 1
            step.status, step.worked = RUNNING, True
        elif kind.endswith(("Failed", "TimedOut")):
            step.status, step.note = RETRYING, _error(event)
        elif kind.endswith("Succeeded"):
            step.status, step.note = RUNNING, ""
        elif kind.endswith("StateExited") and (error := _routed_error(event)):
            step.status, step.note = RETRYING, error  # it ends as failed, unless it is tried again
        elif kind not in ("MapStateStarted", "MapRunStarted"):
            return changed
        return [*changed, step]

    def _iterated(self, event: dict[str, Any], kind: str) -> Step | None:
        """The map of which an item has ended: by its name, as what came before may be of a map within it."""
        details = next(value for value in event.values() if isinstance(value, dict))
        step = self.steps.get(self._named(details.get("name", ""), "")[1] or "")
        if step is not None:
            step.items_done += kind == "MapIterationSucceeded"
            step.items_failed += kind == "MapIterationFailed"
        return step

    def _child(self, message: dict[str, Any]) -> Step | None:
        step = self.steps.get(self._line_at.get(message["task"]) or "")
        if step is not None:
            step.items_done += message["status"] == "SUCCEEDED"
            step.items_failed += message["status"] != "SUCCEEDED"
        return step

    def _holder(self, step: Step) -> Step | None:
        if step.kind in _HOLDERS:
            return step
        return self.steps.get(step.within or "")

    def _named(self, state: str, type: str) -> tuple[str | None, str | None, str]:
        """The step that a state belongs to, the line that it is told in, and its role."""
        mapped = self._states.get(state, {})
        id = mapped.get("step") if self._spec else state
        role = mapped.get("role", type.lower())
        return id, state if role == COMPENSATE and id is not None and self._spec else id, role

    def _entered(self, event: dict[str, Any], type: str) -> list[Step]:
        id, line, role = self._named(event["stateEnteredEventDetails"]["name"], type)
        at = event["timestamp"]
        self._step_at[event["id"]], self._line_at[event["id"]] = id, line
        follows = self._exit is not None and self._exit.event == event["previousEventId"]
        goes_on = follows and self._exit is not None and self._exit.line == line
        changed: list[Step] = []
        if goes_on:
            self._exit = None
        else:
            changed += self._settle(at if follows else None)
        if line is None:
            return changed
        step = self.steps.get(line)
        if step is None:
            known = self._kinds.get(line, {})
            kind = COMPENSATE if role == COMPENSATE else known.get("kind", type.lower())
            within = (known.get("within") or {}).get("step")
            step = self.steps[line] = Step(line, kind, started=at, within=within)
        elif step.ended is not None:
            step.ended, step.status = None, RUNNING
        if not goes_on:
            step.runs += 1
            step.live += 1
        if role == "back off":
            step.status = RETRYING
            step.note = step.note or "what came back was not as ensured"
        elif role in _WORK_ROLES or not self._spec:
            step.worked = True
            step.status = WAITING if type == "Wait" else RUNNING
        changed.append(step)
        return changed

    def _settle(self, at: int | None = None) -> list[Step]:
        """Takes note that the state which was left last was the last of its step."""
        exit, self._exit = self._exit, None
        step = self.steps.get(exit.line) if exit is not None and exit.line is not None else None
        if exit is None or step is None or step.ended is not None:
            return []
        step.live -= 1
        return self._close(step.id, exit.at if at is None else at) if step.live <= 0 else [step]

    def _close(self, id: str, at: int) -> list[Step]:
        step = self.steps[id]
        step.ended, step.live = at, 0
        if not step.worked:
            step.status = SKIPPED
        elif step.status == RETRYING:
            step.status = FAILED
        else:
            step.status, step.note = DONE, ""
        changed = [step]
        for inner in self.steps.values():
            if inner.ended is None and id in self._around(inner):
                changed += self._close(inner.id, at)
                if inner.status == DONE:
                    inner.status = STOPPED  # a branch that was given up, as another failed
        return changed

    def _end(self, kind: str, at: int, event: dict[str, Any]) -> list[Step]:
        changed: list[Step] = []
        for step in list(self.steps.values()):
            if step.ended is None:
                changed += self._close(step.id, at)
                if kind == "ExecutionAborted":
                    step.status = STOPPED
                elif kind != "ExecutionSucceeded":
                    step.status, step.note = FAILED, _error(event) or step.note
        return changed


def _routed_error(event: dict[str, Any]) -> str:
    """The error that a check hands to an `on_error`."""
    assigned = event["stateExitedEventDetails"].get("assignedVariables", {}).get("error")
    value = json.loads(assigned) if assigned else None
    return str(value.get("Error", "")) if isinstance(value, dict) else ""


def _error(event: dict[str, Any]) -> str:
    for value in event.values():
        if isinstance(value, dict) and "error" in value:
            return str(value["error"])
    return ""
