"""What the steps of a spec come to: their contracts, through every kind of step; and how a task is tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..contracts import ANY, Contract, TypeReader
from ..diagnostics import Diagnostic
from ..expressions import Known, contract_of, inside, is_expression
from ..flow import END, Path
from ..handlers import HandlersOf, no_handlers
from ..inference import NULL, infer, items_of, joined
from ..models import (
    AnyStep,
    CallStep,
    FallibleStep,
    GateStep,
    MapStep,
    ParallelStep,
    Placed,
    RepeatStep,
    Retry,
    SetStep,
    Spec,
    SucceedStep,
    TaskStep,
    WorkflowStep,
    bodies,
    walk,
)
from ..outline import Outline, outline

VIOLATIONS = ("Stratum.PostconditionFailed", "Stratum.ContractViolated")
ERROR = Contract("object", fields={"Error": Contract("string"), "Cause": Contract("string")})
"""What `$error` is."""


@dataclass(slots=True)
class Contracts:
    """The contracts of a spec, resolved.

    `steps` are those of the steps that have a result, wherever they stand; `items` those of the items of maps, and of
    what a repeat collects, by the step; `forms` those of the forms of gates; `rounds` those of what a repeat's rounds come to.
    """

    input: Contract | None
    output: Contract | None
    steps: dict[str, Contract] = field(default_factory=dict)
    items: dict[str, Contract] = field(default_factory=dict)
    forms: dict[str, Contract] = field(default_factory=dict)
    rounds: dict[str, Contract] = field(default_factory=dict)

    def within(self, around: Sequence[AnyStep]) -> dict[str, Contract]:
        """What steps within these can see beside the results of steps."""
        known: dict[str, Contract] = {}
        for step in around:
            if isinstance(step, MapStep):
                known |= {step.map.as_: self.items[step.id], "index": Contract("integer")}
            elif isinstance(step, RepeatStep):
                known["round"] = Contract("integer")
        return known


def contracts_of(
    spec: Spec,
    findings: list[Diagnostic],
    shape: Outline | None = None,
    handlers: HandlersOf = no_handlers,
) -> Contracts:
    """Resolves the types of a spec whose steps have ids of their own; what is wrong with them is added to `findings`.

    What `handlers` say holds for references alone: a compiled workflow checks the contracts that are written in it.
    """
    reader = TypeReader(spec.types, findings)
    for name in spec.types:
        reader.named(name, ("types", name))
    contracts = Contracts(
        None if spec.input is None else reader.read(spec.input, ("input",)),
        None if spec.output is None else reader.read(spec.output, ("output",)),
    )
    shape = shape or outline(spec, [])
    for id, placed in shape.steps.items():
        step = placed.step
        if isinstance(step, CallStep):
            written = step.output
            if written is not None:
                contracts.steps[id] = reader.read(written, (*placed.path, "output"))
            else:
                handler = handlers(step.task) if isinstance(step, TaskStep) else None
                contracts.steps[id] = (handler.result if handler is not None else None) or ANY
        elif isinstance(step, GateStep) and step.gate.form is not None:
            contracts.forms[id] = reader.read(step.gate.form, (*placed.path, "gate", "form"))
    _Yields(shape, contracts).all()
    return contracts


class _Yields:
    """Works out what steps yield from what others do, in whatever order they stand."""

    def __init__(self, shape: Outline, contracts: Contracts):
        self.shape = shape
        self.contracts = contracts
        self.open: set[str] = set()

    def all(self) -> None:
        for id, placed in self.shape.steps.items():
            if isinstance(placed.step, MapStep):
                self.items(placed)
            self.step(id)

    def step(self, id: str) -> Contract | None:
        """What the step yields; None for one that has no result."""
        if id in self.contracts.steps:
            return self.contracts.steps[id]
        if id in self.open:
            return ANY  # a circle, which is told elsewhere
        self.open.add(id)
        made = self.made(self.shape.steps[id])
        self.open.discard(id)
        if made is not None:
            self.contracts.steps[id] = made
        return made

    def made(self, placed: Placed) -> Contract | None:
        step = placed.step
        if isinstance(step, SetStep):
            return infer(step.set, self.known(placed))
        if isinstance(step, GateStep):
            return answer_of(step, self.contracts.forms.get(step.id))
        if isinstance(step, ParallelStep):
            fields = {body.name: self.body((*placed.path, *body.path)) for body in bodies(step)}
            return Contract("object", fields=fields)
        if isinstance(step, MapStep):
            return Contract("array", items=self.body((*placed.path, "steps")))
        if isinstance(step, RepeatStep):
            round = self.contracts.rounds[step.id] = self.body((*placed.path, "steps"))
            if step.repeat.collect is None:
                return round
            inner = Placed(step, placed.path, (*placed.within, step))
            found = items_of(contract_of(_bare(step.repeat.collect.items), self.known(inner)))
            self.contracts.items[step.id] = found
            return Contract("array", items=found)
        return None

    def items(self, placed: Placed) -> Contract:
        """The contract of a map's item."""
        step = placed.step
        assert isinstance(step, MapStep)
        if step.id not in self.contracts.items:
            written = step.map.items
            known = self.known(placed)
            array = infer(written, known) if isinstance(written, list) else contract_of(_bare(written), known)
            self.contracts.items[step.id] = items_of(array)
        return self.contracts.items[step.id]

    def body(self, path: Path) -> Contract:
        """What a list of steps comes to: the result of the step that ends it."""
        flow = self.shape.flows[path]
        ends: list[Contract] = []
        for edge in flow.edges:
            if edge.target == END and edge.start in flow.must:
                ends.append(self.step(edge.start) or NULL if edge.how == "done" else NULL)
        for id, placed in self.shape.steps.items():
            if placed.path[:-1] == path and isinstance(placed.step, SucceedStep) and id in flow.must:
                ends.append(infer(placed.step.succeed, self.known(placed)))
        return joined(ends)

    def known(self, placed: Placed) -> Known:
        return _Seen(self, placed)


class _Seen:
    """The contracts of what a step can see, looked up when they are asked for."""

    def __init__(self, yields: _Yields, placed: Placed):
        self._yields = yields
        self._names: dict[str, Callable[[], Contract | None]] = {
            "input": lambda: yields.contracts.input,
            "context": lambda: ANY,
            "error": lambda: ERROR,
        }
        for step in reversed(placed.within):
            at = yields.shape.steps[step.id]
            if isinstance(step, MapStep):
                self._names.setdefault(step.map.as_, lambda at=at: yields.items(at))
                self._names.setdefault("index", lambda: Contract("integer"))
            elif isinstance(step, RepeatStep):
                self._names.setdefault("round", lambda: Contract("integer"))

    def get(self, name: str, /) -> Contract | None:
        if name in self._names:
            return self._names[name]()
        return self._yields.step(name) if name in self._yields.shape.steps else None


def answer_of(step: GateStep, form: Contract | None) -> Contract:
    """What a gate yields: somebody's answer."""
    text = Contract("string")
    maybe = replace(text, optional=True)
    by = Contract("object", fields={"user": text, "via": text, "host": maybe})
    fields = {
        "outcome": Contract("string", enum=tuple(outcomes_of(step))),
        "by": by,
        "comment": maybe,
        "at": text,
        "shown": maybe,
    }
    if form is not None:
        gate = step.gate
        silent = "approve" in (gate.on_timeout, gate.escalate.on_timeout if gate.escalate else None)
        fields["form"] = replace(form, optional=form.optional or (silent and gate.values is None))
    return Contract("object", fields=fields)


def outcomes_of(step: GateStep) -> list[str]:
    return ["approve", "reject", *(["revise"] if step.gate.revise is not None else [])]


def _bare(text: str) -> str:
    return inside(text)[0] if is_expression(text) else text.strip()


# -- how a task is tried again -------------------------------------------------------------------------------


def retry_of(spec: Spec, step: TaskStep | WorkflowStep) -> Retry | None:
    """The retry that holds for the step: its own; for a task, else the default; or none."""
    if step.retry == "none":
        return None
    if isinstance(step.retry, Retry):
        return step.retry
    return spec.defaults.retry if isinstance(step, TaskStep) else None


def covers_violations(retry: Retry | None) -> bool:
    """Whether violations of an `ensure` or a contract are retried."""
    if retry is None or retry.attempts < 2 or set(VIOLATIONS) <= set(retry.never):
        return False
    return retry.on is None or bool({*VIOLATIONS, "States.ALL"} & set(retry.on))


def has_loop(spec: Spec, step: TaskStep | WorkflowStep, contract: Contract | None) -> bool:
    """Whether the step is tried again by a loop of states, and not by ASL's own Retry."""
    retry = retry_of(spec, step)
    if retry is None or retry.attempts < 2:
        return False
    checked = bool(step.ensure) or (contract is not None and contract.kind != "any")
    # ASL's own back-off would not end at the deadline.
    return retry.backoff == "linear" or (checked and covers_violations(retry)) or has_deadline(spec)


def has_deadline(spec: Spec) -> bool:
    """Whether the workflow's timeout is a deadline that its states look at, as there is something to undo after it."""
    if spec.timeout is None:
        return False
    steps = (placed.step for placed in walk(spec.steps))
    return any(isinstance(step, FallibleStep) and step.compensate is not None for step in steps)
