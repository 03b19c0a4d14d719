"""Task states: scheduled, submitted, answered, timed out."""

from __future__ import annotations

from typing import Any

from ..asl import integrations
from ..asl.json_text import Json
from ..asl.path_queries import DataPath, PathQuery
from ..asl.states import Query, Task
from ..asl.templates import EvaluationFailed
from ..jsonpath import Path
from . import resources
from .dataflow import Exit, arguments, effective_input, leave, whole
from .errors import RUNTIME, StateFailed
from .scope import StateScope
from .tokens import make_token
from .turn import Frame, Turn, within_limit


def enter(turn: Turn, id: str, frame: Frame, state: Task) -> Exit | None:
    """Schedules the task; on a retry too, when its arguments are evaluated anew."""
    try:
        resource = resources.parse_resource(state.resource)
    except ValueError as error:
        raise StateFailed(RUNTIME, str(error)) from None
    if resource.waits_for_token or resource.waits_for_end:
        secret = turn.top.get("secret", turn.before.get("secret", ""))  # a redrive brings a new one
        frame["token"] = make_token(turn.execution["id"], id, turn.next_event, secret)
    call = arguments(turn, id, frame, state)
    given = within_limit(call.text, f"The arguments of the task '{state.name}'")
    if resource.family == "service":
        _check(resource, state, call)
    root = effective_input(turn, id, frame, state) if state.language == "JSONPath" else None
    scope = StateScope(turn, id, frame, root=root)
    limits: dict[str, Any] = {}
    if state.timeout_seconds is not None:
        limits["timeoutInSeconds"] = _seconds(state.timeout_seconds, scope)
    if state.heartbeat_seconds is not None:
        limits["heartbeatInSeconds"] = _seconds(state.heartbeat_seconds, scope)
    extra = dict(limits)
    role = None
    if state.credentials is not None:
        credentials = state.credentials.evaluate(scope)
        role = credentials.get("RoleArn") if isinstance(credentials, dict) else None
        extra["taskCredentials"] = {"roleArn": role}
    region = turn.execution["id"].split(":")[3]
    kind, details = resources.scheduled(resource, given, region, extra)
    task = turn.emit(kind, frame["event"], details)
    frame["event"] = task
    if resource.family != "activity":
        kind, details = resources.started(resource)
        frame["event"] = turn.emit(kind, task, details)
    frame["phase"] = "task"
    frame["task"] = {"id": task, "resource": state.resource, "arguments": given, "at": turn.now}
    if role is not None:
        frame["task"]["role"] = role
    if "timeoutInSeconds" in limits:
        frame["task"]["timeout"] = limits["timeoutInSeconds"]
        frame["task"]["timeout_at"] = turn.now + limits["timeoutInSeconds"] * 1000
    if "heartbeatInSeconds" in limits:
        frame["task"]["heartbeat"] = limits["heartbeatInSeconds"]
        frame["task"]["heartbeat_at"] = turn.now + limits["heartbeatInSeconds"] * 1000
    if "test_case" in turn.before:
        tried = turn.top.get("tried", turn.before.get("tried", {}))
        frame["task"]["mock"] = {
            "machine": turn.before["state_machine"]["name"], "case": turn.before["test_case"],
            "attempt": tried.get(state.name, 0),
        }  # fmt: skip
        turn.top["tried"] = {**tried, state.name: tried.get(state.name, 0) + 1}
    turn.commands.append(perform(turn.execution["id"], id, frame))
    return None


def _seconds(query: Query, scope: StateScope) -> int:
    if isinstance(query, PathQuery) and isinstance(query.query, Path):
        DataPath(query.query, query.field).evaluate(scope)
    return whole(query, scope, least=1)


class _WrongArguments(EvaluationFailed):
    error = RUNTIME


def _check(resource: resources.Resource, state: Task, call: Json) -> None:
    """Raises `EvaluationFailed` for a call that AWS refuses to make."""
    members = call.value if isinstance(call.value, dict) else {}
    if problems := integrations.problems(resource, members):
        field = "Arguments" if state.language == "JSONata" else "Parameters"
        what = f"The {field} '{call.text}' could not be used to start the Task"
        raise _WrongArguments(f"{what}: [{', '.join(problems)}]", None)


def perform(execution: str, id: str, frame: Frame) -> dict[str, Any]:
    """The command to perform the task that `frame` waits for.

    `key` is the task's idempotency key: the same whenever this very task is performed again, another one for
    each retry.
    """
    task = frame["task"]
    command = {
        "type": "perform",
        "frame": id,
        "task": task["id"],
        "resource": task["resource"],
        "arguments": task["arguments"],
        "state": frame["state"],
        "key": f"{execution.split(':')[7]}/{frame['state']}/{task['id']}",
        "attempt": sum(frame.get("retries", ())) + 1,
    }
    for key in ("timeout", "role", "mock", "job"):
        if key in task:
            command[key] = task[key]
    return command


def submitted(turn: Turn, frame: Frame, state: Task, output: str, job: str | None) -> None:
    """The task was handed over and goes on elsewhere, as the job of that name."""
    resource = resources.parse_resource(state.resource)
    frame["event"] = turn.emit(*_after(frame, resources.submitted(resource, output)))
    frame["task"] = {**frame["task"], "submitted": True}
    if job is not None:
        frame["task"]["job"] = job


def is_being_submitted(frame: Frame, state: Task) -> bool:
    """Whether the task is in the hands of somebody who will say that it was submitted, or that this failed."""
    return resources.parse_resource(state.resource).waits_for_token and not frame["task"].get("submitted")


def taken(turn: Turn, frame: Frame, worker: str | None) -> None:
    """A worker has taken the activity's task."""
    details = {"activityStartedEventDetails": {"workerName": worker}} if worker else None
    frame["event"] = turn.emit("ActivityStarted", frame["event"], details)
    frame["task"] = {**frame["task"], "submitted": True}


def succeeded(turn: Turn, id: str, frame: Frame, state: Task, output: str) -> Exit:
    resource = resources.parse_resource(state.resource)
    try:
        within_limit(output, f"The state/task '{resource.type}'")
        result = turn.data(output)
        _ = result.value
    except StateFailed as failure:
        raise failed(turn, frame, state, failure.error, failure.cause) from None
    except (ValueError, RecursionError):
        raise failed(turn, frame, state, RUNTIME, "The task's result is not JSON.") from None
    _over(frame)
    frame["event"] = turn.emit(*_after(frame, resources.succeeded(resource, output)))
    return leave(turn, id, frame, state, result)


def failed(turn: Turn, frame: Frame, state: Task, error: str | None, cause: str | None) -> StateFailed:
    """Records the failure; the caller raises or handles what this answers."""
    _over(frame)
    resource = resources.parse_resource(state.resource)
    frame["event"] = turn.emit(*_after(frame, resources.failed(resource, error, cause)))
    return StateFailed(error or "States.TaskFailed", cause, recorded=True)


def timed_out(turn: Turn, id: str, frame: Frame, state: Task, *also: str) -> StateFailed:
    turn.abandon(id, frame)
    _over(frame)
    resource = resources.parse_resource(state.resource)
    frame["event"] = turn.emit(*_after(frame, resources.timed_out(resource, "States.Timeout")))
    return StateFailed("States.Timeout", None, also=also, recorded=True)


def _over(frame: Frame) -> None:
    """The job that the task has started has ended, or is ended by somebody else."""
    frame["task"] = {key: value for key, value in frame["task"].items() if key != "job"}


def _after(frame: Frame, event: tuple[str, dict[str, Any]]) -> tuple[str, int, dict[str, Any]]:
    return event[0], frame["event"], event[1]
