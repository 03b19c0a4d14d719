"""Decisions, waits, sets, and the steps that end a list."""

from __future__ import annotations

from typing import Any

from ...spec.expressions import inside, is_expression
from ...spec.models import DecisionStep, FailStep, SetStep, SucceedStep, Until, WaitStep, seconds_of
from .. import guards, timing
from ..body import Body
from ..machine import State
from ..rewriting import braced, quoted


def decision_stages(body: Body, step: DecisionStep) -> list[str]:
    known = body.names(step.id).known
    texts = [branch.when for branch in step.decision if branch.when is not None]
    texts = [inside(text)[0] if is_expression(text) else text.strip() for text in texts]
    if body.guarded(step.id) and any(guards.may_raise(text, known) for text in texts):
        return [body.state("branch guarded", step.id)]
    return []


def decision(body: Body, step: DecisionStep) -> None:
    names = body.names(step.id)
    branches = [branch for branch in step.decision if branch.when is not None]
    conditions = [names.condition(branch.when or "") for branch in branches]
    guard = body.state("branch guarded", step.id)
    if body.has(step.id, guard):
        variable = body.own(step.id, "branch", 0)
        chosen = " : ".join(f"({condition}) ? {number}" for number, condition in enumerate(conditions))
        computed = braced(f"{chosen} : {len(conditions)}")
        body.guard(
            guard, step.id, step.id, computed, lambda value: {variable: braced(value)}, {"Next": step.id}
        )
        conditions = [f"${variable} = {number}" for number in range(len(conditions))]
    rules = [
        {"Condition": braced(condition), "Next": body.target(branch.next)}
        for condition, branch in zip(conditions, branches, strict=True)
    ]
    default = body.target(step.decision[-1].next)
    for number, branch in enumerate(step.decision if rules else ()):
        place = "Default" if branch.when is None else f"Choices[{number}]"
        text = "otherwise" if branch.when is None else branch.when.strip()
        body.machine.origins.add(step.id, "branch", ("decision", number), step.id, place, text)
    state: State = (
        {"Type": "Choice", "Choices": rules, "Default": default}
        if rules
        else {"Type": "Pass", "Next": default}
    )
    body.add(step.id, step.id, "decision", state)


def wait(body: Body, step: WaitStep, after: str) -> None:
    names = body.names(step.id)
    timed = body.deadline() is not None
    leads: State = {"Next": body.state("in time", step.id)} if timed else body.leads_to(after)
    field: State
    fallible = True
    if isinstance(step.wait, Until):
        until = names.template(step.wait.until)
        fallible = is_expression(until)
        if timed:
            written = inside(until)[0] if is_expression(until) else quoted(until)
            until = braced(f"$fromMillis($min([$toMillis({written}), {body.deadline()}]))")
        field = {"Timestamp": until}
    elif is_expression(step.wait):
        field = {"Seconds": timing.capped(body, inside(names.template(step.wait))[0])}
    else:
        fallible = False
        field = {"Seconds": timing.capped(body, seconds_of(step.wait))}
    state: State = {"Type": "Wait", **field}
    if fallible and body.guarded(step.id):
        inner = body.state("waits", step.id)
        body.machine.roles[inner] = (step.id, "waits")
        branch = {"StartAt": inner, "States": {inner: {**state, "End": True}}}
        state = {"Type": "Parallel", "Branches": [branch], "Catch": body.catch_all(step.id)}
    body.add(step.id, step.id, "wait", {**state, "Output": braced("null"), **leads})
    if timed:
        rules = timing.late(body, step.id)
        choice: State = {"Type": "Choice", "Choices": rules, "Default": body.target(after)}
        body.add(body.state("in time", step.id), step.id, "in time", choice)


def set_(body: Body, step: SetStep, after: str) -> None:
    made = body.names(step.id).template(step.set)
    _computed(
        body, step, "set", made, {step.id: made}, body.leads_to(after), lambda value: {step.id: braced(value)}
    )


def succeed(body: Body, step: SucceedStep) -> None:
    """Ends the workflow with a result; within another step, the branch, item or round."""
    made = body.names(step.id).template(step.succeed)
    closing = body.closing_of_value()
    if closing is None and not (body.guarded(step.id) and body.may_fail(step.succeed, step.id)):
        body.add(step.id, step.id, "succeed", {"Type": "Succeed", "Output": made})
        return
    leads: State = {"End": True} if closing is None else {"Next": closing}
    _computed(body, step, "succeed", made, {}, leads, lambda value: {})


def _computed(
    body: Body, step: SetStep | SucceedStep, role: str, made: Any, assign: State, leads: State, guarded: Any
) -> None:
    """A Pass that puts out data; where that may fail and nothing could catch it, a guard."""
    data = step.set if isinstance(step, SetStep) else step.succeed
    if body.guarded(step.id) and body.may_fail(data, step.id):
        body.guard(step.id, step.id, step.id, made, guarded, leads, role)
        return
    state: State = {"Type": "Pass", **({"Assign": assign} if assign else {}), "Output": made, **leads}
    body.add(step.id, step.id, role, state)


def fail(body: Body, step: FailStep) -> None:
    names = body.names(step.id)
    target = body.uncaught(step.id)
    if target is None:
        state: State = {"Type": "Fail", "Error": step.fail}
        if step.because is not None:
            state["Cause"] = names.template(step.because)
        body.add(step.id, step.id, "fail", state)
        return
    error, cause = quoted(step.fail), f"$string({names.text(step.because or '')})"
    if body.may_fail(step.because, step.id):
        body.guard(
            step.id, step.id, step.id, braced(cause), lambda value: body.raised(step.id, error, value), {"Next": target},
            "fail",
        )  # fmt: skip
        return
    state = {"Type": "Pass", "Assign": body.raised(step.id, error, cause), "Next": target}
    body.add(step.id, step.id, "fail", state)
