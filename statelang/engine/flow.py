"""A frame's way through its states: entered, left, failed, retried, caught."""

from __future__ import annotations

from collections.abc import Callable

from ..asl.json_text import Json
from ..asl.path_queries import PathFailed
from ..asl.states import Map, Parallel, Retried
from ..asl.templates import EvaluationFailed
from . import branches, map_runs, maps, states, ways
from .dataflow import Exit, catch, limited
from .errors import QUERY_EVALUATION_ERROR, StateFailed, matches
from .retry import delay
from .turn import ROOT, Frame, Turn, index_of, parent_of

TRUNCATED = {"truncated": False}


def run_ready(turn: Turn) -> None:
    """Takes every frame that can go on through its states, until each waits for a message or the machine ends."""
    while turn.ready and turn.running and not turn.stands_still:
        _run(turn, turn.ready.popleft())


def _run(turn: Turn, id: str) -> None:
    while turn.running and id in turn.frames and turn.frames[id]["phase"] == "enter":
        if turn.stands_still:
            return
        frame = turn.frame(id)
        state = turn.state_of(id)
        frame["before"] = frame["event"]
        entered = {"name": state.name, "input": frame["input"], "inputDetails": TRUNCATED}
        frame["event"] = turn.emit(
            f"{state.type}StateEntered", frame["event"], {"stateEnteredEventDetails": entered}
        )
        frame["entered"] = turn.now
        frame["entry"] = frame["event"]
        frame.pop("retries", None)
        end_with(turn, id, frame, lambda frame=frame, state=state: states.enter(turn, id, frame, state))


def end_with(turn: Turn, id: str, frame: Frame, ending: Callable[[], Exit | None]) -> None:
    """Ends the frame's state with what `ending` answers: an exit, a wait (None) or a failure."""
    try:
        exit = ending()
        if exit is not None:
            _exit(turn, id, frame, exit)
    except EvaluationFailed as failed:
        _fail(turn, id, frame, _failure(frame, failed))
    except StateFailed as failure:
        _fail(turn, id, frame, failure)
    except states.StateEndedInFailure as failed:
        _frame_failed(turn, id, frame, StateFailed(failed.error, failed.cause))


def _failure(frame: Frame, failed: EvaluationFailed) -> StateFailed:
    where = f"An error occurred while executing the state '{frame['state']}' (entered at the event id #{frame['entry']})."
    fatal = isinstance(failed, PathFailed) and failed.error == "States.Runtime"
    return StateFailed(failed.error, f"{where} {failed.message}", location=failed.location, fatal=fatal)


def _exit(turn: Turn, id: str, frame: Frame, exit: Exit) -> None:
    state = turn.state_of(id)
    output = limited(turn, exit.output, f"The state/task '{state.name}'")
    _tidy(turn, id, frame)
    details = {"name": state.name, "output": output, "outputDetails": TRUNCATED}
    if exit.assigned:
        details["assignedVariables"] = exit.assigned
        details["assignedVariablesDetails"] = TRUNCATED
        turn.assign(id, exit.assigned)
    frame["event"] = turn.emit(
        f"{state.type}StateExited", frame["event"], {"stateExitedEventDetails": details}
    )
    frame.pop("task", None)
    frame.pop("token", None)
    if exit.next is not None:
        frame.update(state=exit.next, phase="enter", input=output)
        if not turn.ready or turn.ready[0] != id:
            turn.ready.appendleft(id)
    elif id == ROOT:
        frame["phase"] = "done"
        succeeded = {"output": output, "outputDetails": TRUNCATED}
        turn.finish(
            "SUCCEEDED", "ExecutionSucceeded", frame["event"], {"executionSucceededEventDetails": succeeded}, output=output
        )  # fmt: skip
    else:
        _frame_done(turn, id, frame, output)


def _tidy(turn: Turn, id: str, frame: Frame) -> None:
    """What a Parallel or Map state had below it goes with it."""
    if "count" in frame:
        turn.forget(id, "%items")
        branches.remove(turn, id, frame)
    elif "run" in frame:
        map_runs.remove(turn, id, frame)


def _frame_done(turn: Turn, id: str, frame: Frame, output: str) -> None:
    """A branch or iteration has come to its end."""
    for key in ("input", "before", "entered", "entry", "retries"):
        frame.pop(key, None)
    frame.update(phase="done", output=output)
    outer = parent_of(id)
    assert outer is not None
    around = turn.frame(outer)
    state = turn.state_of(outer)
    event = frame["event"]
    if isinstance(state, Parallel):
        turn.went(around, ways.branch(index_of(id)))
        end_with(turn, outer, around, lambda: branches.branch_done(turn, outer, around, state, event))
    else:
        assert isinstance(state, Map)
        end_with(
            turn, outer, around, lambda: maps.iteration_done(turn, outer, around, state, index_of(id), event)
        )


def _fail(turn: Turn, id: str, frame: Frame, failure: StateFailed) -> None:
    """A state failed: it is retried, its error is caught, or what is around it fails."""
    state = turn.state_of(id)
    if failure.error == QUERY_EVALUATION_ERROR and not failure.recorded:
        details = {"error": failure.error, "cause": failure.cause, "state": state.name}
        if failure.location is not None:
            details["location"] = failure.location
        frame["event"] = turn.emit(
            "EvaluationFailed", frame["before"], {"evaluationFailedEventDetails": details}
        )
    if isinstance(state, Retried) and not failure.fatal:
        if _retry(turn, id, frame, state, failure):
            return
        if isinstance(state, Parallel | Map):
            frame["event"] = turn.emit(f"{state.type}StateFailed", frame["event"])
        if _catch(turn, id, frame, state, failure):
            return
    _frame_failed(turn, id, frame, failure)


def _frame_failed(turn: Turn, id: str, frame: Frame, failure: StateFailed) -> None:
    """Nothing in the frame takes the failure: it is that of the state around it, or of the execution."""
    if frame["phase"] != branches.OPEN and frame["phase"] != map_runs.PHASE:
        frame["phase"] = "failed"
    outer = parent_of(id)
    if outer is None or failure.fatal:
        execution_failed(turn, frame["event"], failure.error, failure.cause)
        return
    around = turn.frame(outer)
    state = turn.state_of(outer)
    if isinstance(state, Map):
        maps.iteration_failed(turn, around, state, index_of(id), frame["event"])
    else:
        around["event"] = frame["event"]
    _fail(turn, outer, around, StateFailed(failure.error, failure.cause, also=failure.also, recorded=True))


def _retry(turn: Turn, id: str, frame: Frame, state: Retried, failure: StateFailed) -> bool:
    for index, retrier in enumerate(state.retry):
        if not matches(retrier.error_equals, failure):
            continue
        counts = list(frame.get("retries") or [0] * len(state.retry))
        # The first retrier that matches decides: when it has had enough, a later one does not get a turn.
        if counts[index] >= retrier.max_attempts:
            return False
        wait = delay(retrier, counts[index], lambda: turn.entropy)
        counts[index] += 1
        turn.went(frame, ways.retry(index))
        _tidy(turn, id, frame)
        frame.pop("task", None)
        frame.update(phase="retry", retries=counts, wake=turn.now + wait)
        return True
    return False


def _catch(turn: Turn, id: str, frame: Frame, state: Retried, failure: StateFailed) -> bool:
    for index, catcher in enumerate(state.catch):
        if matches(catcher.error_equals, failure):
            turn.went(frame, ways.catch(index))
            error = Json(value={"Error": failure.error or "", "Cause": failure.cause or ""})
            try:
                exit = catch(turn, id, frame, state, catcher, error)
            except EvaluationFailed as failed:
                # What the catcher itself computes is not caught again.
                again = _failure(frame, failed)
                again.fatal = True
                _frame_failed(turn, id, frame, again)
                return True
            _exit(turn, id, frame, exit)
            return True
    return False


def execution_failed(turn: Turn, previous: int, error: str | None, cause: str | None) -> None:
    fields = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
    turn.finish("FAILED", "ExecutionFailed", previous, {"executionFailedEventDetails": fields}, **fields)
