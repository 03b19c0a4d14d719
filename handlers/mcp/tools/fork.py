"""`fork`: goes on from an earlier place of an execution; names places to go back to."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..host import Caller
from ..kit import Kit
from ..results import Result, answer, call, reports_errors
from .claim import Agent, take_if_only

MAX_PLACES = 60


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Go back to an earlier place",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
        ),
    )
    @reports_errors
    async def fork(
        ctx: Context,
        execution: Annotated[str, Field(description="an execution's name, running or ended")],
        at: Annotated[
            str | None,
            Field(
                description="a step, a checkpoint or an event's id; STEP#2 for the second time; without it, the places are listed"
            ),
        ] = None,
        input: Annotated[Any, Field(description="an input in place of the old one, from there on")] = None,
        name: Annotated[str | None, Field(description="the new execution's name")] = None,
        reason: Annotated[str | None, Field(description="why; it is kept in the history")] = None,
        checkpoint: Annotated[
            str | None, Field(description="instead: a name for the place where the execution stands now")
        ] = None,
        wait: Annotated[float, Field(description="seconds to wait for what follows, at most 100", ge=0)] = 5,
        agent: Agent = None,
    ) -> Result:
        """Begins a new execution that goes on from a place in another one's history, such as the step that failed, after its
        handler was mended. What was done before that place is kept and not done again; what came after is asked for anew,
        approvals too. The other execution stays as it is."""
        await kit.ready()
        caller = kit.caller(ctx, agent)
        origin = await kit.off(kit.find, execution)
        if checkpoint is not None:
            told = await kit.off(_mark, kit, origin, checkpoint, reason, caller)
            return await kit.view(origin, caller, hint=told)
        if at is None:
            return await kit.off(_places, kit, origin)
        text = None if input is None else json.dumps(input, ensure_ascii=False)
        made = await kit.off(
            _fork, kit, origin, at, name or f"fork-{secrets.token_hex(4)}", text, reason, caller
        )
        await kit.wait(made, caller, wait)
        await kit.off(take_if_only, kit, made, caller)
        return await kit.view(made, caller, hint=f"It goes on from {execution} at {at}.")


def _mark(kit: Kit, execution: str, name: str, note: str | None, caller: Caller) -> str:
    from ...time_travel import checkpoints, points

    store = kit.host.desk().items.store
    point = points.find(store, execution, None)
    try:
        checkpoints.mark(store, execution, name, point.event, kit.host.runtime.clock(), caller.identity, note)
    except checkpoints.InvalidCheckpoint as refused:
        raise ToolError(str(refused)) from None
    return f"'{name}' is {point}: `fork` at it goes back there."


def _places(kit: Kit, execution: str) -> CallToolResult:
    from ...time_travel import points
    from ...times import rfc3339

    found = points.points(kit.host.desk().items.store, execution)
    begun = [
        point
        for before, point in zip([None, *found], found, strict=False)
        if point.checkpoint
        or point.state is None
        or before is None
        or point.step is None
        or before.step != point.step
    ]
    shown = [
        {"event": point.event, "at": rfc3339(point.at), "step": point.step or point.state, "checkpoint": point.checkpoint}
        for point in begun[-MAX_PLACES:]
    ]  # fmt: skip
    name = execution.rpartition(":")[2]
    return answer(
        "OK", execution=name, places=[{key: value for key, value in each.items() if value is not None} for each in shown],
        earlier=len(begun) - MAX_PLACES if len(begun) > MAX_PLACES else None,
        next=call("fork", execution=name, at="<a step, a checkpoint or an event>"),
        hint="Each is the place just before a step; the one without a step is where it stands.",
    )  # fmt: skip


def _fork(
    kit: Kit, origin: str, at: str, name: str, input: str | None, reason: str | None, caller: Caller
) -> str:
    from ....statelang.engine import CannotFork
    from ...time_travel import forks, points

    host = kit.host
    try:
        made, _ = forks.fork(
            host.runtime, host.tenant, origin, at, name, caller.identity, input=input, reason=reason
        )
    except (points.NoSuchPoint, CannotFork, forks.ExecutionExists, forks.NotAllowed) as refused:
        raise ToolError(f"{refused}; `fork` without `at` lists the places") from None
    host.forked(origin, made.execution)
    return made.execution
