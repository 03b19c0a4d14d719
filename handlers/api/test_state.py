"""TestState: one state run by itself, with what its data looked like on the way, and with mocked results.

See the AWS guide, "Using TestState API to test a state". Nothing is stored: the state is entered in an execution
that is made for it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from ...statelang.asl import InvalidDefinition, NotJson, Problem, read_json
from ...statelang.asl.json_text import Json
from ...statelang.asl.machine import check, parse_definition, prepare
from ...statelang.asl.states import Map, Parallel, Pass, Retried, State, StateMachine, Task
from ...statelang.asl.templates import EvaluationFailed
from ...statelang.engine import dataflow, maps, messages
from ...statelang.engine.errors import EXCEEDED_TOLERATED_FAILURES, StateFailed, matches
from ...statelang.engine.scope import StateScope
from ...statelang.engine.turn import ROOT, Frame, Turn
from ..arns import StatesArn
from ..runtime import Runtime
from . import parameters as read
from .errors import ApiError
from .mock_schema import check_mock
from .parameters import Parameters
from .state_machines import invalid_definition
from .test_state_context import read_context

NAME = "StateName"
"""What the tested state is called in its context, whatever it is called in its definition."""
_NOT_MOCKED = ("Pass", "Succeed", "Fail", "Wait", "Choice")
_SUPPORTED = "[Task, Wait, Pass, Succeed, Fail, Choice]"


def test_state(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    level = read.optional_text(parameters, "inspectionLevel") or "INFO"
    state = _state(parameters)
    _check_request(parameters, state)
    run = _Run(runtime, tenant, parameters, state)
    answer = run.answer()
    if level != "INFO":
        answer["inspectionData"] = run.inspection()
    return answer


test_state.__test__ = False  # pyright: ignore[reportFunctionMemberAccess] - its name is AWS's, and no test's


# -- the request -------------------------------------------------------------------------------------------


def _state(parameters: Parameters) -> State:
    """The state that is asked for: the definition itself, or the one in it (at any depth) of that name."""
    text = read.text(parameters, "definition")
    name = read.optional_text(parameters, "stateName")
    try:
        definition = parse_definition(text)
        if name is not None:
            if not _names(definition, name):
                raise _invalid("State not found in definition")
            _raise(check(definition))
            return next(state for state in _states(prepare(definition)) if state.name == name)
        whole = {"StartAt": NAME, "States": {NAME: definition}}
        # Where the state goes on to is not there to be found.
        _raise([problem for problem in check(whole) if not problem.code.startswith("MISSING_")])
    except InvalidDefinition as error:
        raise invalid_definition(error.problems) from None
    return prepare(whole).states[NAME]


def _names(definition: Any, name: str) -> bool:
    """Whether there is a state of this name, as far as can be told of a definition that is not checked."""
    if isinstance(definition, list):
        return any(_names(item, name) for item in definition)
    if not isinstance(definition, dict):
        return False
    states = definition.get("States")
    if not isinstance(states, dict):
        return False
    return name in states or any(
        _names(body.get(key), name)
        for body in states.values()
        if isinstance(body, dict)
        for key in ("Branches", "ItemProcessor", "Iterator")
    )


def _states(machine: StateMachine) -> Iterator[State]:
    for state in machine.states.values():
        yield state
        inner = state.branches if isinstance(state, Parallel) else []
        for each in [state.processor] if isinstance(state, Map) else inner:
            yield from _states(each)


def _raise(problems: list[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity == "ERROR"]
    if errors:
        raise InvalidDefinition(errors)


def _check_request(parameters: Parameters, state: State) -> None:
    mock = parameters.get("mock")
    configuration = parameters.get("stateConfiguration") or {}
    if mock is None:
        if configuration.get("mapIterationFailureCount") is not None:
            raise _invalid(
                "TestState does not support MapIterationFailureCount when a mock is not specified."
            )
        if isinstance(state, Map | Parallel):
            raise ApiError(
                "InvalidDefinition",
                f"TestState API does not support Map or Parallel states. Supported state types include: {_SUPPORTED}",
            )
        if isinstance(state, Task) and not parameters.get("roleArn"):
            raise _invalid("RoleArn must be specified when testing a Task state")
        return
    if state.type in _NOT_MOCKED:
        raise _invalid(f"State type '{state.type}' is not supported when a mock is specified")
    if parameters.get("revealSecrets"):
        raise _invalid("TestState does not support RevealSecrets when a mock is specified.")
    given = [key for key in ("result", "errorOutput") if mock.get(key) is not None]
    if len(given) != 1:
        raise _invalid("A test mock should have only one of the following fields: [result, errorOutput].")
    mode = mock.get("fieldValidationMode") or "STRICT"
    if (
        isinstance(state, Map)
        and state.item_reader is not None
        and configuration.get("mapItemReaderData") is None
    ):
        raise _invalid(
            "ItemReader data must be specified when testing a Map state with ItemReader specified."
        )
    if given == ["result"]:
        result = _json(mock["result"], "Mocked result")
        if isinstance(state, Map) and state.result_writer is not None:
            if not isinstance(result, dict):
                raise _invalid("Mocked result must be a JSON object.")
        elif isinstance(state, Map | Parallel):
            if not isinstance(result, list):
                raise _invalid("Mocked result must be an array.")
        elif isinstance(state, Task):
            check_mock(state.resource, result, mode)


def _json(text: str, what: str) -> Any:
    try:
        return read_json(text)
    except NotJson:
        raise _invalid(f"{what} must be valid JSON") from None


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)


# -- the run -----------------------------------------------------------------------------------------------


class _Run:
    """The state, entered in an execution of its own."""

    def __init__(self, runtime: Runtime, tenant: str, parameters: Parameters, state: State):
        self.runtime = runtime
        self.tenant = tenant
        self.mock = parameters.get("mock") or {}
        self.configuration = parameters.get("stateConfiguration") or {}
        self.state = state
        self.machine = StateMachine(state.name, {state.name: state}, digest="test")
        self.input = read.execution_input(parameters)
        self.variables = _json(read.optional_text(parameters, "variables") or "{}", "Variables")
        self.level = parameters.get("inspectionLevel")
        self.reveal_secrets = read.flag(parameters, "revealSecrets", False)
        if not isinstance(self.variables, dict):
            raise _invalid("Variables must be a JSON object")
        self.found: dict[str, Any] = {}
        snapshot = self._snapshot(parameters)
        self.turn = Turn(self.machine, snapshot, runtime.clock())
        self.frame: Frame = self.turn.frame(ROOT)

    def _snapshot(self, parameters: Parameters) -> dict[str, Any]:
        now = self.runtime.clock()
        name, machine = str(uuid.uuid4()), str(uuid.uuid4())
        region, account = self.runtime.region, self.runtime.account
        start = messages.start(
            str(StatesArn(region, account, "express", f"{machine}:{name}")),
            str(StatesArn(region, account, "stateMachine", machine)),
            self.input,
            role_arn=parameters.get("roleArn"),  # pyright: ignore[reportArgumentType] - None is said so in the context
            type="EXPRESS",
        )
        snapshot = {
            "execution": {"id": start["execution"], "name": name, "role": start["role"], "started": now, "input": self.input},
            "state_machine": {"id": start["state_machine"], "name": machine},
            "definition": "", "status": "RUNNING", "deadline": None, "events": 0, "kind": "EXPRESS", "state_name": NAME,
            "frames": {ROOT: self._entered(now)},
            "variables": {f"{ROOT}:{key}": json.dumps(value, separators=(",", ":")) for key, value in self.variables.items()},
        }  # fmt: skip
        context = read.optional_text(parameters, "context")
        if context is not None:
            snapshot["context"] = read_context(context)
        return snapshot

    def _entered(self, now: int) -> Frame:
        return {
            "state": self.state.name, "phase": "entered", "input": self.input, "event": 0, "before": 0, "entry": 0,
            "entered": now, "names": list(self.variables),
        }  # fmt: skip

    def answer(self) -> dict[str, Any]:
        try:
            exit = self._exit()
        except EvaluationFailed as failed:
            where = f"An error occurred while executing the state '{self.state.name}'."
            return self._failed(
                StateFailed(failed.error, f"{where} {failed.message}", location=failed.location)
            )
        except StateFailed as failure:
            return self._failed(failure)
        if exit is None:
            return {"status": "SUCCEEDED", "output": self.input}
        answer = {"status": "SUCCEEDED", "output": exit.output.text}
        if exit.next is not None:
            answer["nextState"] = exit.next
        if exit.assigned:
            self.found["variables"] = json.dumps(
                {**self.variables, **{name: json.loads(text) for name, text in exit.assigned.items()}}
            )
        return answer

    def _exit(self) -> dataflow.Exit | None:
        turn, frame, state = self.turn, self.frame, self.state
        self._look_before()
        if self.mock.get("errorOutput") is not None:
            error = self.mock["errorOutput"]
            raise StateFailed(error.get("error"), error.get("cause"))
        if self.mock.get("result") is not None:
            if isinstance(state, Map):
                self._check_tolerance(state)
            return self._finish(Json(text=self.mock["result"]))
        if isinstance(state, Task):
            return self._finish(self._perform(state))
        return self._enter(turn, frame)

    def _enter(self, turn: Turn, frame: Frame) -> dataflow.Exit | None:
        from ...statelang.engine import states

        try:
            exit = states.enter(turn, ROOT, frame, self.state)
        except states.StateEndedInFailure as failed:
            raise StateFailed(failed.error, failed.cause) from None
        if exit is None:
            # A Wait: it is not waited for.
            exit = dataflow.leave(turn, ROOT, frame, self.state)
        if isinstance(self.state, Pass):
            self._look_after(self.state)
        return exit

    def _finish(self, result: Json) -> dataflow.Exit:
        state = self.state
        assert isinstance(state, Retried)
        if isinstance(state, Task):
            self.found["result"] = result.text
        self._look_after(state, result)
        return dataflow.leave(self.turn, ROOT, self.frame, state, result)

    def _perform(self, state: Task) -> Json:
        """The task, really performed."""
        from ...statelang.engine import tasks as engine_tasks
        from .. import tasks

        engine_tasks.enter(self.turn, ROOT, self.frame, state)
        from ..integrations.http_task import traced

        command = tasks.TaskCommand(**self.turn.commands[-1])
        with traced(self.reveal_secrets) as trace:
            message = tasks.perform_task(self.runtime, self.tenant, self.turn.execution["id"], command)
        if self.level == "TRACE":
            self.found |= trace
        if message is None or message["type"] == "task_submitted":
            raise StateFailed("States.Runtime", "TestState does not wait for callbacks.")
        if message["type"] == "task_succeeded":
            return Json(text=message["output"])
        raise StateFailed(message.get("error", "States.Timeout"), message.get("cause"))

    def _check_tolerance(self, state: Map) -> None:
        failed = self.configuration.get("mapIterationFailureCount")
        if failed is None or (
            state.tolerated_failure_count is None and state.tolerated_failure_percentage is None
        ):
            return
        allowed = maps.tolerated(self.turn, ROOT, self.frame, state)
        result = json.loads(self.mock["result"])
        count = len(result) if isinstance(result, list) else 0
        if failed > allowed["count"] and not failed * 100 <= allowed["percentage"] * count:
            raise StateFailed(
                EXCEEDED_TOLERATED_FAILURES, "The specified tolerated failure threshold was exceeded"
            )

    def _failed(self, failure: StateFailed) -> dict[str, Any]:
        """What Retry and Catch make of it."""
        answer: dict[str, Any] = {"status": "FAILED"}
        if failure.error is not None:
            answer["error"] = failure.error
        if failure.cause is not None:
            answer["cause"] = failure.cause
        details: dict[str, Any] = {}
        if failure.location is not None:
            self.found["errorDetails"] = {"location": failure.location}
        if not isinstance(self.state, Retried) or failure.fatal:
            return answer
        for index, retrier in enumerate(self.state.retry):
            if matches(retrier.error_equals, failure):
                details["retryIndex"] = index
                count = self.configuration.get("retrierRetryCount") or 0
                if count < retrier.max_attempts:
                    seconds = retrier.interval_seconds * retrier.backoff_rate**count
                    if retrier.max_delay_seconds is not None:
                        seconds = min(seconds, retrier.max_delay_seconds)
                    details["retryBackoffIntervalSeconds"] = int(seconds)
                    self.found["errorDetails"] = details
                    return {**answer, "status": "RETRIABLE"}
                break
        for index, catcher in enumerate(self.state.catch):
            if matches(catcher.error_equals, failure):
                details["catchIndex"] = index
                error = Json(value={"Error": failure.error or "", "Cause": failure.cause or ""})
                exit = dataflow.catch(self.turn, ROOT, self.frame, self.state, catcher, error)
                answer |= {"status": "CAUGHT_ERROR", "output": exit.output.text, "nextState": catcher.next}
                break
        if details:
            self.found["errorDetails"] = details
        return answer

    # -- what its data looked like ---------------------------------------------------------------------

    def inspection(self) -> dict[str, Any]:
        found = {"input": self.input, **self.found}
        if self.variables and "variables" not in found:
            found["variables"] = json.dumps(self.variables)
        return found

    def _look_before(self) -> None:
        state, found = self.state, self.found
        path = state.language == "JSONPath"
        if isinstance(state, Map):
            self._look_at_map(state)
        elif isinstance(state, Parallel) or (isinstance(state, Pass) and state.result is not None):
            return
        elif isinstance(state, Task | Pass):
            if path:
                found["afterInputPath"] = self._effective().text
                found["afterParameters"] = dataflow.arguments(self.turn, ROOT, self.frame, state).text
            elif isinstance(state, Task):
                found["afterArguments"] = dataflow.arguments(self.turn, ROOT, self.frame, state).text
        elif path:
            found["afterInputPath"] = self._effective().text

    def _look_at_map(self, state: Map) -> None:
        found = self.found
        if state.language == "JSONPath":
            found["afterInputPath"] = self._effective().text
        data = self.configuration.get("mapItemReaderData")
        if data is not None:
            _json(data, "MapItemReaderData")
        elif state.item_reader is None:
            items = maps.items(self.turn, ROOT, self.frame, state)
            if state.language == "JSONPath" and state.items is not None:
                found["afterItemsPath"] = json.dumps(items.value, ensure_ascii=False)
        found["maxConcurrency"] = maps.concurrency(self.turn, ROOT, self.frame, state)
        allowed = maps.tolerated(self.turn, ROOT, self.frame, state)
        if state.tolerated_failure_count is not None:
            found["toleratedFailureCount"] = allowed["count"]
        if state.tolerated_failure_percentage is not None:
            found["toleratedFailurePercentage"] = float(allowed["percentage"])

    def _look_after(self, state: Any, result: Json | None = None) -> None:
        if state.language != "JSONPath":
            return
        turn, frame, found = self.turn, self.frame, self.found
        if result is None:
            if state.result is not None:
                result = Json(text=state.result)
                found["result"] = result.text
            else:
                result = dataflow.arguments(turn, ROOT, frame, state)
        selected = result
        if state.result_selector is not None:
            selected = Json(value=state.result_selector.evaluate(StateScope(turn, ROOT, frame, root=result)))
        found["afterResultSelector"] = selected.text
        found["afterResultPath"] = dataflow.placed(turn, frame, state.result_path, selected).text

    def _effective(self) -> Json:
        return dataflow.effective_input(self.turn, ROOT, self.frame, self.state)
