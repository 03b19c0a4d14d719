"""What another version of a workflow does with what an old execution's tasks answered.

Nothing is performed and nothing is stored: the engine decides on the new definition, time jumps, and every task is
given what the task of the same state (and iteration) answered in the old execution. Where the new version asks for
something that the old one never did, nobody can say what comes of it, and the replay waits there.
"""

from __future__ import annotations

import difflib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...statelang.asl import StateMachine
from ...statelang.asl.states import Map
from ...statelang.engine import decide, messages
from ...statelang.engine.messages import Message
from ..audit.trail import Reader
from ..executions import Executions
from ..store import Commit, Store
from ..workflows import source_map

MAX_TURNS = 200_000
"""Messages after which a replay is given up."""
_ANSWERS = ("TaskSucceeded", "LambdaFunctionSucceeded", "ActivitySucceeded")
_FAILURES = (
    "TaskFailed", "LambdaFunctionFailed", "ActivityFailed", "TaskStartFailed", "LambdaFunctionStartFailed",
    "LambdaFunctionScheduleFailed", "ActivityScheduleFailed", "TaskSubmitFailed",
)  # fmt: skip
_TIMEOUTS = ("TaskTimedOut", "LambdaFunctionTimedOut", "ActivityTimedOut")

Key = tuple[str, str | None]
"""A state, and the iteration that it was entered in."""


class CannotReplay(ValueError):
    """The new version does what cannot be replayed. The text says what."""


@dataclass(frozen=True, slots=True)
class Run:
    """How an execution went: the steps (of plain ASL: states) that it came to, in order, and its end.

    `waits_at`: the states that wait for an answer that was never recorded.
    """

    status: str
    path: list[str]
    output: Any = None
    error: str | None = None
    cause: str | None = None
    waits_at: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) not in (None, ())}


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs beside each other. `changes` are `(what, old steps, new steps)`, `what` of `only old`, `only new`, `instead`."""

    old: Run
    new: Run

    @property
    def changes(self) -> list[tuple[str, list[str], list[str]]]:
        words = {"delete": "only old", "insert": "only new", "replace": "instead"}
        matched = difflib.SequenceMatcher(None, self.old.path, self.new.path, autojunk=False).get_opcodes()
        return [
            (words[tag], self.old.path[a:b], self.new.path[c:d])
            for tag, a, b, c, d in matched
            if tag != "equal"
        ]

    @property
    def same(self) -> bool:
        old, new = self.old, self.new
        return (old.status, old.path, old.output, old.error) == (new.status, new.path, new.output, new.error)


def replay(
    executions: Executions,
    execution: str,
    machine: StateMachine,
    mapped: dict[str, Any] | None,
    input: str | None = None,
) -> Difference:
    """The execution beside what `machine` makes of its tasks' answers; `mapped` is the new source map.

    `input` is JSON text in place of the old input. Raises `CannotReplay`, `ExecutionNotFound`.
    """
    old = executions.load(execution)
    commits = executions.store.commits(execution)
    answers, path = _recorded(executions.store, old.snapshot["definition"], commits)
    snapshot = old.snapshot
    before = Run(
        snapshot["status"], path, _json(snapshot.get("output")), snapshot.get("error"), snapshot.get("cause")
    )
    text = snapshot["execution"]["input"] if input is None else input
    start = messages.start(
        execution, snapshot["state_machine"]["id"], text, role_arn=snapshot["execution"]["role"],
        state_machine_name=snapshot["state_machine"]["name"],
    )  # fmt: skip
    return Difference(before, _run(machine, mapped, start, snapshot["execution"]["started"], answers))


def _recorded(
    store: Store, definition: str, commits: Sequence[Commit]
) -> tuple[dict[Key, deque[Message]], list[str]]:
    """What each state's tasks answered, in order, and the execution's path."""
    mapped = source_map(store, definition) or {}
    reader = Reader(mapped)
    answers: dict[Key, deque[Message]] = {}
    for commit in commits:
        for event, place in reader.places(commit):
            kind = event["type"]
            details = next((value for value in event.values() if isinstance(value, dict)), {})
            if kind in _ANSWERS:
                answer = messages.task_succeeded("", 0, details.get("output", "null"))
            elif kind in _FAILURES:
                answer = messages.task_failed("", 0, details.get("error"), details.get("cause"))
            elif kind in _TIMEOUTS:
                answer = messages.task_timed_out("", 0)
            else:
                continue
            answers.setdefault((place.state or "", place.iteration), deque()).append(answer)
    return answers, _path(mapped, [event for commit in commits for event in commit.events])


def _path(mapped: dict[str, Any] | None, events: Sequence[dict[str, Any]]) -> list[str]:
    """The steps as they are come to; the states around a step's own count as that step."""
    states = (mapped or {}).get("states", {})
    path: list[str] = []
    for event in events:
        if event["type"].endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            step = states[name]["step"] if name in states else name
            if step is not None and (not path or path[-1] != step):
                path.append(step)
    return path


def _run(
    machine: StateMachine,
    mapped: dict[str, Any] | None,
    start: Message,
    now: int,
    answers: dict[Key, deque[Message]],
) -> Run:
    snapshot: dict[str, Any] | None = None
    wake: int | None = None
    events: list[dict[str, Any]] = []
    waiting: dict[str, str] = {}
    todo: deque[Message] = deque([start])
    for _ in range(MAX_TURNS):
        if not todo:
            assert snapshot is not None
            if snapshot["status"] != "RUNNING" or wake is None:
                break
            now = max(now, wake)
            todo.append(messages.tick())
        decision = decide(machine, snapshot, todo.popleft(), now)
        snapshot, wake = decision.snapshot, decision.wake_at
        events += decision.events
        for command in decision.commands:
            if command["type"] == "perform":
                key = (command["state"], _iteration(machine, snapshot, command["frame"]))
                if answers.get(key):
                    todo.append(
                        {**answers[key].popleft(), "frame": command["frame"], "task": command["task"]}
                    )
                else:
                    waiting[command["frame"]] = command["state"]
            elif command["type"] != "finished":
                raise CannotReplay("a distributed map's items and children are not replayed")
        waiting = {frame: state for frame, state in waiting.items() if _waits(snapshot, frame, state)}
        if waiting and not todo and all(_stands(snapshot, frame) for frame in snapshot["frames"]):
            # Its timeout would pass, which says nothing about the new version.
            return Run("WAITING", _path(mapped, events), waits_at=tuple(sorted(set(waiting.values()))))
    else:
        raise CannotReplay(f"it does not end within {MAX_TURNS} messages")
    return Run(
        snapshot["status"], _path(mapped, events), _json(snapshot.get("output")), snapshot.get("error"),
        snapshot.get("cause"),
    )  # fmt: skip


def _waits(snapshot: dict[str, Any], frame: str, state: str) -> bool:
    there = snapshot["frames"].get(frame)
    return there is not None and there["phase"] == "task" and there["state"] == state


def _stands(snapshot: dict[str, Any], id: str) -> bool:
    """Whether nothing but an answer lets the frame go on."""
    return snapshot["frames"][id]["phase"] not in ("wait", "retry", "enter")


def _iteration(machine: StateMachine, snapshot: dict[str, Any], frame: str) -> str | None:
    """The indexes of the maps around a frame, as audit trails write them."""
    indexes: list[str] = []
    states = machine.states
    ids = frame.split("/")
    for depth in range(1, len(ids)):
        around = states[snapshot["frames"]["/".join(ids[:depth])]["state"]]
        if isinstance(around, Map):
            indexes.append(ids[depth])
            states = around.processor.states
        else:
            states = around.branches[int(ids[depth])].states  # pyright: ignore[reportAttributeAccessIssue]
    return "/".join(indexes) or None


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)
