"""Redrive: an execution that did not succeed goes on from the states in which it failed.

What has succeeded, in other branches and iterations too, is kept. See the AWS guide, "Restarting state machine
executions with redrive".
"""

from __future__ import annotations

from . import branches, map_runs
from .flow import end_with
from .messages import Message
from .states import enter
from .turn import Frame, Turn

REDRIVABLE = ("FAILED", "ABORTED", "TIMED_OUT")


def redrive(turn: Turn, message: Message) -> bool:
    """Whether the execution goes on again; a message may bring a new secret, which tokens from now on are signed with."""
    before = turn.before
    if before["status"] not in REDRIVABLE:
        return False
    redrives = before.get("redrives", 0) + 1
    deadline = None
    if turn.machine.timeout_seconds:
        deadline = turn.now + turn.machine.timeout_seconds * 1000
    turn.top.update(
        status="RUNNING",
        redrives=redrives,
        redriven=turn.now,
        stopped=None,
        error=None,
        cause=None,
        deadline=deadline,
        redrive_token=message.get("token"),
        **({"secret": message["secret"]} if "secret" in message else {}),
    )
    details = {"executionRedrivenEventDetails": {"redriveCount": redrives}}
    event = turn._emit("ExecutionRedriven", turn.last_event, details)
    for id in [id for id, frame in turn.frames.items() if _stands_still(frame)]:
        frame = turn.frame(id)
        frame["event"] = event
        if frame["phase"] == map_runs.PHASE:
            _redrive_map_run(turn, id, frame)
        elif frame["phase"] == "enter":
            turn.ready.append(id)
        else:
            again(turn, id, frame)
    for id in [
        id for id, frame in turn.frames.items() if frame["phase"] == branches.OPEN and "retries" in frame
    ]:
        # What is around it counts its retries from the start as well.
        del turn.frame(id)["retries"]
    return True


def _stands_still(frame: Frame) -> bool:
    return frame["phase"] not in ("done", branches.OPEN)


def again(turn: Turn, id: str, frame: Frame) -> None:
    """The state that the frame stands in is begun once more, with its retries counted from the start."""
    for key in ("task", "token", "wake", "retries"):
        frame.pop(key, None)
    frame["phase"] = "entered"
    state = turn.state_of(id)
    if state.type == "Fail":
        frame["phase"] = "enter"
        turn.ready.append(id)
        return
    end_with(turn, id, frame, lambda: enter(turn, id, frame, state))


def _redrive_map_run(turn: Turn, id: str, frame: Frame) -> None:
    """The children that failed run again; those that succeeded do not."""
    state = turn.state_of(id)
    frame["redrives"] = frame.get("redrives", 0) + 1
    frame["run"] = frame["event"] = turn._emit(
        "MapRunRedriven",
        frame["event"],
        {"mapRunRedrivenEventDetails": {"mapRunArn": frame["arn"], "redriveCount": frame["redrives"]}},
    )
    for index in frame["failed"]:
        turn.forget(id, f"%error:{index}")
    frame["failed"] = []

    def go_on() -> None:
        pending = map_runs.pending(turn, id, frame, state)
        frame["open"] = sum(command["type"] == "start_child" for command in pending)
        turn.commands += pending

    end_with(turn, id, frame, go_on)
