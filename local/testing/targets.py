"""What a test means by a name: which task it mocks, which function it gives."""

from __future__ import annotations

from .definitions import SERVICES, State, bare, short
from .problem import SetupError, named
from .workflows import Workflow


def mocked_task(workflow: Workflow, name: str) -> tuple[str | None, list[str]]:
    """The state that a mock of that name stands for, by its own name or its step's; or the resources and functions,
    whichever states call them. Raises `SetupError` for a name of nothing that can be mocked."""
    state = _state(workflow, name)
    if state is not None:
        if state.type == "Task":
            return state.name, []
        raise SetupError(
            f"mocks: '{name}' is a {state.type} state of {workflow.name}; a mock stands for a task"
        )
    keys = [key for key in _resources(workflow) if _same_resource(name, key)]
    if keys:
        return None, keys
    if any(state.dynamic for state in workflow.states.values()):
        return None, [bare(name)]
    raise SetupError(
        f"mocks: {workflow.name} has no state, step or resource '{name}'; {named(name, _mockable(workflow))}"
    )


def called_task(workflow: Workflow, name: str) -> tuple[str | None, str]:
    """The state whose function is meant, by its own name or its step's; or the function's bare name, whichever states
    call it. Raises `SetupError` for a name of no function of the workflow."""
    state = _state(workflow, name)
    if state is not None and state.type == "Task":
        if state.is_lambda:
            return state.name, ""
        raise SetupError(
            f"tasks: '{name}' of {workflow.name} calls {short(state.resource or '')} and no Lambda function;"
            " mocks={…} takes a function for it"
        )
    known = {state.function for state in workflow.states.values() if state.function}
    known |= workflow.functions.keys()
    matching = [key for key in known if _same_function(bare(name), key)]
    if matching or _calls_others(workflow):
        return None, matching[0] if matching else bare(name)
    tasks = [each.name for each in workflow.states.values() if each.is_lambda]
    raise SetupError(f"tasks: {workflow.name} calls no function '{name}'; {named(name, [*known, *tasks])}")


def _state(workflow: Workflow, name: str) -> State | None:
    """The state of that name, or the one that does the work of the step of that name."""
    return workflow.states.get(name) or workflow.states.get(workflow.working_state(name) or "")


def _resources(workflow: Workflow) -> set[str]:
    states = workflow.states.values()
    return {each for state in states for each in (state.resource, state.function) if each}


def _mockable(workflow: Workflow) -> list[str]:
    tasks = [each for each in workflow.states.values() if each.type == "Task"]
    return [each.name for each in tasks] + [
        each.function or short(each.resource or "") for each in tasks if not each.dynamic
    ]


def _calls_others(workflow: Workflow) -> bool:
    """Whether functions may be called that the definition does not name."""
    elsewhere = (f"{SERVICES}states:", f"{SERVICES}aws-sdk:")
    return any(
        state.dynamic or (state.resource or "").startswith(elsewhere) for state in workflow.states.values()
    )


def _same_resource(name: str, resource: str) -> bool:
    if short(name).removeprefix("aws-sdk:") == short(resource).removeprefix("aws-sdk:"):
        return True
    return ":" not in resource and _same_function(bare(name), resource)


def _same_function(name: str, function: str) -> bool:
    """CDK puts eight characters of its own behind the names that its users give."""
    if name == function:
        return True
    rest = function.removeprefix(name)
    return len(rest) == 8 and rest != function and all(c in "0123456789ABCDEF" for c in rest)
