"""The states of each kind of step.

- `before`: `when` and `needs`, which every kind may have.
- `plain`: decisions, waits, sets, and the steps that end a list.
- `calls`: tasks and child workflows, with `retrying` (loops) and `checking` (contracts and `ensure`).
- `agents`, `gates`: work that somebody else does, with `work_items` (what they are told).
- `parallels`, `maps`, `repeats`: steps that hold others, with `joining` (what wrapped lists come to).
"""

from __future__ import annotations

from ...spec.flow import following
from ...spec.models import (
    AgentStep,
    AnyStep,
    DecisionStep,
    FailStep,
    GateStep,
    MapStep,
    ParallelStep,
    RepeatStep,
    SetStep,
    SucceedStep,
    TaskStep,
    WaitStep,
    WorkflowStep,
)
from ..body import Body


def first_stages(body: Body, step: AnyStep) -> list[str]:
    """The states of the step's own kind that come before the one that does its work."""
    from . import gates, plain

    if isinstance(step, DecisionStep):
        return plain.decision_stages(body, step)
    return gates.stages(body, step) if isinstance(step, GateStep) else []


def lower(body: Body, index: int, step: AnyStep) -> None:
    """Adds the states of the step to those of its list."""
    from . import agents, before, calls, gates, maps, parallels, plain, repeats

    after = following(body.steps, index)
    before.lower(body, step, after)
    if isinstance(step, TaskStep | WorkflowStep):
        calls.Call(body, step, after).run()
    elif isinstance(step, AgentStep):
        agents.AgentCall(body, step, after).run()
    elif isinstance(step, GateStep):
        gates.GateLowering(body, step, after).run()
    elif isinstance(step, ParallelStep):
        parallels.lower(body, index, step, after)
    elif isinstance(step, MapStep):
        maps.lower(body, index, step, after)
    elif isinstance(step, RepeatStep):
        repeats.lower(body, index, step, after)
    elif isinstance(step, DecisionStep):
        plain.decision(body, step)
    elif isinstance(step, WaitStep):
        plain.wait(body, step, after)
    elif isinstance(step, SetStep):
        plain.set_(body, step, after)
    elif isinstance(step, SucceedStep):
        plain.succeed(body, step)
    else:
        assert isinstance(step, FailStep)
        plain.fail(body, step)
