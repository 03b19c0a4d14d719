"""`gates`: what waits for people's decisions. Listed only: an agent decides none."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..kit import Kit
from ..results import Result, answer, call, reports_errors


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="List gates",
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True),
    )
    @reports_errors
    async def gates(
        ctx: Context,
        execution: Annotated[str | None, Field(description="of this execution alone")] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Field(description="`next_cursor` of the page before")] = None,
    ) -> Result:
        """The gates that wait for a person's decision, with what each shows and how a person decides it. You cannot
        decide one: tell your user, and go on when `status` says that it was decided."""
        await kit.ready()

        def listed() -> CallToolResult:
            desk = kit.host.desk()
            of = kit.find(execution) if execution is not None else None
            page = desk.items.open_items(kind="gate", execution=of, limit=limit, token=cursor)
            waiting = [
                {**kit.views.pending(desk, item, None), "execution": item.execution.rpartition(":")[2], "workflow": item.workflow}
                for item in page.items
            ]  # fmt: skip
            names = list(dict.fromkeys(item["execution"] for item in waiting))
            next = call("status", execution=names[0], wait=60) if names else call("status")
            if page.token is not None:
                next = call(
                    "gates", cursor=page.token, limit=limit, **({"execution": execution} if execution else {})
                )
            return answer(
                "OK", execution=execution, gates=waiting, next_cursor=page.token, next=next,
                hint="A person decides each as its `decide` says." if waiting else "No gate waits.",
            )  # fmt: skip

        return await kit.off(listed)
