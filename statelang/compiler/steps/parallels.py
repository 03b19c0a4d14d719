"""Branches that run at the same time."""

from __future__ import annotations

from ...spec.models import ParallelStep, bodies
from .. import saga
from ..body import Body
from ..machine import State
from ..rewriting import braced, quoted
from . import joining


def lower(body: Body, index: int, step: ParallelStep, after: str) -> None:
    machine = body.machine
    wrapped = any(machine.holds_compensation(tuple(each.steps)) for each in bodies(step))
    lists = [
        Body(
            machine, each.steps, (*body.path, index, *each.path), f"{step.id}.{each.name}",
            outer=body, around=step, wrapped=wrapped,
        )
        for each in bodies(step)
    ]  # fmt: skip
    for each in lists:
        each.lower()
        joining.close(each)
    names = [each.name for each in bodies(step)]
    state: State = {"Type": "Parallel", "Branches": [each.definition() for each in lists]}
    for at, each in enumerate(bodies(step)):
        machine.origins.add(step.id, "parallel", each.path, step.id, f"Branches[{at}]", each.name)
    error = ""
    if wrapped:
        error = body.own(step.id, "error", braced("null"))
        fields = ", ".join(
            f"{quoted(name)}: {joining.RESULTS}[{at}].value[0]" for at, name in enumerate(names)
        )
        value = f"{{{fields}}}"
        good = f"$count({joining.FAILED}) = 0"
        own = saga.entry(body, step, value) if step.compensate is not None and body.saga else None
        state["Assign"] = {
            step.id: braced(f"{good} ? {value} : null"),
            error: braced(f"{good} ? null : {joining.FAILED}[0].error"),
            **joining.adopted(body, step, lists, f"({good} ? {own})" if own else None),
        }
        state["Output"] = braced(f"{good} ? {value} : null")
        leads: State = {"Next": body.state("join", step.id)}
    else:
        made = {name: braced(f"{joining.RESULTS}[{at}]") for at, name in enumerate(names)}
        fields = ", ".join(f"{quoted(name)}: {joining.RESULTS}[{at}]" for at, name in enumerate(names))
        state["Assign"] = {step.id: made, **saga.push(body, step, f"{{{fields}}}")}
        state["Output"] = made
        leads = body.leads_to(after)
    if catchers := joining.catchers(body, step):
        state["Catch"] = catchers
    body.add(step.id, step.id, "parallel", {**state, **leads})
    if wrapped:
        joining.join(body, step, after, error)
