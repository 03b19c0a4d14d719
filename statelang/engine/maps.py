"""Map states: what the items are, and the iterations of an inline map. Distributed ones are in `map_runs`."""

from __future__ import annotations

from typing import Any

from ..asl.json_text import Json, dump
from ..asl.path_queries import PathFailed, PathQuery
from ..asl.states import Map, Query
from ..asl.templates import EvaluationFailed, Template
from . import branches, ways
from .dataflow import Exit, effective_input, found, leave, limited, read_number, source
from .scope import ITEMS, StateScope
from .turn import Frame, Turn


def enter_map(turn: Turn, id: str, frame: Frame, state: Map) -> Exit | None:
    if state.distributed:
        from . import map_runs

        return map_runs.enter(turn, id, frame, state)
    data = items(turn, id, frame, state)
    limit = concurrency(turn, id, frame, state)
    count = len(data.value)
    frame["event"] = turn.emit(
        "MapStateStarted", frame["event"], {"mapStateStartedEventDetails": {"length": count}}
    )
    turn.went(frame, ways.items(count))
    if not count:
        return _succeed(turn, id, frame, state)
    turn.keep(id, ITEMS, turn.remember(data))
    first = min(count, limit or count)
    frame.update(phase=branches.OPEN, count=count, open=count, next=first, limit=limit)
    for index in range(first):
        _start(turn, id, frame, state, index, frame["event"])
    return None


def iteration_done(turn: Turn, id: str, frame: Frame, state: Map, index: int, event: int) -> Exit | None:
    """An iteration has come to its end, with `event`; answers how the state ends when that was the last."""
    details = {"index": index, "name": state.name}
    frame["event"] = turn.emit("MapIterationSucceeded", event, {"mapIterationSucceededEventDetails": details})
    frame["open"] -= 1
    if frame["next"] < frame["count"]:
        frame["next"] += 1
        _start(turn, id, frame, state, frame["next"] - 1, event)
    elif not frame["open"]:
        return _succeed(turn, id, frame, state)
    return None


def iteration_failed(turn: Turn, frame: Frame, state: Map, index: int, event: int) -> None:
    details = {"index": index, "name": state.name}
    turn.emit("MapIterationFailed", event, {"mapIterationFailedEventDetails": details})
    frame["event"] = event


def _start(turn: Turn, id: str, frame: Frame, state: Map, index: int, event: int) -> None:
    input = item_input(turn, id, frame, state, index)
    details = {"index": index, "name": state.name}
    started = turn.emit("MapIterationStarted", event, {"mapIterationStartedEventDetails": details})
    branches.begin(turn, id, index, turn.remember(input), started)


def _succeed(turn: Turn, id: str, frame: Frame, state: Map) -> Exit:
    turn.emit("MapStateSucceeded", frame["event"])
    return leave(turn, id, frame, state, branches.outputs(turn, id, frame.get("count", 0)))


# -- what both kinds of maps share -------------------------------------------------------------------------


def items(turn: Turn, id: str, frame: Frame, state: Map) -> Json:
    """The array that the map goes through."""
    given = effective_input(turn, id, frame, state)
    scope = StateScope(turn, id, frame, root=given)
    if state.items is None:
        data = given
    elif isinstance(state.items, Template):
        data = Json(value=state.items.evaluate_as(scope, list, "array"))
    else:
        assert isinstance(state.items, PathQuery)
        data = Json(value=state.items.evaluate(scope))
    if isinstance(data.value, list):
        limited(turn, data, f"The items of the state '{state.name}'")
        return data
    if state.language == "JSONata":
        raise EvaluationFailed(f"Map state input must be an array but was: {data.text}", None)
    path = state.items.text if isinstance(state.items, PathQuery) else "$"
    raise PathFailed(f'Reference path "{path}" must point to array.')


def item_input(turn: Turn, id: str, frame: Frame, state: Map, index: int) -> Json:
    """What the iteration `index` is given: its item, or what `ItemSelector` makes of it."""
    value = turn.data(turn.variables[f"{id}:{ITEMS}"]).value[index]
    if state.item_selector is None:
        return Json(value=value)
    root = effective_input(turn, id, frame, state)
    scope = StateScope(turn, id, frame, root=root, item=(index, value))
    return Json(value=state.item_selector.evaluate(scope))


def concurrency(turn: Turn, id: str, frame: Frame, state: Map) -> int:
    """How many iterations may run at once; 0 for as many as there are."""
    if state.max_concurrency is None:
        return 0
    scope = StateScope(turn, id, frame, root=effective_input(turn, id, frame, state))
    most = _number(state.max_concurrency, scope, "integer", int)
    if most < 0:
        raise _invalid(
            state, f"Expected non-negative integer for MaxConcurrency, got '{dump(most)}' instead."
        )
    return int(most)


def tolerated(turn: Turn, id: str, frame: Frame, state: Map) -> dict[str, float]:
    """How many iterations may fail, by number and by percentage."""
    scope = StateScope(turn, id, frame, root=effective_input(turn, id, frame, state))
    count = percentage = None
    if state.tolerated_failure_count is not None:
        count = _number(state.tolerated_failure_count, scope, "integer", int)
        if count < 0:
            raise _invalid(state, "ToleratedFailureCount cannot be negative.")
    if state.tolerated_failure_percentage is not None:
        percentage = _number(state.tolerated_failure_percentage, scope, "float", int | float)
        if not 0 <= percentage <= 100:
            raise _invalid(state, "ToleratedFailurePercentage must be between 0 and 100.")
    return {"count": 0 if count is None else count, "percentage": 0 if percentage is None else percentage}


def _number(query: Query, scope: StateScope, kind: str, types: Any) -> Any:
    if isinstance(query, Template):
        return query.evaluate_as(scope, (int, float), "number")
    value = read_number(found(query, scope))
    if isinstance(value, bool) or not isinstance(value, types):
        shown = value if isinstance(value, str) else dump(value)
        raise PathFailed(
            f'The {query.field} field refers to value "{shown}" which is not a valid {kind}: {source(query)}'
        )
    return value


def _invalid(state: Map, message: str) -> Exception:
    if state.language == "JSONata":
        return EvaluationFailed(message, None)
    return PathFailed(message)
