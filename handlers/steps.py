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
_WORK_ROLES = {"task", "wait", "set", "decision", "succeed", "fail"}


@dataclass(slots=True)
class Step:
    """One step. Times are milliseconds since the epoch; `tries` counts the attempts of its task."""

    id: str
    kind: str
    status: str = RUNNING
    started: int = 0
    ended: int | None = None
    tries: int = 0
    note: str = ""
    worked: bool = False

    def elapsed(self, now: int) -> float:
        """Seconds, until it ended or until `now`."""
        return max(0, (self.ended if self.ended is not None else now) - self.started) / 1000

    def to_json(self) -> dict[str, Any]:
        elapsed = None if self.ended is None else (self.ended - self.started) / 1000
        return {
            "step": self.id, "kind": self.kind, "status": self.status, "tries": self.tries, "seconds": elapsed,
            "note": self.note,
        }  # fmt: skip


class Steps:
    """Fed with history events in order; `steps` is what has come of them so far."""

    def __init__(self, source_map: dict[str, Any] | None = None):
        self.steps: dict[str, Step] = {}
        self.finished: dict[str, Any] | None = None
        self._states: dict[str, dict[str, Any]] = (source_map or {}).get("states", {})
        self._kinds: dict[str, dict[str, Any]] = (source_map or {}).get("steps", {})
        self._spec = source_map is not None
        self._step_at: dict[int, str | None] = {}

    def feed(self, events: Iterable[dict[str, Any]]) -> list[Step]:
        """Takes further events; answers the steps that changed, each once."""
        changed: dict[str, Step] = {}
        for event in events:
            for step in self._take(event):
                changed[step.id] = step
        return list(changed.values())

    @property
    def of_events(self) -> Mapping[int, str | None]:
        """The step that each event so far belongs to, by the event's id."""
        return self._step_at

    def _take(self, event: dict[str, Any]) -> list[Step]:
        kind, at = event["type"], event["timestamp"]
        before = self._step_at.get(event["previousEventId"])
        self._step_at[event["id"]] = before
        if kind.endswith("StateEntered"):
            return self._entered(event, kind.removesuffix("StateEntered"), before)
        if kind.startswith("Execution") and kind != "ExecutionStarted":
            self.finished = event
            return self._end(kind, at, event)
        step = self.steps.get(before) if before is not None else None
        if step is None:
            return []
        if kind.endswith("Scheduled"):
            step.tries += 1
            step.status, step.worked = RUNNING, True
        elif kind.endswith(("Failed", "TimedOut")):
            step.status, step.note = RETRYING, _error(event)
        elif kind.endswith("Succeeded"):
            step.status, step.note = RUNNING, ""
        elif kind.endswith("StateExited") and (error := _routed_error(event)):
            step.status, step.note = RETRYING, error  # it ends as failed, unless it is tried again
        else:
            return []
        return [step]

    def _entered(self, event: dict[str, Any], type: str, before: str | None) -> list[Step]:
        state = event["stateEnteredEventDetails"]["name"]
        mapped = self._states.get(state, {})
        id = mapped.get("step") if self._spec else state
        role = mapped.get("role", type.lower())
        self._step_at[event["id"]] = id
        changed: list[Step] = []
        if before is not None and before != id:
            changed += self._close(before, event["timestamp"])
        if id is None:
            return changed
        step = self.steps.get(id)
        if step is None:
            kind = self._kinds.get(id, {}).get("kind", type.lower())
            step = self.steps[id] = Step(id, kind, started=event["timestamp"])
        elif step.ended is not None:
            step.ended, step.status = None, RUNNING
        if role == "back off":
            step.status = RETRYING
            step.note = step.note or "what came back was not as ensured"
        elif role in _WORK_ROLES or not self._spec:
            step.worked = True
            step.status = WAITING if type == "Wait" else RUNNING
        changed.append(step)
        return changed

    def _close(self, id: str, at: int) -> list[Step]:
        step = self.steps[id]
        step.ended = at
        if not step.worked:
            step.status = SKIPPED
        elif step.status == RETRYING:
            step.status = FAILED
        else:
            step.status, step.note = DONE, ""
        return [step]

    def _end(self, kind: str, at: int, event: dict[str, Any]) -> list[Step]:
        changed: list[Step] = []
        for step in self.steps.values():
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
