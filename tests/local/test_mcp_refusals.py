"""What an agent may not do by the MCP server, and what is kept of its trying."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import anyio
import pytest
from agents import MODES, Here, talk
from notes_project import BOB, GOOD, INPUT, begin, write_project
from stratum.handlers.audit.verification import verify_execution, verify_refusals
from stratum.handlers.store import verify
from stratum.handlers.store.codec import unpack
from stratum.handlers.work.journal import journal_key
from stratum.handlers.work.refusal import Refused
from stratum.local.cli import main

REPO = Path(__file__).resolve().parents[2]


def test_no_token_and_no_secret_is_shown(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            [item] = here.host.desk().items.open_items().items
            shown = [
                json.dumps(await agent.call("status", execution="first", full=True)),
                json.dumps(await agent.call("history", execution="first", limit=100, full=True)),
            ]
            for uri in ("stratum://executions/first", "stratum://executions/first/history"):
                [content] = (await agent.client.read_resource(uri)).contents
                shown.append(content.text)  # pyright: ignore[reportAttributeAccessIssue]
            waits = await agent.call("step", work=item.handle, result=GOOD, wait=20)
            shown.append(json.dumps(waits))
            shown.append(json.dumps(await agent.call("gates")))
            for text in shown:
                assert "AQ" not in text
                assert item.token[:60] not in text
                assert INPUT["key"] not in text

    talk(conversation)


def test_nor_does_the_command_line_show_one(
    here: Here, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here.project / "config"))
    bundle = here.project / "bundle.json"

    def shown(*arguments: str) -> str:
        assert main([*arguments, "--store", here.url]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")

    talk(conversation)
    [item] = here.host.desk().items.open_items().items
    snapshot = here.host.desk().executions.load(item.execution).snapshot
    export = ("audit", "export", "first", "--reveal", "-o", str(bundle))
    texts = [
        shown(*command)
        for command in (
            ("show", "first"), ("show", "first", "--json"), ("history", "first"), ("history", "first", "--json"),
            ("audit", "first", "--whole"), ("audit", "first", "--format", "markdown", "--whole"), ("audit", "first", "--format", "json"),
            ("search", "hunter", "--json"), ("search", "notes", "--json"), ("gates", "--json"),
        )
    ]  # fmt: skip
    for text in texts:
        assert INPUT["key"] not in text
    assert INPUT["key"] in shown("show", "first", "--reveal")
    assert INPUT["key"] in shown("history", "first", "--reveal", "--json")
    shown(*export)
    for text in (*texts, bundle.read_text()):
        assert item.token[:60] not in text
        assert snapshot["secret"] not in text
    assert json.loads(bundle.read_text())["redacted"]
    shown("stop", "first")
    shown(*export)  # what has ended has no secrets but its contracts'
    assert not json.loads(bundle.read_text())["redacted"]
    shown("redrive", "first", "--no-run")
    again = here.host.desk().executions.load(item.execution).snapshot
    assert (again["status"], again["secret"] in bundle.read_text()) == ("RUNNING", False)


def test_a_gate_of_normal_risk_is_not_asked_about(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            waits = await agent.follow(await begin(agent), result=GOOD, wait=20)
            told = await agent.refused("ask", gate=waits["pending"][0]["gate"])
            assert "not marked as of low risk" in told
            assert "stratum approve" in told

    talk(conversation)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_of_a_gate_of_low_risk_the_client_asks_its_user(tmp_path: Path, mode: str, answer: str) -> None:
    from mcp_types import ElicitRequestParams, ElicitResult

    here = Here(write_project(tmp_path / "project", "low"))
    asked: list[str] = []

    async def elicit(context: Any, parameters: ElicitRequestParams) -> ElicitResult:
        asked.append(parameters.message)
        content = {"outcome": "approve", "comment": "fine"} if answer == "accept" else None
        return ElicitResult(action=answer, content=content)  # pyright: ignore[reportArgumentType]

    async def conversation() -> None:
        async with here.agent(mode, elicitation_callback=elicit) as agent:
            waits = await agent.follow(await begin(agent), result=GOOD, wait=20)
            told = await agent.call("ask", gate=waits["pending"][0]["gate"])
            assert "Ship it?" in asked[0]
            if answer == "accept":
                assert told["status"] == "SUCCEEDED"
                assert told["output"]["by"]["via"] == "elicitation"
            else:
                assert "has not decided" in told["hint"]

    try:
        talk(conversation)
    finally:
        here.close()


def test_another_tenants_work_cannot_be_answered(here: Here) -> None:
    other = Here(here.project, tenant="other", store=here.url)

    async def conversation() -> None:
        async with here.agent() as agent, other.agent() as stranger:
            started = await begin(agent, name="first")
            work = started["pending"][0]["work"]
            assert "there is no work" in await stranger.refused("step", work=work, result=GOOD)
            assert (await stranger.call("status"))["executions"] == []
            assert "there is no execution" in await stranger.refused("status", execution="first")
            assert (await agent.call("status", execution="first"))["pending"][0]["work"] == work

    try:
        talk(conversation)
        [note] = other.host.desk().journal.read(None)
        assert (note["type"], note["reason"], note["by"]["agent"]) == ("refused", "NotFound", "mcp")
    finally:
        other.close()


def says_the_same(packed: bytes, other: bytes) -> bool:
    """Few bits of compressed text say nothing, such as those that fill its last byte: what is read is as it was written."""
    try:
        return unpack(packed) == unpack(other)
    except ValueError:
        return False


def test_one_byte_changed_in_any_commit_is_found(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            waits = await agent.follow(await begin(agent, name="first"), result=GOOD, wait=20)
            assert "there is no work" in await agent.refused("step", work="nothing.1", result=GOOD)
            here.host.desk().decide(waits["pending"][0]["gate"], "approve", BOB)
            await agent.follow(waits, wait=20)

    talk(conversation)
    [head] = here.store.heads().items
    assert main(["audit", "refusals", "--store", here.url]) == 0
    assert "there is no work 'nothing.1' here" in capsys.readouterr().out
    assert main(["audit", "verify", "--store", here.url]) == 0
    database = sqlite3.connect(here.project / ".stratum" / "stratum.db")
    rows = database.execute("SELECT execution, seq, body FROM commits ORDER BY execution, seq").fetchall()
    assert len({row[0] for row in rows}) == 3  # the log, its journal, and the one of what has no execution
    assert len(rows) > 10
    where = "UPDATE commits SET body = ? WHERE execution = ? AND seq = ?"
    for execution, seq, body in rows:
        for place in {0, len(body) - 1, *range(seq % 7, len(body), max(1, len(body) // 3))}:
            changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            if says_the_same(changed, body):
                continue
            with database:
                database.execute(where, (changed, execution, seq))
            found = [*verify_execution(here.store, head.execution), *verify_refusals(here.store)]
            assert found, (execution, seq, place)
            assert found[0].seq == seq
        with database:
            database.execute(where, (body, execution, seq))
    database.close()
    assert main(["audit", "verify", "--store", here.url]) == 0


def test_results_that_are_too_large_or_strange_are_refused_and_noted(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            work = (await begin(agent, name="first"))["pending"][0]["work"]
            assert "262144" in await agent.refused(
                "step", work=work, result={"text": "x" * 5_000_000, "words": 1}
            )
            deep: Any = 1
            for _ in range(200):
                deep = [deep]
            for result in (deep, None, [], "text", True, 1e308, {"text": "\u0000\u202e", "words": "1"}):
                await agent.refused("step", work=work, result=result)
            await agent.refused("step", work=work, result=GOOD, usage={"usd": "much"})
            assert (await agent.call("status", execution="first"))["pending"][0]["attempt"] == 1
            done = await agent.call(
                "step", work=work, result=json.dumps(GOOD), wait=20
            )  # as some clients send it
            assert done["pending"][0]["for"] == "person"

    talk(conversation)
    journal = here.host.desk().journal
    execution = here.store.heads().items[0].execution
    assert [note["type"] for note in journal.read(execution)].count("refused") == 9


def test_a_thousand_answers_at_once_count_once(here: Here) -> None:
    outcomes: list[str] = []

    async def conversation() -> None:
        async with here.agent() as agent:
            work = (await begin(agent, name="first"))["pending"][0]["work"]

            async def answer(number: int) -> None:
                result = {"text": f"by {number}", "words": 2}
                given = await agent.client.call_tool("step", {"work": work, "result": result, "wait": 0})
                outcomes.append("refused" if given.is_error else "counted")

            async with anyio.create_task_group() as group:
                for number in range(1000):
                    group.start_soon(answer, number)
            desk = here.host.desk()
            assert here.host.engine.wait(lambda: bool(desk.items.open_items(kind="gate").items), 20)

    talk(conversation)
    assert outcomes.count("counted") == 1
    execution = here.store.heads().items[0].execution
    notes = [note["type"] for note in here.host.desk().journal.read(execution)]
    assert (notes.count("refused"), notes.count("answered")) == (999, 1)
    assert verify(here.store, execution) == []
    assert verify(here.store, journal_key(execution)) == []
    answered = [
        event for commit in here.store.commits(execution) for event in commit.events if event["type"] == "TaskSucceeded"
    ]  # fmt: skip
    assert len(answered) == 2  # the task's and the agent's


def test_an_agent_is_not_a_person_whatever_it_calls_itself(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            waits = await agent.follow(await begin(agent, agent="bob"), result=GOOD, wait=20, agent="bob")
            gate = waits["pending"][0]["gate"]
            caller = here.host.caller("claude-code", "2", "bob")
            with pytest.raises(Refused, match="agent cannot"):
                here.host.desk().decide(gate, "approve", caller.identity)

    talk(conversation)
