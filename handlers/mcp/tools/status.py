"""`status`: where an execution stands, what came before, and what to do next."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..host import Caller
from ..kit import Kit
from ..results import Result, answer, call, reports_errors
from .claim import Agent


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="See where things stand",
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True),
    )
    @reports_errors
    async def status(
        ctx: Context,
        execution: Annotated[
            str | None, Field(description="an execution's name; without one, those that run or ended lately")
        ] = None,
        wait: Annotated[
            float, Field(description="seconds to wait until it waits for you or ends, at most 100", ge=0)
        ] = 0,
        full: Annotated[bool, Field(description="longer results of the steps before")] = False,
        agent: Agent = None,
    ) -> Result:
        """An execution's whole context: its input, the steps so far with their results, what is pending and for whom,
        with intent, input, contract and violations. Enough to go on from when you remember nothing else."""
        await kit.ready()
        caller = kit.caller(ctx, agent)
        if execution is None:
            return await kit.off(_overview, kit, caller)
        found = await kit.off(kit.find, execution)
        await kit.off(kit.host.adopt, found)
        if wait:
            await kit.wait(found, caller, wait, person=False)
        return await kit.view(found, caller, full=full)


def _overview(kit: Kit, caller: Caller) -> CallToolResult:
    from ...times import rfc3339

    desk = kit.host.desk()
    store = desk.items.store
    running = store.heads(status="RUNNING", limit=20).items
    ended = [head for head in store.heads(limit=30).items if head.status != "RUNNING"][
        : max(0, 15 - len(running))
    ]
    listed: list[dict[str, Any]] = []
    for head in [*running, *ended]:
        told: dict[str, Any] = {
            "execution": head.name, "workflow": head.workflow, "status": head.status,
            "started": rfc3339(head.started_at),
        }  # fmt: skip
        if head.status == "RUNNING":
            items = desk.items.of_execution(desk.executions.load(head.execution))
            waiting = [
                {"for": "agent" if item.kind == "agent" else "person", "step": item.step} for item in items
            ]
            told |= {"waits": waiting} if waiting else {}
        listed.append(told)
    work = [told for told in listed if any(each["for"] == "agent" for each in told.get("waits", []))]
    chosen = (work or listed)[:1]
    return answer(
        "OK", executions=listed, next=call("status", execution=chosen[0]["execution"]) if chosen else call("run", file="<workflow.yaml>"),
        hint="Executions that wait for an agent: " + (", ".join(told["execution"] for told in work) or "none") + ".",
    )  # fmt: skip
