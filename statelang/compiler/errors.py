"""The errors that specs raise, and how ASL's matching of names is written where there is no Catch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..spec.models import ErrorRoute

ALL = "States.ALL"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TOLERATED_EXCEEDED = "States.ExceedToleratedFailureThreshold"

POSTCONDITION_FAILED = "Stratum.PostconditionFailed"
CONTRACT_VIOLATED = "Stratum.ContractViolated"
PRECONDITION_FAILED = "Stratum.PreconditionFailed"
REJECTED = "Stratum.Rejected"
GATE_TIMED_OUT = "Stratum.GateTimedOut"
BUDGET_EXCEEDED = "Stratum.BudgetExceeded"
REPEAT_EXHAUSTED = "Stratum.RepeatExhausted"
WORKFLOW_TIMED_OUT = "Stratum.WorkflowTimedOut"
COMPENSATION_FAILED = "Stratum.CompensationFailed"
STEP_FAILED = "Stratum.StepFailed"
"""For errors of ASL's own, whose names no Fail state may use: the cause has the error whole."""

CHECKS = (POSTCONDITION_FAILED, CONTRACT_VIOLATED)
_OURS = frozenset((*CHECKS, PRECONDITION_FAILED, REJECTED, GATE_TIMED_OUT, BUDGET_EXCEEDED, REPEAT_EXHAUSTED))


def caught(route: ErrorRoute, *, within: bool = False) -> list[str]:
    """The names of a route for a Catch, `[States.ALL]` for every error.

    What the states around a Task raise, and not the Task itself, is left out; `within` tells of a state that holds
    others, out of which anything may come.
    """
    if route.match is None or ALL in route.match:
        return [ALL]
    return [name for name in route.match if within or name not in _OURS]


def route_of(routes: Sequence[ErrorRoute], error: str) -> int | None:
    """The number of the route that an error of that name takes."""
    for number, route in enumerate(routes):
        if route.match is None or {error, ALL} & set(route.match):
            return number
    return None


def matches(names: Iterable[str], error: str) -> str:
    """A condition: whether the error (an expression for its name) is one of these, as ErrorEquals would have it."""
    listed = [name for name in names if name != "States.TaskFailed"]
    found = [f"{error} in [{', '.join(repr(name) for name in listed)}]"] if listed else []
    if "States.TaskFailed" in names:
        found.append(f"$not({error} in ['{TIMEOUT}', '{HEARTBEAT_TIMEOUT}'])")
    return " or ".join(found)


def reraised(error: str, step: str) -> tuple[str, str]:
    """Expressions for `Error` and `Cause` of a Fail state that raises the error again. `step` is a string's expression."""
    own = f"$substring({error}.Error, 0, 7) = 'States.'"
    plain = f"{{'Error': {error}.Error, 'Cause': {error}.Cause}}"
    return (
        f"{own} ? '{STEP_FAILED}' : {error}.Error",
        f"{own} ? $string({{'step': {step}, 'error': {plain}}}) : {error}.Cause",
    )
