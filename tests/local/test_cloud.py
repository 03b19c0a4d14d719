"""The cloud in one process: workers, crashes, and tasks that could not be performed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stratum.handlers.functions import Invocation, InvocationResult
from stratum.local.cloud import ROLE, LocalCloud, Stuck
from stratum.local.functions import InProcessFunctions, WorkerFunctions
from stratum.local.queues import DeadLetter
from stratum.local.stores import open_store


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": name, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}", "End": True, **fields,
    }  # fmt: skip


def start(cloud: LocalCloud, state: dict[str, Any], name: str = "x") -> str:
    definition = json.dumps({"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": state}})
    machine = cloud.call("CreateStateMachine", name="m", definition=definition, roleArn=ROLE)[
        "stateMachineArn"
    ]
    return cloud.call("StartExecution", stateMachineArn=machine, name=name, input="1")["executionArn"]


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    (tmp_path / "m.py").write_text(
        "import os, time\n"
        "def crash(event, context):\n    os._exit(9)\n"
        "def sleep(event, context):\n    time.sleep(30)\n"
        "def nap(event, context):\n    time.sleep(0.3)\n    return os.getpid()\n"
    )
    return tmp_path


def test_a_crash_is_the_error_that_lambda_reports(handlers: Path) -> None:
    with LocalCloud(open_store("sqlite:///:memory:"), WorkerFunctions([handlers])) as cloud:
        ended = cloud.wait(start(cloud, task("m-crash")), timeout=30).snapshot
    assert (ended["status"], ended["error"]) == ("FAILED", "Runtime.ExitError")
    assert "exit status 9" in json.loads(ended["cause"])["errorMessage"]


def test_a_timeout_is_enforced(handlers: Path) -> None:
    with LocalCloud(open_store("sqlite:///:memory:"), WorkerFunctions([handlers])) as cloud:
        ended = cloud.wait(start(cloud, task("m-sleep", TimeoutSeconds=1)), timeout=30).snapshot
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


def test_functions_of_several_executions_overlap(handlers: Path) -> None:
    with LocalCloud(open_store("sqlite:///:memory:"), WorkerFunctions([handlers])) as cloud:
        started = [start(cloud, task("m-nap"), f"x{number}") for number in range(4)]
        ended = [cloud.wait(execution, timeout=30).snapshot for execution in started]
    assert len({snapshot["output"] for snapshot in ended}) == 4
    assert max(snapshot["execution"]["started"] for snapshot in ended) < min(
        snapshot["stopped"] for snapshot in ended
    )


def test_a_function_that_is_not_there(handlers: Path) -> None:
    with LocalCloud(open_store("sqlite:///:memory:"), WorkerFunctions([handlers])) as cloud:
        ended = cloud.wait(start(cloud, task("n-nothing")), timeout=30).snapshot
    assert ended["error"] == "Lambda.ResourceNotFoundException"


class Unreachable:
    """Functions that cannot be called, at first."""

    def __init__(self, failures: int):
        self.failures = failures

    def invoke(self, invocation: Invocation) -> InvocationResult:
        self.failures -= 1
        if self.failures >= 0:
            raise ConnectionError("no way there")
        return InvocationResult("2")


def test_a_task_that_could_not_be_performed_is_delivered_again() -> None:
    with LocalCloud(open_store("sqlite:///:memory:"), Unreachable(2), workers=0) as cloud:
        assert cloud.wait(start(cloud, task("f"))).snapshot["output"] == "2"
    with LocalCloud(open_store("sqlite:///:memory:"), Unreachable(99), workers=2) as cloud:
        execution = start(cloud, task("f"))
        with pytest.raises(DeadLetter, match="the task of 'A' was refused"):
            cloud.wait(execution, timeout=30)


def test_what_another_process_left_is_handed_out_again(tmp_path: Path) -> None:
    url, functions = f"sqlite:///{tmp_path}/s.db", InProcessFunctions({"f": lambda event, context: event})
    with LocalCloud(open_store(url), functions, workers=0) as first:
        execution = start(first, task("f"))
    with LocalCloud(open_store(url), functions, workers=0) as second:
        with pytest.raises(Stuck):
            second.wait(execution)
        second.runtime.executions().dispatch_pending(execution)
        assert second.wait(execution).snapshot["output"] == "1"
