"""What answers the tasks of an execution in a test: its mocks and its functions, found by state, step or resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...handlers.mocks import Mocks, Response
from ..functions import errors
from .definitions import (
    LAMBDA_INVOKE,
    TOKEN,
    called_function,
    is_lambda,
    payload,
    short,
    token_of,
)
from .mocks import Call, Outcome, Player, TaskError, check, to_json
from .problem import SetupError, named
from .targets import called_task, mocked_task
from .work_items import is_work, whole_answer
from .workflows import Workflow

if TYPE_CHECKING:
    from ...handlers.tasks import TaskCommand

Handler = Callable[[Any, Any], Any]


@dataclass(slots=True)
class MockCase:
    """A case of a `MockConfigFile.json`: what its states come to, by how often each was tried."""

    mocks: Mocks
    machine: str
    case: str
    tried: dict[str, int] = field(default_factory=dict)

    def response(self, state: str) -> Response | None:
        attempt = self.tried.get(state, 0)
        found = self.mocks.response(self.machine, self.case, state, attempt)
        if found is not None:
            self.tried[state] = attempt + 1
        return found


class Doubles:
    """The mocks and functions of the executions of one workflow. `states` are those of its definition."""

    def __init__(
        self,
        workflow: Workflow,
        mocks: Mapping[str, Any] | None = None,
        tasks: Mapping[str, Any] | None = None,
        test_case: MockCase | None = None,
    ):
        self.workflow = workflow
        self.test_case = test_case
        self._players: dict[str, Player] = {}
        self._by_state: dict[str, Player] = {}
        self._by_resource: dict[str, Player] = {}
        self.functions: dict[str, Any] = {}
        self.functions_by_state: dict[str, Any] = {}
        for name, mock in _named("mocks", mocks).items():
            check(name, mock)
            self._add(name, Player(name, mock))
        for name, function in _named("tasks", tasks).items():
            if not callable(function) and not isinstance(function, str):
                raise SetupError(
                    f"tasks: '{name}' is a callable, 'module.function' or 'path.py:function', not"
                    f" {type(function).__name__}; for a value write mocks={{'{name}': …}}"
                )
            self._add_function(name, function)
        if test_case is not None:
            self._check_test_case(test_case)

    # -- set up ------------------------------------------------------------------------------------------

    def _add(self, name: str, player: Player) -> None:
        self._players[name] = player
        state, keys = mocked_task(self.workflow, name)
        if state is not None:
            self._by_state[state] = player
        for key in keys:
            self._by_resource[key] = player

    def _add_function(self, name: str, function: Any) -> None:
        state, found = called_task(self.workflow, name)
        if state is not None:
            self.functions_by_state[state] = function
        else:
            self.functions[found] = function

    def _check_test_case(self, case: MockCase) -> None:
        mocked = case.mocks.cases[case.machine, case.case]
        for name in mocked:
            if name not in self.workflow.states:
                tasks = [each.name for each in self.workflow.states.values() if each.type == "Task"]
                raise SetupError(
                    f"the test case '{case.case}' mocks the state '{name}', which {self.workflow.name} does not have;"
                    f" {named(name, tasks)}"
                )

    # -- while it runs -----------------------------------------------------------------------------------

    def answer(
        self, task: TaskCommand, execution: str, iteration: int | None, secret: str, at: str
    ) -> tuple[Response, Outcome] | None:
        """What the task comes to where it is mocked, as the handlers take it and as the mock says it. `secret` is that
        of the execution's tokens, `at` the time now."""
        player = self._player(task)
        if player is None:
            found = None if self.test_case is None else self.test_case.response(task.state)
            return None if found is None else (found, Outcome())
        call = Call(
            task.state, self.workflow.step_of(task.state), task.resource, payload(task.resource, task.arguments),
            task.attempt, iteration, token_of(execution, task.frame, task.task, task.resource, secret), execution,
        )  # fmt: skip
        outcome = player.play(call)
        if is_work(called_function(task.resource, task.arguments)):
            outcome = replace(outcome, value=whole_answer(call.input, outcome.value, at))
        return _response(player.name, task, outcome), outcome

    def _player(self, task: TaskCommand) -> Player | None:
        found = self._by_state.get(task.state)
        if found is None and self._by_resource:
            function = called_function(task.resource, task.arguments)
            found = self._by_resource.get(function or "") or self._by_resource.get(task.resource)
        return found

    def unused(self) -> list[str]:
        """The mocks that answered nothing."""
        names = [player.name for player in self._players.values() if not player.calls]
        if self.test_case is not None:
            mocked = self.test_case.mocks.cases[self.test_case.machine, self.test_case.case]
            names += [name for name in mocked if name not in self.test_case.tried]
        return names


def _named(what: str, given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise SetupError(f"{what}={{…}} is a mapping of names, not {type(given).__name__}")
    return given


def _response(name: str, task: TaskCommand, outcome: Outcome) -> Response:
    if outcome.pending:
        return Response(pending=True)
    if outcome.error is not None:
        error, cause = failure(task, outcome.error)
        return Response(error=error, cause=cause)
    text = to_json(name, outcome.value)
    if task.resource.startswith(LAMBDA_INVOKE) and not task.resource.endswith(TOKEN):
        if not _is_invoke_response(outcome.value):
            text = f'{{"ExecutedVersion":"$LATEST","Payload":{text},"StatusCode":200}}'
    elif task.resource == START_CHILD and not (isinstance(outcome.value, dict) and "Output" in outcome.value):
        text = f'{{"Output":{text},"Status":"SUCCEEDED"}}'
    return Response(output=text)


START_CHILD = "arn:aws:states:::states:startExecution.sync:2"
_INVOKE_RESPONSE = {
    "ExecutedVersion", "FunctionError", "LogResult", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode",
}  # fmt: skip


def _is_invoke_response(value: Any) -> bool:
    """Whether this is the whole answer of Lambda's Invoke, and not what a function returned."""
    return isinstance(value, dict) and "Payload" in value and set(value) <= _INVOKE_RESPONSE


def failure(task: TaskCommand, error: BaseException) -> tuple[str, str | None]:
    """Name and cause of the failure that a Python exception stands for."""
    if isinstance(error, TaskError):
        return error.error, error.cause
    answer = getattr(error, "response", None)
    if isinstance(answer, dict) and isinstance(answer.get("Error"), dict):  # botocore's ClientError
        return _client_error(task, error)
    name, text = type(error).__name__, str(error)
    if is_lambda(task.resource) and not task.resource.endswith(TOKEN):
        return name, errors.failed(task.key, name, text, []).payload
    return name, text or None


def _client_error(task: TaskCommand, error: BaseException) -> tuple[str, str | None]:
    """botocore's error under the name that Step Functions has for it."""
    from ...handlers.integrations.calls import SDK, botocore_service, refused
    from ...handlers.integrations.optimized import SERVICES
    from .aws import client

    service, style = short(task.resource).partition(":")[0], SDK
    if service == "aws-sdk":
        name = botocore_service(short(task.resource).split(":")[1])
    elif service in SERVICES:
        name, style = SERVICES[service].botocore, SERVICES[service].style
    else:
        name = None
    if name is None:
        return type(error).__name__, str(error)
    failed = refused(client(name, "us-east-1"), error, style)
    return failed.error, failed.cause
