"""Specs run to their end under a virtual clock, with handlers that are plain functions and people who are too."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stratum.handlers.executions import Executions
from stratum.handlers.functions import Invocation, InvocationResult
from stratum.handlers.loading import Loaded
from stratum.handlers.store import Store
from stratum.local.clock import EPOCH, VirtualClock
from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.functions import InProcessFunctions, errors
from stratum.local.stores import open_store
from stratum.statelang.asl.validation import validate
from stratum.statelang.compiler import compile_spec
from stratum.statelang.engine import messages, read_token
from stratum.statelang.spec import load

HEAD = 'stratum: "1"\nworkflow: w\nversion: 1.0.0\n'
WORK = "stratum-work"
Handler = Callable[[Any, Any], Any]
Answer = Callable[[dict[str, Any]], Any]
"""What somebody says to a work item: the task's output, an exception that is its failure, or None for silence."""


class Killed(BaseException):
    """The process ends here, with everything that it had in its queues."""


def compiled(spec: str) -> dict[str, Any]:
    """The definition of a spec in which nothing is wrong; nothing is wrong with the definition either."""
    loaded = load(spec if spec.startswith(("stratum:", "{")) else HEAD + spec)
    assert loaded.diagnostics == [], "\n".join(loaded.source.render(each) for each in loaded.diagnostics)
    assert loaded.spec is not None
    definition = compile_spec(loaded.spec, loaded.source).definition
    assert validate(definition) == []
    return definition


class Desk:
    """The work handler of a test: keeps the items, and lets `answer` say something to each that waits for it, once: an
    item that is handed in again, by a process that goes on for another, is the same one."""

    def __init__(self, answer: Answer | None):
        self.items: list[dict[str, Any]] = []
        self.said: list[tuple[str, Any]] = []
        self._answer = answer
        self._seen: set[str] = set()

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        key = event.get("token") or context.client_context.custom["idempotency_key"]
        if key in self._seen:
            return {"work": len(self.items)}
        self._seen.add(key)
        self.items.append(event)
        if self._answer is not None and "token" in event:
            answer = self._answer(event)
            if answer is not None:
                self.said.append((event["token"], answer))
        return {"work": len(self.items)}

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.items if item["kind"] == kind]


@dataclass(frozen=True)
class Late:
    """An answer that takes so many seconds."""

    seconds: int
    value: Any = None


class _Functions(InProcessFunctions):
    """Functions that take time, and are ended when the task's timeout has passed."""

    def __init__(self, functions: Mapping[str, Handler], clock: VirtualClock):
        super().__init__(functions)
        self.clock = clock
        self.taken = 0

    def invoke(self, invocation: Invocation) -> InvocationResult:
        self.taken = 0
        result = super().invoke(invocation)
        limit = invocation.timeout
        if limit is not None and self.taken > limit:
            self.clock.advance_to(self.clock() + int(limit * 1000))
            return errors.timed_out(invocation.request_id, limit)
        self.clock.advance_to(self.clock() + self.taken * 1000)
        return result


class Ran:
    """One run: how it ended, and what the handlers were given.

    `functions` are called by the names of their tasks, `answer` plays people and agents. `restarts`: the process dies
    after every commit, before anything that follows from it has gone out, and another goes on from the store, which it
    opens by `opened`; without, it is the same one in memory.
    """

    def __init__(
        self,
        spec: str,
        input: Any = None,
        functions: Mapping[str, Handler] | None = None,
        answer: Answer | None = None,
        *,
        restarts: bool = False,
        opened: Callable[[], Store] | None = None,
        children: Mapping[str, str] | None = None,
        clock: VirtualClock | None = None,
        redrives: int = 0,
    ):
        self.definition = compiled(spec)
        self.children = {name: compiled(child) for name, child in (children or {}).items()}
        self.calls: list[Any] = []
        self.called: list[str] = []
        self.keys: set[str] = set()
        self.commits = 0
        self.desk = Desk(answer)
        self.clock = clock or VirtualClock()
        self._opened = opened
        self.store = opened() if opened else open_store("sqlite:///:memory:")
        self._restarts = restarts
        self._redrives = redrives
        self._functions = {
            name.replace(".", "-"): self._recorded(name, handler)
            for name, handler in (functions or {}).items()
        }
        self._answered: dict[str, Any] = {}
        self._run(json.dumps({} if input is None else input))
        snapshot = self.ended.snapshot
        self.status: str = snapshot["status"]
        self.error = snapshot.get("error")
        self.cause: str = snapshot.get("cause") or ""
        self.seconds = (self.clock() - EPOCH) / 1000

    @property
    def output(self) -> Any:
        assert self.status == "SUCCEEDED", (self.error, self.cause)
        return json.loads(self.ended.snapshot["output"])

    def count(self, name: str) -> int:
        """How often the task was performed; once under a key is once."""
        return self.called.count(name)

    # -- the run -----------------------------------------------------------------------------------------

    def _recorded(self, name: str, handler: Handler) -> Handler:
        """Done once under a key, as a good handler does."""

        def call(event: Any, context: Any) -> Any:
            key = context.client_context.custom["idempotency_key"]
            if key not in self._answered:
                self.keys.add(key)
                self.calls.append(event)
                self.called.append(name)
                try:
                    self._answered[key] = handler(event, context)
                except Exception as error:
                    self._answered[key] = error
            answer = self._answered[key]
            if isinstance(answer, Late):
                self._called.taken = answer.seconds
                answer = answer.value
            if isinstance(answer, Exception):
                raise answer.with_traceback(None)
            return answer

        return call

    def _cloud(self) -> LocalCloud:
        functions = self._called = _Functions({**self._functions, WORK: self.desk}, self.clock)
        observer = self._observe if self._restarts else None
        if self._opened is not None:
            self.store.close()
            self.store = self._opened()
        cloud = LocalCloud(self.store, functions, clock=self.clock, workers=0, observer=observer)
        cloud.runtime.functions = functions  # the desk, in place of the work handler
        return cloud

    def _observe(self, execution: str, commit: Any) -> None:
        self.commits += 1
        raise Killed

    def _run(self, input: str) -> None:
        execution = self._start(input)
        while True:
            cloud = self._cloud()
            try:
                executions = cloud.runtime.executions()
                for each in self._running(cloud, execution):
                    executions.dispatch_pending(each)
                self._to_the_end(cloud, execution)
            except Killed:
                continue
            snapshot = executions.load(execution).snapshot
            if snapshot["status"] == "FAILED" and self._redrives:
                self._redrives -= 1
                with contextlib.suppress(Killed):
                    cloud.call("RedriveExecution", executionArn=execution)
                continue
            self.ended: Loaded = executions.load(execution)
            self.events = cloud.call("GetExecutionHistory", executionArn=execution, maxResults=1000)["events"]
            return

    def _running(self, cloud: LocalCloud, execution: str) -> list[str]:
        """The execution, and those that it has started."""
        heads = cloud.store.heads(status="RUNNING", limit=100).items
        return sorted({execution, *(head.execution for head in heads)})

    def _start(self, input: str) -> str:
        cloud = self._cloud()
        machines = {
            name: cloud.call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)
            for name, definition in {"w": self.definition, **self.children}.items()
        }
        machine: str = machines["w"]["stateMachineArn"]
        with contextlib.suppress(Killed):
            cloud.call("StartExecution", stateMachineArn=machine, name="x", input=input)
        return f"{machine.replace(':stateMachine:', ':execution:')}:x"

    def _to_the_end(self, cloud: LocalCloud, execution: str) -> None:
        executions = cloud.runtime.executions()

        def over() -> bool:
            return executions.known(execution).snapshot["status"] != "RUNNING"

        while not over():
            cloud.run(lambda: bool(self.desk.said) or over(), execution, timeout=30)
            while self.desk.said:
                token, answer = self.desk.said.pop(0)
                _answer(executions, token, answer)


def _answer(executions: Executions, token: str, answer: Any) -> None:
    """Tells the execution what somebody said to a work item, as the work handlers do."""
    found = read_token(token)
    assert found is not None
    execution, frame, task = found
    if isinstance(answer, Exception):
        message = messages.task_failed(frame, task, type(answer).__name__, str(answer))
    else:
        message = messages.task_succeeded(frame, task, json.dumps(answer))
    for failure in executions.advance({execution: [messages.tick(), message]}).values():
        raise failure


def answers(*values: Any) -> Handler:
    """A handler that answers these in turn; an exception is raised."""
    rest = list(values)

    def handler(event: Any, context: Any) -> Any:
        value = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(value, Exception):
            raise value
        return value

    return handler


def echo(event: Any, context: Any) -> Any:
    return event


def approve(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The answer of somebody who says yes."""
    return decided("approve", item, **more)


def decided(outcome: str, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "outcome": outcome, "by": {"user": "ada", "via": "cli"}, "comment": None, "form": item.get("values"),
        "at": "2026-01-01T00:00:00Z", "shown": "digest", **more,
    }  # fmt: skip


class Busy(Exception):
    pass


class Fatal(Exception):
    pass
