"""`search`: executions by what they are and by what is in their histories."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..kit import Kit
from ..results import Result, answer, call, reports_errors

Time = Annotated[str | None, Field(description="RFC 3339, or how long ago: 2h, 7d")]


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Find executions",
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True),
    )
    @reports_errors
    async def search(
        text: Annotated[
            str | None, Field(description="anywhere in inputs, outputs, errors, comments")
        ] = None,
        workflow: Annotated[str | None, Field(description="a workflow's name")] = None,
        status: Annotated[
            str | None, Field(description="RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED")
        ] = None,
        name: Annotated[str | None, Field(description="a part of the execution's name")] = None,
        step: Annotated[str | None, Field(description="a step or state that it has come to")] = None,
        error: Annotated[str | None, Field(description="an error's name in its history")] = None,
        since: Time = None,
        until: Time = None,
        input: Annotated[
            dict[str, Any] | None, Field(description='fields of its input by path: {"customer.id": 7}')
        ] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Field(description="`next_cursor` of the page before")] = None,
    ) -> Result:
        """Finds executions, running or long ended, newest first, with what in their history it was that fits. All that
        is given must hold. Secrets are not searched."""
        asked = {
            name: value
            for name, value in (
                ("text", text), ("workflow", workflow), ("status", status), ("name", name), ("step", step), ("error", error),
                ("since", since), ("until", until), ("input", input),
            )
            if value is not None
        }  # fmt: skip
        return await kit.off(_found, kit, asked, limit, cursor)


def _found(kit: Kit, asked: dict[str, Any], limit: int, cursor: str | None) -> CallToolResult:
    from ...audit.documents import one_line
    from ...audit.search import STATUSES, Query
    from ...audit.search import search as find
    from ...times import read_time, rfc3339

    given = dict(asked)
    if given.get("status") not in (None, *STATUSES):
        raise ToolError(f"{given['status']!r} is no status: it is one of {', '.join(STATUSES)}")
    for each in ("since", "until"):
        try:
            if each in given:
                given[each] = read_time(given[each], kit.host.runtime.clock())
        except ValueError as error:
            raise ToolError(f"`{each}`: {error}") from None
    results = find(kit.host.desk().items.store, Query(**given), limit=limit, token=cursor)
    listed = [
        {
            "execution": each.head.name, "workflow": each.head.workflow, "status": each.head.status,
            "started": rfc3339(each.head.started_at), "found": [one_line(entry) for entry in each.entries[:3]],
        }
        for each in results.found
    ]  # fmt: skip
    next = call("status", execution=listed[0]["execution"]) if listed else call("status")
    if results.token is not None:
        next = call("search", **asked, limit=limit, cursor=results.token)
    return answer(
        "OK", executions=[{key: value for key, value in each.items() if value} for each in listed], next_cursor=results.token,
        next=next, hint="There may be more." if results.token else f"{len(listed)} fit." if listed else "Nothing fits.",
    )  # fmt: skip
