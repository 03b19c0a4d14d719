"""A release that an agent and a person have a part in, on a stage of either target: by a real MCP client over stdio, the
commands and the client in Python. What they see is the same, whoever runs the executions.

`make test-deploy` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from agents import Server, talk
from deployed import Project
from people import BY_A_PERSON
from stratum.local.people import AGENTS
from up import Up

pytestmark = [pytest.mark.deploy, BY_A_PERSON]
CHANGES = ["Greets in Latin", "Starts in half the time"]
NOTES = {
    "title": "Greeter 1.2.3",
    "text": "It greets in Latin, and starts in half the time.",
    "breaking": False,
}
INPUT = {"version": "1.2.3", "changes": CHANGES}
IN_PYTHON = """
import socket
from stratum import Stratum
looked_up = socket.getaddrinfo  # names below localhost are this machine, which not every resolver knows
socket.getaddrinfo = lambda host, *rest, **named: looked_up("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)
with Stratum(stage="STAGE") as stratum:
    execution = stratum.start("hello", {"name": "Grace"}, name="greeting")
    assert stratum.start("hello", {"name": "Grace"}, name="greeting").arn == execution.arn
    print(stratum.result(execution, timeout=60)["said"], len(list(stratum.history(execution))) > 5)
    print(stratum.get("greeting").status, stratum.get("greeting").workflow, [each.name for each in stratum.list("hello")])
    print({each.workflow for each in stratum.list()}, [each.name for each in stratum.search("Grace")], stratum.gates())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    up = Up()
    made = Project(tmp_path_factory.mktemp("project"), up)
    for name in AGENTS:
        made.environ.pop(name, None)
    yield made
    up.stop()


@pytest.mark.parametrize("target", ["engine", "step-functions"])
def test_a_release_with_an_agent_and_a_person(project: Project, target: str) -> None:
    stage = {"engine": "ours", "step-functions": "theirs"}[target]
    native = target == "step-functions"
    project.deploy("release/reviewed.yaml", "hello/hello.yaml", target=target, stage=stage)
    server = Server(project.folder, "--stage", stage, environ=project.environ)

    def cli(*arguments: str, code: int = 0) -> tuple[Any, str]:
        return project(*arguments, "--stage", stage, code=code)

    async def first_part() -> str:
        async with server.agent() as agent:
            told = await agent.call("run", workflow="reviewed-release", input=INPUT, name="r", wait=0)
            assert (told["status"], told["execution"], told["workflow"]) == (
                "RUNNING",
                "r",
                "reviewed-release",
            )
            told = await agent.call("status", execution="r", wait=90)
            assert told["version"] == "1.0.0"
            assert [step["step"] for step in told["steps"]] == ["test", "build", "notes"]
            assert told["steps"][0]["result"]["passed"] >= 1
            assert told["next"]["tool"] == "claim"
            told = await agent.follow(told)
            work = told["next"]["arguments"]["work"]
            assert told["next"]["tool"] == "step"
            # What is not as the contract says is refused here, and uses no attempt.
            refused = await agent.refused(
                "step", work=work, result={**NOTES, "title": "Hm", "breaking": "no"}
            )
            assert "$.title" in refused
            assert "$.breaking" in refused
            # What breaks a postcondition comes back with the violation.
            told = await agent.call(
                "step", work=work, result={**NOTES, "title": "New greetings"}, usage={"usd": 0.2}, wait=60
            )
            [pending] = told["pending"]
            assert pending["attempt"] == 2
            assert pending["budget"] == {"usd": 0.8, "tokens": 100000}
            assert "the title does not name the version 1.2.3" in str(pending["violations"])
            return pending["work"]

    async def second_part(work: str) -> str:
        # Another process, which remembers nothing: as an agent that goes on the next day.
        async with server.agent("legacy") as agent:
            await agent.call("claim", work=work)
            told = await agent.call("step", work=work, result=NOTES, usage={"usd": 0.1}, wait=60)
            [gate] = told["pending"]
            assert (gate["for"], gate["shows"]["notes"]) == ("person", NOTES)
            assert f"--stage {stage}" in gate["decide"]
            assert "cannot make" in told["hint"]
            [listed] = (await agent.call("gates"))["gates"]
            assert listed["gate"] == gate["gate"]
            return gate["gate"]

    async def third_part() -> None:
        async with server.agent() as agent:
            told = await agent.call("status", execution="r", wait=90)
            assert told["status"] == "SUCCEEDED", told
            assert told["output"]["notes"] == NOTES
            assert told["output"]["approved_by"].startswith("arn:aws:")
            assert [step["status"] for step in told["steps"] if step["step"] != "roll_back"] == ["done"] * 7
            page = await agent.call("history", execution="r", step="approve", limit=100, full=True)
            types = [event["type"] for event in page["events"]]
            assert {"TaskStateEntered", "TaskScheduled", "TaskSubmitted", "TaskSucceeded"} <= set(types)
            assert "(task token)" in json.dumps(page)
            found = await agent.call("search", text="Latin", step="notes")
            assert [each["execution"] for each in found["executions"]] == ["r"]

    works: list[str] = []
    talk(lambda: _into(works, first_part()))
    [claimed] = [each for each in cli("work", "--json")[0] if each["work"] == works[0]]
    assert claimed["claim"]
    gates: list[str] = []
    # The claim of a process that has ended holds until it ends by itself: nobody here can know that it has.
    cli("claim", works[0], "--as", "another", code=2)
    _let_go(project, stage, works[0])
    talk(lambda: _into(gates, second_part(works[0])))
    [gate] = cli("gates", "--json")[0]
    assert (gate["gate"], gate["workflow"], gate["step"]) == (gates[0], "reviewed-release", "approve")
    assert gate["requester"]["via"] == "mcp"
    assert "approved" in cli("approve", gates[0], "--yes", "--comment", "out with it")[1]
    talk(third_part)
    assert cli("gates", "--json")[0] == []

    # The same by the commands.
    assert [(each["name"], each["workflow"], each["status"]) for each in cli("list", "--json")[0]] == [
        ("r", "reviewed-release", "SUCCEEDED")
    ]
    shown, _ = cli("show", "r", "--json")
    assert shown["log"] == ("kept by Step Functions, without digests" if native else "intact")
    assert [step["step"] for step in shown["steps"]][:4] == ["test", "build", "notes", "approve"]
    assert cli("watch", "r")[1].endswith("r: SUCCEEDED\n")
    types = [event["type"] for event in cli("history", "r", "--json")[0]]
    assert (types[0], types[-1], types.count("TaskSucceeded")) == (
        "ExecutionStarted",
        "ExecutionSucceeded",
        7,
    )
    story, _ = cli("audit", "r", "--format", "json")
    assert story["requester"]["via"] == "mcp"
    done = [entry["what"] for entry in story["entries"] if entry.get("who")]
    assert done.count("answered") == 2
    assert {"claimed", "refused", "approved"} <= set(done)
    [approved] = [entry for entry in story["entries"] if entry["what"] == "approved"]
    assert approved["who"]["user"].startswith("arn:aws:")
    assert approved["data"]["comment"] == "out with it"
    assert "right" in cli("audit", "verify", "r")[0]
    found, _ = cli("search", "Latin", "--json")
    assert [each["name"] for each in found["found"]] == ["r"]

    # Stopped by a command, and gone on with where it stopped.
    out, told = cli("run", "hello", "--input", '{"name": "Ada"}', "--name", "h")
    assert out == {"said": "Hello, Ada!"}
    assert f"history h --stage {stage}" in told
    project.up.service("stepfunctions")
    started = project.start(
        "run", "reviewed-release", "--stage", stage, "--input", json.dumps(INPUT), "--name", "s"
    )
    _wait_for_work(cli)
    assert "s: ABORTED" in cli("stop", "s", "--error", "Enough")[1]
    out, told = started.communicate(timeout=60)
    assert (started.returncode, out) == (1, "")
    assert "ABORTED" in told
    cli("redrive", "s", "--no-run")
    _wait_for_work(cli)
    cli("stop", "s")
    assert cli("work", "--json")[0] == []

    # And in Python.
    script = project.folder / "use.py"
    script.write_text(IN_PYTHON.replace("STAGE", stage))
    done = subprocess.run(
        [sys.executable, script], env=project.environ, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["Hello, Grace! True", "SUCCEEDED hello ['greeting', 'h']"]
    assert "['greeting'] []" in lines[2]
    assert "reviewed-release" in lines[2]

    if native:
        assert (
            "`stratum redrive` goes on from where one failed" in cli("fork", "r", "--at", "notes", code=2)[1]
        )
        assert "no log to sign" in cli("audit", "export", "r", "-o", "bundle.json", code=2)[1]
    else:
        assert "goes on from r" in cli("fork", "r", "--at", "released", "--no-run")[1]
    project("destroy", "--stage", stage, "--yes")


async def _into(found: list[str], answer: Any) -> None:
    found.append(await answer)


def _wait_for_work(cli: Any) -> None:
    from deployed import until

    until(lambda: cli("work", "--json")[0])


def _let_go(project: Project, stage: str, work: str) -> None:
    """Has the claim end now, which otherwise takes a quarter of an hour."""
    from stratum.handlers.store.dynamodb import DynamoDbStore

    outputs = project.up.service("cloudformation").describe_stacks(StackName=f"stratum-{stage}")["Stacks"][0][
        "Outputs"
    ]
    named = {each["OutputKey"]: each["OutputValue"] for each in outputs}
    store = DynamoDbStore(
        project.up.service("dynamodb"),
        named["TableName"],
        bucket=named["BucketName"],
        s3=project.up.service("s3"),
    )
    record = store.get("work-item", work.partition(".")[0])
    assert record is not None
    store.put(
        "work-item",
        record.key,
        {**record.value, "claim": {**record.value["claim"], "until": 0}},
        expect=record.version,
    )
