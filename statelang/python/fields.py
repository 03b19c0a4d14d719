"""The fields of steps as a workflow in Python gives them, and as they stand in a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from .names import ErrorName, error_names, name_of
from .options import Duration, Retry, TaskOptions, written_duration, written_retry
from .references import Expression, bare, template, variable
from .types import written_type

Condition = Expression | str
Check = Condition | tuple[Condition, str] | Mapping[str, Any] | Callable[[Expression], Any]
"""A condition, alone or with what is said when it does not hold; in `ensure` also a function of the result."""
Target = str | Expression
"""A step, by its id or as the builder gave it."""
Routes = Mapping[Any, Target] | Sequence[Mapping[str, Any]]
"""Errors to where they lead; `States.ALL` is every error, and comes last."""


class StepFields(TypedDict, total=False):
    """What every step may have."""

    description: str
    when: Condition
    needs: Check | Sequence[Check]
    next: Target


class FallibleFields(StepFields, total=False):
    """What a step may have that does something."""

    on_error: Routes
    compensate: Any
    """The handler that takes back what the step has done; with its input, or a function of the step's result that
    gives it: `(handler, input)`; with other fields of a compensation: `{"task": handler, "retry": …}`."""


class TaskFields(FallibleFields, total=False):
    input: Any
    ensure: Check | Sequence[Check]
    timeout: Duration
    retry: Retry | Literal["none"]
    heartbeat: Duration


class CallFields(FallibleFields, total=False):
    """What a step may have that hands something out and gets an answer."""

    input: Any
    output: Any
    ensure: Check | Sequence[Check]
    timeout: Duration


class MapFields(FallibleFields, total=False):
    max_concurrency: int
    tolerate: int | str
    mode: Literal["inline", "distributed"]


class RepeatFields(FallibleFields, total=False):
    until: Condition
    collect: Mapping[str, Any]
    on_max: Literal["error", "end"]


class GateFields(FallibleFields, total=False):
    on_timeout: Literal["reject", "approve", "escalate", "error"]
    reminders: Sequence[Duration]
    escalate: Mapping[str, Any]
    message: str
    shows: Any
    form: Any
    values: Any
    revise: Any
    risk: Literal["low", "normal"]
    notify: Sequence[str]


class AgentFields(CallFields, total=False):
    attempts: int
    budget: Mapping[str, Any]
    heartbeat: Duration


def written(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they stand in a spec; those that are None are left out."""
    return {name: _WRITTEN.get(name, template)(value) for name, value in fields.items() if value is not None}


def target(value: Any) -> Any:
    """The step that is meant, by its id."""
    return getattr(value, "_id", value) if isinstance(value, Expression) else value


def checks(value: Any) -> Any:
    """`ensure` and `needs`."""
    many = value if isinstance(value, list) else [value]
    return [_check(each) for each in many]


def handler_name(value: Any) -> Any:
    """What a spec calls a handler: a function, a task, or its name."""
    if isinstance(getattr(value, "options", None), TaskOptions):
        return value.name
    return name_of(value) if callable(value) else value


def collection(value: Any) -> Any:
    """Items: an expression, or a list with references."""
    return template(value) if isinstance(value, list | tuple) else bare(value)


def _check(value: Any) -> Any:
    if callable(value) and not isinstance(value, Expression):
        value = value(variable("result"))
    if isinstance(value, tuple) and len(value) == 2:
        return {"that": bare(value[0]), "otherwise": template(value[1])}
    if isinstance(value, Mapping):
        made = {name: _WRITTEN.get(name, template)(part) for name, part in value.items()}
        return {**made, **({"that": bare(value["that"])} if "that" in value else {})}
    if isinstance(value, bool):
        raise TypeError(
            f"a condition has come out as {value} already: it compares what is known while the workflow is built"
        )
    return bare(value)


def _routes(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return [
            {
                **each,
                **({"match": error_names(each["match"])} if "match" in each else {}),
                "next": target(each.get("next")),
            }
            for each in value
        ]
    return [{"match": error_names(_listed(errors)), "next": target(to)} for errors, to in value.items()]


def _listed(errors: ErrorName | tuple[ErrorName, ...]) -> Sequence[ErrorName]:
    return list(errors) if isinstance(errors, tuple) else [errors]


def compensation(value: Any, result: Expression) -> dict[str, Any]:
    """`compensate` with its handler under `task`; `result` is what a function that gives its input is called with."""
    if isinstance(value, tuple) and len(value) == 2:
        value = {"task": value[0], "input": value[1]}
    if not isinstance(value, Mapping):
        value = {"task": value}
    given = value.get("input")
    if callable(given) and not isinstance(given, Expression):
        value = {**value, "input": given(result)}
    return dict(value)


def _compensation(value: Mapping[str, Any]) -> dict[str, Any]:
    made = written({name: part for name, part in value.items() if name != "task"})
    return {"task": handler_name(value["task"]), **made} if "task" in value else made


def _collect(value: Any) -> Any:
    return {name: bare(part) for name, part in value.items()} if isinstance(value, Mapping) else value


def _durations(value: Any) -> Any:
    return [written_duration(each) for each in value] if isinstance(value, list | tuple) else value


def _escalation(value: Any) -> Any:
    return {name: written_duration(part) if name == "timeout" else part for name, part in value.items()}


def _revision(value: Any) -> Any:
    return {**value, "to": target(value.get("to"))} if isinstance(value, Mapping) else target(value)


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "when": bare, "until": bare, "items": collection, "needs": checks, "ensure": checks, "next": target,
    "on_error": _routes, "compensate": _compensation, "output": written_type, "form": written_type, "retry": written_retry,
    "timeout": written_duration, "heartbeat": written_duration, "within": written_duration, "every": written_duration,
    "time": written_duration, "collect": _collect, "reminders": _durations, "escalate": _escalation, "revise": _revision,
    "budget": lambda value: written(value) if isinstance(value, Mapping) else value,
}  # fmt: skip
