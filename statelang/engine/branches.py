"""Frames within a frame: the branches of a Parallel state and the iterations of an inline Map.

The frame of the state around them counts those that are still `open` of the `count` there are in all. A frame that
is done keeps its output until all are, and is then removed with the rest.
"""

from __future__ import annotations

from ..asl.json_text import Json
from ..asl.states import Parallel
from . import map_runs
from .dataflow import Exit, arguments, leave, limited
from .turn import Frame, Turn

OPEN = "branches"
"""The phase of a frame that waits for the frames within it."""


def enter_parallel(turn: Turn, id: str, frame: Frame, state: Parallel) -> None:
    given = limited(turn, arguments(turn, id, frame, state), f"The arguments of the state '{state.name}'")
    frame["event"] = turn.emit("ParallelStateStarted", frame["event"])
    frame.update(phase=OPEN, count=len(state.branches), open=len(state.branches))
    for index in range(len(state.branches)):
        begin(turn, id, index, given, frame["event"])


def branch_done(turn: Turn, id: str, frame: Frame, state: Parallel, event: int) -> Exit | None:
    """One of the branches has come to its end, with `event`; answers how the state ends when that was the last."""
    frame["open"] -= 1
    frame["event"] = event
    if frame["open"]:
        return None
    turn.emit("ParallelStateSucceeded", event)
    return leave(turn, id, frame, state, outputs(turn, id, frame["count"]))


def begin(turn: Turn, parent: str, index: int, input: str, event: int) -> None:
    """A frame of its own for a branch or iteration; its states run when the turn comes to it."""
    id = f"{parent}/{index}"
    start = {"phase": "enter", "input": input, "event": event}
    turn.add_frame(id, start)
    start["state"] = _start_at(turn, id, parent)
    turn.ready.append(id)


def _start_at(turn: Turn, id: str, parent: str) -> str:
    return turn.machine_of(id).start_at


def outputs(turn: Turn, id: str, count: int) -> Json:
    """What the frames within have put out, in order."""
    texts = [turn.frames[f"{id}/{index}"]["output"] for index in range(count)]
    return Json(text=f"[{','.join(texts)}]")


def remove(turn: Turn, id: str, frame: Frame) -> None:
    """The state is over, or begins again: what was within it is gone."""
    for index in range(frame.pop("count", 0)):
        child = turn.frames.get(f"{id}/{index}")
        if child is not None:
            if "count" in child:
                remove(turn, f"{id}/{index}", turn.frame(f"{id}/{index}"))
            elif "run" in child:
                turn.commands.append({"type": "stop_children", "map_run": child["arn"]})
                map_runs.remove(turn, f"{id}/{index}", turn.frame(f"{id}/{index}"))
            turn.remove_frame(f"{id}/{index}")
    for key in ("open", "next", "limit"):
        frame.pop(key, None)
