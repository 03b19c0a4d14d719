"""A whole spec."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .steps import AnyStep
from .values import Duration, Model, Retry, Type


class Defaults(Model):
    """What holds for every task that does not say otherwise."""

    timeout: Duration | None = Field(None, description="of every task and child workflow")
    heartbeat: Duration | None = Field(None, description="of every task")
    retry: Retry | None = Field(None, description="of every task and child workflow")


class Spec(Model):
    """One workflow."""

    stratum: Annotated[
        Literal["1"], BeforeValidator(lambda value: "1" if type(value) is int and value == 1 else value)
    ] = Field(description="the version of the language")
    workflow: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$", description="the workflow's name")
    version: str = Field(
        pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$", description="a semantic version, such as 1.4.0"
    )
    description: str | None = Field(None, description="for people")
    types: dict[str, Type] = Field({}, description="types by name")
    input: Type = Field(None, description="the contract of the workflow's input")
    output: Type = Field(None, description="the contract of its result")
    timeout: Duration | None = Field(
        None, description="for the whole workflow; where there is something to undo, it is undone after that"
    )
    defaults: Defaults = Field(
        default_factory=lambda: Defaults.model_validate({}),
        description="what holds for tasks that do not say otherwise",
    )
    steps: list[AnyStep] = Field(min_length=1, description="what happens, one after the other")
    result: Any = Field(None, description="the result, for a workflow with one way out")
