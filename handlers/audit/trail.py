"""An execution's story out of its log: every state entered and left, every attempt, decision, violation and approval."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..loading import ExecutionNotFound
from ..store import Commit, Store
from ..time_travel import checkpoints
from ..workflows import source_map

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened. `at` is milliseconds since the epoch.

    - `what`: `started`, `entered`, `left`, `scheduled`, `answered`, `failed`, `timed out`, `retried`, `violated`,
      `stopped`, `redriven`, `forked`, `ended`, `checkpoint`, … ; of a work item: `opened`, `claimed`, `approved`,
      `refused`, ….
    - `who`: whoever did it, as `Identity.to_json` gives it, where that was somebody and not the engine.
    - `seq` and `event`: the commit and the history event that say so; None for what stands in the journal.
    - `data`: values as they are (not JSON texts): `input`, `output`, `arguments`, `error`, `cause`, `violations`, ….
    """

    at: int
    what: str
    who: dict[str, str] | None = None
    seq: int | None = None
    event: int | None = None
    step: str | None = None
    state: str | None = None
    iteration: str | None = None
    attempt: int | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) not in (None, {})}


@dataclass(frozen=True, slots=True)
class Trail:
    """An execution at a glance, and all that happened in it."""

    execution: str
    name: str
    workflow: str
    version: str | None
    status: str
    definition: str
    started: int
    stopped: int | None
    requester: dict[str, str] | None
    forked: dict[str, Any] | None
    commits: int
    digest: str
    entries: list[Entry]

    def to_json(self) -> dict[str, Any]:
        about = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        return {**about, "entries": [entry.to_json() for entry in self.entries]}


def trail(store: Store, execution: str) -> Trail:
    """The story of the execution, which may still run. Raises `ExecutionNotFound`."""
    commits = store.commits(execution)
    if not commits:
        raise ExecutionNotFound(execution)
    snapshot: dict[str, Any] = {}
    for commit in commits:
        snapshot = commit.snapshot or {**snapshot, **(commit.changes or {}).get("set", {})}
    mapped = source_map(store, snapshot["definition"]) or {}
    reader = Reader(mapped)
    told = (entry for commit in commits for entry in reader.read(commit))
    entries = heapq.merge(
        told, _marked(store, execution), _noted(store, execution), key=lambda entry: entry.at
    )
    about = snapshot["execution"]
    version = mapped.get("version") or _number(snapshot.get("version"))
    return Trail(
        execution=execution, name=about["name"], workflow=snapshot["state_machine"]["name"], version=version,
        status=snapshot["status"], definition=snapshot["definition"], started=about["started"],
        stopped=snapshot.get("stopped"), requester=snapshot.get("requester"), forked=snapshot.get("forked"),
        commits=len(commits), digest=commits[-1].digest, entries=list(entries),
    )  # fmt: skip


def _number(version: str | None) -> str | None:
    return version.rpartition(":")[2] if version else None


def _marked(store: Store, execution: str) -> list[Entry]:
    marks = [
        Entry(mark.at, "checkpoint", mark.by, data=_given(name=mark.name, before_event=mark.event, note=mark.note))
        for mark in checkpoints.of(store, execution)
    ]  # fmt: skip
    return sorted(marks, key=lambda entry: entry.at)


JOURNAL = "/work"
"""What a journal's key adds to that of its execution (`work.journal`)."""
_ABOUT = ("type", "at", "by", "step", "iteration", "attempt")


def _noted(store: Store, execution: str) -> list[Entry]:
    """What people and agents did about the execution's gates and agent steps."""
    entries: list[Entry] = []
    for commit in store.commits(f"{execution}{JOURNAL}"):
        for note in commit.messages:
            what = _OUTCOMES.get(note.get("outcome") or "") or str(note["type"])
            data = {name: value for name, value in note.items() if name not in _ABOUT}
            entries.append(
                Entry(
                    note["at"], what, note.get("by"), step=note.get("step"), iteration=note.get("iteration"),
                    attempt=note.get("attempt"), data=data,
                )
            )  # fmt: skip
    return sorted(entries, key=lambda entry: entry.at)


_OUTCOMES = {"approve": "approved", "reject": "rejected", "revise": "sent back"}

_WORDS = {
    "ExecutionStarted": "started", "ExecutionRedriven": "redriven", "EvaluationFailed": "failed", "TaskSubmitted": "submitted",
    "ActivityStarted": "begun", "MapStateStarted": "spread", "MapIterationStarted": "iteration begun",
    "MapIterationSucceeded": "iteration done", "MapIterationFailed": "iteration failed",
    "MapIterationAborted": "iteration stopped",
    **{f"{family}{end}": word for family in ("Task", "LambdaFunction", "Activity")
       for end, word in (("Scheduled", "scheduled"), ("ScheduleFailed", "failed"), ("StartFailed", "failed"),
                         ("SubmitFailed", "failed"), ("Succeeded", "answered"), ("Failed", "failed"), ("TimedOut", "timed out"))},
}  # fmt: skip
_STATUS = {
    "ExecutionSucceeded": "SUCCEEDED", "ExecutionFailed": "FAILED", "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}  # fmt: skip
_BEHIND = (
    "TaskStarted", "LambdaFunctionStarted", "ParallelStateStarted", "ParallelStateSucceeded", "MapStateSucceeded",
)  # fmt: skip
"""Events that say no more than the one before or after them."""
_DATA = {"input": "input", "output": "output", "parameters": "arguments"}
_KEPT = ("error", "cause", "location", "length", "timeoutInSeconds", "heartbeatInSeconds", "mapRunArn", "redriveCount",
         "workerName")  # fmt: skip
VOCABULARY = (
    *_OUTCOMES.values(), *_WORDS.values(), *_STATUS.values(), *_DATA.values(), *_KEPT, *Entry.__slots__,
    "entered", "left", "retried", "violated", "ended", "forked", "stop asked", "redrive asked", "checkpoint", "resource",
    "assigned", "way", "status", "violations", "before_event", "name", "note", "user", "host", "agent", "via", "task token",
)  # fmt: skip
"""Words of entries that are in no log."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event happened: the state that was entered with the event `entry`, within the one `around` it.

    `scope` is the event that entered the first state of the branch or iteration that it lies in; 0 outside of any.
    """

    entry: int = 0
    state: str | None = None
    step: str | None = None
    iteration: str | None = None
    attempt: int | None = None
    around: Place | None = None
    scope: int = 0

    def up_to(self, state: str) -> Place:
        """This place, or the nearest one around it, in that state."""
        at: Place | None = self
        while at is not None and at.state != state:
            at = at.around
        return at or self


class Reader:
    """Turns events into entries; every event inherits its place from the one that it follows."""

    def __init__(self, mapped: Mapping[str, Any]):
        self._states: Mapping[str, Any] = mapped.get("states", {})
        self._violations = {
            each["violations"] for each in mapped.get("steps", {}).values() if "violations" in each
        }
        self._places: dict[int, Place] = {0: Place()}
        self._within: dict[int, tuple[Place, str | None]] = {}
        """By the events that begin branches and iterations: the place around what follows, and its iteration."""
        self._maps: set[int] = set()
        self._attempts: dict[int, int] = {}

    def places(self, commit: Commit) -> Iterator[tuple[Event, Place]]:
        """The commit's events, each with where it happened. Commits are read in order."""
        resumed = _resumed(commit)
        for event in commit.events:
            previous: int = resumed.get(event["id"]) or event["previousEventId"]
            yield event, self._place(event, previous)

    def read(self, commit: Commit) -> Iterator[Entry]:
        yield from (entry for message in commit.messages if (entry := self._message(message, commit)))
        ways: dict[int, list[str]] = {}
        for entry, place in commit.ways:
            ways.setdefault(int(entry), []).append(str(place))
        for event, place in self.places(commit):
            if event["type"] not in _BEHIND:
                yield from self._entries(event, place, commit, ways.get(place.entry, []))

    def _message(self, message: Mapping[str, Any], commit: Commit) -> Entry | None:
        if message["type"] == "fork":
            origin = message["origin"]
            data = {name: value for name, value in origin.items() if name != "by"}
            return Entry(commit.at, "forked", origin.get("by"), commit.seq, data=data)
        if message["type"] in ("stop", "redrive") and message.get("by"):
            word = {"stop": "stop asked", "redrive": "redrive asked"}[message["type"]]
            return Entry(commit.at, word, message["by"], commit.seq)
        return None

    def _place(self, event: Event, previous: int) -> Place:
        kind = event["type"]
        place = self._places.get(previous, self._places[0])
        details = _details(event)
        if kind.endswith("StateEntered"):
            around, iteration = self._within.get(previous, (place.around, place.iteration))
            scope = event["id"] if previous in self._within else place.scope
            name = details["name"]
            step = self._states.get(name, {}).get("step")
            place = Place(event["id"], name, step, iteration, around=around, scope=scope)
            if kind == "MapStateEntered":
                self._maps.add(event["id"])
        elif kind.endswith("StateExited"):
            place = place.up_to(details["name"])
        elif kind.startswith("MapIteration"):
            place = place.up_to(details["name"])
            if kind == "MapIterationStarted":
                self._within[event["id"]] = place, _joined(place.iteration, details["index"])
        elif kind == "ParallelStateStarted":
            self._within[event["id"]] = place, place.iteration
        elif kind in ("ParallelStateSucceeded", "ParallelStateFailed", "MapStateFailed"):
            place = place.around if place.around is not None and not self._is_own(place, kind) else place
        elif kind.startswith("Execution"):
            place = self._places[0]
        elif kind.endswith("Scheduled"):
            tries = self._attempts[place.entry] = self._attempts.get(place.entry, 0) + 1
            place = replace(place, attempt=tries)
        self._places[event["id"]] = place
        return place

    def _is_own(self, place: Place, kind: str) -> bool:
        """Whether the event before was the state's own: of a Map that is what ends an iteration."""
        return kind == "MapStateFailed" and place.entry in self._maps

    def _entries(self, event: Event, place: Place, commit: Commit, ways: list[str]) -> Iterator[Entry]:
        kind, details = event["type"], _details(event)
        data: dict[str, Any] = {
            _DATA.get(name, name): _value(value) if name in _DATA else value
            for name, value in details.items()
            if name in _DATA or name in _KEPT
        }
        if kind.endswith("Scheduled") and "resource" in details:
            service = details.get("resourceType")
            data = {
                "resource": f"{service}:{details['resource']}" if service else details["resource"],
                **data,
            }

        def entry(what: str, data: dict[str, Any]) -> Entry:
            iteration = place.iteration
            if kind.startswith("MapIteration"):
                iteration = _joined(iteration, details["index"])
            return Entry(
                event["timestamp"], what, None, commit.seq, event["id"], place.step, place.state, iteration,
                place.attempt, data,
            )  # fmt: skip

        if kind in _STATUS:
            yield entry("ended", {"status": _STATUS[kind], **data})
        elif kind.endswith("StateEntered"):
            yield entry("entered", data)
        elif kind.endswith("StateExited"):
            assigned = {name: _value(text) for name, text in details.get("assignedVariables", {}).items()}
            kept = {name: value for name, value in assigned.items() if name not in self._violations}
            chosen = [way for way in ways if way.startswith(("Choices", "Default", "Catch"))]
            yield entry("left", {**data, **_given(assigned=kept or None, way=", ".join(chosen) or None)})
            found = [
                violation
                for name in assigned
                if name in self._violations
                for violation in assigned[name] or ()
            ]
            if found:
                yield entry("violated", {"violations": found})
        else:
            what = _WORDS.get(kind) or _spaced(kind)
            yield entry(what, data)
            retriers = [way for way in ways if way.startswith("Retry")]
            if what in ("failed", "timed out") and retriers:
                yield entry("retried", {"way": retriers[0]})


def _resumed(commit: Commit) -> dict[int, int]:
    """What goes on after a redrive follows `ExecutionRedriven` in the history: by its id, the event that had entered its
    state, as the frames of the commit tell."""
    redriven = {event["id"] for event in commit.events if event["type"] == "ExecutionRedriven"}
    if not redriven:
        return {}
    before = {event["id"]: event["previousEventId"] for event in commit.events}
    frames: Mapping[str, Any] = (commit.changes or commit.snapshot or {}).get("frames", {})
    found: dict[int, int] = {}
    for frame in frames.values():
        at: int = (frame or {}).get("event", 0)
        while at in before and before[at] not in redriven:
            at = before[at]
        if at in before and "entry" in frame:
            found[at] = int(frame["entry"])
    return found


def _joined(iteration: str | None, index: int) -> str:
    return f"{iteration}/{index}" if iteration else str(index)


def _details(event: Event) -> dict[str, Any]:
    return next((value for value in event.values() if isinstance(value, dict)), {})


def _spaced(kind: str) -> str:
    """`MapRunStarted` as `map run started`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()


def _value(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def steps_of(entries: Iterable[Entry]) -> list[str]:
    """The steps (of plain ASL: the states) in the order in which they were first come to."""
    return list(
        dict.fromkeys(entry.step or entry.state or "" for entry in entries if entry.step or entry.state)
    )
