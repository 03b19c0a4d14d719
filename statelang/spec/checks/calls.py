"""Tasks, child workflows and agents: what is handed out, and what must come back."""

from __future__ import annotations

import re

from ..contracts import ANY, Contract
from ..expressions import Path, Scope, is_expression
from ..models import AgentStep, CallStep, Retry, TaskStep, WorkflowStep
from .checker import Check, Checker, with_known
from .fitting import why_not
from .results import has_loop, retry_of

_WORKFLOW = re.compile(r"[A-Za-z0-9_-]{1,80}(:[A-Za-z0-9_-]{1,80})?|arn:[^:\s]+:states:[^\s]+")


def task(checker: Checker, step: TaskStep, path: Path, scope: Scope) -> None:
    written = None if step.output is None else checker.contracts.steps.get(step.id)
    _call(checker, step, path, scope, has_loop(checker.spec, step, written))
    checker.task_name(step.task, (*path, "task"))
    handler = checker.handlers(step.task)
    if handler is not None and handler.result is not None and written is not None:
        if (reason := why_not(handler.result, written)) is not None:
            message = f"the handler {step.task} answers {handler.result}, and the contract wants {written}"
            checker.problem("S304", message, (*path, "output"), reason)
    _retry(checker, step, path)
    defaults = checker.spec.defaults
    _silence(
        checker, step.timeout or defaults.timeout, step.heartbeat or defaults.heartbeat, step.heartbeat, path
    )


def workflow(checker: Checker, step: WorkflowStep, path: Path, scope: Scope) -> None:
    _call(checker, step, path, scope, has_loop(checker.spec, step, checker.contracts.steps.get(step.id)))
    _retry(checker, step, path)
    at = (*path, "workflow")
    if not _WORKFLOW.fullmatch(step.workflow):
        hint = "write its name, name:alias, or its state machine's ARN"
        checker.problem("S203", f"`{step.workflow}` names no workflow", at, hint)
    elif checker.spec.workflow in (
        step.workflow.partition(":")[0],
        step.workflow.rpartition(":stateMachine:")[2],
    ):
        hint = "`repeat` runs steps again, and `map` runs them for every item"
        checker.problem(
            "S407", f"the workflow `{checker.spec.workflow}` would run itself without end", at, hint
        )


def agent(checker: Checker, step: AgentStep, path: Path, scope: Scope) -> None:
    checker.data(step.intent, (*path, "intent"), scope)
    if is_expression(step.agent):
        checker.problem("S203", "whom it is for is written out, such as claude", (*path, "agent"))
    if step.budget is not None:
        checker.data(step.budget.approvers, (*path, "budget", "approvers"), scope)
    _call(checker, step, path, scope, True)
    _silence(checker, step.timeout, step.heartbeat, step.heartbeat, path)
    budget = step.budget
    if budget is not None and (budget.usd, budget.tokens, budget.time) == (None, None, None):
        checker.problem("S203", "a budget has `usd`, `tokens` or `time`", (*path, "budget"))


def _call(checker: Checker, step: CallStep, path: Path, scope: Scope, loop: bool) -> None:
    contract = checker.contracts.steps.get(step.id, ANY)
    more = {"attempt": Contract("integer"), "violations": ANY} if loop else {}
    if isinstance(step, TaskStep):
        checker.event(step.task, step.input, path, with_known(scope, more))
    else:
        checker.data(step.input, (*path, "input"), with_known(scope, more))
    results = with_known(scope, {"result": contract})
    for index, each in enumerate(step.ensure):
        checker.bare(each.that, (*path, "ensure", index, "that"), results)
        if each.otherwise is not None:
            checker.data(each.otherwise, (*path, "ensure", index, "otherwise"), results)


def _retry(checker: Checker, step: TaskStep | WorkflowStep, path: Path) -> None:
    retry = retry_of(checker.spec, step)
    if not isinstance(step.retry, Retry) or retry is None:
        return
    both = sorted(set(retry.on or []) & set(retry.never))
    if both:
        message = f"`{both[0]}` is both retried and never retried: never wins"
        checker.problem("W901", message, (*path, "retry"), None, "warning")
    if retry.on == []:
        checker.problem(
            "W901",
            "a retry for no error",
            (*path, "retry", "on"),
            "leave `on` out for every error",
            "warning",
        )
    if retry.attempts == 1:
        message = "one attempt in all is no retry"
        checker.problem("W901", message, (*path, "retry", "attempts"), "`retry: none` says so", "warning")


def _silence(
    checker: Checker, timeout: int | None, heartbeat: int | None, own: int | None, path: Path
) -> None:
    """A heartbeat is missed before the time is over, or never."""
    if timeout is not None and heartbeat is not None and heartbeat >= timeout:
        at = (*path, "heartbeat" if own is not None else "timeout")
        checker.problem("S203", f"a heartbeat of {heartbeat} s is never missed within {timeout} s", at)


CHECKS: dict[str, Check] = {"task": task, "workflow": workflow, "agent": agent}
