"""`versions`: what is published of a workflow, and how two of its versions differ."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..kit import Kit
from ..results import Result, answer, call, reports_errors

MAX_LISTED = 50


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="See published versions",
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True),
    )
    @reports_errors
    async def versions(
        workflow: Annotated[
            str | None, Field(description="NAME, or NAME@VERSION or NAME@ALIAS to compare; without one, all")
        ] = None,
        against: Annotated[
            str | None, Field(description="another version or alias, or a workflow's file: what differs")
        ] = None,
    ) -> Result:
        """The published versions of workflows, newest first: who published each and why, which aliases lead to it, how many
        executions are still on it. With `against`, what differs and what would break. Publishing and moving aliases are
        your user's: `stratum publish`, `stratum alias`, `stratum rollback`."""

        def told() -> CallToolResult:
            return _listed(kit, workflow) if against is None else _compared(kit, workflow, against)

        return await kit.off(told)


def _listed(kit: Kit, workflow: str | None) -> CallToolResult:
    from ...versions import listing, publishing

    store = kit.host.desk().items.store
    name = workflow.partition("@")[0] if workflow is not None else None
    found: list[dict[str, Any]] = []
    for each in [name] if name is not None else publishing.workflows(store):
        try:
            found += listing.listed(kit.host.runtime, kit.host.tenant, each)
        except publishing.NoSuchVersion as error:
            raise ToolError(f"{error}, and `run` needs no published one") from None
    kept = [
        {key: each[key] for key in each if key not in ("arn", "definition", "code")}
        for each in found[:MAX_LISTED]
    ]
    newest = f"{kept[0]['workflow']}@{kept[0]['version']}" if kept and "at" in kept[0] else None
    return answer(
        "OK", versions=kept, more=len(found) - MAX_LISTED if len(found) > MAX_LISTED else None,
        next=call("run", workflow=newest, input={}) if newest else call("run", file="<workflow.yaml>"),
        hint="Nothing is published; workflows run from their files all the same." if not found else "A published version never changes.",
    )  # fmt: skip


def _compared(kit: Kit, workflow: str | None, against: str) -> CallToolResult:
    from ...versions import listing, publishing

    if workflow is None:
        raise ToolError("give `workflow`, as NAME@VERSION, for what is compared")
    runtime, tenant = kit.host.runtime, kit.host.tenant
    store = kit.host.desk().items.store
    name, _, version = workflow.partition("@")
    try:
        old = listing.content(store, listing.find(runtime, tenant, name, version or "latest"))
        if PurePath(against).suffix in (".yaml", ".yml", ".json", ".py"):
            new = _of_file(kit, against)
        else:
            given = against.rpartition("@")[2]
            new = listing.content(store, listing.find(runtime, tenant, name, given))
        differences, broken = listing.compared(old, new)
    except (publishing.NoSuchVersion, listing.NotComparable) as error:
        raise ToolError(str(error)) from None
    return answer(
        "SAME" if not differences else "DIFFERENT", workflow=name, differences=differences or None, breaks=broken or None,
        next=call("versions", workflow=name),
        hint="They mean the same." if not differences
        else "It breaks what relies on the old contract, so it must be a major version." if broken
        else "Nothing of it breaks the old contract.",
    )  # fmt: skip


def _of_file(kit: Kit, file: str) -> dict[str, Any]:
    loaded = kit.host.load(None, file).workflow
    if loaded.spec is None:
        return loaded.definition
    return loaded.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
