"""Forks: a new execution that goes on from where another one stood, under a name and an ARN of its own.

What had been answered by then is kept. What was still waited for is asked anew, with tokens of the fork's own: an
approval or a callback that the other execution was given later, or is still to be given, is never the fork's.
"""

from __future__ import annotations

from typing import Any

from ..asl.states import StateMachine
from . import branches, map_runs
from .messages import Message
from .redrive import again
from .turn import ROOT, Turn

_OF_THE_END = ("stopped", "output", "error", "cause", "redrives", "redriven", "parent", "tried", "requester")
INPUT = "input"
"""The variable in which compiled specs keep the execution's input."""


class CannotFork(ValueError):
    """Nothing could go on from there. The text says why."""


def check(snapshot: dict[str, Any]) -> None:
    """Raises `CannotFork` for a snapshot that no fork could go on from."""
    frames = snapshot["frames"]
    if not frames or frames[ROOT]["phase"] == "done":
        raise CannotFork("the execution had come to its end there, and nothing is left to go on with")
    for frame in frames.values():
        if frame["phase"] == map_runs.PHASE:
            raise CannotFork(
                f"the distributed map '{frame['state']}' was under way there, and its children belong to that"
                " execution; fork before it or after it"
            )


def snapshot_of(machine: StateMachine, message: Message, now: int) -> dict[str, Any]:
    """The state that the fork begins in: the other's, with an identity of its own."""
    base = message["base"]
    snapshot = {key: value for key, value in base.items() if key not in _OF_THE_END}
    arn = message["execution"]
    execution = {**base["execution"], "id": arn, "name": arn.split(":")[7], "started": now}
    variables = dict(base["variables"])
    if "input" in message:
        execution["input"] = message["input"]
        if f"{ROOT}:{INPUT}" in variables:
            variables[f"{ROOT}:{INPUT}"] = message["input"]
    deadline = now + machine.timeout_seconds * 1000 if machine.timeout_seconds else None
    return {
        **snapshot,
        "execution": execution,
        "variables": variables,
        "status": "RUNNING",
        "deadline": deadline,
        "forked": message["origin"],
        **{key: message[key] for key in ("secret", "requester") if key in message},
    }


def go_on(turn: Turn, message: Message) -> bool:
    """Lets every frame go on that has come to no end; what it waited for from others is asked for again."""
    if "input" in message and turn.last_event == 1:
        turn.frame(ROOT)["input"] = message["input"]  # the first state has not been entered yet
    for id in list(turn.frames):
        frame = turn.frames.get(id)
        if frame is None or frame["phase"] in ("done", branches.OPEN, "wait", "retry"):
            continue
        changed = turn.frame(id)
        if changed["phase"] == "enter":
            turn.ready.append(id)
        else:
            changed["event"] = changed.get("entry", changed["event"])
            again(turn, id, changed)
    return True
