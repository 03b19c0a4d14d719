"""Functions in warm worker processes: a crash, an endless loop or a flood of output stays theirs."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...handlers.functions import Invocation, InvocationResult, function_name
from .folders import Folders
from .process import WorkerProcess


class WorkerFunctions:
    """One process per function, more of them when it is called several times at once. Safe for threads.

    `timeout` (seconds) holds for invocations that bring none; None lets them run.
    """

    def __init__(
        self, folders: Sequence[Path | str], *, timeout: float | None = None, environ: Mapping[str, str] | None = None
    ):
        self._folders = Folders(folders)
        self._timeout = timeout
        self._environ = dict(environ or {})
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[WorkerProcess]] = defaultdict(list)
        self._busy: set[WorkerProcess] = set()
        self._closed = False

    def invoke(self, invocation: Invocation) -> InvocationResult:
        name = function_name(invocation.function)
        module, attribute = self._folders.require(name)
        if invocation.timeout is None and self._timeout is not None:
            invocation = Invocation(
                invocation.function, invocation.payload, invocation.request_id, invocation.client_context, self._timeout
            )
        worker = self._take(name, module, attribute)
        try:
            return worker.call(invocation)
        finally:
            self._give_back(name, worker)

    def close(self) -> None:
        """Ends every process, also those in the middle of a call."""
        with self._lock:
            self._closed = True
            workers = [*self._busy, *(worker for idle in self._idle.values() for worker in idle)]
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _take(self, name: str, module: str, attribute: str) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise RuntimeError("the functions are closed")
            idle = self._idle[name]
            worker = idle.pop() if idle else WorkerProcess(name, module, attribute, self._folders.paths, self._environ)
            self._busy.add(worker)
            return worker

    def _give_back(self, name: str, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.usable and not self._closed:
                self._idle[name].append(worker)
                return
        if worker.usable:
            worker.kill()
