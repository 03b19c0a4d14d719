"""`validate`: everything that is wrong with a spec or a definition, before anything runs."""

from __future__ import annotations

import json
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from ..host import Source
from ..kit import Kit
from ..results import Result, answer, call, reports_errors

MAX_FINDINGS = 30

Spec = Annotated[
    str | dict[str, Any] | None,
    Field(description="the text of a spec (YAML), or Amazon States Language as text or object"),
]
File = Annotated[str | None, Field(description="or the path of such a file, from the project's root")]


def source_of(kit: Kit, spec: str | dict[str, Any] | None, file: str | None) -> Source:
    """Raises `InvalidWorkflow`."""
    if (spec is None) == (file is None):
        raise ToolError("give either `spec`, the text, or `file`, a path")
    # The server hands JSON in a text on as what it says.
    return kit.host.load(json.dumps(spec) if isinstance(spec, dict) else spec, file)


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Check a workflow",
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True),
    )
    @reports_errors
    async def validate(
        spec: Spec = None,
        file: File = None,
        explain: Annotated[bool, Field(description="tell what it does, step by step, with a graph")] = False,
    ) -> Result:
        """Checks a workflow without running it: all errors at once, each with its place, its reason and a way on. With
        `explain`, a right one is told step by step: who does what, what is checked, where it goes.
        The language's grammar is the resource stratum://schema; examples are in stratum://guide."""

        def check() -> Any:
            from ....statelang.spec.diagnostics import InvalidWorkflow

            try:
                return source_of(kit, spec, file).workflow, None
            except InvalidWorkflow as invalid:
                return None, invalid

        workflow, invalid = await kit.off(check)
        same = {"spec": "<the text, mended>"} if spec is not None else {"file": file}
        if workflow is not None:
            given = {"spec": "<the same text>"} if spec is not None else {"file": file}
            told: dict[str, Any] = {}
            if explain:
                from ..explaining import explained

                told = await kit.off(explained, workflow)
            return answer(
                "VALID", workflow=workflow.name, states=len(workflow.definition.get("States", {})), warnings=workflow.warnings or None,
                **told,
                next=call("run", **given, input={}), hint="Nothing is wrong with it." if not workflow.warnings else "It can run; see its warnings.",
            )  # fmt: skip
        findings = [
            {key: finding[key] for key in ("severity", "code", "message", "line", "column", "suggestion", "location") if finding.get(key) is not None}
            for finding in invalid.findings
        ]  # fmt: skip
        return answer(
            "INVALID", findings=findings[:MAX_FINDINGS], more=len(findings) - MAX_FINDINGS if len(findings) > MAX_FINDINGS else None,
            shown=str(invalid)[:4000], next=call("validate", **same),
            hint="Mend every error; each finding has its place and mostly a suggestion.",
        )  # fmt: skip
