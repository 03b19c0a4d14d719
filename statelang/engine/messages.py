"""What can happen to an execution: the messages that `decide` takes, as plain JSON.

A task's result names the frame and the task that it answers (`task` is the id of the event that scheduled
it), so that a second or a late answer is told from the first and ignored.
"""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]


def start(
    execution_arn: str,
    state_machine_arn: str,
    input: str,
    *,
    role_arn: str = "",
    state_machine_name: str | None = None,
) -> Message:
    """The first message of an execution. `input` is JSON text."""
    return {
        "type": "start",
        "execution": execution_arn,
        "state_machine": state_machine_arn,
        "state_machine_name": state_machine_name or state_machine_arn.split(":")[-1],
        "input": input,
        "role": role_arn,
    }


def task_succeeded(frame: str, task: int, output: str) -> Message:
    """The task is done; `output` is JSON text."""
    return {"type": "task_succeeded", "frame": frame, "task": task, "output": output}


def task_failed(frame: str, task: int, error: str, cause: str | None = None) -> Message:
    return {"type": "task_failed", "frame": frame, "task": task, "error": error, "cause": cause}


def task_timed_out(frame: str, task: int) -> Message:
    """The worker itself saw the task's timeout pass, before the engine's clock did."""
    return {"type": "task_timed_out", "frame": frame, "task": task}


def heartbeat(frame: str, task: int) -> Message:
    return {"type": "heartbeat", "frame": frame, "task": task}


def tick() -> Message:
    """Time has passed: whatever is due at `now` happens."""
    return {"type": "tick"}


def stop(error: str | None = None, cause: str | None = None) -> Message:
    return {"type": "stop", "error": error, "cause": cause}
