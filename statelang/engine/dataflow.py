"""How data goes into a state and comes out of it, in both query languages.

JSONata: `Arguments` in, then `Assign` and `Output`. JSONPath: `InputPath` and `Parameters` in, then
`ResultSelector`, `Assign`, `ResultPath` and `OutputPath`. See the AWS guide, "Processing input and output in Step
Functions".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..asl.json_text import Json
from ..asl.path_queries import DataPath, PathFailed, PathQuery
from ..asl.states import DISCARD, Catcher, Query, Shaped, State, _Discard
from ..asl.templates import EvaluationFailed, Template
from ..jsonata.type_names import type_name
from ..jsonpath import Path, ResultPathMismatch, put
from .errors import StateFailed
from .scope import StateScope
from .turn import Frame, Turn, texts, within_limit

EMPTY = Json(text="{}", value={})
MAX_SECONDS = 99_999_999
_WHOLE = re.compile("-?[0-9]{1,18}")


@dataclass(slots=True)
class Exit:
    """The state is done: what it puts out, what it assigns, where it goes (None: the machine ends)."""

    output: Json
    assigned: dict[str, str]
    next: str | None


def effective_input(turn: Turn, id: str, frame: Frame, state: State) -> Json:
    """The state's input after `InputPath`."""
    raw = turn.data(frame["input"])
    return _through(state.input_path, raw, turn, id, frame)


def arguments(turn: Turn, id: str, frame: Frame, state: Shaped) -> Json:
    """What a Task, Pass, Parallel or Map works on: its input after `InputPath` and `Parameters`, or `Arguments`."""
    given = effective_input(turn, id, frame, state)
    if state.arguments is None:
        return given
    return Json(value=state.arguments.evaluate(StateScope(turn, id, frame, root=given)))


def leave(turn: Turn, id: str, frame: Frame, state: State, result: Json | None = None, **over: Any) -> Exit:
    """Ends a state. `result` is what it came to; None for one that passes its input on.

    `over` may replace the state's own `next`, `assign` and `output`: a choice rule's. What is assigned and what is
    put out both see the variables as they were before.
    """
    next = over.get("next", state.next)
    assign = over.get("assign", state.assign)
    if state.language == "JSONata":
        default = turn.data(frame["input"]) if result is None else result
        return _finish(turn, id, frame, default, assign, over.get("output", state.output), next, result)
    if result is None:
        selected = data = effective_input(turn, id, frame, state)
    else:
        assert isinstance(state, Shaped)
        selected = result
        if state.result_selector is not None:
            scope = StateScope(turn, id, frame, root=result)
            selected = Json(value=state.result_selector.evaluate(scope))
        data = placed(turn, frame, state.result_path, selected)
    assigned: dict[str, str] = {}
    if assign is not None:
        assigned = texts(assign.evaluate(StateScope(turn, id, frame, root=selected)))
    return Exit(_through(state.output_path, data, turn, id, frame), assigned, next)


def catch(turn: Turn, id: str, frame: Frame, state: State, catcher: Catcher, error: Json) -> Exit:
    """Ends a state whose error is caught."""
    if state.language == "JSONata":
        return _finish(turn, id, frame, error, catcher.assign, catcher.output, catcher.next, error=error)
    assigned: dict[str, str] = {}
    if catcher.assign is not None:
        assigned = texts(catcher.assign.evaluate(StateScope(turn, id, frame, root=error)))
    return Exit(placed(turn, frame, catcher.result_path, error), assigned, catcher.next)


def placed(turn: Turn, frame: Frame, path: Path | _Discard | None, value: Json) -> Json:
    """`value` put into the state's raw input where a `ResultPath` says."""
    if path is None:
        return value
    raw = turn.data(frame["input"])
    if isinstance(path, _Discard):
        return raw
    try:
        return Json(value=put(raw.value, path, value.value))
    except ResultPathMismatch:
        raise StateFailed(
            "States.ResultPathMatchFailure",
            f'Unable to apply step "{path.text.removeprefix("$.")}" to input {raw.text}',
        ) from None


def _through(path: Query | _Discard | None, data: Json, turn: Turn, id: str, frame: Frame) -> Json:
    if path is None:
        return data
    if path is DISCARD:
        return EMPTY
    assert isinstance(path, DataPath)
    return Json(value=path.evaluate(StateScope(turn, id, frame, root=data)))


def _finish(
    turn: Turn,
    id: str,
    frame: Frame,
    default: Json,
    assign: Query | None,
    output: Query | None,
    next: str | None,
    result: Json | None = None,
    error: Json | None = None,
) -> Exit:
    if assign is None and output is None:
        return Exit(default, {}, next)
    scope = StateScope(turn, id, frame, result, error)
    assigned: dict[str, str] = {}
    put_out = default
    if assign is not None:
        assigned = texts(assign.evaluate(scope))
    if output is not None:
        value = output.evaluate(scope)
        put_out = default if value is default.value else Json(value=value)
    return Exit(put_out, assigned, next)


# -- fields that are one value -----------------------------------------------------------------------------


def text(query: Query, scope: StateScope) -> str:
    """A field that is a string."""
    if isinstance(query, Template):
        return query.evaluate_as(scope, str, "string")
    value = query.evaluate(scope)
    if not isinstance(value, str):
        raise PathFailed(f"The field '{query.field}' must be a string but was {type_name(value)}")
    return value


def whole(query: Query, scope: StateScope, least: int, most: int = MAX_SECONDS) -> int:
    """A field that is a whole number, literal or computed."""
    if isinstance(query, Template):
        value = query.evaluate_as(scope, int | float, "number")  # pyright: ignore[reportArgumentType]
        if value != int(value) or not least <= value <= most:
            raise EvaluationFailed(
                f"The value {value} of the field '{query.field}' is not a whole number from {least} to {most}.",
                query.field,
            )
        return int(value)
    value = read_number(found(query, scope))
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise PathFailed(
            f"The {query.field} parameter references a negative value: {source(query)} == {value}"
        )
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PathFailed(
            f"The {query.field} parameter cannot be parsed as a long value: {source(query)} == {shown(value)}"
        )
    return value


def read_number(value: Any) -> Any:
    """What a path led to; a text of digits is as good as the number."""
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def found(query: Query, scope: StateScope) -> Any:
    """The value of a JSONPath field, whose path must lead somewhere."""
    if not isinstance(query, PathQuery):
        return query.evaluate(scope)
    try:
        return query.evaluate(scope)
    except PathFailed:
        raise PathFailed(
            f"The {query.field} parameter does not reference an input value: {query.text}"
        ) from None


def source(query: Query) -> str:
    return query.text if isinstance(query, PathQuery) else query.field


def shown(value: Any) -> str:
    """A value as Step Functions names it in an error."""
    return value if isinstance(value, str) else Json(value=value).text


def limited(turn: Turn, data: Json, what: str) -> str:
    return within_limit(turn.remember(data), what)
