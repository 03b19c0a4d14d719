"""MCP servers as processes, and several agents and servers at once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest
from agents import ENVIRONMENT, STRATUM, Agent, Here, Server, talk
from notes_project import BOB, BRANCHES, GOOD, INPUT, SPEC, begin, write_project
from stratum.handlers.store import verify

REPO = Path(__file__).resolve().parents[2]

# -- several at once ---------------------------------------------------------------------------------------


def test_two_agents_work_on_two_branches_and_not_on_one(here: Here) -> None:
    (here.project / "branches.yaml").write_text(BRANCHES)

    async def conversation() -> None:
        async with here.agent() as agent:
            started = await agent.call("run", file="branches.yaml", name="b", wait=20, agent="one")
            assert [work["claim"] for work in started["pending"]] == ["free", "free"]
            mine = await agent.follow(started, agent="one")
            theirs = await agent.call("status", execution="b", agent="two")
            assert theirs["next"]["arguments"]["work"] == started["pending"][1]["work"]
            await agent.follow(theirs, agent="two")
            assert "being worked on by one" in await agent.refused(
                "step", work=mine["next"]["arguments"]["work"], result="x", agent="two"
            )
            await agent.call("step", work=theirs["next"]["arguments"]["work"], result="R", agent="two")
            done = await agent.call(
                "step", work=mine["next"]["arguments"]["work"], result="L", agent="one", wait=20
            )
            assert done["output"] == {"left": "L", "right": "R"}

    talk(conversation)


def test_two_servers_on_one_file_run_ten_executions_each(here: Here) -> None:
    other = Here(here.project, store=here.url)

    async def conversation() -> None:
        async with here.agent() as one, other.agent() as two:

            async def work(agent: Agent, name: str) -> None:
                waits = await agent.follow(await begin(agent, name=name, wait=60), result=GOOD, wait=60)
                assert waits["pending"][0]["for"] == "person", waits

            async with anyio.create_task_group() as group:
                for number in range(10):
                    group.start_soon(work, one, f"one-{number}")
                    group.start_soon(work, two, f"two-{number}")
            # Each decides and goes on with what the other runs.
            gates = (await one.call("gates", limit=100))["gates"]
            assert len(gates) == 20
            for gate in gates:
                desk = (other if gate["execution"].startswith("one") else here).host.desk()
                desk.decide(gate["gate"], "approve", BOB)
            for gate in gates:
                agent = one if gate["execution"].startswith("two") else two
                done = await agent.call("status", execution=gate["execution"], wait=60)
                assert done["status"] == "SUCCEEDED", done

    try:
        talk(conversation)
        store = here.store
        heads = store.heads(limit=100).items
        assert len(heads) == 20
        for head in heads:
            assert verify(store, head.execution) == []
            scheduled = [
                event for commit in store.commits(head.execution) for event in commit.events if event["type"] == "TaskScheduled"
            ]  # fmt: skip
            assert len(scheduled) == 3
    finally:
        other.close()


def test_time_passes_while_the_agent_is_away(here: Here) -> None:
    (here.project / "short.yaml").write_text(
        SPEC.replace("RISK", "normal")
        .replace("timeout: 1h", "timeout: 1s")
        .replace("attempts: 3", "attempts: 1")
    )

    async def conversation() -> None:
        async with here.agent() as agent:
            started = await begin(agent, file="short.yaml", name="s")
            work = started["pending"][0]["work"]
            done = await agent.call("status", execution="s", wait=20)
            assert done["status"] == "RUNNING"  # what waits for the caller is not waited for
            assert here.host.engine.wait(lambda: here.store.heads(status="FAILED").items != [], 20)
            assert "closed" in await agent.refused("step", work=work, result=GOOD)
            assert (await agent.call("status", execution="s"))["status"] == "FAILED"

    talk(conversation)


# -- the process -------------------------------------------------------------------------------------------


def raw(project: Path, *lines: str, until: int) -> list[dict[str, Any]]:
    """What a server process answers to these lines, until it has answered a request; nothing but JSON-RPC may come."""
    answers: list[dict[str, Any]] = []
    with subprocess.Popen(
        [*STRATUM, "mcp", "--project", str(project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("\n".join(lines) + "\n")
        server.stdin.flush()
        for line in server.stdout:
            answers.append(json.loads(line))
            if answers[-1].get("id") == until:
                break
        server.stdin.close()
        answers += [json.loads(line) for line in server.stdout]
        assert server.wait(timeout=20) == 0
    return answers


def request(id: int, method: str, **parameters: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters})


HELLO = request(
    0, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "raw", "version": "0"}
)


def test_a_server_killed_in_the_middle_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    server = Server(write_project(tmp_path / "project"))
    killed: list[int] = []

    async def conversation() -> None:
        async with server.agent(kill=killed.append) as agent:
            await begin(agent, name="first")
        async with server.agent("legacy") as agent:
            told = await agent.follow(await agent.call("status"))
            assert told["steps"][0]["result"] == {"n": 3}
            assert told["next"]["tool"] == "claim"  # whoever was at work is known to be gone
            waits = await agent.call("step", work=told["pending"][0]["work"], result=GOOD, wait=20)
            assert waits["pending"][0]["for"] == "person"

    talk(conversation)
    assert killed


def test_garbage_ends_no_server_and_standard_output_is_protocol_alone(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    answers = raw(
        project, HELLO, "", "garbage", "{", "[]", "null", '{"jsonrpc": "2.0"}', '{"jsonrpc": "1.0", "id": 5, "method": "x"}',
        "\x00\x01", '"' + "x" * 1_000_000 + '"', "[" * 10_000, request(1, "no/such"), request(2, "tools/call", name=5),
        request(3, "tools/call", name="run", arguments={"file": "notes.yaml", "input": INPUT, "wait": 20}),
        request(4, "tools/list"), until=3,
    )  # fmt: skip
    by_id = {answer.get("id"): answer for answer in answers}
    assert by_id[3]["result"]["structuredContent"]["pending"][0]["step"] == "notes"
    assert len(by_id[4]["result"]["tools"]) >= 9
    assert "error" in by_id[1]
    assert "error" in by_id[2]


def test_what_the_server_does_not_need_for_its_list_is_not_imported() -> None:
    code = """
from functools import partial
from pathlib import Path
import sys
from stratum.handlers.mcp.server import build_server
from stratum.local.agents.host import LocalHost
build_server(LocalHost(lambda: None, "sqlite:///x.db", Path(".")))
print(*sys.modules)
"""
    done = subprocess.run([STRATUM[0], "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mcp.server" in loaded
    for name in (
        "stratum.local.cloud",
        "stratum.statelang.asl",
        "aws_lambda_powertools",
        "boto3",
        "moto",
        "yaml",
        "sqlite3",
    ):
        assert name not in loaded, name


def test_a_store_that_is_none_is_told_when_it_is_first_needed(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text(
        "this is no database, but long enough to be taken for one by its size alone" * 20
    )
    here = Here(write_project(tmp_path / "project"), store=f"sqlite:///{tmp_path}/no.db")

    async def conversation() -> None:
        async with here.agent() as agent:
            assert "cannot be opened" in await agent.refused("status")

    try:
        talk(conversation)
    finally:
        here.close()
    done = subprocess.run(
        [*STRATUM, "mcp", "--store", "ftp://x"], capture_output=True, text=True, check=False, input=""
    )
    assert done.returncode == 2
    assert "is not the address of a store" in done.stderr


@pytest.mark.parametrize("http", ["0.0.0.0:80", "no", "99999", "example.com:80"])
def test_only_loopback_is_listened_on(http: str) -> None:
    done = subprocess.run([*STRATUM, "mcp", "--http", http], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--http" in done.stderr
