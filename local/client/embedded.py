"""A cloud in this process: its handlers on a thread of their own, on a store that outlives it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...handlers.api import front_door
from ...handlers.api.errors import ApiError as FrontDoorError
from ...handlers.identity import Identity
from ...handlers.logs import logger
from ...handlers.store import Commit, Store, StoreError
from ...statelang.engine import read_token
from ..cli.executions import runtime_on
from ..cli.opening import find_execution
from ..cli.problem import WrongRequest
from ..clock import Clock, RealClock
from ..cloud import LocalCloud
from ..owners import OwnedElsewhere, Owner
from ..people import whoami
from ..runs import RUN, keep, running
from ..stores import StoreUrlError, open_store
from . import errors
from .backends import Changed
from .functions import ClientFunctions

if TYPE_CHECKING:
    from ...handlers.runtime import Runtime
    from ...handlers.work.answers import Desk
    from ..cli.files import WorkflowFile

_PAUSE_AFTER_FAILURE = 0.2


class Embedded:
    """Runs the executions that are started through it, and those that `resume` takes up. Those of other processes on
    the same store are theirs."""

    poll = 1.0

    def __init__(
        self,
        url: str,
        *,
        folders: Iterable[Path | str] = (),
        isolated: bool = False,
        clock: Clock | None = None,
        workers: int = 8,
    ):
        self.url = url
        if "POWERTOOLS_LOG_LEVEL" not in os.environ:
            logger.setLevel("WARNING")  # the handlers' log lines are for servers
        try:
            self._store = open_store(url)
        except (StoreUrlError, StoreError) as error:
            raise errors.StratumError(str(error)) from None
        self.functions = ClientFunctions(self._folder_of, folders=folders, isolated=isolated)
        self._cloud = LocalCloud(
            self._store, self.functions, clock=clock or RealClock(), workers=workers, observer=self._committed
        )
        self._beside = runtime_on(self._store)
        self._changed: list[Changed] = []
        self._deployed: dict[str, str] = {}
        self._folders: dict[str, str | None] = {}
        self._owners = ExitStack()
        self._owned: set[str] = set()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stratum-client", daemon=True)
        self._thread.start()

    # -- the API -------------------------------------------------------------------------------------------

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        execution = parameters.get("executionArn") or _execution_of(parameters.get("taskToken"))
        if operation == "RedriveExecution" and execution is not None:
            self._own(execution)  # it goes on here
        runtime = self._runtime(execution).on_behalf_of(me().to_json())
        try:
            return front_door.call(runtime, operation, parameters, self._store.tenant)
        except FrontDoorError as error:
            raise errors.api_error(error.type, error.message) from None
        except StoreError as error:
            raise errors.StratumError(str(error)) from None

    def deploy(self, workflow: WorkflowFile, role: str | None) -> str:
        from ...handlers.workflows import DeploymentRefused, deploy
        from ...statelang.asl import digest_of, dump

        digest = digest_of(dump(workflow.definition))
        with self._lock:
            if self._deployed.get(workflow.name) != digest:
                try:
                    machine = deploy(self._cloud.runtime, self._store.tenant, workflow)
                except DeploymentRefused as refused:
                    raise errors.InvalidDefinition("InvalidDefinition", str(refused)) from None
                self._deployed[workflow.name] = digest
                return machine
        return self.machine(workflow.name)

    def start(self, machine: str, name: str, input: str, workflow: WorkflowFile | None) -> str:
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        if workflow is not None and self._store.head(execution) is None:
            keep(self._store, execution, workflow.folder, workflow.path)
        with suppress(errors.RunningElsewhere):  # then that one is answered, or refused for its input
            self._own(execution)
        request = {"stateMachineArn": machine, "name": name, "input": input}
        started = self.call("StartExecution", **request)["executionArn"]
        executions = self._cloud.runtime.executions(self._store.tenant)
        if started in self._owned and executions.known(started).seq > 0:
            executions.dispatch_pending(started)
        return started

    def machine(self, name: str) -> str:
        runtime = self._cloud.runtime
        return f"arn:aws:states:{runtime.region}:{runtime.account}:stateMachine:{name}"

    def workflow(self, machine: str) -> str:
        return machine.split(":")[6]

    def find(self, name: str) -> str:
        try:
            return find_execution(self._store, name).execution
        except WrongRequest as problem:
            raise errors.ExecutionDoesNotExist("ExecutionDoesNotExist", str(problem)) from None

    def when_changed(self, changed: Changed) -> None:
        self._changed.append(changed)

    def store(self) -> Store:
        return self._store

    def desk(self, execution: str | None) -> Desk:
        from ..desk import Unreadable, desk_of

        try:
            return desk_of(self._runtime(execution), self.url)
        except Unreadable as error:
            raise errors.StratumError(str(error)) from None

    def resume(self) -> list[str]:
        taken: list[str] = []
        for head in running(self._store):
            if head.execution in self._owned or self._store.get(RUN, head.execution) is None:
                continue
            try:
                self._own(head.execution)
            except errors.RunningElsewhere:
                continue
            self._cloud.runtime.executions(self._store.tenant).dispatch_pending(head.execution)
            taken.append(head.execution)
        return taken

    def close(self) -> None:
        self._stop.set()
        with self._cloud.queues.changed:
            self._cloud.queues.changed.notify_all()
        self._thread.join(timeout=5)
        self._cloud.close()
        self._owners.close()

    # -- behind it -----------------------------------------------------------------------------------------

    def _runtime(self, execution: str | None) -> Runtime:
        """The one that runs the execution; for another process's, one that leaves the running to it."""
        if execution is None or execution in self._owned:
            return self._cloud.runtime
        return self._beside

    def _own(self, execution: str) -> None:
        """Keeps other processes from running the execution as well, as long as this client is open."""
        with self._lock:
            if execution in self._owned:
                return
            try:
                self._owners.enter_context(Owner(self.url, execution))
            except OwnedElsewhere:
                raise errors.RunningElsewhere(f"another process is running {execution}") from None
            self._owned.add(execution)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._cloud.step(0.5)
            except Exception as error:
                # What one message does must not end the executions of all others.
                logger.error("the cloud stumbled", reason=f"{type(error).__name__}: {error}")
                self._stop.wait(_PAUSE_AFTER_FAILURE)

    def _committed(self, execution: str, commit: Commit) -> None:
        for changed in self._changed:
            changed()

    def _folder_of(self, execution: str) -> str | None:
        if execution not in self._folders:
            record = self._store.get(RUN, execution)
            self._folders[execution] = None if record is None else record.value["folder"]
        return self._folders[execution]


def me() -> Identity:
    """The person whose account this process runs under, acting through the client."""
    return replace(whoami(), via="api", client="python")


def _execution_of(token: Any) -> str | None:
    found = read_token(token) if isinstance(token, str) else None
    return None if found is None else found[0]
