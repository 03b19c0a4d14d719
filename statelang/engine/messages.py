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
    type: str | None = None,
    parent: dict[str, Any] | None = None,
    version: str | None = None,
    alias: str | None = None,
) -> Message:
    """The first message of an execution. `input` is JSON text; `parent` says who waits for its end."""
    return {
        "type": "start",
        "execution": execution_arn,
        "state_machine": state_machine_arn,
        "state_machine_name": state_machine_name or state_machine_arn.split(":")[-1],
        "input": input,
        "role": role_arn,
        **{
            key: value
            for key, value in (("kind", type), ("parent", parent), ("version", version), ("alias", alias))
            if value is not None
        },
    }


def task_succeeded(frame: str, task: int, output: str) -> Message:
    """The task is done; `output` is JSON text."""
    return {"type": "task_succeeded", "frame": frame, "task": task, "output": output}


def task_failed(frame: str, task: int, error: str | None, cause: str | None = None) -> Message:
    return {"type": "task_failed", "frame": frame, "task": task, "error": error, "cause": cause}


def by_token(message: Message) -> Message:
    """The same answer to a task, from who holds its token: it may come before the task is said to be submitted."""
    return {**message, "by": "token"}


def task_timed_out(frame: str, task: int) -> Message:
    """The worker itself saw the task's timeout pass, before the engine's clock did."""
    return {"type": "task_timed_out", "frame": frame, "task": task}


def task_submitted(frame: str, task: int, output: str, job: str | None = None) -> Message:
    """The task was handed over and goes on elsewhere; `output` says where, as JSON text.

    `job` names what was started, where somebody has to look how it goes, or end it when nobody waits for it any more.
    """
    message = {"type": "task_submitted", "frame": frame, "task": task, "output": output}
    return message if job is None else {**message, "job": job}


def activity_started(frame: str, task: int, worker: str | None) -> Message:
    """A worker has taken the activity's task."""
    return {"type": "activity_started", "frame": frame, "task": task, "worker": worker}


def items_read(frame: str, task: int, items: str) -> Message:
    """What a distributed map's item reader found: a JSON array."""
    return {"type": "items_read", "frame": frame, "task": task, "items": items}


def items_failed(frame: str, task: int, cause: str) -> Message:
    return {"type": "items_failed", "frame": frame, "task": task, "cause": cause}


def results_written(frame: str, task: int, output: str) -> Message:
    """A distributed map's results are where they were to go; `output` is what the state comes to."""
    return {"type": "results_written", "frame": frame, "task": task, "output": output}


def results_failed(frame: str, task: int, cause: str) -> Message:
    return {"type": "results_failed", "frame": frame, "task": task, "cause": cause}


def child_finished(frame: str, task: int, index: int, status: str, **fields: Any) -> Message:
    """A child execution of a distributed map has ended; `fields` are its output, or its error and cause."""
    return {
        "type": "child_finished",
        "frame": frame,
        "task": task,
        "index": index,
        "status": status,
        **fields,
    }


def map_run_changed(arn: str, limit: int | None, tolerated: dict[str, float]) -> Message:
    return {"type": "map_run_changed", "arn": arn, "limit": limit, "tolerated": tolerated}


def redrive(by: dict[str, str] | None = None, token: str | None = None) -> Message:
    """`by` says who asks for it, where that is known; by `token` the request is known again."""
    given = {"by": by, "token": token}
    return {"type": "redrive", **{key: value for key, value in given.items() if value is not None}}


def fork(
    execution_arn: str,
    base: dict[str, Any],
    origin: dict[str, Any],
    *,
    input: str | None = None,
) -> Message:
    """The first message of an execution that goes on from where another one stood: from its snapshot `base`.

    `origin` says which and where: `{"execution", "event"}`. `input` is JSON text in place of the other's input.
    """
    return {
        "type": "fork",
        "execution": execution_arn,
        "base": base,
        "origin": origin,
        **({} if input is None else {"input": input}),
    }


def heartbeat(frame: str, task: int) -> Message:
    return {"type": "heartbeat", "frame": frame, "task": task}


def tick() -> Message:
    """Time has passed: whatever is due at `now` happens."""
    return {"type": "tick"}


def stop(error: str | None = None, cause: str | None = None, by: dict[str, str] | None = None) -> Message:
    """`by` says who asks for it, where that is known."""
    return {"type": "stop", "error": error, "cause": cause, **({} if by is None else {"by": by})}
