"""One store, several processes: what each of them runs, and leaves alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from agents import Here, talk
from stratum.handlers.api.front_door import call
from stratum.handlers.store import Store
from stratum.local.aws import Door
from stratum.local.cli import main
from stratum.local.cli.executions import runtime_on
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.owners import Owner
from stratum.local.runs import Unclaimed
from stratum.local.server import Service
from stratum.local.stores import open_store

SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
steps:
  - {id: first, agent: writer, intent: Say it., output: string, timeout: 1h}
  - {id: then, task: code.then, input: {said: "{% $first %}"}, output: string}
  - {id: done, succeed: "{% $then %}"}
"""
LAMBDA = {
    "StartAt": "A",
    "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
                     "Parameters": {"FunctionName": "shop-charge", "Payload": {}}}},
}  # fmt: skip


def test_what_the_mcp_server_runs_is_left_to_it_by_stratum_up(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(SPEC)
    (tmp_path / "code.py").write_text("def then(event, context):\n    return event['said'] + '!'\n")
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "shop.py").write_text("def charge(event, context):\n    return 'charged'\n")
    here = Here(tmp_path)
    store: Store = open_store(here.url)
    # It has functions of its own, and not those of the project.
    door = Door(store, folders=[shop], owns=Unclaimed(lambda: door.cloud.runtime.executions(store.tenant)))
    service = Service(door, owns=Unclaimed(lambda: door.cloud.runtime.executions(store.tenant)))

    async def conversation() -> None:
        async with here.agent() as agent:
            told = await agent.call("run", file="w.yaml", name="r", wait=20)
            assert service.start() == 0
            # The answer is brought in by the other process, as its page of gates does.
            told = await agent.call("step", work=told["pending"][0]["work"], result="hello", wait=20)
            assert (told["status"], told["output"]) == ("SUCCEEDED", "hello!")
            again = await agent.call("run", file="w.yaml", name="again", wait=20)
            work = again["pending"][0]["work"]
        here.close()  # and now nobody runs it: it waits for `stratum resume` or the next MCP server
        other = Here(tmp_path)
        other.host.desk().hand_in(work, "hi", other.host.caller("x", None, None).identity, "w")
        door.cloud.sweep()
        other.close()

    try:
        talk(conversation)
        machine = door.cloud.call(
            "CreateStateMachine", name="own", definition=json.dumps(LAMBDA), roleArn="arn:aws:iam::123456789012:role/r"
        )  # fmt: skip
        own = door.cloud.call("StartExecution", stateMachineArn=machine["stateMachineArn"])["executionArn"]
        until = time.monotonic() + 20
        while store.head(own).status == "RUNNING" and time.monotonic() < until:  # pyright: ignore[reportOptionalMemberAccess]
            time.sleep(0.02)
        assert {head.name: head.status for head in store.heads().items if head.execution != own} == {
            "r": "SUCCEEDED",
            "again": "RUNNING",
        }
        assert store.head(own).status == "SUCCEEDED"  # pyright: ignore[reportOptionalMemberAccess]
    finally:
        service.close()


def test_a_store_is_served_by_one_stratum_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Owner(f"sqlite:///{tmp_path}/stratum.db", "stratum up"):
        assert main(["up", "--data", str(tmp_path), "--", "true"]) == 2
    assert "another `stratum up` serves" in capsys.readouterr().err


def test_what_another_process_has_moved_goes_on_though_somebody_has_looked_at_it_first(
    tmp_path: Path,
) -> None:
    callback = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 3600,
                     "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}}, "Next": "Then"},
            "Then": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
                     "Parameters": {"FunctionName": "then", "Payload": {}}, "OutputPath": "$.Payload"},
        },
    }  # fmt: skip
    url = f"sqlite:///{tmp_path}/store.db"
    tokens: list[str] = []
    functions = InProcessFunctions({
        "ask": lambda event, context: tokens.append(event["token"]), "then": lambda event, context: "then",
    })  # fmt: skip
    with LocalCloud(open_store(url), functions, workers=0) as cloud:
        machine = cloud.call(
            "CreateStateMachine", name="m", definition=json.dumps(callback), roleArn="arn:aws:iam::123456789012:role/r"
        )  # fmt: skip
        execution = cloud.call("StartExecution", stateMachineArn=machine["stateMachineArn"])["executionArn"]
        while not tokens:
            cloud.step(0)
        cloud.step(0)
        call(
            runtime_on(open_store(url)),
            "SendTaskSuccess",
            {"taskToken": tokens[0], "output": "{}"},
            "default",
        )
        # A status that is asked for at this moment must not hide it from whoever hands out what follows.
        cloud.runtime.executions("default").load(execution)
        cloud.wait(execution, timeout=10)
        assert cloud.store.head(execution).status == "SUCCEEDED"  # pyright: ignore[reportOptionalMemberAccess]
