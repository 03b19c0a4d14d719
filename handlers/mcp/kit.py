"""What the tools share: who calls, work off the event loop, and waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context

from .host import Caller, Host

if TYPE_CHECKING:
    from .views import Views

P = ParamSpec("P")
T = TypeVar("T")

_LOOK = 0.05
_LOOK_LATER = 0.5


class Kit:
    """Imports little: a client waits for its list of tools when it starts."""

    def __init__(self, host: Host):
        self.host = host

    @cached_property
    def views(self) -> Views:
        from .views import Views

        return Views(self.host)

    def caller(self, context: Context, agent: str | None = None) -> Caller:
        """Who calls: the client by its own words, and the agent's name where it gives one."""
        parameters = getattr(context.session, "client_params", None)
        info = parameters.client_info if parameters is not None else None
        name, version = (info.name, info.version) if info is not None else (None, None)
        return self.host.caller(name, version, agent)

    def find(self, name: str) -> str:
        """The ARN of an execution by its name. Raises `NoSuchExecution`."""
        from ..lookup import find_execution

        return find_execution(self.host.desk().items.store, name).execution

    async def off(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Does something that reads or writes, off the event loop."""
        return await anyio.to_thread.run_sync(lambda: work(*arguments, **named))

    async def ready(self) -> None:
        await self.off(self.host.running)

    async def wait(self, execution: str, caller: Caller, seconds: float, *, person: bool = True) -> None:
        """Waits until the execution waits for the caller or has ended, so long at the most."""
        from .views import settled

        begun = time.monotonic()
        until = begun + min(max(seconds, 0), self.host.patience)
        desk = await self.off(self.host.desk)
        while not await self.off(settled, desk, execution, caller, person=person):
            left = until - time.monotonic()
            if left <= 0:
                return
            pause = _LOOK if time.monotonic() - begun < 3 else _LOOK_LATER
            await anyio.sleep(min(left, pause))

    async def view(self, execution: str, caller: Caller, **fields: Any) -> Any:
        return await self.off(lambda: self.views.of(execution, caller, **fields))
