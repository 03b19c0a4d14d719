"""`claim`: takes an agent step, so that no other agent does the same work."""

from __future__ import annotations

import contextlib
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import ToolAnnotations
from pydantic import Field

from ..host import Caller
from ..kit import Kit
from ..results import Result, reports_errors

Work = Annotated[str, Field(description="the work's handle, as `status` gives it")]
Agent = Annotated[str | None, Field(description="your name, where several agents share this server")]


def take_if_only(kit: Kit, execution: str, caller: Caller) -> None:
    """Claims the one piece of work that the execution has for an agent; where there are several, the agent chooses."""
    from ...store import Conflict
    from ...work.claims import holder
    from ...work.refusal import Refused

    desk = kit.host.desk()
    items = [
        item for item in desk.items.of_execution(desk.executions.load(execution)) if item.kind == "agent"
    ]
    now = desk.runtime.clock()
    free = [item for item in items if holder(item, now, desk.is_gone) is None]
    if len(free) == 1 and len(items) == 1:
        with contextlib.suppress(Refused, Conflict):  # somebody else has been faster
            desk.claim(free[0].handle, caller.identity, caller.worker)


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Take a piece of work",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
    @reports_errors
    async def claim(ctx: Context, work: Work, agent: Agent = None) -> Result:
        """Takes an agent step for you, or holds on to it: claim again before `claim` says that it ends, and where the
        step has a heartbeat, at least that often. Answers with what is to be done."""
        await kit.ready()
        caller = kit.caller(ctx, agent)

        def take() -> str:
            item = kit.host.desk().claim(work, caller.identity, caller.worker)
            kit.host.adopt(item.execution)
            return item.execution

        return await kit.view(await kit.off(take), caller)
