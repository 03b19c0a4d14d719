"""Time limits: those of a step, and the deadline of a workflow that has something to undo.

A machine's own timeout cannot be caught. So where there are compensations, the workflow's timeout is a deadline that every
Task's TimeoutSeconds and every Wait respects.
"""

from __future__ import annotations

from typing import Any

from .body import Body
from .errors import WORKFLOW_TIMED_OUT
from .machine import State
from .rewriting import braced, quoted


def limit(body: Body, seconds: int | str | None) -> Any:
    """`TimeoutSeconds` of a Task: a number, an expression, or None. Past the deadline the Task does not begin."""
    deadline = body.deadline()
    if deadline is None:
        return braced(seconds) if isinstance(seconds, str) else seconds
    left = f"$ceil(({deadline} - $millis()) / 1000)"
    most = left if seconds is None else f"$min([{seconds}, {left}])"
    return braced(f"$millis() < {deadline} ? $max([1, {most}])")


def capped(body: Body, seconds: int | str) -> Any:
    """`Seconds` of a Wait that the deadline cuts short."""
    deadline = body.deadline()
    if deadline is None:
        return braced(seconds) if isinstance(seconds, str) else seconds
    return braced(f"$max([0, $min([{seconds}, $ceil(({deadline} - $millis()) / 1000)])])")


def late(body: Body, step: str) -> list[State]:
    """Choice rules for where the deadline has passed while something waited."""
    deadline = body.deadline()
    if deadline is None:
        return []
    message = quoted(f"the workflow did not end within {body.machine.spec.timeout} s")
    target, assign = body.fail(step, "too late", f"'{WORKFLOW_TIMED_OUT}'", message)
    rule: State = {"Condition": braced(f"$millis() >= {deadline}"), "Next": target}
    return [{**rule, "Assign": assign} if assign else rule]
