"""`AsyncStratum`: `Stratum` as coroutines. Calls run on threads; waiting takes none."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from . import errors
from .client import FIRST_PAUSE, Stratum, typed
from .execution import Execution

if TYPE_CHECKING:
    from ...handlers.work.items import WorkItem
    from ...statelang.python.workflow import Workflow

P = ParamSpec("P")
R = TypeVar("R")


class AsyncStratum:
    """Takes what `Stratum` takes, and has its methods."""

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
        self._client = Stratum(
            store, endpoint=endpoint, stage=stage, region=region, profile=profile, folders=folders, isolated=isolated, clock=clock,
            workers=workers,
        )  # fmt: skip
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._client.backend.when_changed(self._changed)

    async def __aenter__(self) -> AsyncStratum:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        await _thread(self._client.close)

    # -- executions ----------------------------------------------------------------------------------------

    async def start(
        self, workflow: Workflow | str | Path, input: Any = None, *, name: str | None = None
    ) -> Execution:
        return await _thread(self._client.start, workflow, input, name=name)

    async def get(self, execution: Execution | str) -> Execution:
        return await _thread(self._client.get, execution)

    async def wait(self, execution: Execution | str, *, timeout: float | None = None) -> Execution:
        news = _News(self, timeout)
        with news:
            while True:
                news.begin()
                found = await self.get(execution)
                if not found.running:
                    return found
                await news.wait(found.name)

    async def result(
        self, execution: Execution | str, *, timeout: float | None = None, as_: Any = None
    ) -> Any:
        return typed((await self.wait(execution, timeout=timeout)).result(), as_)

    async def run(
        self,
        workflow: Workflow | str | Path,
        input: Any = None,
        *,
        name: str | None = None,
        timeout: float | None = None,
        as_: Any = None,
    ) -> Any:
        return await self.result(await self.start(workflow, input, name=name), timeout=timeout, as_=as_)

    async def list(
        self, workflow: Workflow | str | None = None, *, status: str | None = None, limit: int = 100
    ) -> builtins.list[Execution]:
        return await _thread(self._client.list, workflow, status=status, limit=limit)

    async def search(
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
        return await _thread(
            self._client.search, text, workflow=workflow, status=status, step=step, error=error, input=input, limit=limit
        )  # fmt: skip

    async def stop(
        self, execution: Execution | str, *, error: str | None = None, cause: str | None = None
    ) -> Execution:
        return await _thread(self._client.stop, execution, error=error, cause=cause)

    async def redrive(self, execution: Execution | str) -> Execution:
        return await _thread(self._client.redrive, execution)

    async def resume(self) -> builtins.list[Execution]:
        return await _thread(self._client.resume)

    # -- history -------------------------------------------------------------------------------------------

    async def history(self, execution: Execution | str) -> AsyncIterator[dict[str, Any]]:
        for event in await _thread(lambda: builtins.list(self._client.history(execution))):
            yield event

    async def stream(
        self, execution: Execution | str, *, timeout: float | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        news, seen = _News(self, timeout), 0
        with news:
            while True:
                news.begin()
                found = await self.get(execution)
                events = await _thread(self._client.events_after, found.arn, seen)
                for event in events:
                    yield event
                if not found.running:
                    return
                if events:
                    seen = events[-1]["id"]
                else:
                    await news.wait(found.name)

    # -- tasks and gates -----------------------------------------------------------------------------------

    async def send_task_success(self, token: str, output: Any = None) -> None:
        await _thread(self._client.send_task_success, token, output)

    async def send_task_failure(self, token: str, error: str, cause: str = "") -> None:
        await _thread(self._client.send_task_failure, token, error, cause)

    async def send_task_heartbeat(self, token: str) -> None:
        await _thread(self._client.send_task_heartbeat, token)

    async def gates(self, execution: Execution | str | None = None) -> builtins.list[WorkItem]:
        return await _thread(self._client.gates, execution)

    async def approve(
        self, gate: WorkItem | str, *, comment: str | None = None, form: Any = None
    ) -> WorkItem:
        return await _thread(self._client.approve, gate, comment=comment, form=form)

    async def reject(self, gate: WorkItem | str, *, comment: str | None = None, form: Any = None) -> WorkItem:
        return await _thread(self._client.reject, gate, comment=comment, form=form)

    async def revise(self, gate: WorkItem | str, *, comment: str, form: Any = None) -> WorkItem:
        return await _thread(self._client.revise, gate, comment=comment, form=form)

    async def deploy(self, workflow: Workflow | str | Path, *, role: str | None = None) -> str:
        return await _thread(self._client.deploy, workflow, role=role)

    def _changed(self) -> None:
        for loop, event in tuple(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)


class _News:
    """Waits for an execution to go on, longer and longer where nobody tells. Raises `WaitTimeout`."""

    def __init__(self, client: AsyncStratum, timeout: float | None):
        self._client = client
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._until = None if timeout is None else self._loop.time() + timeout
        self._event = asyncio.Event()
        self._pause = FIRST_PAUSE

    def __enter__(self) -> None:
        self._client._waiting.add((self._loop, self._event))

    def __exit__(self, *error: object) -> None:
        self._client._waiting.discard((self._loop, self._event))

    def begin(self) -> None:
        """What happens from here on is news."""
        self._event.clear()

    async def wait(self, name: str) -> None:
        seconds = self._pause
        if self._until is not None:
            seconds = min(seconds, self._until - self._loop.time())
            if seconds <= 0:
                raise errors.WaitTimeout(f"{name} is still running after {self._timeout} s")
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            self._pause = min(self._pause * 1.5, self._client._client.backend.poll)


async def _thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await asyncio.to_thread(call, *args, **kwargs)
