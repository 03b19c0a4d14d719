"""What a task says beside its types: the fields of a `task` step, with Python's exceptions as names of errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypedDict

from .names import ErrorName, error_names

Duration = str | int | timedelta
"""As in a spec: `30s`, `1h30m`, or whole seconds."""


class Retry(TypedDict, total=False):
    """As in a spec: `attempts` counts all tries, `on` are the errors that are retried, `never` those that are not."""

    on: Sequence[ErrorName]
    never: Sequence[ErrorName]
    attempts: int
    backoff: Literal["fixed", "linear", "exponential"]
    delay: Duration
    max_delay: Duration
    rate: float
    jitter: Literal["full", "none"]


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What holds for a task wherever a workflow that is built in Python uses it, unless the step says otherwise.

    Each is what the field of that name is in a spec. `ensure` may be functions of the result, and so may the input of
    `compensate`: `(release, lambda result: {"id": result.id})`.
    """

    retry: Retry | Literal["none"] | None = None
    timeout: Duration | None = None
    heartbeat: Duration | None = None
    ensure: Sequence[str | Callable[[Any], Any]] = ()
    compensate: Any = None


def written_duration(value: Duration) -> Any:
    """A duration as it stands in a spec; what is none is left for the checks to tell."""
    if not isinstance(value, timedelta):
        return value
    seconds = value.total_seconds()
    return int(seconds) if seconds.is_integer() else f"{seconds}s"


def written_retry(retry: Retry | Literal["none"]) -> Any:
    """A `retry` as it stands in a spec."""
    if not isinstance(retry, dict):
        return retry
    made: dict[str, Any] = dict(retry)
    for key in ("on", "never"):
        if key in made:
            made[key] = error_names(made[key])
    for key in ("delay", "max_delay"):
        if key in made:
            made[key] = written_duration(made[key])
    return made
