"""The shape of a spec: every step by its id, and the flow of every list of steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from .diagnostics import Diagnostic
from .flow import Flow, Path, build
from .models import AnyStep, ParallelStep, Placed, Spec, bodies, walk


@dataclass(slots=True)
class Outline:
    """`steps` by id; `flows` by the path of their list, such as `("steps", 2, "parallel", "mail")`."""

    steps: dict[str, Placed] = field(default_factory=dict)
    flows: dict[Path, Flow] = field(default_factory=dict)

    def flow_of(self, id: str) -> Flow:
        """The flow of the list that the step is in."""
        return self.flows[self.steps[id].path[:-1]]


def outline(spec: Spec, findings: list[Diagnostic]) -> Outline:
    """The shape of a spec whose steps have ids of their own; what is wrong with its flow is added to `findings`."""
    made = Outline({placed.step.id: placed for placed in walk(spec.steps)})
    where = {id: _where(placed) for id, placed in made.steps.items()}

    def lists(steps: list[AnyStep], path: Path) -> None:
        own = {step.id for step in steps}
        elsewhere = {id: told for id, told in where.items() if id not in own}
        made.flows[path] = build(steps, findings, path, elsewhere)
        for index, step in enumerate(steps):
            for body in bodies(step):
                lists(list(body.steps), (*path, index, *body.path))

    lists(spec.steps, ("steps",))
    return made


def _where(placed: Placed) -> str:
    if not placed.within:
        return "one of the workflow's"
    around = placed.within[-1]
    if isinstance(around, ParallelStep):
        return f"in the branch `{placed.path[-2]}` of `{around.id}`"
    return f"within `{around.id}`"
