"""One execution as the API tells it: how it stands, its events, and which of its states and tasks are still open."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .api import Api, milliseconds

Event = dict[str, Any]

FRESH = 500
"""Milliseconds for which an answer counts as how things stand: whoever waits looks more often than AWS lets be asked."""
LAST = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
_OVER = ("Succeeded", "Failed", "TimedOut")
TOKEN = "(task token)"
"""What stands in the events for a task's token: whoever has it can answer."""
_TOKENS = re.compile(r"(?<![\w+/=.-])A[AQ][\w+/=.-]{98,}")
"""What a token looks like that a callback task hands out, wherever its arguments have it; the API only says that it has 2,048
characters at the most."""


class History:
    """Of the execution of that ARN. `events` have their times in milliseconds, and no tokens."""

    def __init__(self, api: Api, execution: str, clock: Callable[[], int], work: str):
        self._api = api
        self._execution = execution
        self._clock = clock
        self._at: int | None = None
        self._lock = threading.RLock()
        self.open = Open(work)
        self.described: dict[str, Any] | None = None
        self.events: list[Event] = []

    def refresh(self) -> History | None:
        """As it stands now; None where there is no such execution."""
        with self._lock:
            now = self._clock()
            if self._at is not None and 0 <= now - self._at < FRESH:
                return self if self.described is not None else None
            before = self.described
            self.described = self._api.read("DescribeExecution", executionArn=self._execution)
            self._at = now
            if self.described is None:
                return None
            # The history may lag behind, so that it is only whole when its last event says so.
            ended = bool(self.events) and self.events[-1]["type"] in LAST
            if not ended or before is None or _run(before) != _run(self.described):
                self._read_on()
            return self

    def forget(self) -> None:
        """Something was changed: the next look is a new one."""
        self._at = None

    def _read_on(self) -> None:
        seen = len(self.events)
        if not seen:
            newer: Iterable[Event] = self._api.history(self._execution, newest_first=False)
        else:
            found: list[Event] = []
            for event in self._api.history(self._execution, newest_first=True):
                if event["id"] <= seen:
                    break
                found.append(event)
            newer = reversed(found)
        for event in newer:
            if event["id"] == len(self.events) + 1:  # a page that came late leaves no gap
                told = {**event, "timestamp": milliseconds(event["timestamp"])}
                self.events.append(self.open.take(told))


def _run(described: Mapping[str, Any]) -> tuple[Any, ...]:
    """What changes when an execution that had ended goes on."""
    return described["status"], described.get("redriveCount")


class Open:
    """The states and tasks that were begun and have not ended, fed with the events in order.

    `frames` are as an engine's snapshot has them, by the event that began each: a state that was entered has `state`, and of
    a task that was scheduled `phase` is `task`, with its `arguments`, whether it was `submitted`, and its `token`.
    `variables` are those of the outermost states, as JSON texts.
    """

    def __init__(self, work: str):
        self._work = work
        self.frames: dict[str, dict[str, Any]] = {}
        self.variables: dict[str, str] = {}
        # A state is named by the event that entered it; 0 is none.
        self._state: dict[int, int] = {0: 0}
        """The state that an event happened in."""
        self._next: dict[int, int] = {0: 0}
        """The state around one that is entered after an event."""
        self._outer: dict[int, int] = {0: 0}
        """The state around a state."""
        self._names: dict[int, str] = {}
        self._tasks: dict[int, int] = {}
        """The event that scheduled the task which an event is about."""
        self._fans: set[int] = set()
        """Parallels and maps that are going on."""

    def take(self, event: Event) -> Event:
        """Takes the next event; answers it without a token."""
        kind, id, before = event["type"], event["id"], event.get("previousEventId", 0)
        if kind.endswith("StateEntered"):
            self._names[id] = event["stateEnteredEventDetails"]["name"]
            self._state[id], self._outer[id] = id, self._next.get(before, 0)
            self._next[id] = self._outer[id]
            self._enter(id)
            return event
        state = self._state[id] = self._state.get(before, 0)
        self._next[id] = self._outer[state]
        if before in self._tasks:
            self._tasks[id] = self._tasks[before]
        if kind == "TaskScheduled":
            self._tasks[id] = id
            return self._scheduled(event, state)
        if kind == "TaskSubmitted" and (frame := self.frames.get(self._key(id))) is not None:
            frame["task"]["submitted"] = True
        elif kind.startswith("Task") and kind.endswith(_OVER):
            self.frames.pop(self._key(id), None)
        elif kind.endswith("StateExited"):
            self._exited(event)
        elif kind.endswith("StateAborted"):
            self._leave(state)
        elif kind in ("ParallelStateStarted", "MapStateStarted"):
            self._fans.add(state)
            self._next[id] = state
        elif kind == "MapIterationStarted":
            self._next[id] = state
        elif kind in ("ParallelStateFailed", "MapStateFailed"):
            self._given_up(id)
        elif kind == "ExecutionRedriven":
            for each in self._around(state):
                self._enter(each)
        elif kind in LAST:
            self.frames.clear()
        return event

    def _key(self, id: int) -> str:
        return str(self._tasks.get(id))

    def _enter(self, state: int) -> None:
        self.frames[f"state {state}"] = {"phase": "state", "state": self._names[state], "entry": state}

    def _leave(self, state: int) -> None:
        self.frames = {key: frame for key, frame in self.frames.items() if frame["entry"] != state}

    def _scheduled(self, event: Event, state: int) -> Event:
        details = event["taskScheduledEventDetails"]
        text = details.get("parameters") or "{}"
        frame: dict[str, Any] = {
            "phase": "task", "state": self._names.get(state, ""), "entry": state, "task": {"id": event["id"], "arguments": text},
        }  # fmt: skip
        self.frames[str(event["id"])] = frame
        if not details.get("resource", "").endswith(".waitForTaskToken"):
            return event
        frame["token"] = ""
        hidden = _TOKENS.sub(TOKEN, text)
        if (payload := _payload(text, self._work)) is not None:
            # Whoever looks for gates need not know which version of the function is called there.
            frame["task"]["arguments"] = json.dumps({"FunctionName": "stratum-work", "Payload": payload})
            frame["token"] = payload["token"]
            hidden = hidden.replace(json.dumps(payload["token"]), json.dumps(TOKEN))
        return {**event, "taskScheduledEventDetails": {**details, "parameters": hidden}}

    def _exited(self, event: Event) -> None:
        """A parallel or a map is left after what is in it, so that its name tells which state it is."""
        details, id = event["stateExitedEventDetails"], event["id"]
        state = next(
            (each for each in self._around(self._state[id]) if self._names[each] == details["name"]), 0
        )
        self._state[id], self._next[id] = state, self._outer[state]
        self._leave(state)
        self._fans.discard(state)
        if not self._outer[state]:
            for variable, text in (details.get("assignedVariables") or {}).items():
                self.variables[f"0:{variable}"] = text

    def _given_up(self, id: int) -> None:
        """A branch has failed, and the others are given up with all that is open in them."""
        fan = next((each for each in self._around(self._state[id]) if each in self._fans), None)
        if fan is None:
            return
        within = {state for state in self._names if state != fan and fan in self._around(state)}
        self.frames = {key: frame for key, frame in self.frames.items() if frame["entry"] not in within}
        self._fans -= within | {fan}
        self._state[id], self._next[id] = fan, self._outer[fan]

    def _around(self, state: int) -> list[int]:
        """The state, and those around it, from inside out."""
        found: list[int] = []
        while state:
            found.append(state)
            state = self._outer[state]
        return found


def _payload(arguments: str, work: str) -> dict[str, Any] | None:
    """What the work function is asked, where it is that which is called."""
    try:
        given = json.loads(arguments)
    except ValueError:
        return None
    if not isinstance(given, dict) or f":function:{work}" not in str(given.get("FunctionName")):
        return None
    payload = given.get("Payload")
    return (
        payload
        if isinstance(payload, dict) and isinstance(payload.get("token"), str) and "step" in payload
        else None
    )
