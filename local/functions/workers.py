"""Warm worker processes: a crash, an endless loop or a flood of output stays the function's own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...handlers.functions import Invocation, InvokeError
from .config import FunctionConfig
from .process import ProcessGone, WorkerProcess, WorkerResult


class FunctionsClosed(RuntimeError):
    """The functions were closed before or while this one ran: nothing is known of what it did."""


@dataclass(slots=True)
class _Pool:
    """The processes of one function: those that wait for a call, and how many there are in all."""

    config: FunctionConfig
    idle: list[WorkerProcess] = field(default_factory=list)
    size: int = 0


class Workers:
    """One process per function, more of them when it is called several times at once. Safe for threads.

    `concurrency`: calls of one function that run at a time; further ones wait. `environ` is added to this process's
    environment, where None takes a variable away. A handler has `init_timeout` seconds to be imported before that counts against its timeout.
    """

    def __init__(
        self,
        *,
        concurrency: int = 16,
        environ: Mapping[str, str | None] | None = None,
        init_timeout: float = 10.0,
    ):
        self.environ: dict[str, str | None] = dict(environ or {})
        self._concurrency = concurrency
        self._init_timeout = init_timeout
        self._changed = threading.Condition()
        self._pools: dict[FunctionConfig, _Pool] = {}
        self._present: dict[str, _Pool] = {}
        self._busy: set[WorkerProcess] = set()
        self._closed = False

    def call(self, config: FunctionConfig, invocation: Invocation) -> WorkerResult:
        """Raises `InvokeError` where no process can be started, and `FunctionsClosed`."""
        pool = self._pools.get(config) or self._open(config)
        if config.timeout is not None:
            invocation = replace(invocation, timeout=config.timeout)
        while True:
            with contextlib.suppress(ProcessGone):  # which has made room for another process by then
                return self._call(pool, invocation)

    def _call(self, pool: _Pool, invocation: Invocation) -> WorkerResult:
        worker = self._take(pool)
        try:
            result = worker.call(invocation)
        except BaseException:  # a Ctrl-C on this thread: the process may still be busy with the call
            worker.kill()
            raise
        finally:
            closed = self._give_back(pool, worker)
        if closed and result.function_error is not None:
            raise FunctionsClosed(f"'{pool.config.name}' was running when the functions were closed")
        return result

    def close(self) -> None:
        """Ends every process, also those in the middle of a call: such a call raises `FunctionsClosed`."""
        with self._changed:
            self._closed = True
            workers = list(self._busy)
            for pool in self._pools.values():
                workers += pool.idle
                pool.idle.clear()
            self._changed.notify_all()
        for worker in workers:
            worker.kill()

    def forget(self) -> None:
        """Ends the processes that wait for a call, and those that do not when their call is over."""
        with self._changed:
            idle = [worker for pool in self._pools.values() for worker in pool.idle]
            self._pools.clear()
            self._present.clear()
        for worker in idle:
            worker.kill()

    def _open(self, config: FunctionConfig) -> _Pool:
        """The function's pool. What the function was before has no more calls to wait for."""
        with self._changed:
            if (pool := self._pools.get(config)) is not None:
                return pool
            former = self._present.get(config.function)
            pool = self._pools[config] = self._present[config.function] = _Pool(config)
            if former is not None:
                self._pools.pop(former.config, None)
        for worker in former.idle if former else ():
            worker.kill()
        return pool

    def _take(self, pool: _Pool) -> WorkerProcess:
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
            worker = WorkerProcess(pool.config, self.environ, self._init_timeout)
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
                message = f"no process could be started for '{pool.config.name}': {error}"
                raise InvokeError("Lambda.ServiceException", message) from error
            raise

    def _give_back(self, pool: _Pool, worker: WorkerProcess) -> bool:
        """Answers whether the functions are closed."""
        with self._changed:
            self._busy.discard(worker)
            kept = worker.usable and not self._closed and self._pools.get(pool.config) is pool
            if kept:
                pool.idle.append(worker)
            else:
                pool.size -= 1
            self._changed.notify_all()
            closed = self._closed
        if not kept:
            worker.kill()
        return closed

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise FunctionsClosed("the functions are closed")
