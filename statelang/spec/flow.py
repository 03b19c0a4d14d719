"""Where steps lead: the graph of a spec, and which steps must or may have run when one begins."""

from __future__ import annotations

from dataclasses import dataclass, field

from .diagnostics import Diagnostic, did_you_mean
from .models import AnyStep, DecisionStep, FailStep, Spec, SucceedStep, TaskStep

END = "end"


@dataclass(frozen=True, slots=True)
class Edge:
    """From one step to another (or END). `how`: done, skipped, chosen or error."""

    start: str
    target: str
    how: str
    path: tuple[str | int, ...]


@dataclass(slots=True)
class Flow:
    """`must` and `may`: the steps that have, or can have, a result when a step begins; END is there too."""

    edges: list[Edge] = field(default_factory=list)
    must: dict[str, frozenset[str]] = field(default_factory=dict)
    may: dict[str, frozenset[str]] = field(default_factory=dict)
    failed: dict[str, bool] = field(default_factory=dict)


def following(spec: Spec, index: int) -> str:
    """Where the step goes when it is done."""
    step = spec.steps[index]
    if step.next is not None:
        return step.next
    return spec.steps[index + 1].id if index + 1 < len(spec.steps) else END


def build(spec: Spec, findings: list[Diagnostic]) -> Flow:
    """The flow, with what is wrong with it added to `findings`."""
    flow = Flow()
    ids = [step.id for step in spec.steps]
    for index, step in enumerate(spec.steps):
        flow.edges += _edges(spec, index, step)
    known = {*ids, END}
    for edge in flow.edges:
        if edge.target not in known:
            hint = did_you_mean(edge.target, known) or "a step's id, or `end`"
            findings.append(Diagnostic("S401", f"there is no step `{edge.target}`", edge.path, None, hint))
    lost = any(edge.target not in known for edge in flow.edges)
    flow.edges = [edge for edge in flow.edges if edge.target in known]
    order = _order(flow, ids[0], spec, findings)
    if not lost:  # else it may be what the wrong name was meant for
        _unreachable(spec, set(order), findings)
    _propagate(flow, order)
    return flow


def _edges(spec: Spec, index: int, step: AnyStep) -> list[Edge]:
    at: tuple[str | int, ...] = ("steps", index)
    after = following(spec, index)
    place = (*at, "next") if step.next is not None else at
    found: list[Edge] = []
    if isinstance(step, DecisionStep):
        found += [
            Edge(step.id, branch.next, "chosen", (*at, "decision", number, "next"))
            for number, branch in enumerate(step.decision)
        ]
    elif not isinstance(step, SucceedStep | FailStep):
        found.append(Edge(step.id, after, "done", place))
    if step.when is not None:
        found.append(Edge(step.id, after, "skipped", place))
    if isinstance(step, TaskStep):
        found += [
            Edge(step.id, route.next, "error", (*at, "on_error", number, "next"))
            for number, route in enumerate(step.on_error)
        ]
    return found


def _order(flow: Flow, first: str, spec: Spec, findings: list[Diagnostic]) -> list[str]:
    """The steps that can be reached, each after all that lead to it; loops are told and cut."""
    outgoing: dict[str, list[Edge]] = {}
    for edge in flow.edges:
        outgoing.setdefault(edge.start, []).append(edge)
    state: dict[str, str] = {}
    order: list[str] = []
    stack: list[tuple[str, int]] = [(first, 0)]
    state[first] = "open"
    while stack:
        step, at = stack.pop()
        edges = outgoing.get(step, [])
        if at == len(edges):
            state[step] = "done"
            order.append(step)
            continue
        stack.append((step, at + 1))
        edge = edges[at]
        if state.get(edge.target) == "open":
            circle = " -> ".join(
                [*[each for each, _ in stack][[each for each, _ in stack].index(edge.target) :], edge.target]
            )
            findings.append(
                Diagnostic(
                    "S403",
                    f"a loop with no bound: {circle}",
                    edge.path,
                    None,
                    "lead on to a later step; `retry` repeats a task",
                )
            )
            flow.edges.remove(edge)
            outgoing[edge.start] = [other for other in edges if other is not edge]
            stack[-1] = (step, at)
        elif edge.target not in state:
            state[edge.target] = "open"
            stack.append((edge.target, 0))
    return order[::-1]


def _unreachable(spec: Spec, reached: set[str], findings: list[Diagnostic]) -> None:
    for index, step in enumerate(spec.steps):
        if step.id not in reached:
            message = f"nothing leads to the step `{step.id}`"
            findings.append(
                Diagnostic(
                    "S402",
                    message,
                    ("steps", index, "id"),
                    None,
                    "name it in a `next`, a decision or an `on_error`",
                )
            )


def _propagate(flow: Flow, order: list[str]) -> None:
    incoming: dict[str, list[Edge]] = {}
    for edge in flow.edges:
        incoming.setdefault(edge.target, []).append(edge)
    for step in order:
        musts: list[frozenset[str]] = []
        may: frozenset[str] = frozenset()
        failed = False
        for edge in incoming.get(step, []):
            if edge.start not in flow.must:
                continue
            own = frozenset((edge.start,)) if edge.how == "done" else frozenset()
            musts.append(flow.must[edge.start] | own)
            may |= flow.may[edge.start] | own
            failed |= flow.failed[edge.start] or edge.how == "error"
        flow.must[step] = frozenset.intersection(*musts) if musts else frozenset()
        flow.may[step] = may
        flow.failed[step] = failed
