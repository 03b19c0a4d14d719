"""`test`: runs the cases that are written beside a workflow."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from ..kit import Kit
from ..results import Result, answer, call, reports_errors

MAX_FAILURES = 20


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Test a workflow",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True
        ),
    )
    @reports_errors
    async def test(
        file: Annotated[
            str, Field(description="NAME.test.yaml, the workflow that it stands beside, or a folder of them")
        ],
        match: Annotated[str | None, Field(description="only cases with this in their name")] = None,
    ) -> Result:
        """Runs a workflow's test cases, on a virtual clock in which a week takes no time and with the mocks that they give;
        nothing of it is an execution in the store. What a test file looks like is in stratum://guide."""

        def tested() -> CallToolResult:
            made = kit.host.test(file, match)
            if made.wrong is not None:
                return answer(
                    "INVALID", wrong=made.wrong, next=call("test", file=file), hint="Nothing was run: mend the test file.",
                )  # fmt: skip
            failed = [
                {"case": case["name"], "at": f"{case['file']}:{case['line']}", "failures": [text[:2000] for text in case["failures"]]}
                for case in made.cases
                if case["failures"]
            ]  # fmt: skip
            passed = sum(case["status"] == "passed" for case in made.cases)
            return answer(
                "FAILED" if failed else "PASSED", passed=passed, failed=len(failed), cases=[case["name"] for case in made.cases][:100],
                failures=failed[:MAX_FAILURES] or None, next=call("test", file=file) if failed else call("run", file="<the workflow>"),
                hint="Mend the workflow, its handlers or the case, and test again." if failed else "Every case passed.",
            )  # fmt: skip

        return await kit.off(tested)
