"""Goes through the steps of a spec, each with what it can see, and collects what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..contracts import ANY, Contract
from ..diagnostics import Diagnostic
from ..expressions import (
    Path,
    Scope,
    check_expression,
    conditions,
    halves,
    inside,
    is_expression,
    lookalikes,
    templates,
)
from ..flow import END
from ..handlers import HandlersOf, no_handlers
from ..models import AnyStep, FallibleStep, Placed, Spec, walk
from ..outline import Outline, outline
from .fitting import misfits
from .results import ERROR, Contracts, contracts_of

ELSEWHERE = {
    "result": "it is an answer, in an `ensure`, or what a round came to, in an `until`",
    "error": "it is there after an `on_error` has led here",
    "attempt": "it counts the tries of an agent, or of a task whose retry is linear or covers its `ensure`, in its `input`",
    "violations": "it is there in the `input` of an agent, or of a task whose retry covers its `ensure` or its contract",
    "item": "it is there in the steps of a `map`, under the name that `as` gives",
    "index": "it is there in the steps of a `map`",
    "round": "it is there in the steps of a `repeat`",
}
"""Variables that exist, but not everywhere, and why."""

Check = Callable[["Checker", Any, Path, Scope], None]


def check(spec: Spec, missing: Sequence[str] = (), handlers: HandlersOf = no_handlers) -> list[Diagnostic]:
    """Everything that is wrong with the spec. `missing` are steps that it should have too: then flow is not judged."""
    from . import bodies, calls, gates, plain

    kinds: dict[str, Check] = {**plain.CHECKS, **calls.CHECKS, **bodies.CHECKS, **gates.CHECKS}
    return Checker(spec, missing, kinds, handlers).findings


class Checker:
    def __init__(
        self,
        spec: Spec,
        missing: Sequence[str],
        kinds: Mapping[str, Check],
        handlers: HandlersOf = no_handlers,
    ):
        self.spec = spec
        self.handlers = handlers
        self.kinds = kinds
        self.findings: list[Diagnostic] = []
        self.incomplete = bool(missing)
        self.contracts = Contracts(None, None)
        self.shape = Outline()
        if self._same_ids():
            contracts_of_types(spec, self.findings)
            return
        self.shape: Outline = outline(spec, [] if self.incomplete else self.findings)
        self.contracts = contracts_of(spec, self.findings, self.shape, handlers)
        self.contracts.steps.update(dict.fromkeys(missing, ANY))
        self.ids = frozenset({*self.shape.steps, *missing})
        known = {"input": self.contracts.input or ANY, "context": ANY}
        nothing: frozenset[str] = frozenset()
        outside = Scope(known, nothing, nothing, nothing, ELSEWHERE)
        self.steps(spec.steps, ("steps",), outside)
        if spec.result is not None and END not in self.shape.flows[("steps",)].must:
            if not self.incomplete:
                hint = "a workflow that ends with `succeed` says there what its result is"
                self.problem("S402", "no step leads to the end: this is never the result", ("result",), hint)
        elif spec.result is not None:
            scope = self.scope(spec.steps, ("steps",), END, outside)
            self.data(spec.result, ("result",), scope, self.contracts.output)

    def problem(
        self, code: str, message: str, path: Path, suggestion: str | None = None, severity: str = "error"
    ) -> None:
        self.findings.append(Diagnostic(code, message, path, None, suggestion, severity))

    def _same_ids(self) -> bool:
        seen: dict[str, Placed] = {}
        twice = False
        for placed in walk(self.spec.steps):
            id = placed.step.id
            if id in seen:
                twice = True
                hint = "every step needs an id of its own, also in branches, maps and repeats"
                self.problem("S207", f"there is a step `{id}` already", (*placed.path, "id"), hint)
            seen.setdefault(id, placed)
        return twice

    # -- what can be seen --------------------------------------------------------------------------------

    def steps(self, steps: Sequence[AnyStep], path: Path, outer: Scope) -> None:
        """Checks the steps of a list; `outer` is what can be seen around it."""
        flow = self.shape.flows[path]
        for index, step in enumerate(steps):
            # A step that nothing leads to is told once; what it could see cannot be said.
            if step.id in flow.must:
                self.step(step, (*path, index), self.scope(steps, path, step.id, outer))

    def scope(self, steps: Sequence[AnyStep], path: Path, at: str, outer: Scope) -> Scope:
        """What can be seen where the step of that id begins, or at END."""
        flow = self.shape.flows[path]
        own = frozenset(step.id for step in steps)
        must, may = flow.must.get(at, frozenset()), flow.may.get(at, frozenset())
        visible = outer.steps | own
        if self.incomplete:
            must = may = visible = self.ids
        known = {**outer.known}
        for id in visible:
            if id in self.contracts.steps:
                known[id] = self.contracts.steps[id]
        if flow.failed.get(at) or self.incomplete:
            known["error"] = ERROR
        elsewhere = dict(ELSEWHERE)
        for id, placed in self.shape.steps.items():
            if id not in visible and placed.within:
                elsewhere[id] = f"it is a step within `{placed.within[-1].id}`, and seen by those beside it"
        return Scope(known, visible, outer.must | must, outer.may | may, elsewhere, outer.there)

    # -- expressions and data ----------------------------------------------------------------------------

    def expression(self, text: str, path: Path, scope: Scope, offset: int = 0) -> None:
        self.findings += check_expression(text, path, offset, scope)

    def bare(self, text: str, path: Path, scope: Scope) -> None:
        """A field that is always an expression; braces around it do no harm."""
        if is_expression(text):
            text, offset = inside(text)
        else:
            text, offset = text.strip(), len(text) - len(text.lstrip())
        self.expression(text, path, scope, offset)

    def data(
        self,
        value: Any,
        path: Path,
        scope: Scope,
        contract: Contract | None = None,
        who: str = "the contract",
    ) -> None:
        self.findings += halves(value, path)
        self.findings += lookalikes(value, path, scope.known)
        for text, at, offset in templates(value, path):
            self.expression(text, at, scope, offset)
        if contract is not None:
            self.findings += misfits(value, contract, path, scope, who)

    def event(self, task: str, value: Any, path: Path, scope: Scope) -> None:
        """What a handler is given, at `path` of what calls it, as far as is known what it takes."""
        handler = self.handlers(task)
        if handler is not None and handler.problem is not None:
            self.problem("W904", handler.problem[0], (*path, "task"), handler.problem[1], "warning")
        takes = handler.event if handler is not None else None
        if value is None and takes is not None:
            value, at = {}, (*path, "task")
        else:
            at = (*path, "input")
        self.data(value, at, scope, takes, f"the handler {task}")

    # -- what every kind of step may have ----------------------------------------------------------------

    def step(self, step: AnyStep, path: Path, scope: Scope) -> None:
        if step.when is not None:
            self.bare(step.when, (*path, "when"), scope)
            scope = narrowed(scope, step.when)
        for index, need in enumerate(step.needs or []):
            self.bare(need.that, (*path, "needs", index, "that"), scope)
            if need.otherwise is not None:
                self.data(need.otherwise, (*path, "needs", index, "otherwise"), scope)
        self.kinds[step.kind](self, step, path, scope)
        if isinstance(step, FallibleStep):
            self.fallible(step, path, scope)

    def fallible(self, step: FallibleStep, path: Path, scope: Scope) -> None:
        taken: set[str] = set()
        for index, route in enumerate(step.on_error):
            at = (*path, "on_error", index, "match")
            if route.match == []:
                self.problem(
                    "S203", "`match` has at least one error's name", at, "leave it out for every error"
                )
            elif route.match is not None and set(route.match) <= taken:
                self.problem("S405", "an entry above takes every error of this one", at)
            taken |= set(route.match or ())
        for index, route in enumerate(step.on_error[:-1]):
            if route.match is None or "States.ALL" in route.match:
                self.problem("S405", "an entry for every error comes last", (*path, "on_error", index))
        if step.compensate is not None:
            at = (*path, "compensate")
            self.task_name(step.compensate.task, (*at, "task"))
            own = self.contracts.steps.get(step.id, ANY)
            done = with_known(scope, {step.id: own})
            done = Scope(
                done.known,
                done.steps,
                done.must | {step.id},
                done.may | {step.id},
                done.elsewhere,
                done.there,
            )
            self.event(step.compensate.task, step.compensate.input, at, done)

    def task_name(self, name: str, path: Path) -> None:
        import re

        if name.startswith(("arn:", "aws-sdk:")):
            return
        if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", name, re.ASCII):
            hint = "write module.function, a Lambda function's ARN, or aws-sdk:service:action"
            self.problem("S203", f"`{name}` names no handler", path, hint)


def contracts_of_types(spec: Spec, findings: list[Diagnostic]) -> None:
    """What is wrong with the types alone."""
    from ..contracts import TypeReader

    reader = TypeReader(spec.types, findings)
    for name in spec.types:
        reader.named(name, ("types", name))


def with_known(scope: Scope, more: Mapping[str, Contract]) -> Scope:
    elsewhere = {name: why for name, why in scope.elsewhere.items() if name not in more}
    return Scope({**scope.known, **more}, scope.steps, scope.must, scope.may, elsewhere, scope.there)


def narrowed(scope: Scope, condition: str) -> Scope:
    """The scope where the condition holds."""
    there = conditions(condition)[0]
    return Scope(scope.known, scope.steps, scope.must, scope.may, scope.elsewhere, scope.there | there)
