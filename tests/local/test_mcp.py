"""The MCP server as an agent meets it: a real client of either era, in this process."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from agents import ENVIRONMENT, MODES, STRATUM, Agent, Here, Server, talk
from stratum.handlers.audit.verification import verify_execution, verify_refusals
from stratum.handlers.identity import Identity
from stratum.handlers.store import verify
from stratum.handlers.work.journal import journal_key
from stratum.handlers.work.refusal import Refused
from stratum.local.cli import main

REPO = Path(__file__).resolve().parents[2]
SPEC = """\
stratum: "1"
workflow: notes
version: 1.0.0
types: {Notes: {text: string, words: {type: integer, minimum: 1}}}
input: {version: string, key: {type: string, secret: true}}
steps:
  - {id: counted, task: code.count, input: {of: "{% $input.version %}"}, output: {n: integer}}
  - id: notes
    agent: writer
    intent: Write the notes of the release.
    input: {version: "{% $input.version %}", n: "{% $counted.n %}"}
    output: Notes
    ensure: [$result.words < 5]
    attempts: 3
    budget: {usd: 2, tokens: 1000}
    timeout: 1h
  - id: approve
    gate: {approvers: ["*"], shows: "{% $notes %}", message: Ship it?, timeout: 8h, risk: RISK}
  - {id: done, succeed: {text: "{% $notes.text %}", by: "{% $approve.by %}"}}
"""
CODE = """\
def count(event, context):
    print("something on standard output")
    return {"n": len(event["of"])}
"""
GOOD = {"text": "one two", "words": 2}
LONG = {"text": "a b c d e f", "words": 6}
INPUT = {"version": "1.0", "key": "hunter2hunter2"}
BOB = Identity("bob", "cli", "elsewhere")


def write_project(folder: Path, risk: str = "normal") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "notes.yaml").write_text(SPEC.replace("RISK", risk))
    (folder / "code.py").write_text(CODE)
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    made = Here(write_project(tmp_path / "project"))
    yield made
    made.close()


async def begin(agent: Agent, /, **arguments: Any) -> dict[str, Any]:
    return await agent.call("run", **{"file": "notes.yaml", "input": INPUT, "wait": 20, **arguments})


# -- the way through ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_is_led_by_next_through_violation_and_gate_to_the_end(here: Here, mode: str) -> None:
    async def conversation() -> None:
        async with here.agent(mode) as agent:
            started = await begin(agent, name="first")
            assert (started["status"], started["execution"]) == ("RUNNING", "first")
            [work] = started["pending"]
            assert work["intent"] == "Write the notes of the release."
            assert work["input"] == {"version": "1.0", "n": 3}
            assert work["contract"]["required"] == ["text", "words"]
            assert work["claim"].startswith("yours until")
            assert started["next"] == {
                "tool": "step",
                "arguments": {"work": work["work"], "result": "<as the contract says>"},
            }
            wrong = await agent.refused("step", work=work["work"], result={"text": 1})
            assert "$.text: 1 is not of type 'string'" in wrong
            assert "no attempt was used" in wrong
            again = await agent.follow(started, result=LONG, usage={"usd": 0.5, "tokens": 100}, wait=20)
            [work] = again["pending"]
            assert (work["attempt"], work["budget"]) == (2, {"usd": 1.5, "tokens": 900})
            assert "$result.words < 5" in again["hint"]
            waits = await agent.follow(again, result=GOOD, wait=20)
            [gate] = waits["pending"]
            assert gate["for"] == "person"
            assert f"stratum approve {gate['gate']}" in gate["decide"]
            assert gate["decide"] in waits["hint"]
            [listed] = (await agent.call("gates"))["gates"]
            assert (listed["gate"], listed["shows"]) == (gate["gate"], GOOD)
            here.host.desk().decide(gate["gate"], "approve", BOB, comment="go")
            done = await agent.follow(waits, wait=20)
            assert (done["status"], done["next"]) == ("SUCCEEDED", None)
            assert done["output"]["by"]["user"] == "bob"

    talk(conversation)


def test_status_alone_tells_an_agent_that_has_forgotten_everything(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
        async with here.agent() as agent:
            overview = await agent.call("status")
            assert overview["executions"] == [{
                "execution": "first", "workflow": "notes", "status": "RUNNING", "waits": [{"for": "agent", "step": "notes"}],
                "started": overview["executions"][0]["started"],
            }]  # fmt: skip
            told = await agent.follow(overview)
            assert [(step["step"], step["status"]) for step in told["steps"]] == [
                ("counted", "done"),
                ("notes", "running"),
            ]
            assert told["steps"][0]["result"] == {"n": 3}
            assert told["pending"][0]["intent"]
            assert told["next"]["tool"] == "step"
            assert (await agent.follow(told, result=GOOD))["pending"][0]["for"] == "person"

    talk(conversation)


def test_the_server_is_described_in_few_words_and_one_order(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            tools = (await agent.client.list_tools()).tools
            assert [tool.name for tool in tools] == [
                "validate", "test", "run", "claim", "step", "status", "history", "search", "gates", "ask", "fork", "versions", "stop",
            ]  # fmt: skip
            assert [tool.name for tool in tools] == [
                tool.name for tool in (await agent.client.list_tools()).tools
            ]
            for tool in tools:
                assert tool.title
                assert len(tool.description or "") < 2000
                assert tool.annotations is not None
                assert tool.annotations.read_only_hint is not None
                assert tool.output_schema is not None
                assert "approve" not in tool.name
            stop = next(tool for tool in tools if tool.name == "stop")
            assert stop.annotations is not None
            assert stop.annotations.destructive_hint
            assert len(agent.client.instructions or "") < 2000

    talk(conversation)


def test_answers_are_the_same_as_text_and_as_structured_content(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            answer = await agent.client.call_tool("validate", {"file": "notes.yaml"})
            [content] = answer.content
            assert json.loads(content.text) == answer.structured_content  # pyright: ignore[reportAttributeAccessIssue]
            assert set(answer.structured_content or {}) >= {"status", "execution", "next", "hint"}

    talk(conversation)


def test_a_spec_is_validated_with_places_and_run_from_its_text(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            broken = (
                SPEC.replace("RISK", "normal")
                .replace("$counted.n", "$countd.n")
                .replace("words: {", "wrds: {")
            )
            found = await agent.call("validate", spec=broken)
            assert found["status"] == "INVALID"
            assert any("counted" in (finding.get("suggestion") or "") for finding in found["findings"])
            assert all(finding["line"] for finding in found["findings"])
            assert "has 2 errors" in await agent.refused("run", spec=broken, input=INPUT)
            fine = await agent.call("validate", spec=SPEC.replace("RISK", "normal"))
            assert (fine["status"], fine["next"]["tool"]) == ("VALID", "run")
            started = await agent.call("run", spec=SPEC.replace("RISK", "normal"), input=INPUT, wait=20)
            assert started["pending"][0]["step"] == "notes"
            asl = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
            ran = await agent.call("run", spec=asl, input=[1], wait=20)
            assert (ran["status"], ran["output"]) == ("SUCCEEDED", [1])
            assert (await agent.call("run", workflow="workflow", input=[2], wait=20))["output"] == [2]

    talk(conversation)


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("run", {}, "give one of"),
        ("run", {"file": "a", "spec": "b"}, "give one of"),
        ("run", {"file": "note.yaml"}, "did you mean"),
        ("run", {"file": "../../etc/passwd"}, "outside of the project"),
        ("run", {"file": "notes.yaml", "input": {"version": 1, "key": "k"}}, "$.version: expected string"),
        ("run", {"file": "notes.yaml", "input": INPUT, "name": "a/b"}, "InvalidName"),
        ("run", {"workflow": "nothing"}, "there is no workflow 'nothing'"),
        ("run", {"workflow": "nothing@1"}, "there is no workflow"),
        ("run", {"spec": ""}, "error"),
        ("run", {"spec": "{" * 5000}, "error"),
        ("run", {"file": "notes.yaml", "wait": -1}, "wait"),
        ("validate", {}, "either"),
        ("status", {"execution": "nothing"}, "there is no execution 'nothing'"),
        ("status", {"execution": "arn:aws:states:us-east-1:1:execution:a:b"}, "there is no execution"),
        ("history", {"execution": "nothing"}, "there is no execution"),
        ("step", {"work": "nothing.1", "result": 1}, "there is no work"),
        ("step", {"result": 1}, "work"),
        ("claim", {"work": ""}, "there is no work"),
        ("gates", {"cursor": "💥"}, "cursor"),
        ("gates", {"limit": 0}, "limit"),
        ("ask", {"gate": "nothing"}, "there is no gate"),
        ("search", {"status": "DONE"}, "is no status"),
        ("search", {"since": "yesterday"}, "how long ago"),
        ("search", {"cursor": "💥"}, "cursor"),
        ("versions", {"workflow": "nothing"}, "nothing is published of a workflow"),
        ("versions", {"against": "1.0.0"}, "give `workflow`"),
        ("fork", {"execution": "nothing"}, "there is no execution"),
        ("test", {"file": "../x.test.yaml"}, "outside of the project"),
        ("stop", {"execution": "nothing", "reason": "x"}, "there is no execution"),
        ("nothing", {}, "Unknown tool"),
    ],
)
def test_what_is_wrong_is_told_so_that_it_can_be_mended(
    here: Here, tool: str, arguments: dict[str, Any], reason: str
) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            told = await agent.refused(tool, **arguments)
            assert reason in told
            assert "Traceback" not in told

    talk(conversation)


def test_an_execution_is_stopped_and_says_by_whom(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            stopped = await agent.call("stop", execution="first", reason="not needed")
            assert (stopped["status"], stopped["error"]) == ("ABORTED", "Stratum.Stopped")
            assert "not needed (stopped by mcp" in stopped["cause"]
            assert "has ended already" in await agent.refused("stop", execution="first", reason="again")

    talk(conversation)


def test_histories_are_paged_and_filtered(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            seen: list[int] = []
            page = await agent.call("history", execution="first", limit=4)
            while True:
                seen += [event["id"] for event in page["events"]]
                if "next_cursor" not in page:
                    break
                page = await agent.follow(page)
            assert seen == list(range(1, len(seen) + 1))
            tasks = await agent.call("history", execution="first", step="counted", type="Task")
            assert {event["type"] for event in tasks["events"]} == {
                "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
            }  # fmt: skip
            newest = await agent.call("history", execution="first", newest_first=True, limit=1)
            assert newest["events"][0]["id"] == seen[-1]

    talk(conversation)


def test_executions_are_found_in_pages(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            for number in range(3):
                await begin(agent, name=f"e{number}", input={**INPUT, "version": f"{number}.0"})
            found = await agent.call("search", workflow="notes", limit=2)
            assert [each["execution"] for each in found["executions"]] == ["e2", "e1"]
            rest = await agent.follow(found)
            assert [each["execution"] for each in rest["executions"]] == ["e0"]
            one = await agent.call("search", input={"version": "1.0"}, step="counted", since="1h")
            assert [each["execution"] for each in one["executions"]] == ["e1"]
            assert (await agent.follow(one))["execution"] == "e1"
            assert "executions" not in await agent.call("search", text="hunter2hunter2") or not (
                await agent.call("search", text="hunter2hunter2")
            ).get("executions")

    talk(conversation)


def test_an_execution_is_gone_on_with_from_an_earlier_place(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            waits = await agent.follow(await begin(agent, name="first"), result=GOOD, wait=20)
            await agent.call("fork", execution="first", checkpoint="before-approval")
            places = await agent.call("fork", execution="first")
            assert [place["step"] for place in places["places"] if "step" in place][-2:] == [
                "notes",
                "approve",
            ]
            assert places["places"][-1]["checkpoint"] == "before-approval"
            second = await agent.call("fork", execution="first", at="notes", name="second", wait=20)
            assert (second["execution"], second["pending"][0]["step"]) == ("second", "notes")
            assert second["steps"][0] == {**second["steps"][0], "step": "counted", "result": {"n": 3}}
            third = await agent.call("fork", execution="first", at="before-approval", wait=20)
            assert third["pending"][0]["gate"] != waits["pending"][0]["gate"]
            assert "was never at" in await agent.refused("fork", execution="first", at="nowhere")
            # What a person has approved, an agent does not carry over to another input.
            here.host.desk().decide(waits["pending"][0]["gate"], "approve", BOB)
            await agent.call("status", execution="first", wait=20)
            other = {**INPUT, "version": "6.6.6"}
            told = await agent.refused("fork", execution="first", at="done", input=other)
            assert "approve was decided for the input" in told
            asked = await agent.call("fork", execution="first", at="approve", input=other, wait=20)
            assert asked["pending"][0]["for"] == "person"
            assert (await agent.call("fork", execution="first", at="done", wait=20))["status"] == "SUCCEEDED"

    talk(conversation)


def test_versions_are_listed_and_compared(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            assert (await agent.call("versions"))["versions"] == []
            file = str(here.project / "notes.yaml")
            assert main(["publish", file, "--reason", "the first", "--store", here.url]) == 0
            [version] = (await agent.call("versions", workflow="notes"))["versions"]
            assert (version["version"], version["reason"], version["running"]) == ("1.0.0", "the first", 0)
            same = await agent.call("versions", workflow="notes@1.0.0", against="notes.yaml")
            assert same["status"] == "SAME"
            (here.project / "notes.yaml").write_text(
                SPEC.replace("RISK", "normal").replace("input: {version", "input: {more: string, version")
            )
            differs = await agent.call("versions", workflow="notes", against="notes.yaml")
            assert differs["status"] == "DIFFERENT"
            assert "more" in differs["breaks"][0]
            assert "major" in differs["hint"]
            ran = await agent.call("run", workflow="notes@1.0.0", input=INPUT, wait=20)
            assert ran["pending"][0]["step"] == "notes"

    talk(conversation)


def test_a_workflow_is_explained_step_by_step(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            (here.project / "branches.yaml").write_text(BRANCHES)
            told = await agent.call("validate", file="notes.yaml", explain=True)
            assert [(step["step"], step["kind"], step.get("done_by")) for step in told["steps"]] == [
                ("counted", "task", "code"), ("notes", "agent", "an agent"), ("approve", "gate", "a person"), ("done", "succeed", None),
            ]  # fmt: skip
            assert told["steps"][1]["ensure"] == [{"that": "$result.words < 5"}]
            assert "flowchart" in told["graph"]
            inner = await agent.call("validate", file="branches.yaml", explain=True)
            assert [step.get("within") for step in inner["steps"]] == [None, "both/left", "both/right", None]
            asl = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
            assert (await agent.call("validate", spec=asl, explain=True))["steps"] == [
                {"step": "A", "kind": "Pass"}
            ]

    talk(conversation)


CASES = """\
stratum_test: "1"
input: {version: "1.0", key: hunter2hunter2}
cases:
  - name: nobody approves in time
    mocks: {notes: {return: {text: one, words: 1}}}
    expect: {error: Stratum.Rejected}
  - name: this one is wrong
    mocks: {notes: {return: {text: one, words: 1}}, approve: {return: approve}}
    expect: {error: Nothing}
"""


def test_the_cases_beside_a_workflow_are_run(here: Here) -> None:
    (here.project / "notes.test.yaml").write_text(CASES)

    async def conversation() -> None:
        async with here.agent() as agent:
            told = await agent.call("test", file="notes.yaml")
            assert (told["status"], told.get("passed"), told.get("failed")) == ("FAILED", 1, 1), told
            assert told["failures"][0]["case"] == "this one is wrong"
            (here.project / "notes.test.yaml").write_text("stratum_test: 1")
            assert "notes.test.yaml:1" in (await agent.call("test", file="notes.test.yaml"))["wrong"]

    talk(conversation)


# -- what agents may not -----------------------------------------------------------------------------------


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
            with database:
                database.execute(
                    where, (body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :], execution, seq)
                )
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


# -- several at once ---------------------------------------------------------------------------------------

BRANCHES = """\
stratum: "1"
workflow: branches
version: 1.0.0
steps:
  - id: both
    parallel:
      left: [{id: l, agent: a, intent: Say l., output: string, timeout: 1h}]
      right: [{id: r, agent: a, intent: Say r., output: string, timeout: 1h}]
  - {id: done, succeed: "{% $both %}"}
"""


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


# -- resources and prompts ---------------------------------------------------------------------------------


def test_resources_and_prompts(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            work = (await agent.call("status", execution="first"))["pending"][0]["work"]

            async def read(uri: str) -> str:
                [content] = (await agent.client.read_resource(uri)).contents
                return content.text  # pyright: ignore[reportAttributeAccessIssue]

            assert json.loads(await read("stratum://schema"))["title"] == "A Stratum workflow"
            assert "workflow: release-notes" in await read("stratum://guide")
            assert json.loads(await read("stratum://workflows"))[0]["workflow"] == "notes"
            assert json.loads(await read("stratum://workflows/notes"))["spec"] == SPEC.replace(
                "RISK", "normal"
            )
            assert json.loads(await read("stratum://executions/first"))["requester"]["agent"] == "mcp"
            assert json.loads(await read("stratum://executions/first/history"))[0]["id"] > 5
            assert json.loads(await read(f"stratum://work/{work}"))["intent"]
            for uri in (
                "stratum://executions/none",
                "stratum://work/none.1",
                "stratum://workflows/none",
                "stratum://none",
            ):
                with pytest.raises(Exception, match=r"no|not|Unknown|exist"):
                    await read(uri)
            prompts = (await agent.client.list_prompts()).prompts
            assert [prompt.name for prompt in prompts] == ["work", "write", "diagnose", "mend"]
            got = await agent.client.get_prompt("diagnose", {"execution": "first"})
            assert "`first`" in got.messages[0].content.text  # pyright: ignore[reportAttributeAccessIssue]

    talk(conversation)


def test_the_guides_example_is_valid(here: Here) -> None:
    import re

    from stratum.handlers.mcp.guide import GUIDE

    spec, cases = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    (here.project / "release-notes.yaml").write_text(spec)
    (here.project / "release-notes.test.yaml").write_text(cases)

    async def conversation() -> None:
        async with here.agent() as agent:
            found = await agent.call("validate", spec=spec)
            assert found["status"] == "VALID", found
            tested = await agent.call("test", file="release-notes.yaml")
            assert tested["status"] == "PASSED", tested

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
