"""Executions that Step Functions runs, read and led as our own are: the commands, the MCP server and the desk over them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from agents import Agent, talk
from mcp.client import Client
from native import CALLER, NAME, Native
from notes_project import BOB, GOOD, INPUT, LONG, SPEC
from stratum.handlers.audit.search import Query, search
from stratum.handlers.audit.trail import trail
from stratum.handlers.audit.verification import verify_execution
from stratum.handlers.console.api import handle
from stratum.handlers.identity import Identity
from stratum.handlers.mcp.server import build_server
from stratum.handlers.step_functions.history import Open
from stratum.handlers.step_functions.refusal import NotOnStepFunctions
from stratum.handlers.store import StoreError
from stratum.handlers.work.answers import Desk
from stratum.handlers.work.refusal import Refused
from stratum.local.agents.stage_host import StageHost
from stratum.local.cli import main, stages
from stratum.local.console.server import console_of, person

ADA = Identity("ada", "cli", "elsewhere")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def native(tmp_path: Path) -> Iterator[Native]:
    made = Native(
        tmp_path,
        SPEC.replace("RISK", "normal"),
        {"code-count": lambda event, context: {"n": len(event["of"])}},
    )
    yield made
    made.close()


@pytest.fixture
def run(native: Native, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command on the stage: its exit code, and what it prints and says."""
    monkeypatch.setattr(stages, "open_stage", lambda address: native.stage())

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--stage", NAME])
        out, told = capsys.readouterr()
        return code, out, told

    return run


def begin(native: Native, name: str = "first", by: Identity = ADA) -> str:
    runtime = native.runtime.on_behalf_of(by.to_json())
    request = {"stateMachineArn": f"{native.machine}:live", "name": name, "input": json.dumps(INPUT)}
    answer = runtime.forwarded("StartExecution", request)
    assert answer is not None
    return answer["executionArn"]


def test_an_agent_is_led_through_refusal_and_gate_to_the_end(native: Native, tmp_path: Path) -> None:
    host = StageHost(lambda: native.runtime, NAME, tmp_path, "default")

    async def conversation() -> None:
        async with Client(build_server(host)) as client:
            agent = Agent(client)
            told = await agent.call("run", workflow="notes", input=INPUT, name="first", wait=5)
            assert (told["status"], told["workflow"], told["version"]) == ("RUNNING", "notes", "1.0.0")
            assert [step["step"] for step in told["steps"]] == ["counted", "notes"]
            assert told["steps"][0]["result"] == {"n": 3}
            [work] = told["pending"]
            assert work["claim"].startswith("yours")
            assert "$.words" in await agent.refused(
                "step", work=work["work"], result={"text": "x", "words": "two"}
            )
            told = await agent.call("step", work=work["work"], result=LONG)
            assert "This is attempt 2 of 3" in told["hint"]
            told = await agent.follow(told, result=GOOD)
            [gate] = told["pending"]
            assert gate["for"] == "person"
            assert gate["decide"] == f"stratum approve {gate['gate']} --stage {NAME}"
            assert "hunter2" not in json.dumps(told)
            [listed] = (await agent.call("gates"))["gates"]
            assert listed["gate"] == gate["gate"]
            [same] = (await agent.call("status"))["executions"]
            assert (same["execution"], same["workflow"], same["waits"]) == (
                "first", "notes", [{"for": "person", "step": "approve"}],
            )  # fmt: skip
            again = await agent.call("run", workflow="notes", input=INPUT, name="first", wait=0)
            assert again["execution"] == "first"
            assert "another `name`" in await agent.refused("run", workflow="notes", input={}, name="first")
            assert "no workflow" in await agent.refused("run", workflow="nothing")
            Desk(native.runtime, "default").decide(gate["gate"], "approve", BOB, comment="fine")
            told = await agent.call("status", execution="first", wait=5)
            assert told["status"] == "SUCCEEDED", told
            assert (told["output"]["text"], told["output"]["by"]["user"]) == ("one two", "bob")
            events = (await agent.call("history", execution="first", step="approve", limit=100))["events"]
            assert events[0]["type"] == "TaskStateEntered"
            assert "(task token)" in json.dumps(events)
            assert "hunter2" not in json.dumps(await agent.call("history", execution="first", limit=100))
            assert "no execution goes on from a place" in await agent.refused(
                "fork", execution="first", at="notes"
            )
            found = await agent.call("search", step="approve")
            assert [each["execution"] for each in found["executions"]] == ["first"]
            workflows = (await client.read_resource("stratum://workflows")).contents[0]
            assert json.loads(workflows.text)[0]["workflow"] == "notes"  # pyright: ignore[reportAttributeAccessIssue]

    talk(conversation)
    # Nothing of ours stands in the table but what people and agents did.
    assert native.table.heads().items == []
    execution = native.store.heads().items[0].execution
    notes = [note for commit in native.table.commits(f"{execution}/work") for note in commit.messages]
    assert Counter(note["type"] for note in notes) == {
        "start asked": 1, "opened": 3, "claimed": 1, "refused": 1, "answered": 3,
    }  # fmt: skip


def test_the_commands_read_and_lead_it(native: Native, run: Run) -> None:
    execution = begin(native)
    code, out, _ = run("list", "--json")
    assert (code, [(each["name"], each["workflow"], each["status"]) for each in json.loads(out)]) == (
        0, [("first", "notes", "RUNNING")],
    )  # fmt: skip
    shown = json.loads(run("show", "first", "--json")[1])
    assert [step["step"] for step in shown["steps"]] == ["counted", "notes"]
    assert shown["log"] == "kept by Step Functions, without digests"
    assert shown["input"]["key"] == "•••"
    assert "kept by Step Functions" in run("show", "first")[1]
    assert "TaskSubmitted" in run("history", "first")[1]
    [work] = json.loads(run("work", "--json")[1])
    assert run("claim", work["work"], "--as", "me")[0] == 0
    refused = run("step", work["work"], "--as", "me", "--result", '{"text": 1, "words": 0}')
    assert refused[0] == 2
    assert "$.words" in refused[2]
    assert run("step", work["work"], "--as", "me", "--result", json.dumps(GOOD))[0] == 0
    [gate] = json.loads(run("gates", "--json")[1])
    assert (gate["execution"], gate["requester"]["user"]) == (execution, "ada")
    code, out, told = run("stop", "first", "--error", "Enough", "--cause", "no more")
    assert (code, out, told) == (0, "", "first: ABORTED\n")
    assert json.loads(run("gates", "--json")[1]) == []
    assert "has ended already" in run("stop", "first")[2]
    assert run("redrive", "first", "--no-run") == (0, "", "")
    [gate] = json.loads(run("gates", "--json")[1])
    assert gate["step"] == "approve"
    assert "is RUNNING" in run("redrive", "first", "--no-run")[2]
    Desk(native.runtime, "default").decide(gate["gate"], "approve", BOB)
    assert run("watch", "first")[0] == 0
    story = json.loads(run("audit", "first", "--format", "json")[1])
    done = [(entry["what"], entry["who"].get("user")) for entry in story["entries"] if entry.get("who")]
    assert ("start asked", "ada") in done
    assert ("approved", "bob") in done
    assert ("stop asked", CALLER) in done
    assert {"stop asked", "redrive asked", "claimed", "refused"} <= {what for what, _ in done}
    assert [entry["at"] for entry in story["entries"]] == sorted(entry["at"] for entry in story["entries"])
    assert "events, kept by Step Functions" in run("audit", "first")[1]
    assert "what people and agents did is right" in run("audit", "verify", "first")[1]
    for command in (
        ["fork", "first", "--at", "notes"],
        ["revert", "first", "--to", "notes"],
        ["checkpoint", "first", "here"],
    ):
        code, _, told = run(*command)
        assert code == 2, command
        assert "`stratum redrive` goes on from where one failed" in told
    code, _, told = run("audit", "export", "first", "-o", "bundle.json")
    assert code == 2
    assert "no log to sign" in told
    assert run("show", "second")[2].startswith("stratum show: there is no execution 'second'")


def test_who_started_it_does_not_decide_its_gate(native: Native) -> None:
    """AWS does not know who that was: it is written down before the execution is started."""
    execution = begin(native)
    assert (
        begin(native, by=Identity("eve", "cli", "elsewhere")) == execution
    )  # it runs already, and stays Ada's
    with pytest.raises(Exception, match="Already Exists"):
        native.runtime.on_behalf_of(ADA.to_json()).forwarded(
            "StartExecution", {"stateMachineArn": native.machine, "name": "first", "input": "{}"}
        )
    assert trail(native.store, execution).requester == ADA.to_json()
    desk = Desk(native.runtime, "default")
    [work] = desk.items.open_items(kind="agent").items
    desk.hand_in(work.handle, GOOD, BOB, "shell/bob")
    native.runtime.clock()
    [gate] = desk.items.open_items(kind="gate").items
    with pytest.raises(Refused, match="ada has started this execution"):
        desk.decide(gate.handle, "approve", ADA)
    with pytest.raises(Refused, match="ada has started this execution"):
        Desk(native.deployed(), "default").decide(gate.handle, "approve", ADA)
    # One that was never started leaves nobody behind.
    with pytest.raises(Exception, match="Invalid"):
        native.runtime.on_behalf_of(ADA.to_json()).forwarded(
            "StartExecution", {"stateMachineArn": native.machine, "name": "second", "input": "no JSON"}
        )
    assert len(native.table.records("requester").items) == 1


def test_versions_and_the_console_are_there_as_well(native: Native, run: Run) -> None:
    execution = begin(native)
    [version] = json.loads(run("versions", "notes", "--json")[1])
    assert (version["version"], version["running"], version["aliases"]) == ("1.0.0+1", 1, {"live": 100})
    assert run("alias", "notes", "live")[1] == "notes live: 1.0.0+1 100%\n"
    code, _, told = run("alias", "notes", "live", "--to", "1.0.0+1")
    assert code == 2
    assert "`stratum deploy" in told
    stage = native.stage()
    console = console_of(
        stage.runtime, f"stage://{NAME}", who=person(stage.caller), place=stage.place, alias="live"
    )

    def ask(name: str, /, **asked: Any) -> tuple[int, Any]:
        event: dict[str, Any] = {
            "rawPath": f"/console/{name}",
            "requestContext": {"http": {"method": "GET"}},
            "rawQueryString": urlencode(asked),
        }
        if name in ("start", "fork"):
            event |= {
                "requestContext": {"http": {"method": "POST"}},
                "headers": {"x-stratum-console": "1"},
                "body": json.dumps(asked),
            }
        answer = handle(console, event)
        return answer["statusCode"], json.loads(answer["body"])

    [listed] = ask("executions")[1]["items"]
    assert (listed["workflow"], listed["version"]) == ("notes", "1.0.0")
    [workflow] = ask("workflows")[1]
    assert (workflow["workflow"], workflow["versions"], workflow["last"]["execution"]) == (
        "notes",
        ["1.0.0+1"],
        execution,
    )
    assert ask("execution", execution=execution)[1]["input"]["key"] == "•••"
    assert [item["step"] for item in ask("agents")[1]["items"]] == ["notes"]
    status, told = ask("fork", execution=execution, event=13)
    assert (status, "redrive" in told["message"]) == (409, True)
    assert ask("start", machine=native.machine, input=INPUT, name="two")[1]["name"] == "two"
    assert trail(native.store, f"{execution.rpartition(':')[0]}:two").requester == {
        **person(CALLER).to_json()
    }


def test_executions_of_several_pages_are_listed_once_and_in_order(native: Native) -> None:
    names = [f"e{number}" for number in range(7)]
    for name in names:
        begin(native, name)
        native.runtime.clock()  # each at a time of its own
    page = native.store.heads(limit=3)
    seen = [head.name for head in page.items]
    begin(native, "newer")
    while page.token is not None:
        page = native.store.heads(limit=3, token=page.token)
        seen += [head.name for head in page.items]
    assert seen == names[::-1]
    assert [head.name for head in native.store.heads(status="SUCCEEDED").items] == []
    assert [each.head.name for each in search(native.store, Query(name="e3", workflow="notes")).found] == [
        "e3"
    ]


def test_without_what_says_what_is_secret_nothing_is_shown(native: Native, run: Run) -> None:
    begin(native)
    native.artifacts.clear()
    code, out, told = run("show", "first")
    assert code == 1
    assert "hunter2" not in out + told
    assert "cannot be read from the bucket of artifacts" in told


def test_an_answer_to_what_was_stopped_is_told_to_be_late(native: Native) -> None:
    execution = begin(native)
    native.runtime.clock()
    desk = Desk(native.runtime, "default")
    [work] = desk.items.open_items(kind="agent").items
    # Stopped by somebody else, while here it is still known as running.
    native.client.stop_execution(executionArn=execution)
    with pytest.raises(Refused, match=r"is closed|too late"):
        desk.hand_in(work.handle, GOOD, BOB, "shell/bob")
    assert verify_execution(native.store, execution) == []
    with pytest.raises(NotOnStepFunctions):
        native.store.for_tenant("another")
    with pytest.raises(StoreError):
        native.runtime.executions().at(execution, 3)


def test_what_is_open_follows_from_the_events() -> None:
    """Branches, one of which fails while the other waits at a token."""
    opened = Open("stratum-sfn--work")
    events: list[dict[str, Any]] = []

    def take(type: str, before: int, **details: Any) -> int:
        keys = {"Entered": "stateEnteredEventDetails", "Exited": "stateExitedEventDetails"}
        key = keys.get(type.rpartition("State")[2], "taskScheduledEventDetails")
        event = {"id": len(events) + 1, "previousEventId": before, "type": type, "timestamp": 0}
        events.append(opened.take({**event, **({key: details} if details else {})}))
        return len(events)

    asked = {
        "FunctionName": "arn:aws:lambda:r:1:function:stratum-sfn--work:2",
        "Payload": {"token": "AAAA+/=", "step": "may"},
    }
    started = take("ExecutionStarted", 0)
    fan = take("ParallelStateStarted", take("ParallelStateEntered", started, name="both"))
    one = take("TaskStateEntered", fan, name="may")
    one = take("TaskScheduled", one, resource="invoke.waitForTaskToken", parameters=json.dumps(asked))
    two = take("TaskStateEntered", fan, name="other")
    two = take("TaskScheduled", two, resource="invoke", parameters="{}")
    take("TaskSubmitted", take("TaskStarted", one))
    assert [frame.get("token") for frame in opened.frames.values() if frame["phase"] == "task"] == [
        "AAAA+/=",
        None,
    ]
    assert opened.frames[str(one)]["task"]["submitted"]
    assert "AAAA" not in json.dumps(events)
    failed = take("ParallelStateFailed", take("TaskFailed", take("TaskStarted", two)))
    assert [frame["state"] for frame in opened.frames.values()] == ["both"]
    token = "AQCEAAAAKgAAAAMAAAAA" + "x+/" * 60 + "=="
    asked = {"QueueUrl": "https://q", "MessageBody": json.dumps({"token": token, "order": 7})}
    take("TaskScheduled", failed, resource="sendMessage.waitForTaskToken", parameters=json.dumps(asked))
    assert "AQCE" not in json.dumps(events)
    assert "order" in json.dumps(events)
    left = take("ParallelStateExited", failed, name="both", assignedVariables={"error": '{"Error": "x"}'})
    assert opened.frames == {}
    assert opened.variables == {"0:error": '{"Error": "x"}'}
    take("WaitStateEntered", left, name="nap")
    assert [frame["state"] for frame in opened.frames.values()] == ["nap"]
    take("ExecutionSucceeded", len(events))
    assert opened.frames == {}
