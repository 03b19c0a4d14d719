"""The kinds of step. A step that holds others holds them as lists of their own: `parallel`, `map`, `repeat`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from .values import (
    Check,
    Checks,
    Compensation,
    Duration,
    ErrorRoute,
    Model,
    Needs,
    Retry,
    Tolerance,
    Type,
)

Steps = list["AnyStep"]


class Step(Model):
    """What every kind of step may have."""

    kind: ClassVar[str] = ""
    id: str = Field(description="its name, and the variable with its result: $id")
    description: str | None = Field(None, description="for people: pictures, the console and audits show it")
    when: str | None = Field(None, description="a condition; the step is skipped where it is false")
    needs: Needs | None = Field(None, description="conditions that must hold before the step begins")
    next: str | None = Field(None, description="the step to go on with, or `end`; without, the one below")


class FallibleStep(Step):
    """What a step may have that does something: it can fail, and be undone."""

    on_error: list[ErrorRoute] = Field([], description="where its errors lead; without, the workflow fails")
    compensate: Compensation | None = Field(
        None,
        description="what undoes it when the workflow fails later; an answer that is refused counts as done, too",
    )


class CallStep(FallibleStep):
    """What a step may have that hands something out and gets an answer."""

    input: Any = Field(None, description="what is handed out: data, with {% expressions %}")
    output: Type = Field(None, description="the contract of what comes back")
    ensure: Checks = Field([], description="conditions on $result")


class TaskStep(CallStep):
    """A function, a service or a plug-in, called with data."""

    kind: ClassVar[str] = "task"
    task: str = Field(
        description="module.function, a Lambda ARN, aws-sdk:service:action, or a resource's ARN"
    )
    retry: Retry | Literal["none"] | None = Field(
        None, description="whether it is tried again; without, as `defaults` say, else once"
    )
    timeout: Duration | None = Field(None, description="for one try")
    heartbeat: Duration | None = Field(None, description="a task that is silent for so long has failed")


class WorkflowStep(CallStep):
    """Another workflow, run to its end."""

    kind: ClassVar[str] = "workflow"
    workflow: str = Field(description="its name, name:alias or name:version, or a state machine's ARN")
    retry: Retry | Literal["none"] | None = Field(
        None, description="whether it is tried again; without, as `defaults` say, else once"
    )
    timeout: Duration | None = Field(None, description="for one try")


class Budget(Model):
    """What an agent may use up before somebody is asked whether it may go on."""

    usd: float | None = Field(None, gt=0, strict=False, description="US dollars")
    tokens: int | None = Field(None, ge=1, description="tokens, read and written")
    time: Duration | None = Field(None, description="working time; what is spent waiting for people is not")
    approvers: list[str] = Field([], description="who is asked when it is used up; without, anyone who may")
    timeout: Duration = Field(7 * 86_400, description="how long they have; then the step fails")


class AgentStep(CallStep):
    """Work for an agent: any MCP client that asks for it."""

    kind: ClassVar[str] = "agent"
    agent: str = Field(description="whom it is for: a name that agents ask by")
    intent: str = Field(description="what is to be done: text, or {% expression %}")
    attempts: int = Field(1, ge=1, le=100, description="tries in all; each is told what was wrong before")
    budget: Budget | None = Field(None, description="what it may use up before somebody is asked")
    timeout: Duration = Field(86_400, description="for one attempt")
    heartbeat: Duration | None = Field(None, description="an agent that is silent for so long is lost")


class Revision(Model):
    """A third answer of a gate: back to an earlier step, with remarks."""

    to: str = Field(description="the step to go on from once more")
    rounds: int = Field(3, ge=1, le=100, description="how often; then it is approve or reject")


class Escalation(Model):
    """Who else is asked when nobody answers."""

    to: list[str] = Field(min_length=1, description="who is asked then")
    timeout: Duration = Field(description="how long they have")
    on_timeout: Literal["reject", "approve", "error"] = Field(
        "reject", description="what follows when they do not answer either"
    )


def _revision(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


class Gate(Model):
    """A person's decision: approve, reject, and revise where that is allowed."""

    approvers: list[str] = Field(
        min_length=1,
        description="who may answer: accounts, addresses, `*` for anyone; never an agent; `requester` lets whoever has started it answer too",
    )
    timeout: Duration = Field(description="how long they have")
    on_timeout: Literal["reject", "approve", "escalate", "error"] = Field(
        "reject", description="what follows when nobody answers"
    )
    reminders: list[Duration] = Field([], description="when to remind them, from the beginning")
    escalate: Escalation | None = Field(None, description="for `on_timeout: escalate`")
    message: str | None = Field(None, description="what is asked: text, or {% expression %}")
    shows: Any = Field(None, description="what they are shown: data, with {% expressions %}")
    form: Type = Field(None, description="the type of what they may fill in or change")
    values: Any = Field(None, description="what the form has in it to begin with")
    revise: Annotated[
        Revision | None, BeforeValidator(_revision, json_schema_input_type=str | Revision | None)
    ] = Field(None, description="a step that it may be sent back to, with remarks")
    risk: Literal["low", "normal"] = Field(
        "normal", description="low: an MCP client may ask the person at its keyboard"
    )
    notify: list[str] = Field([], description="who is told that there is something to decide")


class GateStep(FallibleStep):
    """A decision of a person: approve, reject, or revise."""

    kind: ClassVar[str] = "gate"
    gate: Gate = Field(description="who is asked, for how long, and what follows")


class ParallelStep(FallibleStep):
    """Branches that run at the same time. The result has the result of every branch under its name.

    A branch that fails ends the others; where something in them can be undone, they come to their ends first.
    """

    kind: ClassVar[str] = "parallel"
    parallel: dict[str, Steps] = Field(min_length=1, description="lists of steps, by name")


class MapOver(Model):
    """What a map goes through, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
    items: str | list[Any] = Field(
        description="an expression for an array, or an array with {% expressions %}"
    )
    as_: str = Field("item", alias="as", description="the name of the item in the steps")
    max_concurrency: int | None = Field(None, ge=1, le=10_000, description="how many items at once")
    tolerate: Tolerance | None = Field(
        None, description="how many items may fail: 3 or 10%; they are left out"
    )
    mode: Literal["inline", "distributed"] = Field(
        "inline", description="distributed: every item is an execution of its own"
    )


class MapStep(FallibleStep):
    """The steps, for every item. The result is an array of what the last step came to."""

    kind: ClassVar[str] = "map"
    map: MapOver = Field(description="what it goes through, and how")
    steps: Steps = Field(description="what is run each time", json_schema_extra={"minItems": 1})


class Collect(Model):
    """Things that rounds find: each is kept once, and a round that finds nothing new is the last."""

    items: str = Field(description="an expression for what the round has found")
    key: str | None = Field(None, description="an expression on $item: things of the same key are the same")


class Repeat(Model):
    """How often the steps are run."""

    until: str | None = Field(None, description="a condition, looked at after every round")
    max: int = Field(ge=1, le=1000, description="rounds at the most")
    collect: Collect | None = Field(None, description="what rounds find, gathered without doubles")
    on_max: Literal["error", "end"] | None = Field(
        None, description="what follows where `until` does not hold after the last round; without, an error"
    )


class RepeatStep(FallibleStep):
    """The steps, again and again. The result is that of the last round, or everything that was collected."""

    kind: ClassVar[str] = "repeat"
    repeat: Repeat = Field(description="how often, and until when")
    steps: Steps = Field(description="what is run each time", json_schema_extra={"minItems": 1})


class Branch(Model):
    when: str | None = Field(None, description="a condition; the last branch has none and is the default")
    next: str = Field(description="the step that it leads to, or `end`")


class DecisionStep(Step):
    """Where to go on, by conditions."""

    kind: ClassVar[str] = "decision"
    decision: list[Branch] = Field(min_length=1, description="branches: the first that holds is taken")


class Until(Model):
    until: str = Field(description="a timestamp, or {% an expression for one %}")


class WaitStep(Step):
    """Time that passes."""

    kind: ClassVar[str] = "wait"
    wait: int | str | Until = Field(description="a duration, {% seconds %}, or {until: timestamp}")


class SetStep(Step):
    """Values under names, for the steps below."""

    kind: ClassVar[str] = "set"
    set: dict[str, Any] = Field(description="names and values: $id.name from here on")


class SucceedStep(Step):
    """The end of the workflow, or of a branch, item or round, with its result."""

    kind: ClassVar[str] = "succeed"
    succeed: Any = Field(description="the result of the workflow, or of the branch, item or round")


class FailStep(Step):
    """The end of the workflow, with an error."""

    kind: ClassVar[str] = "fail"
    fail: str = Field(description="the error's name")
    because: str | None = Field(None, description="the cause: text, or {% expression %}")


AnyStep = (
    TaskStep
    | DecisionStep
    | ParallelStep
    | MapStep
    | RepeatStep
    | WorkflowStep
    | GateStep
    | AgentStep
    | WaitStep
    | SetStep
    | SucceedStep
    | FailStep
)
KINDS: dict[str, type[Step]] = {
    model.kind: model
    for model in (
        TaskStep, DecisionStep, ParallelStep, MapStep, RepeatStep, WorkflowStep, GateStep, AgentStep, WaitStep, SetStep,
        SucceedStep, FailStep,
    )
}  # fmt: skip

for _model in (ParallelStep, MapStep, RepeatStep):
    _model.model_rebuild()

__all__ = [
    "KINDS", "AgentStep", "AnyStep", "Branch", "Budget", "CallStep", "Check", "Collect", "DecisionStep", "Escalation",
    "FailStep", "FallibleStep", "Gate", "GateStep", "MapOver", "MapStep", "ParallelStep", "Repeat", "RepeatStep", "Revision",
    "SetStep", "Step", "Steps", "SucceedStep", "TaskStep", "Until", "WaitStep", "WorkflowStep",
]  # fmt: skip
