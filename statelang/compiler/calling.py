"""What a Task calls, and how ASL tries it again."""

from __future__ import annotations

from typing import Any

from ..spec.models import Retry
from .errors import ALL, CHECKS
from .machine import State

INVOKE = "arn:aws:states:::lambda:invoke"


def resource(task: str) -> str:
    """The `Resource` for what a spec calls a task."""
    if task.startswith("aws-sdk:"):
        return f"arn:aws:states:::{task}"
    return task if task.startswith("arn:") and ":lambda:" not in task else INVOKE


def arguments(task: str, input: Any) -> Any:
    """The `Arguments`: for a function, which one, and the input as its event."""
    if resource(task) != INVOKE:
        return input
    return {"FunctionName": task if task.startswith("arn:") else task.replace(".", "-"), "Payload": input}


def result(task: str) -> str:
    """The expression for what came back: of a function, what it returned."""
    return "$states.result.Payload" if resource(task) == INVOKE else "$states.result"


def retriers(retry: Retry | None) -> list[State]:
    """ASL's own Retry. Its MaxAttempts counts the retries, ours every try."""
    if retry is None or retry.attempts < 2:
        return []
    never = [name for name in retry.never if name not in CHECKS]
    found: list[State] = [{"ErrorEquals": never, "MaxAttempts": 0}] if never else []
    on = [ALL] if retry.on is None or ALL in retry.on else [name for name in retry.on if name not in CHECKS]
    if not on:
        return []
    interval = max(1, min(retry.delay, retry.max_delay or retry.delay))
    entry: State = {
        "ErrorEquals": on, "IntervalSeconds": interval, "MaxAttempts": retry.attempts - 1,
        "BackoffRate": 1 if retry.backoff == "fixed" else retry.rate,
    }  # fmt: skip
    if retry.max_delay is not None and retry.max_delay > interval:
        entry["MaxDelaySeconds"] = retry.max_delay
    if retry.jitter == "full":
        entry["JitterStrategy"] = "FULL"
    return [*found, entry]
