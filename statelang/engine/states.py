"""What each type of state does when it is entered, and what ends it.

An entry function answers with what the state's result is (`Exit`), or None when the state waits for a
message. Everything that can go wrong in a state is raised as `StateFailed` or `EvaluationFailed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..asl import Choice, EvaluationFailed, Fail, Json, Pass, State, Succeed, Task, Template, Wait
from . import resources
from .errors import NO_CHOICE_MATCHED, RUNTIME, StateFailed
from .turn import Frame, StateScope, Turn, texts, within_limit

MAX_SECONDS = 99_999_999


@dataclass(slots=True)
class Exit:
    """The state is done: what it puts out, what it assigns, where it goes (None: the machine ends)."""

    output: Json
    assigned: dict[str, str]
    next: str | None


class ExecutionFailed(Exception):
    """A Fail state was reached."""

    def __init__(self, error: str | None, cause: str | None):
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


def enter(turn: Turn, id: str, frame: Frame, state: State) -> Exit | None:
    """Enters `state`, whose entry event has been recorded."""
    return _ENTER[type(state)](turn, id, frame, state)


def finish(
    turn: Turn,
    id: str,
    frame: Frame,
    default: Json,
    *,
    assign: Template | None,
    output: Template | None,
    next: str | None,
    result: Json | None = None,
    error: Json | None = None,
) -> Exit:
    """Evaluates what a state assigns and puts out; both see the variables as they were before."""
    if assign is None and output is None:
        return Exit(default, {}, next)
    scope = StateScope(turn, id, frame, result, error)
    assigned: dict[str, str] = {}
    put_out = default
    if assign is not None:
        assigned = texts(assign.evaluate(scope))
    if output is not None:
        value = output.evaluate(scope)
        put_out = default if value is default.value else Json(value=value)
    return Exit(put_out, assigned, next)


def _leave(turn: Turn, id: str, frame: Frame, state: State) -> Exit:
    return finish(
        turn, id, frame, turn.data(frame["input"]), assign=state.assign, output=state.output, next=state.next
    )


def _pass(turn: Turn, id: str, frame: Frame, state: Pass) -> Exit:
    return _leave(turn, id, frame, state)


def _succeed(turn: Turn, id: str, frame: Frame, state: Succeed) -> Exit:
    return _leave(turn, id, frame, state)


def _fail(turn: Turn, id: str, frame: Frame, state: Fail) -> Exit:
    scope = StateScope(turn, id, frame)
    error = None if state.error is None else state.error.evaluate_as(scope, str, "string")
    cause = None if state.cause is None else state.cause.evaluate_as(scope, str, "string")
    raise ExecutionFailed(error, cause)


def _choice(turn: Turn, id: str, frame: Frame, state: Choice) -> Exit:
    scope = StateScope(turn, id, frame)
    input = turn.data(frame["input"])
    for rule in state.rules:
        if rule.condition.evaluate_as(scope, bool, "boolean"):
            return finish(turn, id, frame, input, assign=rule.assign, output=rule.output, next=rule.next)
    if state.default is None:
        raise StateFailed(NO_CHOICE_MATCHED, "No choice matched, and the Choice state has no 'Default'.")
    return finish(turn, id, frame, input, assign=state.assign, output=state.output, next=state.default)


def _wait(turn: Turn, id: str, frame: Frame, state: Wait) -> Exit | None:
    scope = StateScope(turn, id, frame)
    if state.seconds is not None:
        seconds = whole_seconds(state.seconds, scope, least=0)
        until = turn.now + seconds * 1000
    else:
        assert state.timestamp is not None
        until = _timestamp(state.timestamp, scope)
    if until <= turn.now:
        return _leave(turn, id, frame, state)
    frame["phase"] = "wait"
    frame["wake"] = until
    return None


def waited(turn: Turn, id: str, frame: Frame, state: State) -> Exit:
    """The time that a Wait state waited for has come."""
    return _leave(turn, id, frame, state)


def _task(turn: Turn, id: str, frame: Frame, state: Task) -> Exit | None:
    """Schedules the task; on a retry too, when its arguments are evaluated anew."""
    scope = StateScope(turn, id, frame)
    try:
        resource = resources.parse_resource(state.resource)
    except ValueError as error:
        raise StateFailed(RUNTIME, str(error)) from None
    if state.arguments is None:
        arguments = frame["input"]
    else:
        data = Json(value=state.arguments.evaluate(scope))
        arguments = within_limit(data.text, f"The arguments of the task '{state.name}'")
    limits: dict[str, int] = {}
    for key, template in (
        ("timeoutInSeconds", state.timeout_seconds),
        ("heartbeatInSeconds", state.heartbeat_seconds),
    ):
        if template is not None:
            limits[key] = whole_seconds(template, scope, least=1)
    region = turn.execution["id"].split(":")[3]
    kind, details = resources.scheduled(resource, arguments, region, limits)
    task = turn.emit(kind, frame["event"], details)
    kind, details = resources.started(resource)
    frame["event"] = turn.emit(kind, task, details)
    frame["phase"] = "task"
    frame["task"] = {"id": task, "resource": state.resource, "arguments": arguments, "at": turn.now}
    if "timeoutInSeconds" in limits:
        frame["task"]["timeout"] = limits["timeoutInSeconds"]
        frame["task"]["timeout_at"] = turn.now + limits["timeoutInSeconds"] * 1000
    if "heartbeatInSeconds" in limits:
        frame["task"]["heartbeat"] = limits["heartbeatInSeconds"]
        frame["task"]["heartbeat_at"] = turn.now + limits["heartbeatInSeconds"] * 1000
    turn.commands.append(perform(turn.execution["name"], id, frame))
    return None


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
        "key": f"{execution}/{frame['state']}/{task['id']}",
        "attempt": sum(frame.get("retries", ())) + 1,
    }
    if "timeout" in task:
        command["timeout"] = task["timeout"]
    return command


def task_succeeded(turn: Turn, id: str, frame: Frame, state: Task, output: str) -> Exit:
    resource = resources.parse_resource(state.resource)
    try:
        within_limit(output, f"The state/task '{resource.type}'")
        result = turn.data(output)
        _ = result.value
    except StateFailed as failure:
        raise task_failed(turn, frame, state, failure.error, failure.cause) from None
    except (ValueError, RecursionError):
        raise task_failed(turn, frame, state, RUNTIME, "The task's result is not JSON.") from None
    frame["event"] = turn.emit(*_after(frame, resources.succeeded(resource, output)))
    return finish(
        turn, id, frame, result, assign=state.assign, output=state.output, next=state.next, result=result
    )


def task_failed(turn: Turn, frame: Frame, state: Task, error: str, cause: str | None) -> StateFailed:
    """Records the failure; the caller raises or handles what this answers."""
    resource = resources.parse_resource(state.resource)
    frame["event"] = turn.emit(*_after(frame, resources.failed(resource, error, cause)))
    return StateFailed(error, cause, recorded=True)


def task_timed_out(turn: Turn, frame: Frame, state: Task, *also: str) -> StateFailed:
    resource = resources.parse_resource(state.resource)
    frame["event"] = turn.emit(*_after(frame, resources.timed_out(resource, "States.Timeout")))
    return StateFailed("States.Timeout", None, also=also, recorded=True)


def _after(frame: Frame, event: tuple[str, dict[str, Any]]) -> tuple[str, int, dict[str, Any]]:
    return event[0], frame["event"], event[1]


def whole_seconds(template: Template, scope: StateScope, least: int) -> int:
    """A field that counts whole seconds, literal or computed."""
    value = template.evaluate_as(scope, int | float, "number")  # pyright: ignore[reportArgumentType]
    if value != int(value) or not least <= value <= MAX_SECONDS:
        raise EvaluationFailed(
            f"The value {value} of the field '{template.field}' is not a whole number from {least} to {MAX_SECONDS}.",
            template.field,
        )
    return int(value)


def _timestamp(template: Template, scope: StateScope) -> int:
    text = template.evaluate_as(scope, str, "string")
    try:
        at = datetime.fromisoformat(text)
        if "T" not in text or at.tzinfo is None:
            raise ValueError
    except ValueError:
        raise EvaluationFailed(
            f"The value '{text}' of the field '{template.field}' is not a timestamp such as 2026-01-02T03:04:05Z.",
            template.field,
        ) from None
    return int(at.astimezone(UTC).timestamp() * 1000)


_ENTER: dict[type[State], Callable[[Turn, str, Frame, Any], Exit | None]] = {
    Pass: _pass,
    Succeed: _succeed,
    Fail: _fail,
    Choice: _choice,
    Wait: _wait,
    Task: _task,
}
