"""`step`: hands in the result of an agent step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import ToolAnnotations
from pydantic import Field

from ..host import Caller
from ..kit import Kit
from ..results import Result, reports_errors
from .claim import Agent, Work, take_if_only

if TYPE_CHECKING:
    from ...work.items import WorkItem


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Hand in a result",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
    @reports_errors
    async def step(
        ctx: Context,
        work: Work,
        result: Annotated[Any, Field(description="the step's result, as its contract says")],
        usage: Annotated[
            dict[str, Any] | None, Field(description='what it has cost: {"usd": number, "tokens": integer}')
        ] = None,
        wait: Annotated[float, Field(description="seconds to wait for what follows, at most 100", ge=0)] = 5,
        agent: Agent = None,
    ) -> Result:
        """Hands in the result of an agent step. A result that is not as the contract says is refused with every
        violation, and uses no attempt. Postconditions (`ensure`) are checked by the workflow: where one does not hold,
        the step comes again with `violations`. Each handle is answered once; `next` says what follows."""
        await kit.ready()
        caller = kit.caller(ctx, agent)
        given = ((ctx.request_context.params or {}).get("arguments") or {}).get("result", result)
        item = await kit.off(_hand_in, kit, work, given, result, usage, caller)
        await kit.off(kit.host.adopt, item.execution)
        await kit.wait(item.execution, caller, wait)
        again = await kit.off(lambda: kit.host.desk().items.get(item.id))
        hint = f"The result of {item.step} was taken."
        if again is not None and again.handle != work and again.request.get("violations"):
            told = "; ".join(
                ": ".join(str(each[key]) for key in ("that", "message") if each.get(key))
                for each in again.request["violations"][:5]
            )
            hint = f"The result of {item.step} was handed in, but: {told}. This is attempt {again.attempt} of {again.request.get('attempts')}."
        await kit.off(take_if_only, kit, item.execution, caller)
        return await kit.view(item.execution, caller, hint=hint)


def _hand_in(kit: Kit, work: str, given: Any, parsed: Any, usage: Any, caller: Caller) -> WorkItem:
    from ...work.rules import violations

    desk = kit.host.desk()
    if isinstance(given, str) and not isinstance(parsed, str):
        # Some clients send JSON as a text of it; a text is what counts where the contract wants one.
        item = desk.items.get(work.partition(".")[0])
        contract = None if item is None else item.request.get("contract")
        if contract is None or violations(contract, given):
            given = parsed
    return desk.hand_in(work, given, caller.identity, caller.worker, usage)
