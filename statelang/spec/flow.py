"""Where the steps of a list lead: its graph, and which steps must or may have run when one begins.

Every list of steps has a flow of its own, as `next` leads within it: the workflow's, a branch's, a map's, a repeat's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .diagnostics import Diagnostic, did_you_mean
from .expressions import conditions
from .models import AnyStep, DecisionStep, FailStep, FallibleStep, GateStep, SucceedStep

END = "end"
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """From one step to another (or END). `how`: done, skipped, chosen, error or revised; `path` is in the document."""

    start: str
    target: str
    how: str
    path: Path
    tells: frozenset[str] = frozenset()
    """Variables that are not null where it is taken."""


@dataclass(slots=True)
class Flow:
    """`must` and `may`: the steps that have, or can have, a result when a step begins; END is there too.

    `failed`: whether an error may have led there. `back` are the edges of gates that lead to an earlier step.
    """

    edges: list[Edge] = field(default_factory=list)
    back: list[Edge] = field(default_factory=list)
    must: dict[str, frozenset[str]] = field(default_factory=dict)
    may: dict[str, frozenset[str]] = field(default_factory=dict)
    failed: dict[str, bool] = field(default_factory=dict)

    def reached_from(self, starts: Iterable[str], *, back: bool = True) -> set[str]:
        """The steps that can begin after one of these has begun; they themselves only where a way leads back."""
        outgoing: dict[str, list[str]] = {}
        for edge in [*self.edges, *(self.back if back else ())]:
            outgoing.setdefault(edge.start, []).append(edge.target)
        reached: set[str] = set()
        todo = [target for start in starts for target in outgoing.get(start, ())]
        while todo:
            step = todo.pop()
            if step not in reached:
                reached.add(step)
                todo += outgoing.get(step, ())
        return reached

    def straight(self) -> bool:
        """Whether every step runs, one after the other."""
        return not self.back and all(edge.how == "done" for edge in self.edges)


def following(steps: Sequence[AnyStep], index: int) -> str:
    """Where the step goes when it is done."""
    step = steps[index]
    if step.next is not None:
        return step.next
    return steps[index + 1].id if index + 1 < len(steps) else END


def build(
    steps: Sequence[AnyStep],
    findings: list[Diagnostic],
    path: Path = ("steps",),
    elsewhere: Mapping[str, str] | None = None,
) -> Flow:
    """The flow, with what is wrong with it added to `findings`.

    `path` is where the list stands; `elsewhere` tells of steps of other lists where they are.
    """
    flow = Flow()
    ids = [step.id for step in steps]
    for index in range(len(steps)):
        flow.edges += _edges(steps, index, (*path, index))
    known = {*ids, END}
    for edge in flow.edges:
        if edge.target not in known:
            findings.append(_no_step(edge, known, elsewhere or {}))
    lost = any(edge.target not in known for edge in flow.edges)
    edges = [edge for edge in flow.edges if edge.target in known]
    flow.back = [edge for edge in edges if edge.how == "revised"]
    flow.edges = [edge for edge in edges if edge.how != "revised"]
    order = _order(flow, ids[0], findings)
    if not lost:  # else it may be what the wrong name was meant for
        _unreachable(steps, path, set(order), findings)
    _leads_back(flow, findings)
    _propagate(flow, order, {step.id for step in steps if isinstance(step, GateStep)})
    return flow


def _no_step(edge: Edge, known: set[str], elsewhere: Mapping[str, str]) -> Diagnostic:
    if edge.target in elsewhere:
        message = (
            f"the step `{edge.target}` is {elsewhere[edge.target]}, and steps lead on within their own list"
        )
        return Diagnostic("S401", message, edge.path, None, "lead to a step of this list, or to `end`")
    hint = did_you_mean(edge.target, known) or "a step's id, or `end`"
    return Diagnostic("S401", f"there is no step `{edge.target}`", edge.path, None, hint)


def _edges(steps: Sequence[AnyStep], index: int, at: Path) -> list[Edge]:
    step = steps[index]
    after = following(steps, index)
    place = (*at, "next") if step.next is not None else at
    found: list[Edge] = []
    if isinstance(step, DecisionStep):
        told: frozenset[str] = frozenset()
        for number, branch in enumerate(step.decision):
            holds, fails = conditions(branch.when)
            path = (*at, "decision", number, "next")
            found.append(Edge(step.id, branch.next, "chosen", path, told | holds))
            told |= fails
    elif not isinstance(step, SucceedStep | FailStep):
        found.append(Edge(step.id, after, "done", place))
    if step.when is not None:
        found.append(Edge(step.id, after, "skipped", place))
    if isinstance(step, FallibleStep):
        found += [
            Edge(step.id, route.next, "error", (*at, "on_error", number, "next"))
            for number, route in enumerate(step.on_error)
        ]
    if isinstance(step, GateStep) and step.gate.revise is not None:
        found.append(Edge(step.id, step.gate.revise.to, "revised", (*at, "gate", "revise", "to")))
    return found


def _order(flow: Flow, first: str, findings: list[Diagnostic]) -> list[str]:
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
            hint = "lead on to a later step; `retry` repeats a task, `repeat` a list of steps"
            findings.append(Diagnostic("S403", f"a loop with no bound: {circle}", edge.path, None, hint))
            flow.edges.remove(edge)
            outgoing[edge.start] = [other for other in edges if other is not edge]
            stack[-1] = (step, at)
        elif edge.target not in state:
            state[edge.target] = "open"
            stack.append((edge.target, 0))
    return order[::-1]


def _unreachable(steps: Sequence[AnyStep], path: Path, reached: set[str], findings: list[Diagnostic]) -> None:
    for index, step in enumerate(steps):
        if step.id not in reached:
            message = f"nothing leads to the step `{step.id}`"
            hint = "name it in a `next`, a decision or an `on_error`"
            findings.append(Diagnostic("S402", message, (*path, index, "id"), None, hint))


def _leads_back(flow: Flow, findings: list[Diagnostic]) -> None:
    """A revision leads to a step from which the gate comes again."""
    for edge in list(flow.back):
        if edge.start not in flow.reached_from([edge.target], back=False):
            message = (
                f"`{edge.target}` does not come before the gate `{edge.start}`: nothing would be revised"
            )
            hint = "`revise` leads back to an earlier step, from which the gate comes again"
            findings.append(Diagnostic("S406", message, edge.path, None, hint))
            flow.back.remove(edge)


def _propagate(flow: Flow, order: list[str], gates: set[str]) -> None:
    """`gates` have an answer also where it was a rejection, and an error leads on."""
    incoming: dict[str, list[Edge]] = {}
    for edge in flow.edges:
        incoming.setdefault(edge.target, []).append(edge)
    for step in order:
        musts: list[frozenset[str]] = []
        # In a later round the gate's answer is there; the first time it is null.
        may = frozenset(edge.start for edge in flow.back if edge.target == step)
        failed = False
        for edge in incoming.get(step, []):
            if edge.start not in flow.must:
                continue
            own = frozenset((edge.start,)) if edge.how == "done" else frozenset()
            musts.append(flow.must[edge.start] | own | (edge.tells & flow.may[edge.start]))
            answered = frozenset((edge.start,)) if edge.start in gates and edge.how == "error" else own
            may |= flow.may[edge.start] | answered
            failed |= flow.failed[edge.start] or edge.how == "error"
        flow.must[step] = frozenset.intersection(*musts) if musts else frozenset()
        flow.may[step] = may
        flow.failed[step] = failed
