"""What was done and can be undone: the stack, and how it is unwound.

The stack is a variable: a list of `{step, at, input}`, the latest first, with the input of the compensation as it was
computed when the step was done. An answer that its contract or an `ensure` refuses was given all the same, and what it
tells of is undone as far as it tells. So the input is computed there only by what cannot fail; else the entry has
what it is computed from (`given`), and the compensation's Task computes it.

Lists of steps within steps have stacks of their own and hand them up. An error that nothing catches leads to the
workflow's own list, which takes one entry after the other off the stack, and ends with that error. A compensation that
fails for good stops there: `redrive` begins with it again, or goes on after it where its input could not be computed.
"""

from __future__ import annotations

from typing import Any

from .. import jsonata
from ..spec.contracts import ANY, Contract
from ..spec.expressions import contract_of, templates
from ..spec.inference import infer
from ..spec.models import AnyStep, FallibleStep, Retry
from . import guards
from .body import Body, Unwinding
from .calling import arguments, resource, retriers
from .errors import ALL, COMPENSATION_FAILED, reraised
from .machine import State
from .rewriting import Names, braced, quoted

PATIENT = Retry.model_validate({"attempts": 5, "delay": 1})
"""How a compensation is tried again where the spec does not say."""


def entry(body: Body, step: FallibleStep, result: str) -> str:
    """An expression for the stack's entry of a step that came to `result`, whatever that is: it cannot fail."""
    assert step.compensate is not None
    input = {} if step.compensate.input is None else step.compensate.input
    names = body.names(step.id, renamed={step.id: "$_done"})
    # The answer may not be as its contract says.
    known = body.names(step.id, {step.id: ANY}).known
    if any(guards.may_raise(text, known) for text, _, _ in templates(input, ())):
        what = f"'given': {_given(body, step, input, names)}"
    else:
        what = f"'input': {names.value(input)}"
        _holds(body, "input", infer(input, names.known))
    # On another machine the clock may be behind: what was done later must not seem to have been done before.
    at = f"$max([$millis(), ${body.saga}[0].at])"
    return f"($_done := {result}; {{'step': '{step.id}', 'at': {at}, {what}}})"


def _given(body: Body, step: FallibleStep, input: Any, names: Names) -> str:
    """An expression for what the input is computed from, when it is computed later."""
    taken: dict[str, str] = {}
    later: dict[str, str] = {}
    for text, _, _ in templates(input, ()):
        for reference in jsonata.free_variables(jsonata.compile(text).ast):
            # The input is there until the end; functions always are.
            if names.renamed(reference.name) in (None, "$states.context") or reference.name == "input":
                continue
            path = text[reference.start : _end(reference)]
            if path not in later:
                key = f"g{len(later)}"
                later[path] = f"${body.root.saga}[0].given.{key}"
                taken[key] = names.expression(path)
                _holds(body, f"given.{key}", contract_of(path, names.known) or ANY)
    body.machine.undoing[step.id] = _Later(names, later).value(input)
    return "{" + ", ".join(f"{quoted(key)}: {expression}" for key, expression in taken.items()) + "}"


def _holds(body: Body, field: str, contract: Contract) -> None:
    """What entries have in that field, in the list's own stack and in those that it is handed up to."""
    at: Body | None = body
    while at is not None:
        if at.saga is not None:
            body.machine.values.append((f"{at.saga}[].{field}", contract))
        at = at.outer


class _Later(Names):
    """Data as it is computed when the step is undone: `taken` tells what became of paths from variables."""

    def __init__(self, names: Names, taken: dict[str, str]):
        super().__init__(names.known, {"input": "$input"})
        self._taken = taken

    def expression(self, text: str) -> str:
        made, position = "", 0
        for reference in jsonata.free_variables(jsonata.compile(text).ast):
            end = _end(reference)
            other = self._taken.get(text[reference.start : end])
            if other is None:
                other, end = self.renamed(reference.name), reference.end
            if other is not None:
                made += text[position : reference.start] + other
                position = end
        return made + text[position:]


def _end(reference: jsonata.Reference) -> int:
    """Where the reference ends, with the fields that follow the variable."""
    return reference.path[-1].end if reference.path else reference.end


def push(body: Body, step: FallibleStep, result: str) -> State:
    """What to assign when the step is done."""
    if step.compensate is None or body.saga is None:
        return {}
    return {body.saga: braced(f"[{entry(body, step, result)}, ${body.saga}]")}


def keep(body: Body, step: AnyStep, onward: str) -> str:
    """A state that pushes the step once its result is in its variable: for where it was no Task that gave it.
    Answers the state to go on with."""
    if not isinstance(step, FallibleStep) or step.compensate is None or body.saga is None:
        return onward
    name = body.state("kept", step.id)
    state: State = {
        "Type": "Pass", "Assign": push(body, step, f"${step.id}"), "Output": braced(f"${step.id}"), "Next": onward,
    }  # fmt: skip
    body.add(name, step.id, "kept", state)
    return name


def merged(results: str) -> str:
    """An expression for the stacks in the results of wrapped lists, as one: the latest first. Sorting is stable, so of
    what was done in the same millisecond the later item's comes first."""
    return f"$sort($reverse({results}).saga, function($_l, $_r){{$_l.at < $_r.at}})"


def compensate(body: Body) -> None:
    """The states that unwind the stack of the workflow's own list, once something leads there."""
    unwinding = body.unwinding
    assert unwinding is not None
    start, saga = body.state("compensate"), f"${body.saga}"
    body.variables[unwinding.stuck] = braced("null")
    rules: list[State] = []
    if unwinding.keep is not None:
        rules.append(
            {"Condition": braced(f"$count({saga}) <= ${unwinding.keep}"), "Next": body.state("compensated")}
        )
        _undone(body, unwinding)
    for id, step in body.machine.compensated.items():
        name = body.state("compensate", id)
        rules.append({"Condition": braced(f"{saga}[0].step = '{id}'"), "Next": name})
        _one(body, unwinding, step, name, start)
    body.add(start, None, "compensate", {"Type": "Choice", "Choices": rules, "Default": body.state("failed")})
    error, cause = reraised(f"${body.uses_error()}", f"${body.error}.Step")
    body.add(
        body.state("failed"), None, "failed", {"Type": "Fail", "Error": braced(error), "Cause": braced(cause)}
    )
    _stuck(body, unwinding, start)


def _one(body: Body, unwinding: Unwinding, step: FallibleStep, name: str, start: str) -> None:
    compensation = step.compensate
    assert compensation is not None
    retry = PATIENT if compensation.retry is None else compensation.retry
    timeout = compensation.timeout or body.machine.spec.defaults.timeout
    undoing = body.machine.undoing.get(step.id, f"${body.saga}[0].input")
    popped = braced(f"[${body.saga}[[1..$count(${body.saga})]]]")
    stuck = (
        f"{{'step': '{step.id}', 'redrives': $states.context.Execution.RedriveCount,"
        " 'error': {'Error': $states.errorOutput.Error, 'Cause': $states.errorOutput.Cause}}"
    )
    state: State = {
        "Type": "Task",
        "Resource": resource(compensation.task),
        "Arguments": arguments(compensation.task, braced(undoing)),
        **({"TimeoutSeconds": timeout} if timeout is not None else {}),
        "Assign": {body.saga or "": popped},
        "Retry": [] if retry == "none" else retriers(retry),
        "Catch": [
            {
                "ErrorEquals": [names],
                "Assign": {**more, unwinding.stuck: braced(stuck)},
                "Next": body.state("stuck"),
            }
            for names, more in (
                # An input that cannot be computed will not be another time: a redrive goes on with what is below.
                ("States.QueryEvaluationError", {body.saga: popped}),
                ("States.DataLimitExceeded", {}),  # which States.ALL leaves out
                (ALL, {}),
            )
        ],
        "Next": start,
    }
    if not state["Retry"]:
        del state["Retry"]
    body.machine.origins.add(step.id, "compensated", ("compensate",), name, "")
    body.add(name, step.id, "compensate", state)


def _stuck(body: Body, unwinding: Unwinding, start: str) -> None:
    """The end of a saga whose compensation failed: both errors, and a way on after a redrive.

    A redrive begins with the state that failed, and a Fail state fails again. So it is the branch of a Parallel, which
    is retried once: its first state sees that there was a redrive since, and lets the compensation begin again. (AWS
    counts the retries of a Parallel from the start after a redrive.)
    """
    name, stuck = body.state("stuck"), f"${unwinding.stuck}"
    names = [body.state(what) for what in ("redriven", "go on", "compensation failed")]
    redriven, on, failed = names
    for each, role in zip(names, ("stuck", "go on", "failed"), strict=True):
        body.machine.roles[each] = (None, role)
    error = f"${body.error} = null ? null : {{'Error': ${body.error}.Error, 'Cause': ${body.error}.Cause}}"
    cause = (
        f"$string({{'step': {stuck}.step, 'compensation': {stuck}.error,"
        f" 'error': {error}, 'left': [${body.saga}.step]}})"
    )
    again = f"$states.context.Execution.RedriveCount > {stuck}.redrives ? true : false"
    branch: State = {
        "StartAt": redriven,
        "States": {
            redriven: {
                "Type": "Choice",
                "Choices": [{"Condition": braced(again), "Next": on}],
                "Default": failed,
            },
            on: {"Type": "Succeed"},
            failed: {"Type": "Fail", "Error": COMPENSATION_FAILED, "Cause": braced(cause)},
        },
    }
    retry = {"ErrorEquals": [COMPENSATION_FAILED], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1}
    body.add(name, None, "stuck", {"Type": "Parallel", "Branches": [branch], "Retry": [retry], "Next": start})


def _undone(body: Body, unwinding: Unwinding) -> None:
    """After items that failed and were tolerated have been undone, the workflow goes on."""
    rules = [
        {"Condition": braced(f"${unwinding.then} = '{id}'"), "Output": braced(f"${id}"), "Next": target}
        for id, target in unwinding.after.items()
    ]
    state: State = {"Type": "Choice", "Choices": rules, "Default": body.state("failed")}
    body.add(body.state("compensated"), None, "compensated", state)
