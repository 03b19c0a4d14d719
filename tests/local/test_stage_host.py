"""The MCP server over a stage: what was deployed runs there by its alias, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from stratum.handlers.mcp.host import NotHere
from stratum.handlers.mcp.kit import Kit
from stratum.handlers.mcp.tools.run import _begin_known, _begin_new
from stratum.handlers.runtime import NoOutbox, Runtime
from stratum.handlers.versions import publishing, routing
from stratum.handlers.workflows import Workflow
from stratum.local.agents.stage_host import StageHost
from stratum.local.cli.problem import WrongRequest
from stratum.local.stores import open_store

DEFINITION = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


@pytest.fixture
def runtime() -> Runtime:
    made = Runtime(open_store("sqlite:///:memory:"), NoOutbox(), None)  # type: ignore[arg-type]
    by = publishing.Identity("ada", "cli")
    publishing.publish(made, "default", Workflow("hello.json", "hello", DEFINITION), "1.0.0+a", by)
    routing.move(made, "default", "hello", "live", "1.0.0+a", by)
    return made


def host(runtime: Runtime, folder: Path) -> StageHost:
    return StageHost(lambda: runtime, "prod", folder, "default")


def test_workflows_are_started_by_the_alias_that_deployments_lead(runtime: Runtime, tmp_path: Path) -> None:
    made = host(runtime, tmp_path)
    caller = made.caller("claude", "1", None)
    execution = _begin_known(Kit(made), "hello", "one", "{}", caller)
    snapshot = runtime.executions().load(execution).snapshot
    assert snapshot["alias"].endswith(":hello:live")
    assert snapshot["requester"]["via"] == "mcp"


def test_what_was_not_deployed_is_not_run(runtime: Runtime, tmp_path: Path) -> None:
    made = host(runtime, tmp_path)
    with pytest.raises(
        ToolError, match=r"the stage prod runs what was deployed to it.*`stratum deploy` brings others"
    ):
        _begin_new(Kit(made), "workflow: x", None, "one", "{}", made.caller(None, None, None))
    assert [
        each.key for each in runtime.store.records("state-machine").items if "hello" not in each.key
    ] == []


def test_files_of_the_project_are_read_and_no_others(runtime: Runtime, tmp_path: Path) -> None:
    made = host(runtime, tmp_path)
    (tmp_path / "a.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
    assert made.load(None, "a.json").workflow.name == "a"
    for name in ("../a.json", "/etc/passwd", "gone.yaml"):
        with pytest.raises(NotHere):
            made.load(None, name)
    assert made.approve == "stratum approve {gate} --stage prod"
    assert not made.caller("claude", None, "one").worker.startswith(
        "agent/"
    )  # no lock of this machine says that it is gone


def test_a_stage_that_is_not_there_is_told_when_it_is_asked(tmp_path: Path) -> None:
    def nowhere() -> Any:
        raise WrongRequest("there is no stage 'prod'")

    with pytest.raises(NotHere, match="there is no stage"):
        StageHost(nowhere, "prod", tmp_path, "default").desk()
