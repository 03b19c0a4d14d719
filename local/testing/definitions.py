"""What is in a definition: its states with those of branches and item processors, and what their tasks call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...handlers.functions import function_name

SERVICES = "arn:aws:states:::"
LAMBDA_INVOKE = f"{SERVICES}lambda:invoke"
TOKEN = ".waitForTaskToken"


@dataclass(frozen=True, slots=True)
class State:
    """`function` is the Lambda function that a task calls, where its name stands in the definition; where it is only
    known at run time the task is `dynamic`. `branch` is the number of the branch of a Parallel that the state is in,
    the innermost."""

    name: str
    type: str
    resource: str | None = None
    function: str | None = None
    dynamic: bool = False
    branch: int | None = None

    @property
    def is_lambda(self) -> bool:
        return is_lambda(self.resource or "")


def states_of(definition: dict[str, Any]) -> dict[str, State]:
    """Every state by its name, which is unique within a definition."""
    return {state.name: state for state in _walk(definition, None)}


def is_lambda(resource: str) -> bool:
    return ":lambda:" in resource


def short(resource: str) -> str:
    """A resource as people call it: `sqs:sendMessage`, an activity's name, a function's."""
    if resource.startswith(SERVICES):
        rest = resource.removeprefix(SERVICES)
        for ending in (TOKEN, ".sync:2", ".sync"):
            rest = rest.removesuffix(ending)
        return rest
    if ":activity:" in resource:
        return resource.rpartition(":")[2]
    if ":function:" in resource:
        return bare(resource)
    return resource


def bare(function: str) -> str:
    """A function's name in any of its spellings, as Lambda has it."""
    return function_name(function).replace(".", "-")


def called_function(resource: str, arguments: str) -> str | None:
    """The bare name of the Lambda function that a task calls, or None where it calls none."""
    if not is_lambda(resource):
        return None
    if not resource.startswith(SERVICES):
        return bare(resource)
    try:
        name = json.loads(arguments).get("FunctionName")
    except (ValueError, AttributeError):
        return None
    return bare(name) if isinstance(name, str) else None


def payload(resource: str, arguments: str) -> Any:
    """What a task is given: a Lambda function's event, or the arguments."""
    value = json.loads(arguments)
    if resource.startswith(LAMBDA_INVOKE) and isinstance(value, dict):
        event = value.get("Payload", {})
        if isinstance(event, str):
            try:
                return json.loads(event)
            except ValueError:
                return event
        return event
    return value


def token_of(execution: str, frame: str, task: int, resource: str, secret: str) -> str | None:
    """The token of a task that somebody else answers; None for any other."""
    if not resource.endswith(TOKEN) and ":activity:" not in resource:
        return None
    from ...statelang.engine import make_token

    return make_token(execution, frame, task, secret)


def _walk(machine: Any, branch: int | None) -> Iterator[State]:
    states = machine.get("States") if isinstance(machine, dict) else None
    for name, state in (states or {}).items():
        kind = state.get("Type", "")
        resource = state.get("Resource") if kind == "Task" else None
        function, dynamic = _function(state, resource) if resource else (None, False)
        yield State(name, kind, resource, function, dynamic, branch)
        for index, inner in enumerate(state.get("Branches", ())):
            yield from _walk(inner, index)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _walk(state[key], None)


def _function(state: dict[str, Any], resource: str) -> tuple[str | None, bool]:
    """The function's name where it stands in the definition, and whether it is only known at run time."""
    if not is_lambda(resource):
        return None, False
    if not resource.startswith(SERVICES):
        return bare(resource), False
    arguments = state.get("Parameters", state.get("Arguments"))
    if not isinstance(arguments, dict):
        return None, True
    name = arguments.get("FunctionName")
    if not isinstance(name, str) or name.startswith("{%"):
        return None, True
    return bare(name), False
