"""`ask`: has the client ask its user to decide a gate that is marked as of low risk.

A client may answer by itself what it should have asked a person (hooks do), so this is for gates alone whose authors
have said that it is good enough; the decision says that it came this way.
"""

# Without postponed annotations: the server reads them, and one of them names a function of `add`.
from typing import Annotated, Literal

from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from ...identity import Identity
from ..kit import Kit
from ..results import Result, reports_errors, shortened


class Decision(BaseModel):
    outcome: Literal["approve", "reject"] = Field(description="approve or reject")
    comment: str = Field("", description="why, if you like")


Outcome = AcceptedElicitation[Decision] | DeclinedElicitation | CancelledElicitation


def add(server: MCPServer, kit: Kit) -> None:
    def question(gate: str) -> Elicit[Decision]:
        from ...work.refusal import Refused

        desk = kit.host.desk()
        try:
            item = desk.refresh(desk.find(gate, "gate"))
        except Refused as refused:
            raise ToolError(str(refused)) from None
        if item.request.get("risk") != "low":
            how = kit.host.approve.format(gate=item.id)
            raise ToolError(
                f"the gate {item.step} is not marked as of low risk, so it is not decided from here: a person runs `{how}`"
            )
        message = item.request.get("message") or f"{item.step} of {item.workflow} waits for a decision."
        return Elicit(f"{message}\n\n{shortened(item.request.get('shows'), 2000)}", Decision)

    @server.tool(
        title="Ask the user about a gate of low risk",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
        ),
    )
    @reports_errors
    async def ask(
        ctx: Context,
        gate: Annotated[str, Field(description="the gate's id")],
        decided: Annotated[Outcome, Resolve(question)],
    ) -> Result:
        """Has your client ask its user to decide a gate, where the gate is marked as of low risk (`risk`: low); of any
        other it is refused. The user decides, not you."""
        await kit.ready()
        desk = await kit.off(kit.host.desk)
        item = await kit.off(desk.find, gate, "gate")
        caller = kit.caller(ctx)
        if not isinstance(decided, AcceptedElicitation):
            return await kit.view(item.execution, caller, hint="The user has not decided.")
        who = Identity(
            caller.identity.user, "elicitation", caller.identity.host, client=caller.identity.client
        )

        def decide() -> None:
            desk.decide(
                item.handle,
                decided.data.outcome,
                who,
                comment=decided.data.comment or None,
                shown=item.digest,
            )
            kit.host.adopt(item.execution)

        await kit.off(decide)
        await kit.wait(item.execution, caller, 3)
        return await kit.view(item.execution, caller, hint=f"The user has decided: {decided.data.outcome}.")
