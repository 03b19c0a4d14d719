"""The models of a spec: what may stand in one, with what it means. The JSON Schema for editors comes from here.

- `values`: durations, conditions, retries, routes, compensations.
- `steps`: the kinds of step.
- `spec`: a whole workflow.
- `nesting`: steps within steps.
"""

from .nesting import Body, Placed, bodies, walk
from .spec import Defaults, Spec
from .steps import (
    KINDS,
    AgentStep,
    AnyStep,
    Branch,
    Budget,
    CallStep,
    Collect,
    DecisionStep,
    Escalation,
    FailStep,
    FallibleStep,
    Gate,
    GateStep,
    MapOver,
    MapStep,
    ParallelStep,
    Repeat,
    RepeatStep,
    Revision,
    SetStep,
    Step,
    SucceedStep,
    TaskStep,
    Until,
    WaitStep,
    WorkflowStep,
)
from .values import (
    MAX_SECONDS,
    Check,
    Compensation,
    Delay,
    Duration,
    ErrorRoute,
    Model,
    Need,
    Retry,
    Type,
    seconds_of,
)

__all__ = [
    "KINDS", "MAX_SECONDS", "AgentStep", "AnyStep", "Body", "Branch", "Budget", "CallStep", "Check", "Collect",
    "Compensation", "DecisionStep", "Defaults", "Delay", "Duration", "ErrorRoute", "Escalation", "FailStep", "FallibleStep",
    "Gate", "GateStep", "MapOver", "MapStep", "Model", "Need", "ParallelStep", "Placed", "Repeat", "RepeatStep", "Retry",
    "Revision", "SetStep", "Spec", "Step", "SucceedStep", "TaskStep", "Type", "Until", "WaitStep", "WorkflowStep",
    "bodies", "seconds_of", "walk",
]  # fmt: skip
