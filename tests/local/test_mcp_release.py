"""The release example, worked on by an agent over stdio whose server is killed with -9 between any two calls.

Every call here has a server process of its own, so that this takes its time: `make test-agents` runs it. The suite
itself has one such death in `test_mcp`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest
from agents import MODES, Agent, Server, talk
from people import BY_A_PERSON
from stratum.handlers.store import verify
from stratum.handlers.work.journal import Journal, journal_key
from stratum.local.cli.executions import runtime_on
from stratum.local.people import account
from stratum.local.stores import open_store

pytestmark = [pytest.mark.agents, BY_A_PERSON]
EXAMPLE = Path(__file__).resolve().parents[2] / "local" / "examples" / "release"
CHANGES = ["Greets in Latin", "Starts in half the time"]
NOTES = {
    "title": "Greeter 1.2.3",
    "text": "It greets in Latin, and starts in half the time.",
    "breaking": False,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "release", ignore=shutil.ignore_patterns(".stratum"))
    return tmp_path / "release"


@pytest.mark.parametrize("mode", MODES)
def test_the_release_goes_out_though_the_server_is_killed_after_every_call(project: Path, mode: str) -> None:
    server = Server(project)
    pids: list[int] = []

    async def call(tool: str, **arguments: Any) -> dict[str, Any]:
        async with server.agent(mode, kill=pids.append) as agent:
            return await agent.call(tool, **arguments)

    async def go_on() -> dict[str, Any]:
        """What an agent knows that remembers nothing: `status`, and where its `next` leads."""
        overview = await call("status")
        return await call(overview["next"]["tool"], **overview["next"]["arguments"])

    async def conversation() -> None:
        given = {"version": "1.2.3", "changes": CHANGES}
        await call(
            "run", file="reviewed.yaml", input=given, name="r", wait=0
        )  # killed while it tests and builds
        told = await call("status", execution="r", wait=60)
        assert told["next"]["tool"] == "claim"
        told = await go_on()
        work = told["next"]["arguments"]["work"]
        async with server.agent(mode, kill=pids.append) as agent:
            assert "$.title" in await agent.refused("step", work=work, result={**NOTES, "title": "Hm"})
        told = await call(
            "step", work=work, result={**NOTES, "title": "New greetings"}, usage={"usd": 0.2}, wait=30
        )
        told = await go_on()
        [pending] = told["pending"]
        assert pending["attempt"] == 2
        assert pending["budget"] == {"usd": 0.8, "tokens": 100000}
        assert "the title does not name the version 1.2.3" in str(pending["violations"])
        await call("step", work=pending["work"], result=NOTES, usage={"usd": 0.1}, wait=30)
        told = await go_on()
        [gate] = told["pending"]
        assert gate["shows"]["notes"] == NOTES
        assert "`stratum approve" in told["hint"]
        approved = server.command(*gate["decide"].split()[1:], "--comment", "out with it")
        assert approved.returncode == 0, approved.stderr
        assert "nothing runs it at the moment" in approved.stderr
        told = await call("status", execution="r", wait=60)
        assert told["status"] == "SUCCEEDED", told
        assert told["output"]["notes"] == NOTES
        assert told["output"]["approved_by"] == account()
        assert told["output"]["health"]["status"] == "ok"

    talk(conversation)
    assert len(set(pids)) >= 10
    store = open_store(f"sqlite:///{project}/.stratum/stratum.db")
    [head] = store.heads().items
    assert verify(store, head.execution) == []
    assert verify(store, journal_key(head.execution)) == []
    events = [event for commit in store.commits(head.execution) for event in commit.events]
    answers = [event for event in events if event["type"] == "TaskSucceeded"]
    # test, build, two attempts at the notes, the approval, stage, health: each counted once
    assert len(answers) == 7
    noted = [note["type"] for note in Journal(runtime_on(store).executions()).read(head.execution)]
    assert noted.count("answered") == 3
    assert noted.count("refused") == 1


def test_killed_in_the_middle_of_calls_nothing_is_lost_or_counted_twice(project: Path) -> None:
    server = Server(project)

    async def cut_off(after: float, tool: str, **arguments: Any) -> None:
        """A call whose server is killed before it has answered, or just after."""
        async with server.agent("legacy", kill=lambda pid: None) as agent:
            with anyio.move_on_after(after):
                await agent.client.call_tool(tool, arguments)

    async def work_of(agent: Agent) -> Any:
        told = await agent.call("status", execution="r", wait=60)
        return next((item.get("work") for item in told["pending"]), None)

    async def conversation() -> None:
        given = {"version": "2.0.0", "changes": CHANGES}
        for after in (0.05, 0.4):
            await cut_off(after, "run", file="reviewed.yaml", input=given, name="r", wait=30)
        async with server.agent() as agent:
            await agent.call(
                "run", file="reviewed.yaml", input=given, name="r", wait=60
            )  # the same name: the same execution
            work = await work_of(agent)
        for after in (0.02, 0.2):
            await cut_off(after, "step", work=work, result={**NOTES, "title": "Greeter 2.0.0"}, wait=30)
        async with server.agent() as agent:
            told = await agent.call("status", execution="r", wait=1)
            if told["pending"][0]["for"] == "agent":
                told = await agent.call(
                    "step", work=work, result={**NOTES, "title": "Greeter 2.0.0"}, wait=30
                )
            [gate] = told["pending"]
            assert server.command("approve", gate["gate"]).returncode == 0
            done = await agent.call("status", execution="r", wait=60)
            assert done["output"]["version"] == "2.0.0"

    talk(conversation)
    store = open_store(f"sqlite:///{project}/.stratum/stratum.db")
    [head] = store.heads().items
    assert verify(store, head.execution) == []
    events = [event for commit in store.commits(head.execution) for event in commit.events]
    assert len([event for event in events if event["type"] == "TaskSucceeded"]) == 6


def test_what_has_fallen_due_while_no_server_ran_happens_when_the_next_starts(project: Path) -> None:
    spec = (project / "reviewed.yaml").read_text()
    (project / "reviewed.yaml").write_text(
        spec.replace("timeout: 2h", "timeout: 1s").replace("attempts: 3", "attempts: 1")
    )
    server = Server(project)

    async def conversation() -> None:
        async with server.agent(kill=lambda pid: None) as agent:
            given = {"version": "1.0.0", "changes": CHANGES}
            await agent.call("run", file="reviewed.yaml", input=given, name="r", wait=60)
        await anyio.sleep(1.1)  # real time, as the server is a process of its own
        async with server.agent() as agent:
            told = await agent.call("status", execution="r", wait=20)
            assert told["status"] == "FAILED"

    talk(conversation)


def test_two_server_processes_over_one_file_work_on_ten_executions_each(project: Path) -> None:
    server = Server(project)

    async def work(agent: Agent, version: str, name: str) -> None:
        given = {"version": version, "changes": CHANGES}  # of its own, as a build has a folder by its version
        told = await agent.call("run", file="reviewed.yaml", input=given, name=name, wait=100, agent=name)
        assert "pending" in told, told
        while told["pending"][0]["for"] == "agent":
            notes = {**NOTES, "title": f"Greeter {version}"}
            told = await agent.call(
                "step", work=told["pending"][0]["work"], result=notes, wait=60, agent=name
            )
        assert told["pending"][0]["for"] == "person", told

    async def conversation() -> None:
        async with server.agent() as one, server.agent("legacy") as two, anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(work, one, f"1.{number}.0", f"one-{number}")
                group.start_soon(work, two, f"2.{number}.0", f"two-{number}")

    talk(conversation)
    store = open_store(f"sqlite:///{project}/.stratum/stratum.db")
    heads = store.heads(limit=100).items
    assert len(heads) == 20
    for head in heads:
        assert verify(store, head.execution) == []
        events = [event for commit in store.commits(head.execution) for event in commit.events]
        assert (
            len([event for event in events if event["type"] == "TaskScheduled"]) == 4
        )  # test, build, notes, the gate
