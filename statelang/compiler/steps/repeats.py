"""Steps that run again and again: every round is the branch of a Parallel, with a scope of its own."""

from __future__ import annotations

from ...spec.flow import END
from ...spec.models import RepeatStep, bodies
from .. import saga
from ..body import Body, Round
from ..errors import REPEAT_EXHAUSTED, route_of
from ..machine import State
from ..rewriting import boxed, braced, quoted
from . import joining


def lower(body: Body, index: int, step: RepeatStep, after: str) -> None:
    machine, repeat = body.machine, step.repeat
    wrapped = machine.holds_compensation(tuple(step.steps))
    [each] = bodies(step)
    number = body.own(step.id, "round", 1)
    steps = Body(
        machine, step.steps, (*body.path, index, *each.path), f"{step.id}.{each.name}",
        outer=body, around=step, wrapped=wrapped, round=Round(),
    )  # fmt: skip
    inner = steps.names(END, renamed={"result": "$states.input"})
    assert steps.round is not None
    if repeat.until is not None:
        steps.round.until = inner.condition(repeat.until)
    if repeat.collect is not None:
        steps.round.found = f"[{inner.bare(repeat.collect.items)}]"
    steps.lower()
    joining.close(steps)
    result = f"{joining.RESULTS}[0]"
    assign: State = {number: braced(f"${number} + 1")}
    good = f"{result}.ok" if wrapped else None
    value = f"{result}.value[0]"
    if wrapped:
        error = body.own(step.id, "error", braced("null"))
        assign[error] = braced(f"{good} ? null : {result}.error")
        assign |= joining.adopted(body, step, [steps], None)
    if repeat.until is not None:
        stop = body.own(step.id, "stop", False)
        assign[stop] = braced(f"{good} ? {result}.stop : false" if good else f"{result}.stop")
    seen = ""
    if repeat.collect is not None:
        seen = body.own(step.id, "seen", {"keys": [], "items": [], "fresh": 0})
        collected = _collected(body, step, seen, f"{result}.found")
        assign[seen] = braced(f"{good} ? {collected} : ${seen}" if good else collected)
    output = braced(f"{good} ? {value} : null" if good else value)
    if repeat.collect is None:
        assign[step.id] = output
    state: State = {
        "Type": "Parallel", "Branches": [steps.definition()], "Assign": assign, "Output": output,
    }  # fmt: skip
    if catchers := joining.catchers(body, step):
        state["Catch"] = catchers
    body.add(step.id, step.id, "repeat", {**state, "Next": body.state("rounds", step.id)})
    _rounds(body, step, after, number, seen, wrapped)


def _collected(body: Body, step: RepeatStep, seen: str, found: str) -> str:
    """An expression for what has been seen, with what the round has found that is new."""
    collect = step.repeat.collect
    assert collect is not None
    key = "$_i" if collect.key is None else body.names(step.id, renamed={"item": "$_i"}).bare(collect.key)
    known = f"$append(${seen}.keys, $_a.keys)"
    item = boxed("$_i")
    return (
        f"($_new := $reduce({found}, function($_a, $_i){{($_k := $string({key});"
        f" $_k in {known} ? $_a : {{'keys': $append($_a.keys, [$_k]), 'items': $append($_a.items, {item})}})}},"
        f" {{'keys': [], 'items': []}});"
        f" {{'keys': $append(${seen}.keys, $_new.keys), 'items': $append(${seen}.items, $_new.items),"
        f" 'fresh': $count($_new.keys)}})"
    )


def _rounds(body: Body, step: RepeatStep, after: str, number: str, seen: str, wrapped: bool) -> None:
    """The Choice `x: rounds`: another, or on."""
    repeat, name = step.repeat, body.state("rounds", step.id)
    rules: list[State] = []
    ends: list[str] = []
    if repeat.until is not None:
        ends.append(f"${body.own(step.id, 'stop', False)}")
    if repeat.collect is not None:
        ends.append(f"${seen}.fresh = 0")
    over = f"${number} > {repeat.max}"
    exhausted = repeat.on_max == "error" or (repeat.on_max is None and repeat.until is not None)
    if not exhausted:
        ends.append(over)
    done: State = {}
    own = f"${seen}.items" if seen else f"${step.id}"
    if seen:
        done = {"Output": braced(own)}
    assign: State = {step.id: braced(own)} if seen else {}
    onward = saga.keep(body, step, body.passing(after, step.id))
    error = body.own(step.id, "error", braced("null")) if wrapped else ""
    fine = f"${error} = null and " if wrapped else ""
    condition = f"{fine}({' or '.join(ends)})"
    for rule in joining.undone(body, step, onward, condition):
        rules.append({**rule, "Assign": {**rule["Assign"], **({step.id: braced(own)} if seen else {})}})
    rules.append(
        {
            "Condition": braced(condition), **({"Assign": assign} if assign else {}), **done,
            "Next": onward,
        }
    )  # fmt: skip
    if exhausted:
        rules.append(_exhausted(body, step, f"{fine}{over}", len(rules), name))
    again = "Default" if not wrapped else f"Choices[{len(rules)}]"
    body.machine.origins.add(step.id, "again", ("repeat",), name, again, rounds=repeat.max)
    if not wrapped:
        body.add(name, step.id, "rounds", {"Type": "Choice", "Choices": rules, "Default": step.id})
        return
    rules.append({"Condition": braced(f"${error} = null"), "Next": step.id})
    default = joining.routes(body, step, name, rules, error)
    body.add(name, step.id, "rounds", {"Type": "Choice", "Choices": rules, **default})


def _exhausted(body: Body, step: RepeatStep, condition: str, place: int, name: str) -> State:
    until = (step.repeat.until or "").strip()
    cause = quoted(
        f"after {step.repeat.max} rounds this does not hold: {until}" if until else "still something new"
    )
    route = route_of(step.on_error, REPEAT_EXHAUSTED)
    if route is not None:
        entry = step.on_error[route]
        body.machine.origins.route(step.id, route, entry.match, name, f"Choices[{place}]")
        assign = {
            body.uses_error(): {"Error": REPEAT_EXHAUSTED, "Cause": braced(cause)},
            step.id: braced("null"),
        }
        return {"Condition": braced(condition), "Assign": assign, "Next": body.target(entry.next)}
    target, assign = body.fail(step.id, "exhausted", f"'{REPEAT_EXHAUSTED}'", cause)
    rule: State = {"Condition": braced(condition), "Next": target}
    return {**rule, "Assign": assign} if assign else rule
