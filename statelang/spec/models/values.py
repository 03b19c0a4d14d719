"""What models of a spec are made of: durations, conditions, retries, routes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

MAX_SECONDS = 99_999_999
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+[smhdw])+")


def seconds_of(value: Any) -> int:
    """A duration such as `90`, `30s` or `1h30m` in whole seconds. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a duration is written 30s, 10m, 2h or 7d, or as whole seconds: 90")
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
        raise ValueError(f"a duration is from 0 to {MAX_SECONDS} seconds, not {value}")
    return value


def _positive(value: Any) -> int:
    seconds = seconds_of(value)
    if seconds < 1:
        raise ValueError(f"a duration is at least one second here, not {value}")
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
    backoff: Literal["fixed", "linear", "exponential"] = Field(
        "exponential", description="how the wait grows from try to try"
    )
    delay: Delay = Field(1, description="the wait before the second try")
    max_delay: Duration | None = Field(None, description="no wait is longer")
    rate: float = Field(2.0, ge=1, le=100, strict=False, description="by which an exponential wait grows")
    jitter: Literal["full", "none"] = Field("none", description="full: a random part of each wait")


class ErrorRoute(Model):
    """Where an error that is not retried any more leads."""

    match: list[str] | None = Field(None, description="error names; without, every error")
    next: str = Field(description="the step that it leads to, or `end`; $error is there")


def _tolerated(value: Any) -> Any:
    if isinstance(value, str):
        number = value.replace(" ", "").removesuffix("%")
        if "%" not in value or not re.fullmatch(r"\d+(\.\d+)?", number) or float(number) > 100:
            raise ValueError(f"{value!r} is no number of items and no percentage: write 3 or 10%")
        return f"{number}%"
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("how many items may fail is written 3 or 10%")
    return value


Tolerance = Annotated[
    int | str,
    BeforeValidator(_tolerated),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}]}
    ),
]
"""How many items of a map may fail: a number, or `10%`."""


class Compensation(Model):
    """What undoes a step that was done, when the workflow fails later.

    A step that was tried again because its contract or an `ensure` refused the answer was done several times, and each
    is undone, with what is known of it: what the answer lacks is left out of the input.
    """

    task: str = Field(
        description="as in a task: module.function, a Lambda ARN, aws-sdk:service:action, an ARN"
    )
    input: Any = Field(
        None, description="its event, computed when the step is done: data, with {% expressions %}"
    )
    retry: Retry | Literal["none"] | None = Field(
        None, description="without: every error, five tries, from one second on, twice as long each time"
    )
    timeout: Duration | None = Field(None, description="for one try")
