"""What stands before a step: `when`, and `needs` with its waiting."""

from __future__ import annotations

from ...spec.models import AnyStep, FallibleStep
from .. import timing
from ..body import Body
from ..errors import PRECONDITION_FAILED, route_of
from ..machine import State
from ..rewriting import Names, braced, quoted


def lower(body: Body, step: AnyStep, after: str) -> None:
    names = body.names(step.id)
    if step.when is not None:
        _when(body, step, step.when, after, names)
    if step.needs:
        _needs(body, step, names)


def _when(body: Body, step: AnyStep, when: str, after: str, names: Names) -> None:
    name, guard = body.state("when", step.id), body.state("when guarded", step.id)
    condition = names.condition(when)
    if body.has(step.id, guard):
        variable = body.own(step.id, "when", False)
        body.guard(
            guard,
            step.id,
            step.id,
            braced(condition),
            lambda value: {variable: braced(value)},
            {"Next": name},
        )
        condition = f"${variable}"
    origins = body.machine.origins
    origins.add(step.id, "when", ("when",), name, "Choices[0]", when.strip())
    origins.add(step.id, "skipped", ("when",), name, "Default", when.strip())
    rule = {"Condition": braced(condition), "Next": body.after(step.id, name)}
    body.add(name, step.id, "when", {"Type": "Choice", "Choices": [rule], "Default": body.target(after)})


def _needs(body: Body, step: AnyStep, names: Names) -> None:
    """A Choice that goes on where every condition holds; one with `within` comes back to it after a while."""
    needs = step.needs or []
    name, guard = body.state("needs", step.id), body.state("needs guarded", step.id)
    origins = body.machine.origins
    origins.add(step.id, "ready", ("needs",), name, "Default")
    lacking = [f"({names.bare(need.that)}) ? false : true" for need in needs]
    causes = [
        names.text(need.otherwise)
        if need.otherwise is not None
        else quoted(f"{need.that.strip()} does not hold")
        for need in needs
    ]
    first = name
    if body.has(step.id, guard):
        found = body.own(step.id, "needs", [])
        computed = [
            {"lacking": braced(lack), "cause": braced(f"({lack}) ? {cause} : ''")}
            for lack, cause in zip(lacking, causes, strict=True)
        ]
        body.guard(
            guard, step.id, step.id, computed, lambda value: {found: braced(f"[{value}]")}, {"Next": name}
        )
        lacking = [f"${found}[{number}].lacking" for number in range(len(needs))]
        causes = [f"${found}[{number}].cause" for number in range(len(needs))]
        first = guard
    routes = step.on_error if isinstance(step, FallibleStep) else []
    failing = route_of(routes, PRECONDITION_FAILED)
    waits = any(need.within is not None for need in needs)
    rules: list[State] = timing.late(body, step.id) if waits else []
    for number, need in enumerate(needs):
        at, said = ("needs", number), need.that.strip()
        if need.within is not None:
            waited = body.own(step.id, "waited", 0)
            waiting = body.state("waiting" + (f" {number + 1}" if number else ""), step.id)
            rounds = -(-need.within // need.every) + 1
            origins.add(step.id, "waiting", at, name, f"Choices[{len(rules)}]", said, rounds)
            condition = braced(f"({lacking[number]}) and ${waited} < {need.within}")
            rules.append({"Condition": condition, "Next": waiting})
            state: State = {
                "Type": "Wait", "Seconds": timing.capped(body, need.every),
                "Assign": {waited: braced(f"${waited} + {need.every}")}, "Next": first,
            }  # fmt: skip
            body.add(waiting, step.id, "waiting", state)
        origins.add(step.id, "not ready", at, name, f"Choices[{len(rules)}]", said)
        if failing is not None:
            origins.route(step.id, failing, routes[failing].match, name, f"Choices[{len(rules)}]")
            error = {"Error": PRECONDITION_FAILED, "Cause": braced(causes[number])}
            target, assign = body.target(routes[failing].next), {body.uses_error(): error}
        else:
            target, assign = _not_ready(body, step, causes[number])
        rules.append({"Condition": braced(lacking[number]), "Assign": assign, "Next": target})
    default = body.after(step.id, name)
    body.add(name, step.id, "needs", {"Type": "Choice", "Choices": rules, "Default": default})


def _not_ready(body: Body, step: AnyStep, cause: str) -> tuple[str, State]:
    """Where a condition leads that does not hold, when nothing catches that."""
    target = body.uncaught(step.id)
    if target is not None:
        return target, body.raised(step.id, f"'{PRECONDITION_FAILED}'", cause)
    error = body.uses_error()
    name = body.state("not ready", step.id)
    state = {"Type": "Fail", "Error": PRECONDITION_FAILED, "Cause": braced(f"${error}.Cause")}
    body.add(name, step.id, "not ready", state)
    return name, {error: {"Error": PRECONDITION_FAILED, "Cause": braced(cause)}}
