"""The models of a spec: what may stand in one, with what it means. The JSON Schema for editors comes from here."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

MAX_SECONDS = 99_999_999
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+[smhdw])+")


def seconds_of(value: Any) -> int:
    """A duration such as `90`, `30s` or `1h30m` in whole seconds. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"a duration is written 30s, 10m, 2h or 7d, or as whole seconds, not {value!r}")
    if isinstance(value, str):
        text = value.replace(" ", "")
        if text.isdigit():
            value = int(text)
        elif _DURATION.fullmatch(text):
            value = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", text))
        elif re.fullmatch(r"\d+ms|\d*\.\d+s?", text):
            raise ValueError(f"{value!r}: durations are whole seconds, as ASL counts nothing shorter")
        else:
            raise ValueError(f"{value!r} is no duration: write 30s, 10m, 2h, 7d or 1h30m")
    if not 0 <= value <= MAX_SECONDS:
        raise ValueError(f"a duration is from 0 to {MAX_SECONDS} seconds")
    return value


def _positive(value: Any) -> int:
    seconds = seconds_of(value)
    if seconds < 1:
        raise ValueError("at least one second")
    return seconds


_DURATION_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string", "pattern": r"^(\d+[smhdw])+$"}, {"type": "integer"}]}
)
Duration = Annotated[int, BeforeValidator(_positive), _DURATION_SCHEMA]
Delay = Annotated[int, BeforeValidator(seconds_of), _DURATION_SCHEMA]
Type = Annotated[Any, WithJsonSchema({"type": ["string", "array", "object"]})]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Check(Model):
    """A condition that must hold, and what is said when it does not."""

    that: str = Field(description="a JSONata expression that must be true")
    otherwise: str | None = Field(None, description="what is said when it is not: text, or {% expression %}")


def _check(value: Any) -> Any:
    return {"that": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


AnyCheck = Annotated[Check, BeforeValidator(_check, json_schema_input_type=str | Check)]
Checks = Annotated[list[AnyCheck], BeforeValidator(_listed)]


class Need(Check):
    """A condition that must hold before the step begins; `within` waits for it."""

    within: Duration | None = Field(
        None, description="how long to wait for it; without, it must hold at once"
    )
    every: Duration = Field(10, description="how often to look while waiting")


Needs = Annotated[
    list[Annotated[Need, BeforeValidator(_check, json_schema_input_type=str | Need)]],
    BeforeValidator(_listed),
]


class Retry(Model):
    """When and how often a task is tried again."""

    on: list[str] | None = Field(None, description="error names that are retried; without, every error")
    never: list[str] = Field([], description="error names that are fatal")
    attempts: int = Field(3, ge=1, le=1000, description="tries in all, the first included")
    backoff: Literal["fixed", "linear", "exponential"] = "exponential"
    delay: Delay = Field(1, description="the wait before the second try")
    max_delay: Duration | None = Field(None, description="no wait is longer")
    rate: float = Field(2.0, ge=1, le=100, strict=False, description="by which an exponential wait grows")
    jitter: Literal["full", "none"] = "none"


class ErrorRoute(Model):
    """Where an error that is not retried any more leads."""

    match: list[str] | None = Field(None, description="error names; without, every error")
    next: str


class Step(Model):
    """What every kind of step may have."""

    kind: ClassVar[str] = ""
    id: str
    description: str | None = None
    when: str | None = Field(None, description="a condition; the step is skipped where it is false")
    needs: Needs | None = Field(None, description="conditions that must hold before the step begins")
    next: str | None = Field(None, description="the step to go on with, or `end`; without, the one below")


class TaskStep(Step):
    kind: ClassVar[str] = "task"
    task: str = Field(
        description="module.function, a Lambda ARN, aws-sdk:service:action, or a resource's ARN"
    )
    input: Any = Field(None, description="the event of the handler: data, with {% expressions %}")
    output: Type = Field(None, description="the contract of what it answers")
    ensure: Checks = Field([], description="conditions on $result")
    retry: Retry | Literal["none"] | None = None
    timeout: Duration | None = None
    heartbeat: Duration | None = None
    on_error: list[ErrorRoute] = []


class Branch(Model):
    when: str | None = Field(None, description="a condition; the last branch has none and is the default")
    next: str


class DecisionStep(Step):
    kind: ClassVar[str] = "decision"
    decision: list[Branch] = Field(min_length=1)


class Until(Model):
    until: str = Field(description="a timestamp, or {% an expression for one %}")


class WaitStep(Step):
    kind: ClassVar[str] = "wait"
    wait: int | str | Until = Field(description="a duration, {% seconds %}, or {until: timestamp}")


class SetStep(Step):
    kind: ClassVar[str] = "set"
    set: dict[str, Any] = Field(description="names and values: $id.name from here on")


class SucceedStep(Step):
    kind: ClassVar[str] = "succeed"
    succeed: Any = Field(description="the workflow's result")


class FailStep(Step):
    kind: ClassVar[str] = "fail"
    fail: str = Field(description="the error's name")
    because: str | None = Field(None, description="the cause: text, or {% expression %}")


KINDS: dict[str, type[Step]] = {
    model.kind: model for model in (TaskStep, DecisionStep, WaitStep, SetStep, SucceedStep, FailStep)
}
LATER = ("parallel", "map", "gate", "agent", "workflow", "repeat")
"""Kinds of step that the language will have."""


class Defaults(Model):
    """What holds for every task that does not say otherwise."""

    timeout: Duration | None = None
    heartbeat: Duration | None = None
    retry: Retry | None = None


AnyStep = TaskStep | DecisionStep | WaitStep | SetStep | SucceedStep | FailStep


class Spec(Model):
    """One workflow."""

    stratum: Annotated[
        Literal["1"], BeforeValidator(lambda value: "1" if type(value) is int and value == 1 else value)
    ]
    workflow: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$", description="the workflow's name")
    version: str = Field(
        pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$", description="a semantic version, such as 1.4.0"
    )
    description: str | None = None
    types: dict[str, Type] = Field({}, description="types by name")
    input: Type = Field(None, description="the contract of the workflow's input")
    output: Type = Field(None, description="the contract of its result")
    timeout: Duration | None = Field(None, description="for the whole workflow")
    defaults: Defaults = Defaults()
    steps: list[AnyStep] = Field(min_length=1)
    result: Any = Field(None, description="the result, for a workflow with one way out")
