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
from ...handlers.mocks import InvalidMocks, Response, load_mocks
from ...handlers.store import Commit
from ...handlers.times import rfc3339
from ...statelang.asl import digest_of, dump
from ...statelang.engine import messages
from ..clock import EPOCH, VirtualClock
from ..cloud import ROLE, CallFailed, LocalCloud
from ..events import function_url_event
from ..stores import open_store
from . import aws, observers
from .aws import ACCOUNT, Aws
from .definitions import token_of
from .doubles import Doubles, MockCase
from .functions import TestedFunctions
from .mocks import Outcome, seconds
from .observers import Observed
from .problem import Interrupted, SetupError, brief, named
from .reports import describe
from .results import Result
from .running import Execution
from .visits import Child
from .workflows import Workflow, load

if TYPE_CHECKING:
    from ...handlers.functions import InvocationResult
    from ...handlers.runtime import Runtime
    from ...handlers.tasks import TaskCommand
    from ..cost import Figures
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
        self._functions = TestedFunctions(self._doubles_of)
        self._aws = Aws(_Host(self))
        self._log_level = logger.log_level
        logger.setLevel("CRITICAL")
        self._cloud = LocalCloud(
            open_store("sqlite:///:memory:"), self._functions, clock=self._clock, workers=0,
            observer=self._committed, mocks=_Mocking(self),
            clients=lambda service, account, region: aws.client(service, region),
        )  # fmt: skip
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._children_of: dict[str, list[str]] = {}
        self._ways: dict[str, list[list[int | str]]] = {}
        self._doubles: dict[str, Doubles] = {}
        self._machines: dict[str, Doubles] = {}
        self._kinds: dict[str, str] = {}
        self._texts: dict[str, Workflow] = {}
        self._told: set[str] = set()
        self._mocked: set[str] = set()
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
                for execution in list(self._events):
                    observers.tell(self._observed(execution))
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
        """Runs a workflow to its end.

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
        doubles = self._doubles_of(arn) if arn in self._events else None
        if doubles is None:
            raise SetupError(f"there is no execution {arn} here; {named(arn, self._events)}")
        return Execution(self, arn, doubles.workflow)

    @property
    def executions(self) -> list[Execution]:
        """All that were started, in order; children of distributed maps are not among them."""
        return [
            self.execution(arn) for arn in self._events if self._root(arn) == arn and self._doubles_of(arn)
        ]

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
        self._texts[digest_of(workflow.text)] = workflow
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
        texts: list[str] = []
        for execution in self._events:
            if (
                execution not in self._told
                and execution in self._doubles
                and self._root(execution) == execution
            ):
                texts.append(describe(self._result(execution)))
        return "\n".join(texts)

    # -- what the executions do --------------------------------------------------------------------------

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """Runs handlers; an error of the test's own comes out as it was raised."""
        __tracebackhide__ = True
        try:
            return work()
        except Interrupted as interrupted:
            error = interrupted.error
        raise error

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
        loaded = self._cloud.runtime.executions().known(execution)
        doubles = self._doubles[execution]
        return Result(
            doubles.workflow, loaded.snapshot, self._events.get(execution, []), now=self._clock(),
            children=self._children(execution), cost=lambda: self._cost(execution),
            raised=self._functions.raised.get(execution), told=self._told,
        )  # fmt: skip

    def _cost(self, execution: str) -> Figures:
        from ..cost import load_prices, of_execution

        head = self._cloud.store.head(execution)
        assert head is not None
        return of_execution(load_prices(), self._cloud.store, head)

    def _children(self, execution: str) -> list[Child]:
        """The children of its distributed maps, in order."""
        found: list[Child] = []
        for child in self._children_of.get(execution, ()):
            parent = self._snapshot(child)["parent"]
            found.append(Child(parent["task"], parent["index"], self._events[child], self._children(child)))
        return sorted(found, key=lambda child: (child.after, child.index))

    def _committed(self, execution: str, commit: Commit) -> None:
        if execution not in self._events and commit.messages and commit.messages[0]["type"] == "start":
            parent = commit.messages[0].get("parent") or {}
            if "map_run" in parent:
                self._children_of.setdefault(parent["execution"], []).append(execution)
        self._events.setdefault(execution, []).extend(commit.events)
        self._ways.setdefault(execution, []).extend(commit.ways)

    def _snapshot(self, execution: str) -> dict[str, Any]:
        return self._cloud.runtime.executions().known(execution).snapshot

    def _root(self, execution: str) -> str:
        """The execution whose definition a child of a distributed map runs a part of."""
        while "map_run" in (parent := self._snapshot(execution).get("parent") or {}):
            execution = parent["execution"]
        return execution

    def _doubles_of(self, execution: str) -> Doubles | None:
        found = self._doubles.get(execution)
        if found is None and execution:
            root = self._root(execution)
            machine = self._snapshot(root)["state_machine"]["id"]
            found = self._doubles.get(root) or self._machines.get(machine)
            if found is not None:
                self._doubles[execution] = found
        return found

    def _every_doubles(self) -> list[Doubles]:
        """The latest first."""
        return [*reversed(self._doubles.values()), *reversed(self._machines.values())]

    def _iteration(self, execution: str, task: TaskCommand) -> int | None:
        """Which iteration of the innermost Map a task belongs to."""
        snapshot = self._snapshot(execution)
        doubles = self._doubles_of(execution)
        parts = task.frame.split("/")
        while len(parts) > 1:
            index = int(parts.pop())
            around = snapshot["frames"].get("/".join(parts), {}).get("state")
            state = doubles.workflow.states.get(around or "") if doubles is not None else None
            if state is not None and state.type == "Map":
                return index
        return (snapshot.get("parent") or {}).get("index")

    def _answer_later(self, execution: str, task: TaskCommand, response: Response, outcome: Outcome) -> None:
        assert outcome.delay is not None
        body = {"tenant": self._cloud.store.tenant, "execution": execution}
        at = self._clock() + round(outcome.delay * 1000)
        if outcome.heartbeat:
            beat = self._clock() + round(outcome.heartbeat * 1000)
            while beat < at:
                self._cloud.queues.advance_at(
                    beat, {**body, "message": messages.heartbeat(task.frame, task.task)}
                )
                beat += round(outcome.heartbeat * 1000)
        if response.pending:
            return
        if response.output is not None:
            message = messages.task_succeeded(task.frame, task.task, response.output)
        else:
            message = messages.task_failed(task.frame, task.task, response.error, response.cause)
        self._cloud.queues.advance_at(at, {**body, "message": message})

    # -- what others are told ----------------------------------------------------------------------------

    def _observed(self, execution: str) -> Observed:
        root = self._root(execution)
        snapshot = self._snapshot(execution)
        digest = self._snapshot(root)["definition"]
        workflow = self._texts.get(digest)
        record = self._cloud.store.get("definition", digest)
        definition = (
            workflow.definition
            if workflow is not None
            else json.loads(record.value["definition"] if record else "{}")
        )
        return Observed(
            execution,
            snapshot["state_machine"]["name"],
            definition,
            self._events[execution],
            self._ways[execution],
            snapshot["status"],
            source_map=workflow.source_map if workflow is not None else None,
            file=workflow.file if workflow is not None else None,
            parent=(snapshot.get("parent") or {}).get("execution") if root != execution else None,
            express=snapshot.get("kind") == "EXPRESS",
            test=self._test,
        )


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


class _Mocking:
    """What the tasks handler asks first."""

    def __init__(self, stratum: TestCloud):
        self._stratum = stratum

    def has(self, machine: str, case: str) -> bool:
        return False

    def answer(self, execution: str, task: TaskCommand) -> Response | None:
        stratum = self._stratum
        doubles = stratum._doubles_of(execution)
        if doubles is None:
            return None
        try:
            secret = stratum._snapshot(execution).get("secret", "")
            iteration = stratum._iteration(execution, task)
            found = doubles.answer(task, execution, iteration, secret, rfc3339(stratum.now))
        except BaseException as error:
            raise error if isinstance(error, Interrupted) else Interrupted(error) from None
        if found is None:
            return None
        response, outcome = found
        token = token_of(execution, task.frame, task.task, task.resource, secret)
        if token is not None:
            stratum._mocked.add(token)
        if outcome.error is not None:
            stratum._functions.raised[execution] = outcome.error
        if outcome.delay is None:
            return response
        stratum._answer_later(execution, task, response, outcome)
        return Response(pending=True)


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
