"""The working state of one call of `decide`: copies on write, events and commands as they come up.

A snapshot is a tree of *frames*, one per branch that is being run, kept flat by id, and the *variables* of
every frame, keyed `frame:name`. The snapshot given to a turn is never changed; what the turn changes is
known one by one, so that a commit can hold the changes alone.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from ..asl import Json, StateMachine, dump, measure
from .errors import DATA_LIMIT, DATA_LIMIT_EXCEEDED, HISTORY_LIMIT, StateFailed
from .messages import Message

Frame = dict[str, Any]
ROOT = "0"


class HistoryFull(Exception):
    """There is room for one more event only: the one that says that the execution failed."""


class Turn:
    def __init__(self, machine: StateMachine, snapshot: dict[str, Any], now: int):
        self.machine = machine
        self.now = now
        self.before = snapshot
        self.top: dict[str, Any] = {}
        self.frames: dict[str, Frame] = dict(snapshot["frames"])
        self.variables: dict[str, str] = dict(snapshot["variables"])
        self.changed_frames: set[str] = set()
        self.changed_variables: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.commands: list[dict[str, Any]] = []
        self.last_event: int = snapshot["events"]
        self._entropy: random.Random | None = None
        self._data: dict[str, Json] = {}

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def execution(self) -> dict[str, Any]:
        return self.before["execution"]

    @property
    def entropy(self) -> random.Random:
        """Decided by the execution and the place in its history: the same turn draws the same numbers."""
        if self._entropy is None:
            self._entropy = random.Random(f"{self.execution['id']} {self.before['events']}")
        return self._entropy

    @property
    def running(self) -> bool:
        return self.top.get("status", self.before["status"]) == "RUNNING"

    def frame(self, id: str) -> Frame:
        """The frame, for changing."""
        if id not in self.changed_frames:
            self.frames[id] = dict(self.frames[id])
            self.changed_frames.add(id)
        return self.frames[id]

    def data(self, text: str) -> Json:
        """The JSON of a text in the snapshot, parsed at most once in a turn."""
        found = self._data.get(text)
        if found is None:
            found = self._data[text] = Json(text=text)
        return found

    def remember(self, data: Json) -> str:
        """The text of `data`, whose value the turn may want again."""
        text = data.text
        self._data.setdefault(text, data)
        return text

    def variable(self, frame: str, name: str) -> Json | None:
        """The variable as seen from `frame`: its own, else that of the nearest frame around it."""
        at: str | None = frame
        while at is not None:
            text = self.variables.get(f"{at}:{name}")
            if text is not None:
                return self.data(text)
            at = self.frames[at].get("parent")
        return None

    # -- what happens ----------------------------------------------------------------------------------

    def assign(self, frame: str, values: dict[str, str]) -> None:
        for name, text in values.items():
            key = f"{frame}:{name}"
            if self.variables.get(key) != text:
                self.variables[key] = text
                self.changed_variables.add(key)

    def emit(self, kind: str, previous: int, details: dict[str, Any] | None = None) -> int:
        """Records a history event and answers its id. Raises `HistoryFull` when the last place is reached."""
        if self.last_event >= HISTORY_LIMIT - 1:
            raise HistoryFull
        return self._emit(kind, previous, details)

    def _emit(self, kind: str, previous: int, details: dict[str, Any] | None) -> int:
        self.last_event += 1
        event = {"timestamp": self.now, "type": kind, "id": self.last_event, "previousEventId": previous}
        if details:
            event.update(details)
        self.events.append(event)
        return self.last_event

    def finish(self, status: str, kind: str, previous: int, details: dict[str, Any], **fields: Any) -> None:
        """Ends the execution; `fields` are its output, or its error and cause."""
        self._emit(kind, previous, details)
        self.top.update(status=status, stopped=self.now, deadline=None, **fields)
        self.commands.append({"type": "finished", "status": status})

    def changes(self) -> dict[str, Any]:
        """What this turn changed, as `apply_changes` takes it."""
        return {
            "set": {**self.top, "events": self.last_event},
            "frames": {id: self.frames.get(id) for id in sorted(self.changed_frames)},
            "variables": {key: self.variables.get(key) for key in sorted(self.changed_variables)},
        }

    def after(self) -> dict[str, Any]:
        """The snapshot that this turn leaves."""
        return {
            **self.before,
            **self.top,
            "events": self.last_event,
            "frames": self.frames,
            "variables": self.variables,
        }


def new_snapshot(machine: StateMachine, message: Message, now: int) -> dict[str, Any]:
    """The snapshot of an execution that has not begun: no frame, no event."""
    return {
        "execution": {
            "id": message["execution"],
            "name": message["execution"].rpartition(":")[2],
            "role": message["role"],
            "started": now,
            "input": message["input"],
        },
        "state_machine": {"id": message["state_machine"], "name": message["state_machine_name"]},
        "definition": machine.digest,
        "status": "RUNNING",
        "deadline": now + machine.timeout_seconds * 1000 if machine.timeout_seconds else None,
        "events": 0,
        "frames": {},
        "variables": {},
    }


def within_limit(text: str, what: str) -> str:
    """`text`, when it is no larger than the service allows for data; `what` names whose data it is."""
    if len(text) * 4 > DATA_LIMIT and measure(text) > DATA_LIMIT:
        raise StateFailed(
            DATA_LIMIT_EXCEEDED,
            f"{what} returned a result with a size exceeding the maximum number of bytes service limit.",
        )
    return text


def iso(milliseconds: int) -> str:
    """The time as Step Functions writes it into data: `2026-01-02T03:04:05.678Z`."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


class StateScope:
    """What the expressions of one state can see in this turn; see `asl.Scope`."""

    __slots__ = ("_error", "_frame", "_id", "_result", "_states", "_turn")

    def __init__(
        self, turn: Turn, id: str, frame: Frame, result: Json | None = None, error: Json | None = None
    ):
        self._turn = turn
        self._id = id
        self._frame = frame
        self._result = result
        self._error = error
        self._states: dict[str, Any] = {}

    @property
    def now(self) -> float:
        return self._turn.now

    def draw(self) -> float:
        return self._turn.entropy.random()

    def variable(self, name: str) -> Json | None:
        return self._turn.variable(self._id, name)

    def states(self, fields: frozenset[str]) -> dict[str, Any]:
        found = self._states
        for field in fields:
            if field in found:
                continue
            if field == "input":
                found[field] = self._turn.data(self._frame["input"]).value
            elif field == "context":
                found[field] = self.context()
            elif field == "result" and self._result is not None:
                found[field] = self._result.value
            elif field == "errorOutput" and self._error is not None:
                found[field] = self._error.value
        return found

    def context(self) -> dict[str, Any]:
        """The context object, as the AWS guide describes it."""
        turn, frame = self._turn, self._frame
        execution = turn.execution
        return {
            "Execution": {
                "Id": execution["id"],
                "Input": turn.data(execution["input"]).value,
                "StartTime": iso(execution["started"]),
                "Name": execution["name"],
                "RoleArn": execution["role"],
                "RedriveCount": turn.before.get("redrives", 0),
            },
            "StateMachine": {
                "Id": turn.before["state_machine"]["id"],
                "Name": turn.before["state_machine"]["name"],
            },
            "State": {
                "Name": frame["state"],
                "EnteredTime": iso(frame["entered"]),
                "RetryCount": sum(frame.get("retries", ())),
            },
        }


def texts(values: dict[str, Any]) -> dict[str, str]:
    """Variables' values as JSON texts, none of them over the limit for data."""
    return {name: within_limit(dump(value), f"The variable '{name}'") for name, value in values.items()}
