"""The working state of one call of `decide`: copies on write, events and commands as they come up.

A snapshot is a tree of *frames*, one for every sequence of states that is being run: the root `0`, and below a
Parallel or Map state one for each branch or iteration, `0/2`, `0/2/0`. They are kept flat by id. The *variables*
of every frame are keyed `frame:name`; a key whose name begins with `%` is the engine's own. The snapshot given
to a turn is never changed; what the turn changes is known one by one, so that a commit can hold the changes alone.
"""

from __future__ import annotations

import random
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ..asl.json_text import Json, dump, measure
from ..asl.states import Map, Parallel, StateMachine
from .errors import DATA_LIMIT, DATA_LIMIT_EXCEEDED, HISTORY_LIMIT, StateFailed
from .messages import Message
from .ways import Way

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
        self.ways: list[Way] = []
        self.ready: deque[str] = deque()
        self.last_event: int = snapshot["events"]
        self.stop_before: int | None = None
        """The event that no state is to be entered with any more: what is under way stands still there."""
        self._limited = snapshot.get("kind") != "EXPRESS"
        self._entropy: random.Random | None = None
        self._data: dict[str, Json] = {}
        self._machines: dict[str, StateMachine] = {ROOT: machine}

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def execution(self) -> dict[str, Any]:
        return self.before["execution"]

    @property
    def entropy(self) -> random.Random:
        """Decided by the execution and the place in its history: the same message draws the same numbers,
        whichever others it is decided with."""
        if self._entropy is None:
            self._entropy = random.Random(f"{self.execution['id']} {self.last_event}")
        return self._entropy

    def next_message(self) -> None:
        """What has been drawn for one message is not gone on with for the next."""
        self._entropy = None

    @property
    def running(self) -> bool:
        return self.top.get("status", self.before["status"]) == "RUNNING"

    @property
    def stands_still(self) -> bool:
        return self.stop_before is not None and self.next_event >= self.stop_before

    @property
    def next_event(self) -> int:
        """The id that the next event will have."""
        return self.last_event + 1

    def machine_of(self, id: str) -> StateMachine:
        """The machine whose states the frame goes through: the whole one, a branch or an item processor."""
        found = self._machines.get(id)
        if found is None:
            parent = parent_of(id)
            assert parent is not None
            state = self.machine_of(parent).states[self.frames[parent]["state"]]
            if isinstance(state, Parallel):
                found = state.branches[index_of(id)]
            else:
                assert isinstance(state, Map)
                found = state.processor
            self._machines[id] = found
        return found

    def state_of(self, id: str) -> Any:
        return self.machine_of(id).states[self.frames[id]["state"]]

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
            found = self._data[text] = Json(text=text) if len(text) < _LONG else _parsed(text)
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
            at = parent_of(at)
        return None

    # -- what happens ----------------------------------------------------------------------------------

    def add_frame(self, id: str, frame: Frame) -> None:
        if id != ROOT:
            self._machines.pop(id, None)
        self.frames[id] = frame
        self.changed_frames.add(id)

    def remove_frame(self, id: str) -> None:
        """The frame is gone, and its variables with it."""
        frame = self.frames.pop(id)
        self.abandon(id, frame)
        self._machines.pop(id, None)
        self.changed_frames.add(id)
        for name in frame.get("names", ()):
            self.forget(id, name)

    def abandon(self, id: str, frame: Frame) -> None:
        """Nobody waits for the job any more that the frame's task has started."""
        task = frame.get("task", {})
        if frame["phase"] == "task" and "job" in task:
            self.commands.append(
                {
                    "type": "cancel",
                    "frame": id,
                    "task": task["id"],
                    "resource": task["resource"],
                    "state": frame["state"],
                    "job": task["job"],
                    "role": task.get("role"),
                }
            )

    def remove_below(self, id: str) -> None:
        """Everything within the frame is gone."""
        inside = f"{id}/"
        for other in [other for other in self.frames if other.startswith(inside)]:
            self.remove_frame(other)

    def assign(self, frame: str, values: dict[str, str]) -> None:
        own = self.frames[frame].get("names", ())
        new = [name for name in values if name not in own]
        if new:
            self.frame(frame)["names"] = [*own, *new]
        for name, text in values.items():
            self.keep(frame, name, text)

    def keep(self, frame: str, name: str, text: str) -> None:
        key = f"{frame}:{name}"
        if self.variables.get(key) != text:
            self.variables[key] = text
            self.changed_variables.add(key)

    def forget(self, frame: str, name: str) -> None:
        key = f"{frame}:{name}"
        if self.variables.pop(key, None) is not None:
            self.changed_variables.add(key)

    def emit(self, kind: str, previous: int, details: dict[str, Any] | None = None) -> int:
        """Records a history event and answers its id. Raises `HistoryFull` when the last place is reached."""
        if self.last_event >= HISTORY_LIMIT - 1 and self._limited:
            raise HistoryFull
        return self._emit(kind, previous, details)

    def _emit(self, kind: str, previous: int, details: dict[str, Any] | None) -> int:
        self.last_event += 1
        event = {"timestamp": self.now, "type": kind, "id": self.last_event, "previousEventId": previous}
        if details:
            event.update(details)
        self.events.append(event)
        return self.last_event

    def went(self, frame: Frame, place: str) -> None:
        """Notes which way the frame's state has gone: see `ways`."""
        self.ways.append([frame["entry"], place])

    def finish(self, status: str, kind: str, previous: int, details: dict[str, Any], **fields: Any) -> None:
        """Ends the execution; `fields` are its output, or its error and cause."""
        for id, frame in self.frames.items():
            self.abandon(id, frame)
        self._emit(kind, previous, details)
        self.top.update(status=status, stopped=self.now, deadline=None, **fields)
        self.ready.clear()
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


_LONG = 16 * 1024


@lru_cache(maxsize=32)
def _parsed(text: str) -> Json:
    """Long texts, such as the items of a map, are wanted in turn after turn."""
    return Json(text=text)


def parent_of(id: str) -> str | None:
    return id.rpartition("/")[0] or None


def index_of(id: str) -> int:
    """Which branch or iteration of the frame around it this one is."""
    return int(id.rpartition("/")[2])


EXPRESS_SECONDS = 300
"""The longest that an Express execution runs. See the AWS guide, "Choosing workflow type in Step Functions"."""


def _deadline(machine: StateMachine, message: Message, now: int) -> int | None:
    seconds = machine.timeout_seconds
    if message.get("kind") == "EXPRESS":
        seconds = min(seconds or EXPRESS_SECONDS, EXPRESS_SECONDS)
    return now + seconds * 1000 if seconds else None


def new_snapshot(machine: StateMachine, message: Message, now: int) -> dict[str, Any]:
    """The snapshot of an execution that has not begun: no frame, no event."""
    snapshot = {
        "execution": {
            "id": message["execution"],
            "name": message["execution"].split(":")[7],
            "role": message["role"],
            "started": now,
            "input": message["input"],
        },
        "state_machine": {"id": message["state_machine"], "name": message["state_machine_name"]},
        "definition": machine.digest,
        "status": "RUNNING",
        "deadline": _deadline(machine, message, now),
        "events": 0,
        "frames": {},
        "variables": {},
    }
    for key in (
        "kind",
        "parent",
        "version",
        "alias",
        "revision",
        "updated",
        "test_case",
        "logging",
        "requester",
        "secret",
    ):
        if message.get(key) is not None:
            snapshot[key] = message[key]
    return snapshot


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


def texts(values: dict[str, Any]) -> dict[str, str]:
    """Variables' values as JSON texts, none of them over the limit for data."""
    return {name: within_limit(dump(value), f"The variable '{name}'") for name, value in values.items()}
