"""Goes through the steps of a spec and finds everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ... import jsonata
from ..contracts import ANY, Contract
from ..diagnostics import Diagnostic
from ..expressions import Path, Scope, check_expression, inside, is_expression, templates, when_true
from ..flow import END, Flow, build
from ..models import (
    AnyStep,
    DecisionStep,
    FailStep,
    Retry,
    SetStep,
    Spec,
    SucceedStep,
    TaskStep,
    Until,
    WaitStep,
    seconds_of,
)
from .fitting import misfits
from .results import contracts_of, has_loop, retry_of


def check(spec: Spec, missing: Sequence[str] = ()) -> list[Diagnostic]:
    """Everything that is wrong with the spec. `missing` are steps that it should have too: then flow is not judged."""
    return _Checker(spec, missing).findings


class _Checker:
    def __init__(self, spec: Spec, missing: Sequence[str]):
        self.spec = spec
        self.findings: list[Diagnostic] = []
        self.contracts = contracts_of(spec, self.findings)
        if self._same_ids():
            return
        flow_findings: list[Diagnostic] = []
        self.flow: Flow = build(spec, flow_findings)
        incomplete = bool(missing)
        if not incomplete:
            self.findings += flow_findings
        self.incomplete = incomplete
        self.contracts.steps.update(dict.fromkeys(missing, ANY))
        self.ids = frozenset(step.id for step in spec.steps)
        for index, step in enumerate(spec.steps):
            # A step that nothing leads to is told once; what it could see cannot be said.
            if step.id in self.flow.must:
                self.step(step, ("steps", index))
        if spec.result is not None:
            self.data(spec.result, ("result",), self.scope(END), self.contracts.output)

    def problem(
        self, code: str, message: str, path: Path, suggestion: str | None = None, severity: str = "error"
    ) -> None:
        self.findings.append(Diagnostic(code, message, path, None, suggestion, severity))

    def _same_ids(self) -> bool:
        seen: dict[str, int] = {}
        twice = False
        for index, step in enumerate(self.spec.steps):
            if step.id in seen:
                twice = True
                self.problem(
                    "S207",
                    f"there is a step `{step.id}` already",
                    ("steps", index, "id"),
                    "every step needs an id of its own",
                )
            seen.setdefault(step.id, index)
        return twice

    def scope(self, step: str, **more: Contract) -> Scope:
        must, may = self.flow.must.get(step, frozenset()), self.flow.may.get(step, frozenset())
        if self.incomplete:
            must = may = self.ids
        known = {"input": self.contracts.input or ANY, "context": ANY, **self.contracts.steps, **more}
        elsewhere = {
            "result": "it is a task's answer, in its `ensure`",
            "error": "it is there after an `on_error` has led here",
            "attempt": "it counts the tries of a task whose retry is linear or covers its `ensure`, in its `input`",
            "violations": "it is there in the `input` of a task whose retry covers its `ensure` or its contract",
        }
        if self.flow.failed.get(step) or self.incomplete:
            known["error"] = Contract(
                "object", fields={"Error": Contract("string"), "Cause": Contract("string")}
            )
        return Scope(known, self.ids, must, may, elsewhere)

    def expression(self, text: str, path: Path, scope: Scope, offset: int = 0) -> None:
        self.findings += check_expression(text, path, offset, scope)

    def bare(self, text: str, path: Path, scope: Scope) -> None:
        """A field that is always an expression; braces around it do no harm."""
        if is_expression(text):
            text, offset = inside(text)
        else:
            text, offset = text.strip(), len(text) - len(text.lstrip())
        self.expression(text, path, scope, offset)

    def data(self, value: Any, path: Path, scope: Scope, contract: Contract | None = None) -> None:
        for text, at, offset in templates(value, path):
            self.expression(text, at, scope, offset)
        if contract is not None:
            for finding in misfits(value, contract, path, scope):
                self.findings.append(finding)

    # -- the kinds of step -------------------------------------------------------------------------------

    def step(self, step: AnyStep, path: Path) -> None:
        scope = self.scope(step.id)
        if step.when is not None:
            self.bare(step.when, (*path, "when"), scope)
            scope = _narrowed(scope, step.when)
        for index, need in enumerate(step.needs or []):
            self.bare(need.that, (*path, "needs", index, "that"), scope)
            if need.otherwise is not None:
                self.data(need.otherwise, (*path, "needs", index, "otherwise"), scope)
        if isinstance(step, TaskStep):
            self.task(step, path, scope)
        elif isinstance(step, DecisionStep):
            self.decision(step, path, scope)
        elif isinstance(step, WaitStep):
            self.wait(step, path, scope)
        elif isinstance(step, SetStep):
            self.data(step.set, (*path, "set"), scope)
        elif isinstance(step, SucceedStep):
            self.data(step.succeed, (*path, "succeed"), scope, self.contracts.output)
        elif isinstance(step, FailStep):
            if step.fail.startswith("States."):
                self.problem(
                    "S203", f"`{step.fail}`: names that begin with `States.` are ASL's own", (*path, "fail")
                )
            self.data(step.because, (*path, "because"), scope)

    def task(self, step: TaskStep, path: Path, scope: Scope) -> None:
        contract = self.contracts.steps.get(step.id, ANY)
        retry = retry_of(self.spec, step)
        more: dict[str, Contract] = {}
        if has_loop(self.spec, step, contract):
            more["attempt"] = Contract("integer")
            more["violations"] = ANY
        self.data(step.input, (*path, "input"), _with(scope, more))
        results = _with(scope, {"result": contract})
        for index, each in enumerate(step.ensure):
            self.bare(each.that, (*path, "ensure", index, "that"), results)
            if each.otherwise is not None:
                self.data(each.otherwise, (*path, "ensure", index, "otherwise"), results)
        _check_task_name(self, step, path)
        if isinstance(step.retry, Retry) and retry is not None:
            both = sorted(set(retry.on or []) & set(retry.never))
            if both:
                message = f"`{both[0]}` is both retried and never retried: never wins"
                self.problem("W901", message, (*path, "retry"), None, "warning")
            if retry.attempts == 1:
                self.problem(
                    "W901",
                    "one attempt in all is no retry",
                    (*path, "retry", "attempts"),
                    "`retry: none` says so",
                    "warning",
                )
        for index, route in enumerate(step.on_error[:-1]):
            if route.match is None or "States.ALL" in route.match:
                self.problem("S405", "an entry for every error comes last", (*path, "on_error", index))

    def decision(self, step: DecisionStep, path: Path, scope: Scope) -> None:
        for index, branch in enumerate(step.decision):
            if branch.when is not None:
                self.bare(branch.when, (*path, "decision", index, "when"), scope)
            elif index != len(step.decision) - 1:
                self.problem(
                    "S405",
                    "a branch without `when` is the default, and comes last",
                    (*path, "decision", index),
                )
        if step.decision[-1].when is not None:
            hint = "end it with a branch that has no `when`: {next: …}"
            self.problem("S404", f"the decision `{step.id}` has no default", (*path, "decision"), hint)
        if step.next is not None:
            self.problem("S208", "a decision's branches say where it leads", (*path, "next"))

    def wait(self, step: WaitStep, path: Path, scope: Scope) -> None:
        at = (*path, "wait")
        if isinstance(step.wait, Until):
            self.data(step.wait.until, (*at, "until"), scope)
        elif is_expression(step.wait):
            self.data(step.wait, at, scope)
        else:
            try:
                seconds_of(step.wait)
            except ValueError as error:
                self.problem("S203", str(error), at)


def _with(scope: Scope, more: dict[str, Contract]) -> Scope:
    elsewhere = {name: why for name, why in scope.elsewhere.items() if name not in more}
    return Scope({**scope.known, **more}, scope.steps, scope.must, scope.may, elsewhere, scope.there)


def _narrowed(scope: Scope, condition: str) -> Scope:
    text = inside(condition)[0] if is_expression(condition) else condition
    try:
        there = when_true(jsonata.compile(text.strip()).ast)
    except jsonata.JsonataError:
        return scope
    return Scope(scope.known, scope.steps, scope.must, scope.may, scope.elsewhere, scope.there | there)


def _check_task_name(checker: _Checker, step: TaskStep, path: Path) -> None:
    name = step.task
    if name.startswith(("arn:", "aws-sdk:")):
        return
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", name, re.ASCII):
        hint = "write module.function, a Lambda function's ARN, or aws-sdk:service:action"
        checker.problem("S203", f"`{name}` names no handler", (*path, "task"), hint)
