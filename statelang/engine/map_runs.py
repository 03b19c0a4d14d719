"""Distributed maps: every item, or batch of items, is a child execution of its own.

The map's frame counts them; what each put out is kept beside it, as a variable of the engine's own. Reading
items and writing results are commands, whose answers come back as messages.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..asl.json_text import Json, dump, measure
from ..asl.states import ItemBatcher, Map, Query
from ..asl.templates import Template
from . import ways
from .dataflow import Exit, effective_input, leave, whole
from .errors import EXCEEDED_TOLERATED_FAILURES, StateFailed
from .maps import concurrency, item_input, items, tolerated
from .scope import ITEMS, StateScope
from .turn import Frame, Turn

PHASE = "map_run"
BATCHES = "%batches"
"""The variable that says which items each batch takes: pairs of first and last."""
MAX_BATCH_BYTES = 262_144
_AT_ONCE = 10_000
"""Child executions that run at once at the most."""


def result_name(index: int) -> str:
    return f"%result:{index}"


def enter(turn: Turn, id: str, frame: Frame, state: Map) -> Exit | None:
    if state.item_reader is not None:
        _start_run(turn, id, frame, state, 0)
        frame["reading"] = True
        turn.commands.append(_read(turn, id, frame, state))
        return None
    data = items(turn, id, frame, state)
    _start_run(turn, id, frame, state, len(data.value))
    return start_children(turn, id, frame, state, data)


def _start_run(turn: Turn, id: str, frame: Frame, state: Map, length: int) -> None:
    limit = concurrency(turn, id, frame, state)
    frame["event"] = turn.emit(
        "MapStateStarted", frame["event"], {"mapStateStartedEventDetails": {"length": length}}
    )
    allowed = tolerated(turn, id, frame, state)
    arn = _map_run_arn(turn, state, turn.next_event)
    frame["event"] = turn.emit(
        "MapRunStarted", frame["event"], {"mapRunStartedEventDetails": {"mapRunArn": arn}}
    )
    frame.update(
        phase=PHASE,
        run=frame["event"],
        arn=arn,
        limit=limit,
        tolerated=allowed,
        started=turn.now,
        items=length,
    )
    frame.update(size=0, next=0, open=0, succeeded=0, failed=[])
    turn.commands.append({"type": "map_run", "arn": arn})


def _map_run_arn(turn: Turn, state: Map, event: int) -> str:
    head, _, rest = turn.execution["id"].partition(":execution:")
    name = rest.partition(":")[0].partition("/")[0]
    return f"{head}:mapRun:{name}/{label(turn, state)}:{uuid.uuid5(uuid.NAMESPACE_OID, turn.execution['id'] + str(event))}"


def label(turn: Turn, state: Map) -> str:
    """The map's `Label`, or one that stays the same for this state of this definition."""
    return state.label or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{turn.before['definition']} {state.name}"))


def _read(turn: Turn, id: str, frame: Frame, state: Map) -> dict[str, Any]:
    reader = state.item_reader
    assert reader is not None
    scope = StateScope(turn, id, frame, root=effective_input(turn, id, frame, state))
    config = {} if reader.config is None else dict(reader.config.evaluate(scope))
    if reader.max_items is not None:
        config["MaxItems"] = reader.max_items.evaluate(scope)
    return {
        "type": "read_items", "frame": id, "task": frame["run"], "resource": reader.resource,
        "arguments": _arguments(reader.arguments, scope), "config": dump(config),
    }  # fmt: skip


def items_read(turn: Turn, id: str, frame: Frame, state: Map, text: str) -> Exit | None:
    """The item reader has answered."""
    frame.pop("reading", None)
    data = Json(text=text)
    frame["items"] = len(data.value)
    return start_children(turn, id, frame, state, data)


def start_children(turn: Turn, id: str, frame: Frame, state: Map, data: Json) -> Exit | None:
    turn.keep(id, ITEMS, turn.remember(data))
    frame["size"] = len(data.value)
    turn.went(frame, ways.items(len(data.value)))
    if state.item_batcher is not None:
        spans = _batches(turn, id, frame, state, state.item_batcher, len(data.value))
        turn.keep(id, BATCHES, dump(spans))
        frame["size"] = len(spans)
    if not frame["size"]:
        return _end(turn, id, frame, state)
    turn.commands.append({"type": "define", "definition": state.processor_definition})
    _fill(turn, id, frame, state)
    return None


def _fill(turn: Turn, id: str, frame: Frame, state: Map) -> None:
    """Starts children up to what may run at once."""
    most = frame["limit"] or _AT_ONCE
    while frame["open"] < most and frame["next"] < frame["size"]:
        turn.commands.append(start_child(turn, id, frame, state, frame["next"]))
        frame["next"] += 1
        frame["open"] += 1


def start_child(turn: Turn, id: str, frame: Frame, state: Map, index: int) -> dict[str, Any]:
    """The command to start the child execution of `index`. Its name is the same whenever it is given."""
    head, _, rest = turn.execution["id"].partition(":execution:")
    machine = f"{rest.partition(':')[0].partition('/')[0]}/{label(turn, state)}"
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{frame['arn']} {index} {frame.get('redrives', 0)}")
    return {
        "type": "start_child", "frame": id, "task": frame["run"], "index": index,
        "execution": f"{head}:execution:{machine}:{name}", "state_machine": f"{head}:stateMachine:{machine}",
        "map_run": frame["arn"], "input": child_input(turn, id, frame, state, index),
        "definition": state.processor_definition, "role": turn.execution["role"], "execution_type": state.execution_type,
        "test_case": turn.before.get("test_case"), "logging": turn.before.get("logging"),
    }  # fmt: skip


def child_input(turn: Turn, id: str, frame: Frame, state: Map, index: int) -> str:
    batches = turn.variables.get(f"{id}:{BATCHES}")
    if batches is None:
        return item_input(turn, id, frame, state, index).text
    assert state.item_batcher is not None
    first, last = turn.data(batches).value[index]
    made: dict[str, Any] = {}
    if state.item_batcher.input is not None:
        scope = StateScope(turn, id, frame, root=effective_input(turn, id, frame, state))
        made["BatchInput"] = state.item_batcher.input.evaluate(scope)
    made["Items"] = [item_input(turn, id, frame, state, place).value for place in range(first, last)]
    return dump(made)


def _batches(
    turn: Turn, id: str, frame: Frame, state: Map, batcher: ItemBatcher, count: int
) -> list[list[int]]:
    scope = StateScope(turn, id, frame, root=effective_input(turn, id, frame, state))
    most = count if batcher.max_items is None else whole(batcher.max_items, scope, least=1)
    room = MAX_BATCH_BYTES if batcher.max_bytes is None else whole(batcher.max_bytes, scope, least=1)
    spans: list[list[int]] = []
    first = size = 0
    for index in range(count):
        length = measure(item_input(turn, id, frame, state, index).text) + 1
        if index > first and (index - first >= most or size + length > room):
            spans.append([first, index])
            first, size = index, 0
        size += length
    if count:
        spans.append([first, count])
    return spans


def child_finished(turn: Turn, id: str, frame: Frame, state: Map, message: dict[str, Any]) -> Exit | None:
    """A child execution has ended; answers how the state ends when that was the last.

    Raises `StateFailed` when more have failed than are tolerated.
    """
    index = message["index"]
    frame["open"] -= 1
    if message["status"] == "SUCCEEDED":
        frame["succeeded"] += 1
        turn.keep(id, result_name(index), message["output"])
    else:
        frame["failed"] = [*frame["failed"], index]
        turn.keep(
            id, f"%error:{index}", dump({key: message.get(key) for key in ("status", "error", "cause")})
        )
        if _too_many(frame):
            raise run_failed(
                turn,
                frame,
                EXCEEDED_TOLERATED_FAILURES,
                "The specified tolerated failure threshold was exceeded",
            )
    _fill(turn, id, frame, state)
    return None if frame["open"] else _end(turn, id, frame, state)


def _too_many(frame: Frame) -> bool:
    failed = len(frame["failed"])
    allowed = frame["tolerated"]
    if allowed["percentage"] and failed * 100 <= allowed["percentage"] * frame["size"]:
        return False
    return failed > allowed["count"]


def run_failed(turn: Turn, frame: Frame, error: str, cause: str) -> StateFailed:
    """Records that the map run failed; the caller raises what this answers."""
    details = {"error": error, "cause": cause}
    frame["event"] = turn.emit("MapRunFailed", frame["run"], {"mapRunFailedEventDetails": details})
    _note(turn, frame, "FAILED")
    turn.commands.append({"type": "stop_children", "map_run": frame["arn"]})
    return StateFailed(error, cause)


def _end(turn: Turn, id: str, frame: Frame, state: Map) -> Exit | None:
    if state.result_writer is not None and state.result_writer.resource is not None:
        frame["writing"] = True
        turn.commands.append(_write(turn, id, frame, state))
        return None
    return _succeed(turn, id, frame, state, _results(turn, id, frame))


def _results(turn: Turn, id: str, frame: Frame) -> Json:
    texts = [turn.variables.get(f"{id}:{result_name(index)}") for index in range(frame["size"])]
    return Json(text=f"[{','.join(text for text in texts if text is not None)}]")


def _write(turn: Turn, id: str, frame: Frame, state: Map) -> dict[str, Any]:
    writer = state.result_writer
    assert writer is not None
    scope = StateScope(turn, id, frame, root=effective_input(turn, id, frame, state))
    return {
        "type": "write_results", "frame": id, "task": frame["run"], "resource": writer.resource,
        "arguments": _arguments(writer.arguments, scope), "config": dump(writer.config), "map_run": frame["arn"],
    }  # fmt: skip


def _arguments(query: Query | None, scope: StateScope) -> str:
    """What a reader or writer is given: an object, as JSON text."""
    if query is None:
        return "{}"
    given = query.evaluate_as(scope, dict, "object") if isinstance(query, Template) else query.evaluate(scope)
    return dump(given)


def results_written(turn: Turn, id: str, frame: Frame, state: Map, output: str) -> Exit:
    frame.pop("writing", None)
    return _succeed(turn, id, frame, state, turn.data(output))


def _succeed(turn: Turn, id: str, frame: Frame, state: Map, result: Json) -> Exit:
    frame["event"] = turn.emit("MapRunSucceeded", frame["run"])
    turn.emit("MapStateSucceeded", frame["event"])
    _note(turn, frame, "SUCCEEDED")
    if turn.machine.modern:
        frame["event"] = frame["run"]
    return leave(turn, id, frame, state, result)


def _note(turn: Turn, frame: Frame, status: str) -> None:
    """What is known of the map run once its frame has gone on."""
    ended = {**summary(frame), "status": status, "stopped": turn.now}
    runs = turn.top.get("map_runs", turn.before.get("map_runs", {}))
    turn.top["map_runs"] = {**runs, frame["arn"]: ended}


def summary(frame: Frame) -> dict[str, Any]:
    """A map run in numbers."""
    return {
        "arn": frame["arn"], "status": "RUNNING", "started": frame["started"], "limit": frame["limit"],
        "tolerated": frame["tolerated"], "items": frame["items"], "size": frame["size"], "open": frame["open"],
        "succeeded": frame["succeeded"], "failed": len(frame["failed"]), "redrives": frame.get("redrives", 0),
    }  # fmt: skip


def remove(turn: Turn, id: str, frame: Frame) -> None:
    """The map is over, or begins again: what was kept for it is gone."""
    if frame.pop("run", None) is None:
        return
    turn.forget(id, ITEMS)
    turn.forget(id, BATCHES)
    for index in range(frame.get("size", 0)):
        turn.forget(id, result_name(index))
        turn.forget(id, f"%error:{index}")
    for key in (
        "arn",
        "tolerated",
        "started",
        "items",
        "size",
        "succeeded",
        "failed",
        "reading",
        "writing",
        "redrives",
    ):
        frame.pop(key, None)


def pending(turn: Turn, id: str, frame: Frame, state: Map) -> list[dict[str, Any]]:
    """The commands whose answers the map still waits for."""
    if frame.get("reading"):
        return [_read(turn, id, frame, state)]
    if frame.get("writing"):
        return [_write(turn, id, frame, state)]
    ended = set(frame["failed"])
    waiting = [
        index
        for index in range(frame["next"])
        if index not in ended and f"{id}:{result_name(index)}" not in turn.variables
    ]
    define = {"type": "define", "definition": state.processor_definition}
    return [define, *(start_child(turn, id, frame, state, index) for index in waiting)]
