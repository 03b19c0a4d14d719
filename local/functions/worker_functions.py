"""Functions in warm worker processes: a crash, an endless loop or a flood of output stays theirs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...handlers.functions import Invocation, InvocationResult, InvokeError
from .folders import Folders, bare_name
from .process import WorkerProcess


class FunctionsClosed(RuntimeError):
    """The functions were closed before or while this one ran: nothing is known of what it did."""


@dataclass(slots=True)
class _Pool:
    """The processes of one function: those that wait for a call, and how many there are in all."""

    module: str
    attribute: str
    idle: list[WorkerProcess] = field(default_factory=list)
    size: int = 0


class WorkerFunctions:
    """One process per function, more of them when it is called several times at once. Safe for threads.

    Modules are looked for in `folders`, which come first on the workers' `sys.path`; the working directory is
    this process's. `timeout` (seconds) holds for invocations that bring none; None lets them run. At most
    `concurrency` calls of one function run at a time, and further ones wait. `environ` is added to this process's
    environment. A handler has `init_timeout` seconds to be imported before that counts against its timeout.
    """

    def __init__(
        self,
        folders: Sequence[Path | str],
        *,
        timeout: float | None = None,
        concurrency: int = 16,
        environ: Mapping[str, str] | None = None,
        init_timeout: float = 10.0,
    ):
        self._folders = Folders(folders)
        self._timeout = timeout
        self._concurrency = concurrency
        self._environ = dict(environ or {})
        self._init_timeout = init_timeout
        self._changed = threading.Condition()
        self._pools: dict[str, _Pool] = {}
        self._busy: set[WorkerProcess] = set()
        self._closed = False

    def __enter__(self) -> WorkerFunctions:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Raises `FunctionNotFound`, `InvokeError` where no process can be started, and `FunctionsClosed`."""
        name = bare_name(invocation.function)
        pool = self._pools.get(name)
        if pool is None:
            module, attribute = self._folders.require(invocation.function)
            with self._changed:
                pool = self._pools.setdefault(name, _Pool(module, attribute))
        if invocation.timeout is None and self._timeout is not None:
            invocation = replace(invocation, timeout=self._timeout)
        worker = self._take(name, pool)
        try:
            result = worker.call(invocation)
        except BaseException:  # a Ctrl-C on this thread: the process may still be busy with the call
            worker.kill()
            raise
        finally:
            closed = self._give_back(pool, worker)
        if closed and result.function_error is not None:
            raise FunctionsClosed(f"'{name}' was running when the functions were closed")
        return result

    def close(self) -> None:
        """Ends every process, also those in the middle of a call: such a call raises `FunctionsClosed`."""
        with self._changed:
            self._closed = True
            workers = [*self._busy, *(worker for pool in self._pools.values() for worker in pool.idle)]
            for pool in self._pools.values():
                pool.idle.clear()
            self._changed.notify_all()
        for worker in workers:
            worker.kill()

    def _take(self, name: str, pool: _Pool) -> WorkerProcess:
        """An idle process or a new one; waits while there may be no more of them."""
        with self._changed:
            while True:
                self._refuse_when_closed()
                while pool.idle:
                    worker = pool.idle.pop()
                    if worker.usable:
                        self._busy.add(worker)
                        return worker
                    pool.size -= 1
                    worker.kill()
                if pool.size < self._concurrency:
                    pool.size += 1
                    break
                self._changed.wait()
        worker = None
        try:
            worker = WorkerProcess(
                name, pool.module, pool.attribute, self._folders.paths, self._environ, self._init_timeout
            )
            with self._changed:
                self._refuse_when_closed()
                self._busy.add(worker)
            return worker
        except BaseException as error:
            with self._changed:
                pool.size -= 1
                self._changed.notify()
            if worker is not None:
                worker.kill()
            if isinstance(error, OSError):
                message = f"no process could be started for '{name}': {error}"
                raise InvokeError("Lambda.ServiceException", message) from error
            raise

    def _give_back(self, pool: _Pool, worker: WorkerProcess) -> bool:
        """Answers whether the functions are closed."""
        with self._changed:
            self._busy.discard(worker)
            if worker.usable and not self._closed:
                pool.idle.append(worker)
            else:
                pool.size -= 1
            self._changed.notify_all()
            closed = self._closed
        if closed or not worker.usable:
            worker.kill()
        return closed

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise FunctionsClosed("the functions are closed")
