"""`TestCloud`: the cloud of one test, in memory and on a virtual clock, and the ways to run workflows in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...handlers.api import front_door
from ...handlers.arns import StatesArn
from ...handlers.logs import logger
from ...handlers.mocks import InvalidMocks, load_mocks
from ...statelang.asl import digest_of, dump
from ..clock import EPOCH, VirtualClock
from ..cloud import ROLE, CallFailed, LocalCloud
from ..events import function_url_event
from ..stores import open_store
from . import aws, observers
from .aws import ACCOUNT, Aws
from .doubles import Doubles, MockCase
from .executions import Executions
from .functions import TestedFunctions
from .mocking import Mocking
from .mocks import seconds
from .problem import Interrupted, SetupError, brief, named
from .reports import describe
from .results import Result
from .running import Execution
from .workflows import Workflow, load

if TYPE_CHECKING:
    from ...handlers.functions import InvocationResult
    from ...handlers.runtime import Runtime
    from ...statelang.engine.messages import Message
    from .workflows import Given

_READS = ("Describe", "List", "Get", "Validate")
"""How the operations begin that change nothing."""


class TestCloud:
    """A cloud of its own for one test: nothing of it outlives the test, and no wait in it takes time.

    `folders` are where relative paths are looked for, the first first; `test` is the test's name, for observers. `now`,
    a timestamp with its zone, is the time at which it begins (default: 2026-01-01T00:00:00Z).
    """

    __test__ = False  # pytest takes what begins with Test for tests

    def __init__(
        self,
        folders: Sequence[Path | str] = (),
        *,
        test: str | None = None,
        now: str | datetime | None = None,
    ):
        self._folders = [Path(folder) for folder in folders] or [Path.cwd()]
        self._test = test
        self._clock = VirtualClock(EPOCH if now is None else _milliseconds(now))
        self._executions = Executions()
        self._functions = TestedFunctions(self._doubles_of, self._executions.raised)
        self._mocking = Mocking(self._executions, self._doubles_of)
        self._aws = Aws(_Host(self))
        self._log_level = logger.log_level
        logger.setLevel("CRITICAL")
        self._cloud = self._executions.cloud = LocalCloud(
            open_store("sqlite:///:memory:"), self._functions, clock=self._clock, workers=0,
            observer=self._executions.committed, mocks=self._mocking,
            clients=lambda service, account, region: aws.client(service, region),
        )  # fmt: skip
        self._doubles: dict[str, Doubles] = {}
        self._machines: dict[str, Doubles] = {}
        self._kinds: dict[str, str] = {}
        self._workflows: dict[str, Workflow] = {}
        self._count = 0
        self._working = False
        self._closed = False

    def __enter__(self) -> TestCloud:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything; what observes executions is told of those that there were."""
        if self._closed:
            return
        self._closed = True
        self._aws.close()
        logger.setLevel(self._log_level)
        try:
            if observers.observed():
                for execution in self._executions.every():
                    observers.tell(self._executions.observed(execution, self._workflows, self._test))
        finally:
            self._cloud.close()

    # -- running -----------------------------------------------------------------------------------------

    @brief
    def run(
        self,
        workflow: Given,
        input: Any = None,
        *,
        tasks: Mapping[str, Any] | None = None,
        mocks: Mapping[str, Any] | None = None,
        mock_config: str | Path | None = None,
        test_case: str | None = None,
        state_machine: str | None = None,
        substitutions: Mapping[str, str] | None = None,
        express: bool | None = None,
        all_mocks_used: bool = False,
    ) -> Result:
        """Runs a workflow with that input (default: {}) to its end.

        `workflow` is a file (a spec, a definition in Amazon States Language, or a template), or a definition as a
        dict or text; `state_machine` says which of a template's. `tasks` are Lambda functions by the name of the
        function or of the step that calls it: callables, `module.function` or `path.py:function`; those beside the
        file need no mention. `mocks` stand for tasks by step, state or resource (see `mocks`); or `test_case` names
        a case of `mock_config`, a `MockConfigFile.json`. With `all_mocks_used`, one that answers nothing is an error.

        Raises `SetupError` where something that the test names is not there, and where the execution waits for
        something that never comes.
        """
        __tracebackhide__ = True
        execution = self.start(
            workflow, input, tasks=tasks, mocks=mocks, mock_config=mock_config, test_case=test_case,
            state_machine=state_machine, substitutions=substitutions, express=express,
        )  # fmt: skip
        result = execution.finish()
        if all_mocks_used and (unused := self._doubles[execution.arn].unused()):
            raise SetupError(f"mocks that were never used: {', '.join(unused)}; {result!r}")
        return result

    @brief
    def start(
        self,
        workflow: Given,
        input: Any = None,
        *,
        tasks: Mapping[str, Any] | None = None,
        mocks: Mapping[str, Any] | None = None,
        mock_config: str | Path | None = None,
        test_case: str | None = None,
        state_machine: str | None = None,
        substitutions: Mapping[str, str] | None = None,
        express: bool | None = None,
        name: str | None = None,
    ) -> Execution:
        """Starts a workflow and runs it as far as it gets before time has to pass or somebody to answer.

        Takes what `run` takes; `name` is the execution's. Raises `SetupError`.
        """
        __tracebackhide__ = True
        loaded = self._load(workflow, state_machine, substitutions)
        doubles = Doubles(loaded, mocks, tasks, self._case(loaded, mock_config, test_case))
        machine = self._create(loaded, express)
        self._machines.setdefault(machine, doubles)
        self._count += 1
        name = name or f"{_name(loaded.name)[:60]}-{self._count}"
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        self._doubles[arn] = doubles
        try:
            started = self.call("StartExecution", stateMachineArn=machine, name=name, input=_input(input))
        except CallFailed as failed:
            raise SetupError(failed.message) from None
        self._doubles[started["executionArn"]] = doubles
        execution = Execution(self, started["executionArn"], loaded)
        self._guarded(self._settle)
        return execution

    @brief
    def deploy(
        self,
        workflow: Given,
        *,
        tasks: Mapping[str, Any] | None = None,
        mocks: Mapping[str, Any] | None = None,
        state_machine: str | None = None,
        substitutions: Mapping[str, str] | None = None,
        express: bool | None = None,
    ) -> str:
        """Creates a state machine without starting it, for what starts it by itself (a workflow around it, code under
        test); answers its ARN."""
        __tracebackhide__ = True
        loaded = self._load(workflow, state_machine, substitutions)
        doubles = Doubles(loaded, mocks, tasks)
        machine = self._create(loaded, express)
        self._machines[machine] = doubles
        return machine

    def call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """An operation of Step Functions' API, as `call("DescribeExecution", executionArn=…)`. Raises `CallFailed`."""
        event = function_url_event(operation, parameters)
        answer = front_door.handle(self._cloud.runtime_for(ACCOUNT, self._aws.region), event)
        body = json.loads(answer["body"])
        if answer["statusCode"] != 200:
            raise CallFailed(body["__type"], body["message"])
        return body

    def client(self, service: str, region_name: str | None = None, **options: Any) -> Any:
        """boto3's client of a service of this cloud: Step Functions with the executions of this test, and by moto
        everything else. Clients that code under test makes by itself come to the same cloud."""
        region = region_name or self._aws.region
        return (
            aws.session().client(service, region_name=region, **options)
            if options
            else aws.client(service, region)
        )

    @brief
    def execution(self, arn: str) -> Execution:
        """An execution that was started otherwise than by `start`, such as by code under test."""
        doubles = self._doubles_of(arn) if arn in self._executions else None
        if doubles is None:
            raise SetupError(f"there is no execution {arn} here; {named(arn, self._executions.every())}")
        return Execution(self, arn, doubles.workflow)

    @property
    def executions(self) -> list[Execution]:
        """All that were started, in order; children of distributed maps are not among them."""
        return [self.execution(arn) for arn in self._executions.roots() if self._doubles_of(arn)]

    @brief
    def advance(self, duration: str | float | timedelta) -> None:
        """Lets so much time pass (`"2h"`, seconds, a timedelta), for all that runs."""
        __tracebackhide__ = True
        self._guarded(lambda: self._advance_to(self.now + round(seconds(duration) * 1000)))

    @property
    def now(self) -> int:
        """The virtual time, in milliseconds since the epoch."""
        return self._clock()

    def _load(
        self, given: Given, state_machine: str | None, substitutions: Mapping[str, str] | None
    ) -> Workflow:
        return load(
            given,
            self._folders,
            region=self._aws.region,
            state_machine=state_machine,
            substitutions=substitutions,
        )

    def _create(self, workflow: Workflow, express: bool | None = None) -> str:
        """Creates the state machine, with those beside it that are not there yet; answers its ARN."""
        for other in workflow.beside:
            arn = str(StatesArn(self._aws.region, ACCOUNT, "stateMachine", other.name))
            if arn not in self._machines:
                self._machines[self._create(other)] = Doubles(other)
        kind = "EXPRESS" if (workflow.express if express is None else express) else "STANDARD"
        name = _name(workflow.name)
        machine = str(StatesArn(self._aws.region, ACCOUNT, "stateMachine", name))
        self._workflows[digest_of(workflow.text)] = workflow
        try:
            if self._kinds.get(machine, kind) != kind:
                self.call("DeleteStateMachine", stateMachineArn=machine)  # a type cannot be changed
            try:
                self.call("CreateStateMachine", name=name, definition=workflow.text, roleArn=ROLE, type=kind)
            except CallFailed as failed:
                if failed.type != "StateMachineAlreadyExists":
                    raise
                self.call("UpdateStateMachine", stateMachineArn=machine, definition=workflow.text)
        except CallFailed as failed:
            raise SetupError(f"{workflow.name}: {failed.message}") from None
        self._kinds[machine] = kind
        return machine

    def _case(self, workflow: Workflow, config: str | Path | None, case: str | None) -> MockCase | None:
        if case is None and config is None:
            return None
        if case is None or config is None:
            raise SetupError("mock_config= is a file and test_case= a case of it: give both")
        path = next((folder / config for folder in self._folders if (folder / config).exists()), Path(config))
        try:
            mocks = load_mocks(path)
        except InvalidMocks as error:
            raise SetupError(f"mock_config: {error}") from None
        machines = sorted({machine for machine, _ in mocks.cases})
        machine = workflow.name if workflow.name in machines else machines[0] if len(machines) == 1 else None
        if machine is None:
            raise SetupError(
                f"{path} has no state machine '{workflow.name}'; {named(workflow.name, machines)}"
            )
        if not mocks.has(machine, case):
            cases = [each for owner, each in mocks.cases if owner == machine]
            raise SetupError(f"{path} has no test case '{case}' of '{machine}'; {named(case, cases)}")
        return MockCase(mocks, machine, case)

    def describe(self) -> str:
        """The executions that this cloud has had, as text, without those that a failed assertion has told of."""
        return "\n".join(
            describe(self._result(execution))
            for execution in self._executions.roots()
            if execution not in self._executions.told and self._doubles_of(execution)
        )

    # -- what the executions do --------------------------------------------------------------------------

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """Runs handlers; an error of the test's own comes out as it was raised."""
        __tracebackhide__ = True
        try:
            return work()
        except Interrupted as interrupted:
            error = interrupted.error
        raise error

    def _say(self, execution: str, said: list[Message]) -> None:
        """Tells an execution what has happened to it."""
        runtime = self._cloud.runtime_for(ACCOUNT, self._aws.region)
        for failure in runtime.executions().advance({execution: said}).values():
            raise failure

    def _settle(self) -> None:
        """Does all there is to do at this moment."""
        if self._working:
            return  # whoever is at work goes on with it
        self._working = True
        try:
            while self._cloud._work():
                pass
        finally:
            self._working = False

    def _to_the_end(self, execution: str) -> None:
        executions = self._cloud.runtime.executions()
        self._working = True
        try:
            self._cloud.run(lambda: executions.known(execution).snapshot["status"] != "RUNNING", execution)
        finally:
            self._working = False

    def _advance_to(self, at: int) -> None:
        """Lets time pass; what is due on the way is done when it is due."""
        self._settle()
        while (wake := self._cloud.queues.next_wake) is not None and wake <= at:
            self._clock.advance_to(wake)
            self._settle()
        self._clock.advance_to(at)
        self._settle()

    def _advance_to_next(self) -> bool:
        """Lets time pass until something is due; answers False where nothing ever will be."""
        self._settle()
        wake = self._cloud.queues.next_wake
        if wake is None or self._working:
            return False
        self._clock.advance_to(wake)
        self._settle()
        return True

    def _result(self, execution: str) -> Result:
        return self._executions.result(execution, self._doubles[execution].workflow)

    def _doubles_of(self, execution: str) -> Doubles | None:
        found = self._doubles.get(execution)
        if found is None and execution:
            root = self._executions.root(execution)
            machine = self._executions.snapshot(root)["state_machine"]["id"]
            found = self._doubles.get(root) or self._machines.get(machine)
            if found is not None:
                self._doubles[execution] = found
        return found

    def _every_doubles(self) -> list[Doubles]:
        """The latest first."""
        return [*reversed(self._doubles.values()), *reversed(self._machines.values())]


class _Host:
    """What requests that come in through boto3 do to the cloud."""

    def __init__(self, stratum: TestCloud):
        self._stratum = stratum
        self._last: tuple[str, bytes] | None = None

    def runtime_for(self, account: str, region: str) -> Runtime:
        return self._stratum._cloud.runtime_for(account, region)

    def asked(self, operation: str, body: bytes) -> None:
        """Whoever asks the same again, and has done nothing in between, waits for something: time goes on for them."""
        asked = (operation, body) if operation.startswith(_READS) else None
        if asked is not None and asked == self._last:
            self._stratum._advance_to_next()
        self._last = asked

    def answered(self, operation: str) -> None:
        """What follows from a request happens at once."""
        if not operation.startswith(_READS):
            self._stratum._settle()

    def invoked(self, function: str, payload: str) -> InvocationResult | None:
        return self._stratum._functions.invoke_for_others(function, payload, self._stratum._every_doubles())


def _name(workflow: str) -> str:
    """A name that a state machine can have."""
    return (
        "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in workflow)[:80] or "workflow"
    )


def _milliseconds(now: str | datetime) -> int:
    try:
        at = datetime.fromisoformat(now) if isinstance(now, str) else now
    except ValueError:
        raise SetupError(f"{now!r} is no timestamp; one is written 2026-03-01T09:00:00Z") from None
    if at.tzinfo is None:
        raise SetupError(f"the timestamp {now} has no zone; one with it is 2026-03-01T09:00:00Z")
    return round(at.timestamp() * 1000)


def _input(input: Any) -> str:
    if input is None:
        return "{}"
    try:
        return dump(input)
    except (TypeError, ValueError, RecursionError) as error:
        raise SetupError(f"the input cannot be JSON: {error}") from None
