"""The programs that agents come with, as npm has them: they find the server after `stratum install`, and work with it.

`make test-agents` fetches them and runs this. Nothing here needs an account or a network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agents import ENVIRONMENT, STRATUM
from people import BY_A_PERSON
from stratum.local.people import account

pytestmark = pytest.mark.agents

PROGRAMS = Path(sys.executable).parent.parent / "npm" / "node_modules" / ".bin"
EXAMPLE = Path(__file__).resolve().parents[2] / "local" / "examples" / "release"
NOTES = {"title": "Greeter 1.2.3", "text": "It greets in Latin.", "breaking": False}


def program(name: str) -> str:
    if not (PROGRAMS / name).exists():
        pytest.skip(f"{name} is not there: `make test-agents` fetches it from npm")
    return str(PROGRAMS / name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "release", ignore=shutil.ignore_patterns(".stratum"))
    done = subprocess.run(
        [*STRATUM, "install", "--yes"], cwd=tmp_path / "release", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return tmp_path / "release"


def run(project: Path, *command: str, **environment: str) -> str:
    home = project.parent / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        command, cwd=project, env={**ENVIRONMENT, "HOME": str(home), **environment}, capture_output=True, text=True, timeout=120
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_claude_code_finds_the_server_healthy(project: Path) -> None:
    claude = program("claude")
    assert "Pending approval" in run(project, claude, "mcp", "list")
    # What Claude Code writes when its user trusts the folder and agrees to the project's server.
    (project.parent / "home" / ".claude.json").write_text(
        json.dumps({"projects": {str(project): {"hasTrustDialogAccepted": True}}})
    )
    (project / ".claude" / "settings.local.json").write_text('{"enabledMcpjsonServers": ["stratum"]}')
    listed = run(project, claude, "mcp", "list")
    assert "stratum" in listed
    assert "Connected" in listed


def test_codex_reads_the_projects_server(project: Path) -> None:
    codex = program("codex")
    home = project.parent / "codex"
    home.mkdir()
    (home / "config.toml").write_text(f'[projects."{project}"]\ntrust_level = "trusted"\n')
    [server] = json.loads(run(project, codex, "mcp", "list", "--json", CODEX_HOME=str(home)))
    assert (server["name"], server["enabled"]) == ("stratum", True)


@BY_A_PERSON
def test_the_inspector_drives_the_release_to_its_end(project: Path) -> None:
    inspector = program("mcp-inspector")
    # It takes a command without quotes; and starts it anew for each call, so that nothing is remembered in between.
    script = project / "serve"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{STRATUM[2]}" mcp\n')
    script.chmod(0o755)
    server = [inspector, "--cli", str(script)]

    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        given = [
            word
            for name, value in arguments.items()
            for word in ("--tool-arg", f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        ]
        answer = json.loads(run(project, *server, "--method", "tools/call", "--tool-name", tool, *given))
        return answer.get("structuredContent") or {"refused": answer["content"][0]["text"]}

    tools = json.loads(run(project, *server, "--method", "tools/list"))["tools"]
    assert [tool["name"] for tool in tools][:3] == ["validate", "test", "run"]
    call(
        "run",
        file="reviewed.yaml",
        input={"version": "1.2.3", "changes": ["Greets in Latin"]},
        name="r",
        wait=60,
    )
    told = call("status", execution="r")
    work = told["pending"][0]["work"]
    assert "$.title" in call("step", work=work, result={**NOTES, "title": "Hm"})["refused"]
    told = call("step", work=work, result={**NOTES, "title": "New greetings"}, wait=30)
    assert "does not name the version" in told["hint"]
    told = call("step", work=told["pending"][0]["work"], result=NOTES, wait=30)
    gate = told["pending"][0]["gate"]
    subprocess.run([*STRATUM, "approve", gate], cwd=project, env=ENVIRONMENT, check=True, capture_output=True)
    told = call("status", execution="r", wait=60)
    assert told["status"] == "SUCCEEDED"
    assert told["output"]["approved_by"] == account()


def test_after_uninstall_there_is_no_server(project: Path) -> None:
    claude = program("claude")
    subprocess.run([*STRATUM, "uninstall", "--yes"], cwd=project, check=True, capture_output=True)
    assert "stratum" not in run(project, claude, "mcp", "list")
    assert sorted(os.listdir(project)) == sorted(os.listdir(EXAMPLE))
