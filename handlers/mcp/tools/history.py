"""`history`: an execution's events, in pages."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..kit import Kit
from ..results import Result, reports_errors


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Read an execution's history",
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True),
    )
    @reports_errors
    async def history(
        ctx: Context,
        execution: Annotated[str, Field(description="an execution's name")],
        step: Annotated[str | None, Field(description="events of this step alone")] = None,
        type: Annotated[
            str | None, Field(description="events whose type contains this, such as Failed or TaskSucceeded")
        ] = None,
        newest_first: bool = False,
        limit: Annotated[int, Field(ge=1, le=100)] = 25,
        cursor: Annotated[str | None, Field(description="`next_cursor` of the page before")] = None,
        full: Annotated[bool, Field(description="data at more length")] = False,
    ) -> Result:
        """The events of an execution, running or ended, as Step Functions names them: what was entered, scheduled,
        answered, refused and when. In pages, filtered by step and type."""

        def read() -> CallToolResult:
            from ..events import page

            return page(kit, execution, step, type, newest_first, limit, cursor, full)

        return await kit.off(read)
