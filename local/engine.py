"""Executions run in this process, beside other processes over the same store.

Each execution is run by one process: the one that holds its lock (`owners`). A process that moves another one's
execution, with a decision or a result, appends to its log and no more; whoever runs it sees that and goes on. When a
process dies, the others take over what it ran; when the next one starts, it does so at once, and what has fallen due
meanwhile happens then.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..handlers.loading import ExecutionNotFound
from ..handlers.logs import logger
from ..handlers.store import Commit, Store
from . import runs
from .cloud import LocalCloud
from .functions.by_execution import FunctionsByExecution
from .owners import OwnedElsewhere, Owner

_STEP = 0.1
_ADOPT = 2.0
_SWEEP = 10.0
_PAUSE_AFTER_FAILURE = 0.2
_ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


class Engine:
    """Runs the executions of the store at `url` that were begun on this machine, once `start` was called."""

    def __init__(self, store: Store, url: str, *, workers: int = 8):
        self.store = store
        self.url = url
        self._owned: dict[str, Owner] = {}
        self._folders: dict[str, Path] = {}
        self._ended: set[str] = set()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._adopted = 0.0
        self._wanted: list[str] = []
        self._thread: threading.Thread | None = None
        self.changed = threading.Condition()
        self.cloud = LocalCloud(
            store,
            FunctionsByExecution(self.folder_of),
            workers=workers,
            observer=self._observe,
            owns=self._owns,
        )
        self.runtime = self.cloud.runtime
        self.executions = self.runtime.executions(store.tenant)

    # -- which are ours --------------------------------------------------------------------------------

    def begin(self, execution: str, folder: Path, file: Path | None = None) -> None:
        """Makes an execution that is about to be started this process's own. Raises `OwnedElsewhere`."""
        runs.keep(self.store, execution, folder, file)
        self._take(execution, patience=0.2)

    def begun(self, execution: str, folder: Path, file: str) -> None:
        """Tells where the handlers of an execution are that was just started, which goes on then."""
        runs.keep(self.store, execution, folder, file)
        self._folders.pop(execution, None)
        self.adopt(execution)

    def adopt(self, execution: str) -> bool:
        """Takes an execution over that nobody runs, and goes on with it; answers whether it is ours."""
        try:
            root = runs.root_of(self.executions, execution)
        except ExecutionNotFound:
            return False
        if root in self._owned:
            return True
        if not runs.begun(self.store, root) or not self._try(root):
            return False
        self._go_on(root)
        return True

    def folder_of(self, execution: str) -> Path | None:
        """Where the execution's handlers are; None where it was not begun on this machine."""
        found = self._folders.get(execution)
        if found is None:
            with contextlib.suppress(LookupError):
                found = runs.folder_of(self.executions, execution)
            if found is not None:
                self._folders[execution] = found
        return found

    def _owns(self, execution: str) -> bool:
        """Whether what is to be done for the execution is to be done here; one that nobody runs becomes ours."""
        try:
            root = runs.root_of(self.executions, execution)
        except LookupError:
            return False
        if root in self._owned:
            return True
        # Nor what a `stratum up` runs on the same store, with handlers of its own.
        if not runs.begun(self.store, root) or not self._try(root):
            return False
        with self._lock:
            self._wanted.append(root)  # what else it waits for is handed out as well, in a moment
        return True

    def _try(self, root: str) -> bool:
        try:
            self._take(root, patience=0)
        except OwnedElsewhere:
            return False
        return True

    def _take(self, root: str, patience: float) -> None:
        with self._lock:
            if root not in self._owned:
                self._owned[root] = Owner(self.url, root).take(patience)

    def _release(self) -> None:
        """Gives the locks of executions back that have ended."""
        with self._lock:
            ended, self._ended = self._ended, set()
            owners = [owner for root in ended if (owner := self._owned.pop(root, None)) is not None]
            for root in ended:
                self._folders.pop(root, None)
        for owner in owners:
            owner.__exit__()

    def _observe(self, execution: str, commit: Commit) -> None:
        if commit.seq == 0 and commit.snapshot is not None and "parent" not in commit.snapshot:
            runs.keep_started(self.store, execution)
        if any(event["type"] in _ENDS for event in commit.events):
            with self._lock:
                self._ended.add(execution)
        with self.changed:
            self.changed.notify_all()

    # -- running ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to run, on a thread of its own, with what was running before. Doing it again changes nothing."""
        with self._lock:
            if self._thread is not None or self._stop.is_set():
                return
            self._thread = threading.Thread(target=self._run, name="stratum-engine", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends what is being performed here; the next process goes on with it."""
        self._stop.set()
        with self.cloud.queues.changed:
            self.cloud.queues.changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.cloud.close()
        with self._lock:
            for owner in self._owned.values():
                owner.__exit__()
            self._owned.clear()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Waits for something that commits bring about, of this process or another; answers whether it came."""
        deadline = time.monotonic() + seconds
        while not until():
            left = deadline - time.monotonic()
            if left <= 0 or self._stop.is_set():
                return until()
            with self.changed:
                self.changed.wait(min(left, _STEP))
        return True

    def _run(self) -> None:
        swept = time.monotonic()
        while not self._stop.is_set():
            try:
                if time.monotonic() - self._adopted > _ADOPT:
                    self._adopt_all()
                    self._adopted = time.monotonic()
                if time.monotonic() - swept > _SWEEP:
                    swept = time.monotonic()
                    self.cloud.sweep()
                with self._lock:
                    wanted, self._wanted = self._wanted, []
                for root in wanted:
                    self._go_on(root)
                self.cloud.step(_STEP)
                if self._ended:
                    self._release()
            except Exception as error:
                # One execution that cannot go on must not end it for all others.
                logger.error("the engine stumbled", reason=f"{type(error).__name__}: {error}")
                self._stop.wait(_PAUSE_AFTER_FAILURE)

    def _adopt_all(self) -> None:
        """Takes over what nobody runs: at the start, and when another process has died."""
        token = None
        while True:
            page = self.store.heads(status="RUNNING", limit=500, token=token)
            for head in page.items:
                if head.execution not in self._owned and runs.begun(self.store, head.execution):
                    self.adopt(head.execution)
            if (token := page.token) is None:
                return

    def _go_on(self, root: str) -> None:
        """Hands out what the execution waits for, and what its parts do."""
        self.executions.dispatch_pending(root)
        token = None
        while True:
            page = self.store.heads(status="RUNNING", limit=500, token=token)
            for head in page.items:
                if head.execution != root and runs.root_of(self.executions, head.execution) == root:
                    self.executions.dispatch_pending(head.execution)
            if (token := page.token) is None:
                return
