"""`decide`: one message in; the next snapshot, the events for the history and the commands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..asl import EvaluationFailed, Json, StateMachine, Task
from . import states
from .errors import HEARTBEAT_TIMEOUT, QUERY_EVALUATION_ERROR, RUNTIME, StateFailed, matches
from .messages import Message
from .retry import delay
from .states import Exit
from .turn import ROOT, Frame, HistoryFull, Turn, new_snapshot, within_limit

_TRUNCATED = {"truncated": False}


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a message.

    - `snapshot`: the execution's whole live state now.
    - `changes`: how it differs from the one given (`apply_changes` turns that one into this one); None when
      the message was stale and nothing happened: then there is nothing to store.
    - `events`: history events with AWS's types and fields; `timestamp` in milliseconds.
    - `commands`: `{"type": "perform", "frame", "task", "resource", "arguments", "state", "key", "timeout"?}`
      and, once, `{"type": "finished", "status"}`.
    - `wake_at`: when the execution wants its next `tick`, in milliseconds, or None.
    """

    snapshot: dict[str, Any]
    changes: dict[str, Any] | None
    events: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    wake_at: int | None


def decide(machine: StateMachine, snapshot: dict[str, Any] | None, message: Message, now: int) -> Decision:
    """What follows from `message` in an execution of `machine` that stands at `snapshot` (None: not begun).

    Pure and total: any message may come at any time, twice or too late. One that no longer applies changes
    nothing. The snapshot given is left as it is.
    """
    if snapshot is None:
        if message["type"] != "start":
            raise ValueError(f"an execution begins with a start message, not with {message['type']!r}")
        turn = Turn(machine, new_snapshot(machine, message, now), now)
        happened = _guarded(turn, _start)
    else:
        turn = Turn(machine, snapshot, now)
        happened = turn.running and _guarded(turn, lambda turn: _MESSAGES[message["type"]](turn, message))
    if not happened:
        return Decision(turn.before, None, [], [], wake_at(turn.before))
    after = turn.after()
    return Decision(after, turn.changes(), turn.events, turn.commands, wake_at(after))


def pending_commands(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """The commands of every task that the execution still waits for: what to dispatch again after a loss."""
    if snapshot["status"] != "RUNNING":
        return []
    name = snapshot["execution"]["name"]
    frames = snapshot["frames"].items()
    return [states.perform(name, id, frame) for id, frame in frames if frame["phase"] == "task"]


def wake_at(snapshot: dict[str, Any]) -> int | None:
    """The earliest time at which something falls due, in milliseconds."""
    if snapshot["status"] != "RUNNING":
        return None
    dues = [due for frame in snapshot["frames"].values() if (due := _due(frame)) is not None]
    if snapshot["deadline"] is not None:
        dues.append(snapshot["deadline"])
    return min(dues, default=None)


def _due(frame: Frame) -> int | None:
    if frame["phase"] in ("wait", "retry"):
        return frame["wake"]
    if frame["phase"] != "task":
        return None
    task = frame["task"]
    dues = [task[key] for key in ("timeout_at", "heartbeat_at") if key in task]
    return min(dues, default=None)


# -- messages: each answers whether anything happened ------------------------------------------------------


def _guarded(turn: Turn, happen: Any) -> bool:
    try:
        return happen(turn)
    except HistoryFull:
        cause = "The execution reached the maximum number of history events (25000)."
        _execution_failed(turn, turn.last_event, RUNTIME, cause)
        return True


def _start(turn: Turn) -> bool:
    execution = turn.execution
    details = {"input": execution["input"], "inputDetails": _TRUNCATED, "roleArn": execution["role"]}
    turn.emit("ExecutionStarted", 0, {"executionStartedEventDetails": details})
    turn.frames[ROOT] = {
        "state": turn.machine.start_at,
        "phase": "enter",
        "input": execution["input"],
        # The first state's entry follows nothing: AWS's histories say 0 there, not the start's id.
        "event": 0,
    }
    turn.changed_frames.add(ROOT)
    _run(turn, ROOT)
    return True


def _task_succeeded(turn: Turn, message: Message) -> bool:
    return _answered(
        turn,
        message,
        lambda id, frame, state: states.task_succeeded(turn, id, frame, state, message["output"]),
    )


def _task_failed(turn: Turn, message: Message) -> bool:
    def fail(id: str, frame: Frame, state: Task) -> Exit:
        raise states.task_failed(turn, frame, state, message["error"], message["cause"])

    return _answered(turn, message, fail)


def _task_timed_out(turn: Turn, message: Message) -> bool:
    def time_out(id: str, frame: Frame, state: Task) -> Exit:
        raise states.task_timed_out(turn, frame, state)

    return _answered(turn, message, time_out)


def _answered(turn: Turn, message: Message, ending: Any) -> bool:
    if not _waits_for(turn, message):
        return False
    id = message["frame"]
    frame = turn.frame(id)
    state = turn.machine.states[frame["state"]]
    _leave(turn, id, frame, lambda: ending(id, frame, state))
    _run(turn, id)
    return True


def _heartbeat(turn: Turn, message: Message) -> bool:
    if not _waits_for(turn, message) or "heartbeat" not in turn.frames[message["frame"]]["task"]:
        return False
    frame = turn.frame(message["frame"])
    frame["task"] = {**frame["task"], "heartbeat_at": turn.now + frame["task"]["heartbeat"] * 1000}
    return True


def _waits_for(turn: Turn, message: Message) -> bool:
    """Whether the message answers the task that its frame is waiting for: not an earlier one, nor twice."""
    frame = turn.frames.get(message["frame"])
    return frame is not None and frame["phase"] == "task" and frame["task"]["id"] == message["task"]


def _tick(turn: Turn, message: Message) -> bool:
    """Lets everything due happen, earliest first: a process that was away must not reorder what it missed."""
    happened = False
    while turn.running:
        due = [
            (at, id)
            for id, frame in turn.frames.items()
            if (at := _due(frame)) is not None and at <= turn.now
        ]
        first = min(due, default=None)
        deadline = turn.before["deadline"]
        if deadline is not None and deadline <= turn.now and (first is None or deadline <= first[0]):
            turn.finish(
                "TIMED_OUT", "ExecutionTimedOut", _last(turn), {"executionTimedOutEventDetails": {"error": "States.Timeout"}},
                error="States.Timeout",
            )  # fmt: skip
            return True
        if first is None:
            return happened
        happened = True
        _fall_due(turn, first[1])
    return happened


def _fall_due(turn: Turn, id: str) -> None:
    frame = turn.frame(id)
    state = turn.machine.states[frame["state"]]
    if frame["phase"] == "wait":
        del frame["wake"]
        _leave(turn, id, frame, lambda: states.waited(turn, id, frame, state))
    elif frame["phase"] == "retry":
        del frame["wake"]
        _leave(turn, id, frame, lambda: states.enter(turn, id, frame, state))
    else:
        assert isinstance(state, Task)
        task = frame["task"]
        missed = "heartbeat_at" in task and task["heartbeat_at"] <= task.get(
            "timeout_at", task["heartbeat_at"]
        )
        names = (HEARTBEAT_TIMEOUT,) if missed else ()

        def time_out() -> Exit:
            raise states.task_timed_out(turn, frame, state, *names)

        _leave(turn, id, frame, time_out)
    _run(turn, id)


def _stop(turn: Turn, message: Message) -> bool:
    fields = {key: message[key] for key in ("error", "cause") if message[key] is not None}
    turn.finish(
        "ABORTED", "ExecutionAborted", _last(turn), {"executionAbortedEventDetails": fields}, **fields
    )
    return True


def _last(turn: Turn) -> int:
    return turn.frames[ROOT]["event"]


_MESSAGES = {
    "start": lambda turn, message: False,
    "task_succeeded": _task_succeeded,
    "task_failed": _task_failed,
    "task_timed_out": _task_timed_out,
    "heartbeat": _heartbeat,
    "tick": _tick,
    "stop": _stop,
}


# -- a frame's way through its states ----------------------------------------------------------------------


def _run(turn: Turn, id: str) -> None:
    """Takes the frame through its states until one of them waits for a message, or the machine ends."""
    while turn.running and turn.frames[id]["phase"] == "enter":
        frame = turn.frame(id)
        state = turn.machine.states[frame["state"]]
        frame["before"] = frame["event"]
        entered = {"name": state.name, "input": frame["input"], "inputDetails": _TRUNCATED}
        frame["event"] = turn.emit(
            f"{state.type}StateEntered", frame["event"], {"stateEnteredEventDetails": entered}
        )
        frame["entered"] = turn.now
        frame["entry"] = frame["event"]
        frame.pop("retries", None)
        _leave(turn, id, frame, lambda frame=frame, state=state: states.enter(turn, id, frame, state))


def _leave(turn: Turn, id: str, frame: Frame, ending: Any) -> None:
    """Ends the frame's state with what `ending` answers: an exit, a wait (None) or a failure."""
    try:
        exit = ending()
        if exit is not None:
            _exit(turn, id, frame, exit)
    except EvaluationFailed as failed:
        _fail(
            turn,
            id,
            frame,
            StateFailed(QUERY_EVALUATION_ERROR, _cause(frame, failed.message), location=failed.location),
        )
    except StateFailed as failure:
        _fail(turn, id, frame, failure)
    except states.ExecutionFailed as failed:
        _execution_failed(turn, frame["event"], failed.error, failed.cause)


def _cause(frame: Frame, what: str) -> str:
    return f"An error occurred while executing the state '{frame['state']}' (entered at the event id #{frame['entry']}). {what}"


def _exit(turn: Turn, id: str, frame: Frame, exit: Exit) -> None:
    state = turn.machine.states[frame["state"]]
    output = within_limit(turn.remember(exit.output), f"The state/task '{state.name}'")
    details: dict[str, Any] = {"name": state.name, "output": output, "outputDetails": _TRUNCATED}
    if exit.assigned:
        details["assignedVariables"] = exit.assigned
        details["assignedVariablesDetails"] = _TRUNCATED
        turn.assign(id, exit.assigned)
    frame["event"] = turn.emit(
        f"{state.type}StateExited", frame["event"], {"stateExitedEventDetails": details}
    )
    frame.pop("task", None)
    if exit.next is None:
        frame["phase"] = "done"
        succeeded = {"output": output, "outputDetails": _TRUNCATED}
        turn.finish(
            "SUCCEEDED", "ExecutionSucceeded", frame["event"], {"executionSucceededEventDetails": succeeded}, output=output
        )  # fmt: skip
    else:
        frame.update(state=exit.next, phase="enter", input=output)


def _fail(turn: Turn, id: str, frame: Frame, failure: StateFailed) -> None:
    """A state failed: it is retried, its error is caught, or the execution fails."""
    state = turn.machine.states[frame["state"]]
    if failure.error == QUERY_EVALUATION_ERROR and not failure.recorded:
        details = {"error": failure.error, "cause": failure.cause, "state": state.name}
        if failure.location is not None:
            details["location"] = failure.location
        frame["event"] = turn.emit(
            "EvaluationFailed", frame["before"], {"evaluationFailedEventDetails": details}
        )
    if isinstance(state, Task) and (
        _retry(turn, frame, state, failure) or _catch(turn, id, frame, state, failure)
    ):
        return
    frame["phase"] = "failed"
    _execution_failed(turn, frame["event"], failure.error, failure.cause)


def _retry(turn: Turn, frame: Frame, state: Task, failure: StateFailed) -> bool:
    for index, retrier in enumerate(state.retry):
        if not matches(retrier.error_equals, failure):
            continue
        counts = list(frame.get("retries") or [0] * len(state.retry))
        # The first retrier that matches decides: when it has had enough, a later one does not get a turn.
        if counts[index] >= retrier.max_attempts:
            return False
        wait = delay(retrier, counts[index], lambda: turn.entropy)
        counts[index] += 1
        frame.pop("task", None)
        frame.update(phase="retry", retries=counts, wake=turn.now + wait)
        return True
    return False


def _catch(turn: Turn, id: str, frame: Frame, state: Task, failure: StateFailed) -> bool:
    for catcher in state.catch:
        if matches(catcher.error_equals, failure):
            error = Json(value={"Error": failure.error, "Cause": failure.cause or ""})
            try:
                exit = states.finish(
                    turn, id, frame, error, assign=catcher.assign, output=catcher.output, next=catcher.next, error=error
                )  # fmt: skip
            except EvaluationFailed as failed:
                # What the catcher itself computes is not caught again.
                cause = _cause(frame, failed.message)
                _execution_failed(turn, frame["event"], QUERY_EVALUATION_ERROR, cause)
                return True
            _exit(turn, id, frame, exit)
            return True
    return False


def _execution_failed(turn: Turn, previous: int, error: str | None, cause: str | None) -> None:
    fields = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
    turn.finish("FAILED", "ExecutionFailed", previous, {"executionFailedEventDetails": fields}, **fields)
