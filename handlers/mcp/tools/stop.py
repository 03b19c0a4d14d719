"""`stop`: ends an execution that is running."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from ..kit import Kit
from ..results import Result, reports_errors


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Stop an execution",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )
    @reports_errors
    async def stop(
        ctx: Context,
        execution: Annotated[str, Field(description="an execution's name")],
        reason: Annotated[str, Field(description="why; it is kept in the execution's history", min_length=1)],
    ) -> Result:
        """Stops a running execution for good. What it has done stays done, and nothing is compensated."""
        await kit.ready()
        caller = kit.caller(ctx)

        def end() -> str:
            from ....statelang.engine import messages

            found = kit.find(execution)
            executions = kit.host.desk().executions
            if (ended := executions.load(found).snapshot["status"]) != "RUNNING":
                raise ToolError(f"{execution} has ended already: {ended}")
            who = caller.identity
            told = f"{reason} (stopped by {who.agent or who.user})"
            message = messages.stop("Stratum.Stopped", told, who.to_json())
            for failure in executions.advance({found: [message]}).values():
                raise failure
            return found

        return await kit.view(await kit.off(end), caller)
