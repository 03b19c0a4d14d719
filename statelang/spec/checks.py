"""The static checks of a spec whose structure is right: types, flow, expressions, data against contracts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import jsonata
from .contracts import ANY, Contract, TypeReader, type_of, violations
from .diagnostics import Diagnostic
from .expressions import (
    Path,
    Scope,
    check_expression,
    contract_of,
    inside,
    is_expression,
    templates,
    when_true,
)
from .flow import END, Flow, build
from .models import (
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

VIOLATIONS = ("Stratum.PostconditionFailed", "Stratum.ContractViolated")


@dataclass(slots=True)
class Contracts:
    """The contracts of a spec, resolved. `steps` are those of the steps that have a result."""

    input: Contract | None
    output: Contract | None
    steps: dict[str, Contract] = field(default_factory=dict)


def contracts_of(spec: Spec, findings: list[Diagnostic]) -> Contracts:
    """Resolves the types of a spec; what is wrong with them is added to `findings`."""
    reader = TypeReader(spec.types, findings)
    for name in spec.types:
        reader.named(name, ("types", name))
    contracts = Contracts(
        None if spec.input is None else reader.read(spec.input, ("input",)),
        None if spec.output is None else reader.read(spec.output, ("output",)),
    )
    for index, step in enumerate(spec.steps):
        if isinstance(step, TaskStep):
            written = step.output
            contracts.steps[step.id] = (
                ANY if written is None else reader.read(written, ("steps", index, "output"))
            )
        elif isinstance(step, SetStep):
            contracts.steps[step.id] = Contract("object", fields=dict.fromkeys(step.set, ANY))
    return contracts


def retry_of(spec: Spec, step: TaskStep) -> Retry | None:
    """The retry that holds for the task: its own, the default, or none."""
    if step.retry == "none":
        return None
    return step.retry if isinstance(step.retry, Retry) else spec.defaults.retry


def covers_violations(retry: Retry | None) -> bool:
    """Whether violations of an `ensure` or a contract are retried."""
    if retry is None or retry.attempts < 2 or set(VIOLATIONS) <= set(retry.never):
        return False
    return retry.on is None or bool({*VIOLATIONS, "States.ALL"} & set(retry.on))


def has_loop(spec: Spec, step: TaskStep, contract: Contract | None) -> bool:
    """Whether the task is tried again by a loop of states, and not by ASL's own Retry."""
    retry = retry_of(spec, step)
    if retry is None or retry.attempts < 2:
        return False
    checked = bool(step.ensure) or (contract is not None and contract.kind != "any")
    return retry.backoff == "linear" or (checked and covers_violations(retry))


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
            for finding in _misfits(value, contract, path, scope):
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


def _misfits(value: Any, contract: Contract, path: Path, scope: Scope) -> Iterator[Diagnostic]:
    """Where data that is written here cannot be what a contract wants, as far as that can be told now."""
    if is_expression(value):
        found = contract_of(inside(value)[0], scope.known)
        if found is not None and not _may_fit(found, contract):
            yield Diagnostic("S304", f"this is {found}, and the contract wants {contract}", path)
        return
    if contract.kind in ("any", "union") or (contract.optional and value is None):
        return
    if isinstance(value, dict) and contract.fields is not None:
        for name, part in contract.fields.items():
            if name in value:
                yield from _misfits(value[name], part, (*path, name), scope)
            elif not part.optional:
                yield Diagnostic("S306", f"`{name}` is missing, which the contract wants ({part})", path)
        for name in value:
            if name not in contract.fields:
                fields = ", ".join(f"`{each}`" for each in contract.fields)
                yield Diagnostic(
                    "S305", f"the contract has no field `{name}`", (*path, name), None, f"it has {fields}"
                )
        return
    if isinstance(value, list) and contract.items is not None:
        for index, item in enumerate(value):
            yield from _misfits(item, contract.items, (*path, index), scope)
        return
    if isinstance(value, dict | list):
        if contract.kind != type_of(value):
            yield Diagnostic("S304", f"the contract wants {contract}, not {type_of(value)}", path)
        return
    for violation in violations(contract, value)[:1]:
        yield Diagnostic("S304", f"the contract refuses this: {violation.message}", path)


def _may_fit(found: Contract, wanted: Contract) -> bool:
    """Whether a value of one contract can be a value of the other; False only where it surely cannot."""
    if "any" in (found.kind, wanted.kind) or "union" in (found.kind, wanted.kind):
        return True
    if found.kind != wanted.kind and {found.kind, wanted.kind} not in (
        {"number", "integer"},
        {"string", "date-time"},
    ):
        return False
    if found.fields is not None and wanted.fields is not None:
        for name, part in wanted.fields.items():
            if name not in found.fields:
                if not part.optional:
                    return False
            elif not _may_fit(found.fields[name], part):
                return False
    if found.items is not None and wanted.items is not None:
        return _may_fit(found.items, wanted.items)
    return True
