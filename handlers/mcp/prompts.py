"""Common ways of working, as prompts that a client offers its user."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from pydantic import Field

Execution = Annotated[str, Field(description="an execution's name")]


def add_all(server: MCPServer) -> None:
    @server.prompt(title="Do the work that waits")
    def work(
        execution: Annotated[str, Field(description="an execution's name; empty: any that waits")] = "",
    ) -> str:
        """Goes on with what workflows wait for an agent to do."""
        which = f"the execution `{execution}`" if execution else "whatever execution waits for an agent"
        return (
            f"Go on with {which}. Call `status` and do what its `next` says, again and again: claim the work, do what its"
            " `intent` says with its `input`, and hand in a result as its `contract` and `ensure` want it. Where a person has to"
            " decide a gate, tell me what it shows and the command to decide it, and wait with `status`. Stop when the execution"
            " has ended, and tell me its output."
        )

    @server.prompt(title="Write a workflow")
    def write(goal: Annotated[str, Field(description="what the workflow is to do")]) -> str:
        """Writes a spec for a goal, checks it and runs it once."""
        return (
            f"Write a Stratum workflow for this goal: {goal}\n\nRead the resource `stratum://guide` first, and `stratum://schema` for"
            " what it leaves open. Give every step a contract (`output`), and postconditions (`ensure`) that code can check. What a"
            " person must decide is a `gate`; what you would do yourself is an `agent` step with an `intent`. Call `validate` until"
            " nothing is wrong, show me the file, then `run` it with an example input."
        )

    @server.prompt(title="Find out why an execution failed")
    def diagnose(execution: Execution) -> str:
        """Reads an execution's history and says what went wrong."""
        return (
            f"Find out why the execution `{execution}` did not succeed. Start with `status`, then read `history` newest first,"
            " filtered by step or by type (Failed, TimedOut) rather than whole. Say which step failed, with which input, what its"
            " contract or postcondition wanted, and what you would change. Change nothing yet."
        )

    @server.prompt(title="Mend a failed execution and go on")
    def mend(execution: Execution) -> str:
        """Mends what made an execution fail, tests it, and goes on from where it failed."""
        return (
            f"The execution `{execution}` did not succeed. Find out why with `status` and `history`, mend the handler or the workflow,"
            " and run its cases with `test` (add one for what went wrong). Then go on from the step that failed with `fork`, `at` that"
            " step, so that what was done before is not done again. A fork runs the definition that the execution began with: where the"
            " workflow itself had to change, `run` it anew instead. Tell me what you changed, and why it holds now."
        )
