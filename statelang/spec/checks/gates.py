"""Gates: who answers, until when, and what they may fill in."""

from __future__ import annotations

from ..expressions import Path, Scope
from ..models import GateStep
from .checker import Check, Checker


def gate(checker: Checker, step: GateStep, path: Path, scope: Scope) -> None:
    gate, at = step.gate, (*path, "gate")
    checker.data(gate.approvers, (*at, "approvers"), scope)
    checker.data(gate.notify, (*at, "notify"), scope)
    if gate.escalate is not None:
        checker.data(gate.escalate.to, (*at, "escalate", "to"), scope)
    checker.data(gate.message, (*at, "message"), scope)
    checker.data(gate.shows, (*at, "shows"), scope)
    form = checker.contracts.forms.get(step.id) if gate.values is not None else None
    checker.data(gate.values, (*at, "values"), scope, form)
    if gate.values is not None and gate.form is None:
        checker.problem(
            "S203", "`values` are those of a form, and there is none", (*at, "values"), "give a `form`"
        )
    for index, reminder in enumerate(gate.reminders):
        if reminder >= gate.timeout:
            message = f"a reminder after {reminder} s comes too late: the gate ends after {gate.timeout} s"
            checker.problem("S203", message, (*at, "reminders", index))
    if len(set(gate.reminders)) < len(gate.reminders):
        checker.problem("S203", "two reminders at the same time", (*at, "reminders"))
    if gate.on_timeout == "escalate" and gate.escalate is None:
        hint = "such as escalate: {to: [boss@example.com], timeout: 24h}"
        checker.problem("S202", "`escalate` is missing: it says to whom", at, hint)
    if gate.escalate is not None and gate.on_timeout != "escalate":
        hint = "write on_timeout: escalate"
        checker.problem(
            "S203", f"nothing escalates: `on_timeout` is {gate.on_timeout}", (*at, "escalate"), hint
        )


CHECKS: dict[str, Check] = {"gate": gate}
