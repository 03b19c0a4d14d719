"""`Stratum`: workflows started, watched and answered."""

from __future__ import annotations

import builtins
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from . import errors
from .execution import Execution, described, when

if TYPE_CHECKING:
    from ...handlers.work.items import WorkItem
    from ...statelang.python.workflow import Workflow
    from ..cli.files import WorkflowFile
    from .backends import Backend

FIRST_PAUSE = 0.05
"""Seconds until it is looked again whether something has changed, where nobody tells; then longer and longer."""


class Stratum:
    """Where workflows run: in this process on a store, or at an endpoint.

    - `Stratum()`, `Stratum("sqlite:///path")`, `Stratum("dynamodb://table?region=…")`: in this process. Tasks that a
      workflow was given as functions are called here, others in worker processes; `isolated=True` calls all of them
      there. `folders` are where handlers are looked for beside the workflow's own. `clock="virtual"` lets no wait
      take time. Other processes may use the same store; each runs what it has started.
    - `Stratum(endpoint="http://127.0.0.1:8083")`, `Stratum(region=…, profile=…)`: `stratum up`, or AWS.
    - `Stratum(stage="prod", profile=…, region=…)`: a stage on AWS that `stratum deploy` has made.

    A workflow is given as a `Workflow`, as the path of a file (a spec, ASL, `flow.py:workflow`), or by the name or ARN
    of a state machine; an execution as an `Execution`, or by its ARN or name. What goes wrong is a `StratumError`.
    """

    def __init__(
        self,
        store: str | None = None,
        *,
        endpoint: str | None = None,
        stage: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        folders: Iterable[Path | str] = (),
        isolated: bool = False,
        clock: Literal["real", "virtual"] = "real",
        workers: int = 8,
    ):
        remote = endpoint is not None or stage is not None or region is not None or profile is not None
        if remote and store is not None:
            raise ValueError(
                "either a store, for executions in this process, or an endpoint, stage, region or profile"
            )
        self.backend: Backend
        if stage is not None:
            from ..cli.parsers.adding import stage_address
            from .remote import OfStage

            if endpoint is not None:
                raise ValueError("a stage has an endpoint of its own")
            self.backend = OfStage(stage_address(stage, profile, region), region=region, profile=profile)
        elif remote:
            from .remote import Remote

            self.backend = Remote(endpoint, region=region, profile=profile)
        else:
            from ..cli.parsers import DEFAULT_STORE
            from ..clock import VirtualClock
            from .embedded import Embedded

            url = store or os.environ.get("STRATUM_STORE", DEFAULT_STORE)
            self.backend = Embedded(
                url, folders=folders, isolated=isolated, clock=VirtualClock() if clock == "virtual" else None, workers=workers
            )  # fmt: skip
        self._loaded: dict[tuple[str, int | None], WorkflowFile] = {}
        self._built: WeakKeyDictionary[Workflow, tuple[int, WorkflowFile]] = WeakKeyDictionary()
        self._loading = threading.Lock()
        self._news = threading.Condition()
        self._version = 0
        self.backend.when_changed(self._changed)

    def __enter__(self) -> Stratum:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go. What was running in this process stays in the store: `resume` goes on with it."""
        self.backend.close()

    # -- executions ----------------------------------------------------------------------------------------

    def start(
        self, workflow: Workflow | str | Path, input: Any = None, *, name: str | None = None
    ) -> Execution:
        """Starts an execution. The same name and input while that one runs answers with it again.

        `input` is JSON data, or models and dataclasses that make some ({} where it is None). Raises `InvalidInput`,
        `InvalidWorkflow`, `ExecutionAlreadyExists`, `StateMachineDoesNotExist`.
        """
        from ...statelang.asl import dump
        from ..cli.run import new_name

        text = dump({} if input is None else _plain(input))
        file = self._file(workflow)
        if file is None:
            machine = (
                str(workflow) if str(workflow).startswith("arn:") else self.backend.machine(str(workflow))
            )
        else:
            from ...handlers.workflows import input_violations

            if found := input_violations(file, text):
                raise errors.InvalidInput(file.name, found)
            machine = self._deploy(file, None)
        return self.get(self.backend.start(machine, name or new_name(), text, file))

    def get(self, execution: Execution | str) -> Execution:
        """What is known of it now. Raises `ExecutionDoesNotExist`."""
        return self._described(self.backend.call("DescribeExecution", executionArn=self._arn(execution)))

    def wait(self, execution: Execution | str, *, timeout: float | None = None) -> Execution:
        """The execution when it has ended, however it did. Raises `WaitTimeout` after `timeout` seconds."""
        arn = self._arn(execution)
        until = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_PAUSE
        while True:
            version = self._version
            found = self.get(arn)
            if not found.running:
                return found
            if until is not None and time.monotonic() >= until:
                raise errors.WaitTimeout(f"{found.name} is still running after {timeout} s")
            self._pause(version, pause if until is None else min(pause, until - time.monotonic()))
            pause = min(pause * 1.5, self.backend.poll)

    def result(self, execution: Execution | str, *, timeout: float | None = None, as_: Any = None) -> Any:
        """The output, when the execution has ended; with `as_`, as a value of that type.

        Raises `ExecutionFailed`, `ExecutionTimedOut`, `ExecutionAborted`, `WaitTimeout`, and `ContractViolated` for an
        output that is none of the type.
        """
        return typed(self.wait(execution, timeout=timeout).result(), as_)

    def run(
        self,
        workflow: Workflow | str | Path,
        input: Any = None,
        *,
        name: str | None = None,
        timeout: float | None = None,
        as_: Any = None,
    ) -> Any:
        """Starts an execution and answers its output: `start`, then `result`."""
        return self.result(self.start(workflow, input, name=name), timeout=timeout, as_=as_)

    def list(
        self, workflow: Workflow | str | None = None, *, status: str | None = None, limit: int = 100
    ) -> builtins.list[Execution]:
        """Executions, newest first, without their data; of one workflow or of all."""
        if workflow is not None:
            machines = [self._machine(workflow)]
        else:
            machines = [each["stateMachineArn"] for each in self._pages("ListStateMachines", "stateMachines")]
        wanted = {} if status is None else {"statusFilter": status}
        found: list[Execution] = []
        for machine in machines:
            with suppress(errors.StateMachineDoesNotExist):
                pages = self._pages("ListExecutions", "executions", stateMachineArn=machine, **wanted)
                found += [self._described(each) for each, _ in zip(pages, range(limit), strict=False)]
        return sorted(found, key=lambda each: each.started, reverse=True)[:limit]

    def search(
        self,
        text: str | None = None,
        *,
        workflow: str | None = None,
        status: str | None = None,
        step: str | None = None,
        error: str | None = None,
        input: Mapping[str, Any] | None = None,
        limit: int = 20,
    ) -> builtins.list[Execution]:
        """Executions by what is in their history, newest first: a text, a step, an error, fields of the input."""
        from ...handlers.audit.search import Query, search

        query = Query(
            workflow=workflow, status=status, step=step, error=error, text=text, input=dict(input or {})
        )
        found = search(self.backend.store(), query, limit=limit).found
        return [self.get(each.head.execution) for each in found]

    def stop(
        self, execution: Execution | str, *, error: str | None = None, cause: str | None = None
    ) -> Execution:
        """Ends it where it is; nothing is undone."""
        told = {key: text for key, text in (("error", error), ("cause", cause)) if text is not None}
        self.backend.call("StopExecution", executionArn=self._arn(execution), **told)
        return self.get(execution)

    def redrive(self, execution: Execution | str) -> Execution:
        """Has an execution that did not succeed go on from where it failed. Raises `ExecutionNotRedrivable`."""
        self.backend.call("RedriveExecution", executionArn=self._arn(execution))
        return self.get(execution)

    def resume(self) -> builtins.list[Execution]:
        """Goes on with executions whose process has ended: what `stratum run` or another client has left in the store."""
        return [self.get(arn) for arn in self.backend.resume()]

    # -- history -------------------------------------------------------------------------------------------

    def history(self, execution: Execution | str) -> Iterator[dict[str, Any]]:
        """The history events, as Step Functions has them; `timestamp` is a time."""
        for event in self._pages(
            "GetExecutionHistory", "events", executionArn=self._arn(execution), maxResults=1000
        ):
            yield {**event, "timestamp": when(event["timestamp"])}

    def stream(self, execution: Execution | str, *, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        """The history events as they happen, until the execution has ended. Raises `WaitTimeout`."""
        arn = self._arn(execution)
        until = None if timeout is None else time.monotonic() + timeout
        seen, pause = 0, FIRST_PAUSE
        while True:
            version = self._version
            running = self.get(arn).running
            events = self.events_after(arn, seen)
            yield from events
            if not running:
                return
            if events:
                seen, pause = events[-1]["id"], FIRST_PAUSE
                continue
            if until is not None and time.monotonic() >= until:
                raise errors.WaitTimeout(f"{arn.rpartition(':')[2]} is still running after {timeout} s")
            self._pause(version, pause)
            pause = min(pause * 1.5, self.backend.poll)

    def events_after(self, execution: Execution | str, seen: int) -> builtins.list[dict[str, Any]]:
        """The history events after the one with that `id`."""
        arn = self._arn(execution)
        # Read backwards, so that a long history is not read anew.
        newer: list[dict[str, Any]] = []
        for event in self._pages(
            "GetExecutionHistory", "events", executionArn=arn, reverseOrder=True, maxResults=100
        ):
            if event["id"] <= seen:
                break
            newer.append({**event, "timestamp": when(event["timestamp"])})
        return newer[::-1]

    # -- tasks and gates -----------------------------------------------------------------------------------

    def send_task_success(self, token: str, output: Any = None) -> None:
        """Answers a task that waits for its token. Raises `TaskDoesNotExist`, `TaskTimedOut`, `InvalidToken`."""
        self.backend.call("SendTaskSuccess", taskToken=token, output=json.dumps(_plain(output)))

    def send_task_failure(self, token: str, error: str, cause: str = "") -> None:
        self.backend.call("SendTaskFailure", taskToken=token, error=error, cause=cause)

    def send_task_heartbeat(self, token: str) -> None:
        self.backend.call("SendTaskHeartbeat", taskToken=token)

    def gates(self, execution: Execution | str | None = None) -> builtins.list[WorkItem]:
        """Gates that wait for a person."""
        arn = None if execution is None else self._arn(execution)
        return builtins.list(
            self.backend.desk(arn).items.open_items(kind="gate", execution=arn, limit=500).items
        )

    def approve(self, gate: WorkItem | str, *, comment: str | None = None, form: Any = None) -> WorkItem:
        """Decides a gate as the person whose account this process runs under. Raises `GateRefused`."""
        return self._decide(gate, "approve", comment, form)

    def reject(self, gate: WorkItem | str, *, comment: str | None = None, form: Any = None) -> WorkItem:
        return self._decide(gate, "reject", comment, form)

    def revise(self, gate: WorkItem | str, *, comment: str, form: Any = None) -> WorkItem:
        """Sends it back, with remarks."""
        return self._decide(gate, "revise", comment, form)

    def _decide(self, gate: WorkItem | str, outcome: str, comment: str | None, form: Any) -> WorkItem:
        from ...handlers.work.refusal import Refused
        from .embedded import me

        try:
            item = self.backend.desk(None).find(gate, "gate") if isinstance(gate, str) else gate
            return self.backend.desk(item.execution).decide(
                item.handle, outcome, me(), comment=comment, form=None if form is None else _plain(form), shown=item.digest
            )  # fmt: skip
        except Refused as refused:
            raise errors.GateRefused(refused.reason, str(refused)) from None

    # -- deployment ----------------------------------------------------------------------------------------

    def deploy(self, workflow: Workflow | str | Path, *, role: str | None = None) -> str:
        """Makes a state machine of the workflow, or gives an earlier one this definition; answers its ARN.

        The workflows that it runs as children, in files beside it or given in Python, are deployed with it. In this process
        `start` does it by itself. On AWS it takes a role, and what its tasks call has to be there.
        """
        file = self._file(workflow)
        if file is None:
            raise ValueError(f"{workflow} is no workflow to deploy: give a Workflow or the path of a file")
        return self._deploy(file, role)

    # -- behind it -----------------------------------------------------------------------------------------

    def _deploy(self, file: WorkflowFile, role: str | None) -> str:
        from ..cli.children import children_of, not_found
        from ..cli.problem import WrongRequest

        try:
            children = children_of(file)
        except WrongRequest as problem:
            raise errors.StratumError(str(problem)) from None
        for parent, step in children.missing:
            try:
                machine = self.backend.machine(step.workflow)
                self.backend.call("DescribeStateMachine", stateMachineArn=machine)
            except errors.StateMachineDoesNotExist:
                raise errors.StateMachineDoesNotExist(
                    "StateMachineDoesNotExist", not_found(parent, step)
                ) from None
        for child in children.found:
            self._give(child)
            self.backend.deploy(child, role)
        return self.backend.deploy(file, role)

    def _changed(self) -> None:
        with self._news:
            self._version += 1
            self._news.notify_all()

    def _pause(self, version: int, seconds: float) -> None:
        """Waits for news since that version, so long at the most."""
        with self._news:
            if self._version == version:
                self._news.wait(max(0.0, seconds))

    def _arn(self, execution: Execution | str) -> str:
        if isinstance(execution, Execution):
            return execution.arn
        return execution if execution.startswith("arn:") else self.backend.find(execution)

    def _described(self, answer: dict[str, Any]) -> Execution:
        return described(answer, self.backend.workflow(answer["stateMachineArn"]))

    def _machine(self, workflow: Workflow | str) -> str:
        name = workflow if isinstance(workflow, str) else workflow.name
        return name if name.startswith("arn:") else self.backend.machine(name)

    def _pages(self, operation: str, field: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        while True:
            page = self.backend.call(operation, **parameters)
            yield from page[field]
            if not page.get("nextToken"):
                return
            parameters["nextToken"] = page["nextToken"]

    def _file(self, given: Workflow | str | Path) -> WorkflowFile | None:
        """The workflow, checked and compiled; None for the name of one that is deployed. Raises `InvalidWorkflow`."""
        from ..cli import files
        from ..cli.problem import WrongRequest

        if not isinstance(given, str | Path):
            with self._loading:
                return self._built_file(given)
        if isinstance(given, str) and (given.startswith("arn:") or not _is_path(given)):
            return None
        path = Path(given)
        key = (str(path.absolute()), path.stat().st_mtime_ns if path.is_file() else None)
        with self._loading:
            if key not in self._loaded:
                try:
                    made = files.load(path)
                except WrongRequest as problem:
                    raise errors.StratumError(str(problem)) from None
                self._loaded[key] = made
                self._give(made)
            return self._loaded[key]

    def _built_file(self, workflow: Workflow) -> WorkflowFile:
        from ..cli import files

        changes, made = self._built.get(workflow, (-1, None))
        if made is None or changes != workflow.changes:
            made = files.load_built(workflow)
            self._built[workflow] = (workflow.changes, made)
            self._give(made)
        return made

    def _give(self, file: WorkflowFile) -> None:
        functions = getattr(self.backend, "functions", None)
        if functions is not None:
            functions.give(file.functions)


def _is_path(given: str) -> bool:
    return (
        Path(given).suffix in (".yaml", ".yml", ".json", ".py")
        or "/" in given
        or ":" in given
        or os.sep in given
    )


def _plain(value: Any) -> Any:
    """JSON data of models, dataclasses, dates and what else there is. Raises TypeError."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value, by_alias=True)
    except PydanticSerializationError as error:
        raise TypeError(str(error)) from None


def typed(value: Any, annotation: Any) -> Any:
    if annotation is None:
        return value
    from ...statelang.python.annotations import Shape

    return Shape(annotation, "the output").decode(value)
