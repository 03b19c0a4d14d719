"""What gate and agent steps hand to the work handler, and what its Tasks have in common.

The handler stores one work item for each execution, step, iteration and round; the answer comes by the Task's token. A
Task that asks again for the same item brings a new token.
"""

from __future__ import annotations

from typing import Any

from ...spec.models import AgentStep, GateStep
from ..body import Body
from ..calling import INVOKE
from ..machine import State
from ..rewriting import braced

FUNCTION = "stratum-work"
WAITING = f"{INVOKE}.waitForTaskToken"
NOTIFY_SECONDS = 60
"""How long it may take to remind somebody."""


def payload(
    body: Body, step: GateStep | AgentStep, kind: str, seconds: Any, deadline: str, fields: State, round: Any
) -> State:
    """The event of the work handler. `seconds` is for how long it is asked, `deadline` an expression for its end."""
    spec = body.machine.spec
    iteration = " & '/' & ".join(f"$string({each})" for each in body.iteration())
    token: State = {}
    if kind in ("gate", "agent"):
        token = {"token": braced("$states.context.Task.Token")}
    return {
        "kind": kind,
        **token,
        "execution": braced("$states.context.Execution.Id"),
        "workflow": spec.workflow,
        "version": spec.version,
        "step": step.id,
        "iteration": braced(iteration) if iteration else None,
        "round": round,
        "timeout": seconds,
        "deadline": braced(f"$fromMillis({deadline})"),
        **fields,
    }


def round_of(body: Body, step: GateStep | AgentStep) -> Any:
    """Which time the step is reached, where a gate may lead back to before it."""
    return braced(f"${body.own(step.id, 'run', 1)}") if body.machine.revised(step.id) else 1


def arguments(given: State) -> State:
    return {"FunctionName": FUNCTION, "Payload": given}


def due(body: Body, seconds: int | str) -> str:
    """An expression for the time in milliseconds, so many seconds from now, or that of the workflow's deadline."""
    at = f"$millis() + {seconds} * 1000"
    deadline = body.deadline()
    return at if deadline is None else f"$min([{at}, {deadline}])"
