"""Decisions, waits, sets, and the steps that end a list."""

from __future__ import annotations

from ..expressions import Path, Scope, is_expression
from ..models import DecisionStep, FailStep, SetStep, SucceedStep, Until, WaitStep, seconds_of
from .checker import Check, Checker


def decision(checker: Checker, step: DecisionStep, path: Path, scope: Scope) -> None:
    for index, branch in enumerate(step.decision):
        at = (*path, "decision", index)
        if branch.when is not None:
            checker.bare(branch.when, (*at, "when"), scope)
        elif index != len(step.decision) - 1:
            checker.problem("S405", "a branch without `when` is the default, and comes last", at)
    if step.decision[-1].when is not None:
        hint = "end it with a branch that has no `when`: {next: …}"
        checker.problem("S404", f"the decision `{step.id}` has no default", (*path, "decision"), hint)
    if step.next is not None:
        checker.problem("S208", "a decision's branches say where it leads", (*path, "next"))


def wait(checker: Checker, step: WaitStep, path: Path, scope: Scope) -> None:
    at = (*path, "wait")
    if isinstance(step.wait, Until):
        checker.data(step.wait.until, (*at, "until"), scope)
    elif is_expression(step.wait):
        checker.data(step.wait, at, scope)
    else:
        try:
            seconds_of(step.wait)
        except ValueError as error:
            checker.problem("S203", str(error), at)


def set_(checker: Checker, step: SetStep, path: Path, scope: Scope) -> None:
    checker.data(step.set, (*path, "set"), scope)


def succeed(checker: Checker, step: SucceedStep, path: Path, scope: Scope) -> None:
    # Within another step it is the result of the branch, item or round, whose type is what stands here.
    contract = checker.contracts.output if len(path) == 2 else None
    checker.data(step.succeed, (*path, "succeed"), scope, contract)
    _ends(checker, step, path)


def fail(checker: Checker, step: FailStep, path: Path, scope: Scope) -> None:
    if not step.fail.strip() or is_expression(step.fail):
        hint = "what is computed goes into `because`"
        checker.problem("S203", "an error's name is written out, such as TooLate", (*path, "fail"), hint)
    if step.fail.startswith("States."):
        message = f"`{step.fail}`: names that begin with `States.` are ASL's own"
        checker.problem("S203", message, (*path, "fail"))
    checker.data(step.because, (*path, "because"), scope)
    _ends(checker, step, path)


def _ends(checker: Checker, step: SucceedStep | FailStep, path: Path) -> None:
    if step.next is not None:
        hint = "where it is skipped, it leads on to the step below"
        checker.problem("S208", f"a `{step.kind}` step leads nowhere", (*path, "next"), hint)


CHECKS: dict[str, Check] = {
    "decision": decision,
    "wait": wait,
    "set": set_,
    "succeed": succeed,
    "fail": fail,
}
