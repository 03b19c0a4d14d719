"""`decide`: messages in; the next snapshot, the events for the history and the commands out."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..asl.states import Map, StateMachine, Task
from . import fork, map_runs, redrive, states, tasks, ways
from .dataflow import Exit, leave
from .errors import HEARTBEAT_TIMEOUT, ITEM_READER_FAILED, RESULT_WRITER_FAILED, RUNTIME
from .flow import TRUNCATED, end_with, execution_failed, run_ready
from .messages import Message
from .turn import ROOT, Frame, HistoryFull, Turn, new_snapshot
from .ways import Way


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from messages.

    - `snapshot`: the execution's whole live state now.
    - `changes`: how it differs from the one given (`apply_changes` turns that one into this one); None when
      every message was stale and nothing happened: then there is nothing to store.
    - `events`: history events with AWS's types and fields; `timestamp` in milliseconds.
    - `commands`: what is to be done, each with a `type`: `perform` a task (`frame`, `task`, `resource`,
      `arguments`, `state`, `key`, `attempt`, `timeout`?, `job`? that it has started), `cancel` its job, for a distributed map `define`, `map_run`,
      `read_items`, `start_child`, `stop_children`, `write_results`; and, once, `finished`.
    - `wake_at`: when the execution wants its next `tick`, in milliseconds, or None.
    - `taken`: the places of the messages that something followed from.
    - `ways`: which choice rules, retriers, catchers and limits were taken, which `events` do not tell.
    """

    snapshot: dict[str, Any]
    changes: dict[str, Any] | None
    events: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    wake_at: int | None
    taken: list[int]
    ways: list[Way]


def decide(
    machine: StateMachine, snapshot: dict[str, Any] | None, messages: Message | Sequence[Message], now: int
) -> Decision:
    """What follows from one message or several in an execution of `machine` that stands at `snapshot` (None: not begun).

    Pure and total: any message may come at any time, twice or too late. One that no longer applies changes
    nothing. The snapshot given is left as it is.
    """
    batch: Sequence[Message] = [messages] if isinstance(messages, dict) else messages
    taken: list[int] = []
    turn = Turn(machine, begin(machine, batch[0], now) if snapshot is None else snapshot, now)
    for place, message in enumerate(batch):
        if take(turn, message):
            taken.append(place)
    if not taken:
        return Decision(turn.before, None, [], [], wake_at(turn.before), [], [])
    after = turn.after()
    return Decision(after, turn.changes(), turn.events, turn.commands, wake_at(after), taken, turn.ways)


def begin(machine: StateMachine, message: Message, now: int) -> dict[str, Any]:
    """The snapshot that an execution's first message is taken in. Raises ValueError for any other message."""
    if message["type"] == "start":
        return new_snapshot(machine, message, now)
    if message["type"] == "fork":
        return fork.snapshot_of(machine, message, now)
    raise ValueError(f"an execution begins with a start message, not with {message['type']!r}")


def take(turn: Turn, message: Message) -> bool:
    """Lets one message happen, and all that follows from it at once; answers whether anything did."""
    if message["type"] == "redrive":
        return _guarded(turn, lambda: redrive.redrive(turn, message))
    return turn.running and _guarded(turn, lambda: _MESSAGES[message["type"]](turn, message))


def pending_commands(machine: StateMachine, snapshot: dict[str, Any], now: int) -> list[dict[str, Any]]:
    """The commands whose answers the execution still waits for: what to hand out again after a loss."""
    if snapshot["status"] != "RUNNING":
        return []
    turn = Turn(machine, snapshot, now)
    commands: list[dict[str, Any]] = []
    for id, frame in snapshot["frames"].items():
        if frame["phase"] == "task" and not _elsewhere(frame):
            commands.append(tasks.perform(turn.execution["id"], id, frame))
        elif frame["phase"] == map_runs.PHASE:
            commands += map_runs.pending(turn, id, turn.frame(id), turn.state_of(id))
    return commands


def _elsewhere(frame: Frame) -> bool:
    """Whether the task was handed over to somebody who answers with its token."""
    return frame["task"].get("submitted", False) and not frame["task"]["resource"].endswith(
        (".sync", ".sync:2")
    )


def wake_at(snapshot: dict[str, Any]) -> int | None:
    """The earliest time at which something falls due, in milliseconds."""
    if snapshot["status"] != "RUNNING":
        return None
    dues = [due for frame in snapshot["frames"].values() if (due := _due(frame)) is not None]
    if snapshot["deadline"] is not None:
        dues.append(snapshot["deadline"])
    return min(dues, default=None)


def _due(frame: Frame) -> int | None:
    phase = frame["phase"]
    if phase == "done":
        return None
    if phase in ("wait", "retry"):
        return frame["wake"]
    if phase != "task":
        return None
    task = frame["task"]
    dues = [task[key] for key in ("timeout_at", "heartbeat_at") if key in task]
    return min(dues, default=None)


# -- messages: each answers whether anything happened ------------------------------------------------------


def _guarded(turn: Turn, happen: Callable[[], bool]) -> bool:
    turn.next_message()
    try:
        happened = happen()
        run_ready(turn)
    except HistoryFull:
        cause = "The execution reached the maximum number of history events (25000)."
        execution_failed(turn, turn.last_event, RUNTIME, cause)
        return True
    return happened


def _start(turn: Turn, message: Message) -> bool:
    if turn.frames or turn.last_event:
        return False  # it has begun
    execution = turn.execution
    details = {"input": execution["input"], "inputDetails": TRUNCATED, "roleArn": execution["role"]}
    turn.emit("ExecutionStarted", 0, {"executionStartedEventDetails": details})
    # The first state's entry follows nothing: AWS's histories say 0 there, not the start's id.
    turn.add_frame(
        ROOT, {"state": turn.machine.start_at, "phase": "enter", "input": execution["input"], "event": 0}
    )
    turn.ready.append(ROOT)
    return True


def _task_succeeded(turn: Turn, message: Message) -> bool:
    return _answered(
        turn, message, lambda id, frame, state: tasks.succeeded(turn, id, frame, state, message["output"])
    )


def _task_failed(turn: Turn, message: Message) -> bool:
    def fail(id: str, frame: Frame, state: Task) -> Exit:
        raise tasks.failed(turn, frame, state, message["error"], message["cause"])

    return _answered(turn, message, fail)


def _task_timed_out(turn: Turn, message: Message) -> bool:
    def time_out(id: str, frame: Frame, state: Task) -> Exit:
        turn.went(frame, ways.TIMEOUT)
        raise tasks.timed_out(turn, id, frame, state)

    return _answered(turn, message, time_out)


def _answered(turn: Turn, message: Message, ending: Callable[[str, Frame, Any], Exit | None]) -> bool:
    if not _waits_for(turn, message):
        return False
    id = message["frame"]
    frame = turn.frame(id)
    state = turn.state_of(id)
    early = frame["task"].get("answer")
    if message.get("by") == "token" and tasks.is_being_submitted(frame, state):
        frame["task"] = {**frame["task"], "answer": early or message}
        return early is None
    if early is not None and not frame["task"].get("submitted"):
        # It could not be submitted, and was answered all the same: that came first.
        frame["task"] = {**frame["task"], "submitted": True}
        return _MESSAGES[early["type"]](turn, early)
    end_with(turn, id, frame, lambda: ending(id, frame, state))
    return True


def _task_submitted(turn: Turn, message: Message) -> bool:
    if not _waits_for(turn, message) or turn.frames[message["frame"]]["task"].get("submitted"):
        return False
    frame = turn.frame(message["frame"])
    tasks.submitted(turn, frame, turn.state_of(message["frame"]), message["output"], message.get("job"))
    if (early := frame["task"].get("answer")) is not None:
        return _MESSAGES[early["type"]](turn, early)
    return True


def _activity_started(turn: Turn, message: Message) -> bool:
    if not _waits_for(turn, message) or turn.frames[message["frame"]]["task"].get("submitted"):
        return False
    frame = turn.frame(message["frame"])
    tasks.taken(turn, frame, message["worker"])
    _beat(turn, frame)
    return True


def _heartbeat(turn: Turn, message: Message) -> bool:
    if not _waits_for(turn, message) or "heartbeat" not in turn.frames[message["frame"]]["task"]:
        return False
    _beat(turn, turn.frame(message["frame"]))
    return True


def _beat(turn: Turn, frame: Frame) -> None:
    task = frame["task"]
    if "heartbeat" in task:
        frame["task"] = {**task, "heartbeat_at": turn.now + task["heartbeat"] * 1000}


def _waits_for(turn: Turn, message: Message) -> bool:
    """Whether the message answers the task that its frame is waiting for: not an earlier one, nor twice."""
    frame = turn.frames.get(message["frame"])
    return frame is not None and frame["phase"] == "task" and frame["task"]["id"] == message["task"]


def _map_run(turn: Turn, message: Message) -> tuple[str, Frame, Map] | None:
    """The frame of the map run that the message is for, while that is under way."""
    id = message["frame"]
    frame = turn.frames.get(id)
    if frame is None or frame["phase"] != map_runs.PHASE or frame["run"] != message["task"]:
        return None
    return id, turn.frame(id), turn.state_of(id)


def _items_read(turn: Turn, message: Message) -> bool:
    if (found := _map_run(turn, message)) is None or not found[1].get("reading"):
        return False
    id, frame, state = found
    end_with(turn, id, frame, lambda: map_runs.items_read(turn, id, frame, state, message["items"]))
    return True


def _map_run_broke(turn: Turn, message: Message) -> bool:
    """Items could not be read, or results not be written."""
    if (found := _map_run(turn, message)) is None:
        return False
    id, frame, _ = found
    doing, error = {"items_failed": ("reading", ITEM_READER_FAILED), "results_failed": ("writing", RESULT_WRITER_FAILED)}[
        message["type"]
    ]  # fmt: skip
    if not frame.get(doing):
        return False

    def fail() -> Exit:
        raise map_runs.run_failed(turn, frame, error, message["cause"])

    end_with(turn, id, frame, fail)
    return True


def _results_written(turn: Turn, message: Message) -> bool:
    if (found := _map_run(turn, message)) is None or not found[1].get("writing"):
        return False
    id, frame, state = found
    end_with(turn, id, frame, lambda: map_runs.results_written(turn, id, frame, state, message["output"]))
    return True


def _child_finished(turn: Turn, message: Message) -> bool:
    id, index = message["frame"], message["index"]
    if (found := _map_run(turn, message)) is None or index in found[1]["failed"]:
        return False
    if f"{id}:{map_runs.result_name(index)}" in turn.variables or index >= found[1]["next"]:
        return False
    _, frame, state = found
    end_with(turn, id, frame, lambda: map_runs.child_finished(turn, id, frame, state, message))
    return True


def _map_run_changed(turn: Turn, message: Message) -> bool:
    """Somebody has changed how many children may run at once, or fail."""
    for id, frame in list(turn.frames.items()):
        if frame.get("arn") == message["arn"]:
            changed = turn.frame(id)
            if message.get("limit") is not None:
                changed["limit"] = message["limit"]
            changed["tolerated"] = {**changed["tolerated"], **message["tolerated"]}
            return True
    return False


def _tick(turn: Turn, message: Message) -> bool:
    """Lets everything due happen, earliest first: a process that was away must not reorder what it missed."""
    happened = False
    while turn.running:
        due = [
            (at, id)
            for id, frame in turn.frames.items()
            if (at := _due(frame)) is not None and at <= turn.now
        ]
        heapq.heapify(due)
        deadline = turn.before["deadline"]
        if not due:
            if deadline is not None and deadline <= turn.now:
                _deadline(turn)
                return True
            return happened
        while due and turn.running:
            at, id = heapq.heappop(due)
            if deadline is not None and deadline <= at:
                _deadline(turn)
                return True
            frame = turn.frames.get(id)
            # What happened before it may have taken the frame away, or put it off.
            if frame is not None and _due(frame) == at:
                happened = True
                _fall_due(turn, id)
                run_ready(turn)
    return happened


def _deadline(turn: Turn) -> None:
    turn.ways.append([0, ways.TIMEOUT])
    turn.finish(
        "TIMED_OUT",
        "ExecutionTimedOut",
        _last(turn),
        {"executionTimedOutEventDetails": {}},
        error="States.Timeout",
    )


def _fall_due(turn: Turn, id: str) -> None:
    frame = turn.frame(id)
    state = turn.state_of(id)
    if frame["phase"] == "wait":
        del frame["wake"]
        end_with(turn, id, frame, lambda: leave(turn, id, frame, state))
    elif frame["phase"] == "retry":
        del frame["wake"]
        frame["phase"] = "entered"
        end_with(turn, id, frame, lambda: states.enter(turn, id, frame, state))
    else:
        task = frame["task"]
        missed = "heartbeat_at" in task and task["heartbeat_at"] <= task.get(
            "timeout_at", task["heartbeat_at"]
        )
        names = (HEARTBEAT_TIMEOUT,) if missed else ()

        def time_out() -> Exit:
            turn.went(frame, ways.HEARTBEAT if missed else ways.TIMEOUT)
            raise tasks.timed_out(turn, id, frame, state, *names)

        end_with(turn, id, frame, time_out)


def _stop(turn: Turn, message: Message) -> bool:
    fields = {key: message[key] for key in ("error", "cause") if message[key] is not None}
    for frame in turn.frames.values():
        if frame["phase"] == map_runs.PHASE:
            turn.commands.append({"type": "stop_children", "map_run": frame["arn"]})
    turn.finish(
        "ABORTED", "ExecutionAborted", _last(turn), {"executionAbortedEventDetails": fields}, **fields
    )
    return True


def _last(turn: Turn) -> int:
    return turn.frames[ROOT]["event"]


_MESSAGES: dict[str, Callable[[Turn, Message], bool]] = {
    "start": _start,
    "fork": fork.go_on,
    "task_succeeded": _task_succeeded,
    "task_failed": _task_failed,
    "task_timed_out": _task_timed_out,
    "task_submitted": _task_submitted,
    "activity_started": _activity_started,
    "heartbeat": _heartbeat,
    "items_read": _items_read,
    "items_failed": _map_run_broke,
    "child_finished": _child_finished,
    "results_written": _results_written,
    "results_failed": _map_run_broke,
    "map_run_changed": _map_run_changed,
    "tick": _tick,
    "stop": _stop,
}
