"""Steps for every item of an array."""

from __future__ import annotations

from typing import Any

from ...engine import ways
from ...spec.models import MapStep, bodies
from .. import saga
from ..body import Body
from ..errors import TOLERATED_EXCEEDED
from ..machine import State
from ..rewriting import braced
from . import joining


def lower(body: Body, index: int, step: MapStep, after: str) -> None:
    machine, over = body.machine, step.map
    holds = machine.holds_compensation(tuple(step.steps))
    # ASL's own tolerance is for distributed maps; and what failed there is not undone.
    wrapped = holds or (over.tolerate is not None and over.mode == "inline")
    [item] = bodies(step)
    items = Body(
        machine, step.steps, (*body.path, index, *item.path), f"{step.id}.{item.name}",
        outer=body, around=step, wrapped=wrapped,
    )  # fmt: skip
    items.lower()
    joining.close(items)
    definition = items.definition()
    names = body.names(step.id)
    array: Any = (
        names.template(over.items) if isinstance(over.items, list) else braced(names.array(over.items))
    )
    state: State = {"Type": "Map", "Items": array}
    for place in ways.counts(len(array) if isinstance(array, list) else None):
        machine.origins.add(step.id, place, ("map", "items"), step.id, place)
    if over.max_concurrency is not None:
        state["MaxConcurrency"] = over.max_concurrency
    config: State = {"Mode": "INLINE"}
    if over.mode == "distributed":
        config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        # An execution of its own sees nothing around it but what it is handed.
        handed = {alias: braced(expression) for alias, expression in items.captured.items()}
        state["ItemSelector"] = {
            "item": braced("$states.context.Map.Item.Value"),
            "index": braced("$states.context.Map.Item.Index"),
            **handed,
        }
    state["ItemProcessor"] = {"ProcessorConfig": config, **definition}
    if over.tolerate is not None and not wrapped:
        count = over.tolerate
        state |= (
            {"ToleratedFailurePercentage": _number(count)}
            if isinstance(count, str)
            else {"ToleratedFailureCount": count}
        )
    error = ""
    if wrapped:
        error = body.own(step.id, "error", braced("null"))
        value = f"[{joining.RESULTS}[ok].value]"
        failure = _failure(step)
        tolerated = over.tolerate is not None
        own = saga.entry(body, step, value) if step.compensate is not None and body.saga else None
        state["Assign"] = {
            step.id: braced(f"{failure} = null ? {value} : null"),
            error: braced(failure),
            **joining.adopted(
                body, step, [items], f"({failure} = null ? {own})" if own else None, tolerated and holds
            ),
        }
        state["Output"] = braced(f"{failure} = null ? {value} : null")
        leads: State = {"Next": body.state("join", step.id)}
    else:
        result = braced(joining.RESULTS)
        state["Assign"] = {step.id: result, **saga.push(body, step, joining.RESULTS)}
        state["Output"] = result
        leads = body.leads_to(after)
    if catchers := joining.catchers(body, step):
        state["Catch"] = catchers
    body.add(step.id, step.id, "map", {**state, **leads})
    if wrapped:
        joining.join(body, step, after, error)


def _failure(step: MapStep) -> str:
    """An expression for the error that ends the map, or null: more items failed than are tolerated."""
    failed, tolerate = f"$count({joining.FAILED})", step.map.tolerate
    if tolerate is None:
        return f"({failed} = 0 ? null : {joining.FAILED}[0].error)"
    allowed = f"{failed} <= {tolerate}"
    if isinstance(tolerate, str):
        allowed = f"{failed} * 100 <= {_number(tolerate)} * $count({joining.RESULTS})"
    cause = (
        f"$string({{'step': '{step.id}', 'failed': {failed}, 'items': $count({joining.RESULTS}),"
        f" 'tolerated': '{tolerate}', 'first': {joining.FAILED}[0].error}})"
    )
    return f"({allowed} ? null : {{'Error': '{TOLERATED_EXCEEDED}', 'Cause': {cause}}})"


def _number(percentage: str) -> int | float:
    number = float(percentage.rstrip("%"))
    return int(number) if number == int(number) else number
