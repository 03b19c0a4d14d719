"""What a task says beside its types: the fields of a `task` step, with Python's exceptions as names of errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

ErrorName = str | type[BaseException]
"""An error by its name, or the exception whose class bears it."""
Duration = str | int
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

    Each is what the field of that name is in a spec. `ensure` may be functions of the result.
    """

    retry: Retry | Literal["none"] | None = None
    timeout: Duration | None = None
    heartbeat: Duration | None = None
    ensure: Sequence[str | Callable[[Any], Any]] = ()


def error_name(error: ErrorName) -> str:
    """The name under which Step Functions sees an exception: that of its class."""
    return error if isinstance(error, str) else error.__name__


def error_names(errors: Sequence[ErrorName] | ErrorName) -> list[str]:
    if isinstance(errors, str | type):
        errors = [errors]
    return [error_name(each) for each in errors]


def written_retry(retry: Retry | Literal["none"]) -> Any:
    """A `retry` as it stands in a spec."""
    if isinstance(retry, str):
        return retry
    return {key: error_names(value) if key in ("on", "never") else value for key, value in retry.items()}  # pyright: ignore[reportArgumentType]
