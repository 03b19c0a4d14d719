"""The format of test files: `orders.test.yaml` beside `orders.yaml`. The JSON Schema for editors comes from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ....statelang.spec.models import Delay, Duration, seconds_of

_KINDS = ("return", "throw", "never", "sequence", "iterations")


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=False)


class Thrown(Model):
    """A failure, by the name that Step Functions gives it."""

    error: str = Field(description="the error's name, as Retry and Catch see it")
    cause: Any = Field(None, description="text, or what is put in as JSON")


def _thrown(value: Any) -> Any:
    return {"error": value} if isinstance(value, str) else value


class Mock(Model):
    """What stands in for a task. Exactly one of return, throw, never, sequence and iterations."""

    value: Any = Field(
        None, alias="return", description="what the task comes to: of a function, what it returns"
    )
    throw: Annotated[Thrown, BeforeValidator(_thrown, json_schema_input_type=str | Thrown)] | None = Field(
        None, description="an error's name, or {error, cause}"
    )
    never: Literal[True] | None = Field(None, description="nobody answers: the task times out")
    sequence: list[AnyMock] | None = Field(
        None, min_length=1, description="one outcome after the other, for each try"
    )
    iterations: list[AnyMock] | None = Field(
        None, description="a mock for each iteration of the Map around the task"
    )
    then: AnyMock | None = Field(
        None, description="for all tries, or iterations, after those that are listed"
    )
    after: Delay | None = Field(None, description="how much time passes before the answer")
    heartbeat: Duration | None = Field(None, description="how often there are signs of life until then")

    @model_validator(mode="after")
    def _one_kind(self) -> Mock:
        given = [name for name in _KINDS if (name if name != "return" else "value") in self.model_fields_set]
        if len(given) != 1:
            there = " and ".join(f"`{name}`" for name in given) or "none"
            raise ValueError(
                f"a mock has one of `return`, `throw`, `never`, `sequence` and `iterations`, not {there}"
            )
        if self.then is not None and given[0] not in ("sequence", "iterations"):
            raise ValueError(f"`then` goes with `sequence` and `iterations`, not with `{given[0]}`")
        if self.heartbeat is not None and self.after is None:
            raise ValueError("`heartbeat` goes with `after`")
        return self


def _mock(value: Any) -> Any:
    if isinstance(value, list):
        return {"sequence": value}
    return {"never": True} if value == "never" else value


AnyMock = Annotated[Mock, BeforeValidator(_mock, json_schema_input_type=Mock | list[Mock] | Literal["never"])]
Mocks = dict[str, AnyMock]


def _limits(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    exact = seconds_of(value)
    return {"at_least": exact, "at_most": exact}


class Limits(Model):
    """How long the execution takes, in its own time."""

    at_least: Delay | None = None
    at_most: Delay | None = None


AnyLimits = Annotated[Limits, BeforeValidator(_limits, json_schema_input_type=Limits | str | int)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class StepExpectation(Model):
    """What is to come of one step (of a spec) or state (of plain ASL)."""

    ran: bool | None = Field(None, description="whether it is entered at all")
    status: Literal["SUCCEEDED", "FAILED", "CAUGHT", "RUNNING", "ABORTED", "NOT_ENTERED"] | None = None
    attempts: int | None = Field(None, ge=0, description="how often its task is tried, in all")
    error: str | None = Field(
        None, description="the last error that it had, also one that was retried or caught"
    )
    input: Any = Field(None, description="what its task is given, exactly")
    input_has: Any = Field(None, description="what is in its input, among other things")
    output: Any = Field(None, description="what comes out, exactly")
    output_has: Any = Field(None, description="what is in its output, among other things")


class Expectation(Model):
    """What is to come of the execution. Where nothing else is said, that it succeeds."""

    status: Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] | None = Field(
        None, description="default: SUCCEEDED, or FAILED where an error or a cause is wanted"
    )
    path: list[str] | None = Field(None, description="the steps, or in plain ASL the states, in order")
    output: Any = Field(None, description="the output, exactly")
    output_has: Any = Field(None, description="what is in the output, among other things")
    that: Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])] = Field(
        [],
        description="JSONata that must be true, of $output, $input, $status, $error, $cause, $path, $seconds and $steps",
    )
    error: str | None = Field(None, description="the error's name")
    cause: str | None = Field(None, description="what is in the cause, among other things")
    duration: AnyLimits | None = Field(None, description="a duration, or {at_least, at_most}")
    steps: dict[str, StepExpectation] = Field({}, description="what is to come of single steps")

    def wants(self, name: str) -> bool:
        """Whether the field stands in the file, be it with null."""
        return name in self.model_fields_set


class Setting(Model):
    """What a whole file and a single case can say."""

    workflow: str | None = Field(
        None, description="the file beside this one: a spec, a definition or a template"
    )
    state_machine: str | None = Field(None, description="which of a template's state machines")
    substitutions: dict[str, str] = Field({}, description="what is put in for ${name} in a definition")
    express: bool | None = Field(None, description="whether it runs as an Express workflow")
    input: Any = Field(None, description="the execution's input")
    input_file: str | None = Field(None, description="a JSON file with the input")
    mocks: Mocks = Field({}, description="what stands in for tasks, by step, state, function or resource")
    tasks: dict[str, str] = Field(
        {},
        description="functions by name: module.function or path.py:function; those beside the workflow need none",
    )
    mock_config: str | None = Field(None, description="a MockConfigFile.json")
    test_case: str | None = Field(None, description="the case of it")
    all_mocks_used: bool | None = Field(None, description="whether a mock that answers nothing is a failure")
    now: str | None = Field(None, description="when the execution starts: a timestamp with its zone")


class Case(Setting):
    """One execution, and what is to come of it."""

    name: str = Field(min_length=1)
    description: str | None = None
    skip: str | None = Field(None, description="why it is not run")
    real: list[str] = Field([], description="mocks of the file that this case does without")
    expect: Expectation = Expectation.model_validate({})


class CaseFile(Setting):
    """Test cases of a workflow. What is said beside `cases` holds for all of them."""

    stratum_test: Literal["1"] = Field(description="the version of this format")
    cases: list[Case] = Field(min_length=1)


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12, generated from the models."""
    schema = CaseFile.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Stratum test cases",
    }
