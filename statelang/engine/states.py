"""What the states do that need nobody's help: Pass, Succeed, Fail, Choice and Wait.

An entry function answers with how the state ends (`Exit`), or None when it waits for a message or for the
states within it. Everything that can go wrong in a state is raised as `StateFailed` or `EvaluationFailed`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from ..asl.json_text import Json
from ..asl.path_queries import PathFailed
from ..asl.states import Choice, Fail, Map, Parallel, Pass, Query, State, Succeed, Task, Wait
from ..asl.templates import EvaluationFailed, Template
from ..jsonpath import ChoicePathInvalid
from . import branches, maps, tasks, ways
from .dataflow import Exit, arguments, effective_input, found, leave, shown, source, text, whole
from .errors import NO_CHOICE_MATCHED, StateFailed
from .scope import StateScope
from .turn import Frame, Turn


class StateEndedInFailure(Exception):
    """A Fail state was reached."""

    def __init__(self, error: str | None, cause: str | None):
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


def enter(turn: Turn, id: str, frame: Frame, state: State) -> Exit | None:
    """Enters `state`, whose entry event has been recorded."""
    return _ENTER[type(state)](turn, id, frame, state)


def _pass(turn: Turn, id: str, frame: Frame, state: Pass) -> Exit:
    if state.language == "JSONata":
        return leave(turn, id, frame, state)
    result = arguments(turn, id, frame, state) if state.result is None else Json(text=state.result)
    return leave(turn, id, frame, state, result)


def _succeed(turn: Turn, id: str, frame: Frame, state: Succeed) -> Exit:
    return leave(turn, id, frame, state)


def _fail(turn: Turn, id: str, frame: Frame, state: Fail) -> Exit:
    scope = StateScope(turn, id, frame)
    error = None if state.error is None else text(state.error, scope)
    cause = None if state.cause is None else text(state.cause, scope)
    raise StateEndedInFailure(error, cause)


def _choice(turn: Turn, id: str, frame: Frame, state: Choice) -> Exit:
    root = effective_input(turn, id, frame, state) if state.language == "JSONPath" else None
    scope = StateScope(turn, id, frame, root=root)
    for index, rule in enumerate(state.rules):
        if rule.condition is not None:
            chosen = rule.condition.evaluate_as(scope, bool, "boolean")
        else:
            assert rule.test is not None
            try:
                chosen = rule.test(scope)
            except ChoicePathInvalid as missing:
                raise PathFailed(
                    f"Invalid path '{missing}': The choice state's condition path references an invalid value."
                ) from None
        if chosen:
            turn.went(frame, ways.choice(index))
            return leave(turn, id, frame, state, next=rule.next, assign=rule.assign, output=rule.output)
    if state.default is None:
        raise StateFailed(NO_CHOICE_MATCHED, "No choice matched, and the Choice state has no 'Default'.")
    turn.went(frame, ways.DEFAULT)
    return leave(turn, id, frame, state, next=state.default)


def _wait(turn: Turn, id: str, frame: Frame, state: Wait) -> Exit | None:
    root = effective_input(turn, id, frame, state) if state.language == "JSONPath" else None
    scope = StateScope(turn, id, frame, root=root)
    if state.seconds is not None:
        until = turn.now + whole(state.seconds, scope, least=0) * 1000
    else:
        assert state.timestamp is not None
        until = _timestamp(state.timestamp, scope)
    if until <= turn.now:
        return leave(turn, id, frame, state)
    frame["phase"] = "wait"
    frame["wake"] = until
    return None


def _timestamp(query: Query, scope: StateScope) -> int:
    """A time in milliseconds."""
    written = query.evaluate_as(scope, str, "string") if isinstance(query, Template) else found(query, scope)
    try:
        at = datetime.fromisoformat(written if isinstance(written, str) else "")
        if "T" not in written or at.tzinfo is None:
            raise ValueError
    except ValueError:
        if isinstance(query, Template):
            raise EvaluationFailed(
                f"The value '{written}' of the field '{query.field}' is not a timestamp such as 2026-01-02T03:04:05Z.",
                query.field,
            ) from None
        raise PathFailed(
            f"The {query.field} parameter does not reference a valid ISO-8601 extended offset date-time format string: {source(query)} == {shown(written)}"
        ) from None
    return int(at.astimezone(UTC).timestamp() * 1000)


_ENTER: dict[type[State], Callable[[Turn, str, Frame, State], Exit | None]] = {  # pyright: ignore[reportAssignmentType]
    Pass: _pass,
    Succeed: _succeed,
    Fail: _fail,
    Choice: _choice,
    Wait: _wait,
    Task: tasks.enter,
    Parallel: branches.enter_parallel,
    Map: maps.enter_map,
}
