"""The handlers by their events: the front door's API, batches, what gets lost and comes twice, the sweeper."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from stratum.handlers import advance, tasks, timers
from stratum.handlers.runtime import LEASE, Runtime
from stratum.handlers.store import Commit, Conflict, Entry
from stratum.local.clock import VirtualClock
from stratum.local.cloud import ROLE, CallFailed, LocalCloud
from stratum.local.events import sqs_event
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

PASS = {"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Pass", "End": True}}}
WAIT = {
    "StartAt": "A",
    "QueryLanguage": "JSONata",
    "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}},
}


def task(**fields: Any) -> dict[str, Any]:
    state = {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"}, "Output": "{% $states.result.Payload %}", "End": True,
    }  # fmt: skip
    return {"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {**state, **fields}}}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    functions = InProcessFunctions({"f": lambda event, context: {"got": event}})
    with LocalCloud(open_store("sqlite:///:memory:"), functions, clock=VirtualClock(), workers=0) as cloud:
        yield cloud


def create(cloud: LocalCloud, definition: dict[str, Any], name: str = "m") -> str:
    return cloud.call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]


def start(cloud: LocalCloud, definition: dict[str, Any], name: str = "x", input: str = "{}") -> str:
    machine = create(cloud, definition)
    return cloud.call("StartExecution", stateMachineArn=machine, name=name, input=input)["executionArn"]


def refused(cloud: LocalCloud, operation: str, **parameters: Any) -> str:
    with pytest.raises(CallFailed) as failed:
        cloud.call(operation, **parameters)
    return failed.value.type


def test_an_execution_by_the_api(cloud: LocalCloud) -> None:
    execution = start(cloud, task(), input='{"n": 1}')
    assert cloud.call("DescribeExecution", executionArn=execution)["status"] == "RUNNING"
    cloud.wait(execution)
    described = cloud.call("DescribeExecution", executionArn=execution)
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"got": {"n": 1}})
    types = [event["type"] for event in cloud.call("GetExecutionHistory", executionArn=execution)["events"]]
    assert types == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    listed = cloud.call("ListExecutions", stateMachineArn=described["stateMachineArn"])["executions"]
    assert [(each["name"], each["status"]) for each in listed] == [("x", "SUCCEEDED")]


def test_a_function_by_its_own_arn_has_events_of_its_own(cloud: LocalCloud) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    state = {"Type": "Task", "Resource": arn, "End": True}
    execution = start(
        cloud, {"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": state}}, input='{"n": 1}'
    )
    assert json.loads(cloud.wait(execution).snapshot["output"]) == {"got": {"n": 1}}
    events = cloud.call("GetExecutionHistory", executionArn=execution)["events"]
    assert [event["type"] for event in events][2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    assert events[2]["lambdaFunctionScheduledEventDetails"] == {
        "resource": arn,
        "input": '{"n": 1}',
        "inputDetails": {"truncated": False},
    }


def test_history_is_paged_forwards_and_backwards(cloud: LocalCloud) -> None:
    execution = start(cloud, task())
    cloud.wait(execution)
    for reverse in (False, True):
        ids, token = [], {}
        while True:
            page = cloud.call(
                "GetExecutionHistory", executionArn=execution, maxResults=2, reverseOrder=reverse, **token
            )
            ids += [event["id"] for event in page["events"]]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert ids == sorted(range(1, 8), reverse=reverse)
    bare = cloud.call("GetExecutionHistory", executionArn=execution, includeExecutionData=False)["events"]
    assert "input" not in bare[0]["executionStartedEventDetails"]


def test_what_the_api_refuses(cloud: LocalCloud) -> None:
    machine = create(cloud, PASS)
    assert create(cloud, PASS) == machine
    assert (
        refused(cloud, "CreateStateMachine", name="m", definition=json.dumps(WAIT), roleArn=ROLE)
        == "StateMachineAlreadyExists"
    )
    assert (
        refused(cloud, "CreateStateMachine", name="a b", definition=json.dumps(PASS), roleArn=ROLE)
        == "InvalidName"
    )
    assert refused(cloud, "CreateStateMachine", name="b", definition="{", roleArn=ROLE) == "InvalidDefinition"
    assert refused(cloud, "StartExecution", stateMachineArn=machine, input="{'a'") == "InvalidExecutionInput"
    assert refused(cloud, "StartExecution", stateMachineArn=machine + "x") == "StateMachineDoesNotExist"
    assert refused(cloud, "StartExecution", stateMachineArn="m") == "InvalidArn"
    assert refused(cloud, "DescribeExecution", executionArn=machine) == "InvalidArn"
    assert (
        refused(cloud, "DescribeExecution", executionArn=machine.replace("stateMachine", "execution") + ":x")
        == "ExecutionDoesNotExist"
    )
    assert refused(cloud, "ListExecutions", stateMachineArn=machine, maxResults=1001) == "ValidationException"
    assert refused(cloud, "ListExecutions", stateMachineArn=machine, nextToken="?") == "InvalidToken"
    assert refused(cloud, "StartExecution", stateMachineArn=machine, input=5) == "SerializationException"
    assert refused(cloud, "Frobnicate") == "UnknownOperationException"


def test_start_is_idempotent_while_it_runs(cloud: LocalCloud) -> None:
    machine = create(cloud, WAIT)
    first = cloud.call("StartExecution", stateMachineArn=machine, name="x", input="{}")
    assert cloud.call("StartExecution", stateMachineArn=machine, name="x", input="{}") == first
    assert (
        refused(cloud, "StartExecution", stateMachineArn=machine, name="x", input="[]")
        == "ExecutionAlreadyExists"
    )
    cloud.wait(first["executionArn"])
    assert (
        refused(cloud, "StartExecution", stateMachineArn=machine, name="x", input="{}")
        == "ExecutionAlreadyExists"
    )


def test_a_stopped_execution_stays_stopped(cloud: LocalCloud) -> None:
    execution = start(cloud, WAIT)
    stopped = cloud.call("StopExecution", executionArn=execution, error="E", cause="because")
    described = cloud.call("DescribeExecution", executionArn=execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "E", "because")
    cloud.drain()
    assert cloud.call("StopExecution", executionArn=execution) == stopped
    assert (
        cloud.call("GetExecutionHistory", executionArn=execution)["events"][-1]["type"] == "ExecutionAborted"
    )


def test_an_update_leaves_running_executions_on_their_definition(cloud: LocalCloud) -> None:
    execution = start(cloud, WAIT)
    machine = cloud.call("DescribeExecution", executionArn=execution)["stateMachineArn"]
    cloud.call("UpdateStateMachine", stateMachineArn=machine, definition=json.dumps(PASS))
    assert json.loads(cloud.call("DescribeStateMachine", stateMachineArn=machine)["definition"]) == PASS
    cloud.wait(execution)
    types = [event["type"] for event in cloud.call("GetExecutionHistory", executionArn=execution)["events"]]
    assert "WaitStateEntered" in types


class Kept:
    """An outbox that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.tasks: list[Any] = []
        self.wakes: list[Any] = []

    def advance(self, bodies: Any) -> None:
        self.messages += bodies

    def perform(self, bodies: Any) -> None:
        self.tasks += bodies

    def perform_later(self, body: Any, at: int) -> None: ...

    def wake(self, tenant: str, execution: str, at: int) -> None:
        self.wakes.append((execution, at))


def apart(cloud: LocalCloud) -> tuple[Runtime, Kept]:
    """A runtime of its own on the cloud's store: another Lambda environment, with nothing in its caches."""
    kept = Kept()
    return Runtime(cloud.store, kept, cloud.runtime.functions, clock=cloud.clock), kept


def test_a_result_that_comes_twice_counts_once(cloud: LocalCloud) -> None:
    execution = start(cloud, task())
    runtime, kept = apart(cloud)
    command = cloud.queues.take_tasks()
    for _ in range(3):
        assert tasks.handle(runtime, sqs_event("t", command, 0)) == {"batchItemFailures": []}
    assert len(kept.messages) == 3
    assert advance.handle(runtime, sqs_event("a", kept.messages, 0)) == {"batchItemFailures": []}
    assert advance.handle(apart(cloud)[0], sqs_event("a", kept.messages, 0)) == {"batchItemFailures": []}
    types = [event["type"] for event in cloud.call("GetExecutionHistory", executionArn=execution)["events"]]
    assert types.count("TaskSucceeded") == 1


def test_a_batch_reports_only_what_failed(cloud: LocalCloud) -> None:
    execution = start(cloud, WAIT)
    runtime, _ = apart(cloud)
    bodies: list[Any] = [
        {
            "tenant": "default",
            "execution": execution,
            "message": {"type": "stop", "error": None, "cause": None},
        },
        {
            "tenant": "default",
            "execution": "arn:aws:states:us-east-1:1:execution:no:such",
            "message": {"type": "tick"},
        },
        {"nonsense": True},
    ]
    event = sqs_event("a", bodies, 0)
    failed = {item["itemIdentifier"] for item in advance.handle(runtime, event)["batchItemFailures"]}
    assert failed == {event["Records"][1]["messageId"], event["Records"][2]["messageId"]}
    assert cloud.call("DescribeExecution", executionArn=execution)["status"] == "ABORTED"


def test_a_warm_snapshot_that_is_stale_is_found_out(cloud: LocalCloud) -> None:
    """Two environments take turns: each finds its snapshot overtaken by the other's commit."""
    chain = task()
    chain["States"]["A"] = {key: value for key, value in chain["States"]["A"].items() if key != "End"} | {
        "Next": "B"
    }
    chain["States"]["B"] = task()["States"]["A"]
    execution = start(cloud, chain)
    (one, first), (other, second) = apart(cloud), apart(cloud)
    one.executions().load(execution)
    other.executions().load(execution)
    tasks.handle(one, sqs_event("t", cloud.queues.take_tasks(), 0))
    assert advance.handle(one, sqs_event("a", first.messages, 0)) == {"batchItemFailures": []}
    tasks.handle(other, sqs_event("t", first.tasks, 0))
    assert advance.handle(other, sqs_event("a", second.messages, 0)) == {"batchItemFailures": []}
    assert cloud.call("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"


def test_a_command_lost_after_its_commit_goes_out_again(cloud: LocalCloud) -> None:
    chain = task()
    chain["States"]["A"] = {key: value for key, value in chain["States"]["A"].items() if key != "End"} | {
        "Next": "B"
    }
    chain["States"]["B"] = task()["States"]["A"]
    start(cloud, chain)
    runtime, kept = apart(cloud)
    tasks.handle(runtime, sqs_event("t", cloud.queues.take_tasks(), 0))
    advance.handle(runtime, sqs_event("a", kept.messages, 0))
    [lost] = kept.tasks
    # The message is delivered again, as it is when its handler dies before it answers.
    again, outbox = apart(cloud)
    advance.handle(again, sqs_event("a", kept.messages, 0))
    assert outbox.tasks == [lost]


def test_a_command_lost_after_a_tick_goes_out_when_the_tick_comes_again(cloud: LocalCloud) -> None:
    """And not only when its lease has run out: an environment that dies after a Wait holds nobody up."""
    chain = task()
    chain["States"] = {"Nap": {"Type": "Wait", "Seconds": 60, "Next": "A"}, **chain["States"]}
    execution = start(cloud, {**chain, "StartAt": "Nap"})
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(cloud.clock() + 60_000)
    tick = {"tenant": "default", "execution": execution, "message": {"type": "tick"}}
    runtime, kept = apart(cloud)
    advance.handle(runtime, sqs_event("a", [tick], 0))
    [lost] = kept.tasks
    again, outbox = apart(cloud)
    advance.handle(again, sqs_event("a", [tick], 0))  # another tick: nobody says that the task is lost
    assert outbox.tasks == []
    advance.handle(again, sqs_event("a", [{**tick, "receives": 1}], 0))
    assert outbox.tasks == [lost]
    log = cloud.store.commits(execution)
    assert all("again" not in message for commit in log for message in commit.messages)


def test_nor_does_a_batch_with_something_new_in_it_hide_what_was_lost(cloud: LocalCloud) -> None:
    chain = task()
    chain["States"]["A"] = {key: value for key, value in chain["States"]["A"].items() if key != "End"} | {
        "Next": "B"
    }
    chain["States"]["B"] = task()["States"]["A"]
    del chain["QueryLanguage"]
    both = {"Type": "Map", "Items": [1, 2], "ItemProcessor": chain, "End": True}
    execution = start(cloud, {"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": both}})
    runtime, kept = apart(cloud)
    tasks.handle(runtime, sqs_event("t", cloud.queues.take_tasks(), 0))
    one, other = kept.messages
    advance.handle(runtime, sqs_event("a", [one], 0))
    [lost] = kept.tasks
    again, outbox = apart(cloud)
    advance.handle(again, sqs_event("a", [{**one, "receives": 1}, other], 0))
    assert len(outbox.tasks) == 2
    assert lost in outbox.tasks
    assert cloud.call("DescribeExecution", executionArn=execution)["status"] == "RUNNING"


def test_the_sweeper_hands_out_what_nobody_answered(cloud: LocalCloud) -> None:
    execution = start(cloud, task())
    [lost] = cloud.queues.take_tasks()
    runtime, kept = apart(cloud)
    assert timers.handle(runtime, {}) == {"woken": 0}
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(cloud.clock() + LEASE + 1)
    assert timers.handle(runtime, {}) == {"woken": 1}
    advance.handle(runtime, sqs_event("a", kept.messages, 0))
    assert kept.tasks == [lost]
    assert timers.handle(runtime, {}) == {"woken": 0}
    assert cloud.call("DescribeExecution", executionArn=execution)["status"] == "RUNNING"


def test_the_sweeper_wakes_what_is_due(cloud: LocalCloud) -> None:
    execution = start(cloud, WAIT)
    runtime, kept = apart(cloud)
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(cloud.clock() + 60_000)
    assert timers.handle(runtime, {}) == {"woken": 1}
    advance.handle(runtime, sqs_event("a", kept.messages, 0))
    assert cloud.call("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"


def test_a_task_that_times_out_is_retried_then_caught(cloud: LocalCloud) -> None:
    definition = task(
        TimeoutSeconds=30,
        Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 10, "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "B"}],
    )
    definition["States"]["B"] = {"Type": "Succeed"}
    execution = start(cloud, definition)
    cloud.queues.take_tasks()  # nobody performs them
    began = cloud.clock()
    executions = cloud.runtime.executions()
    while executions.known(execution).snapshot["status"] == "RUNNING":
        cloud.queues.take_tasks()
        if not cloud._work():
            assert cloud.queues.next_wake is not None
            assert isinstance(cloud.clock, VirtualClock)
            cloud.clock.advance_to(cloud.queues.next_wake)
    assert json.loads(executions.known(execution).snapshot["output"]) == {
        "Error": "States.Timeout",
        "Cause": "",
    }
    assert cloud.clock() - began == 70_000


def test_the_log_holds_a_whole_snapshot_now_and_then(cloud: LocalCloud) -> None:
    states: dict[str, Any] = {}
    for number in range(60):
        states[f"S{number}"] = {**task()["States"]["A"], "Assign": {f"v{number}": "x" * 400}}
        if number < 59:
            states[f"S{number}"] = {
                key: value for key, value in states[f"S{number}"].items() if key != "End"
            } | {"Next": f"S{number + 1}"}
    execution = start(cloud, {"StartAt": "S0", "QueryLanguage": "JSONata", "States": states})
    cloud.wait(execution)
    commits = cloud.store.commits(execution)
    whole = [commit.seq for commit in commits if commit.snapshot is not None]
    assert 1 < len(whole) < len(commits) // 4
    loaded = apart(cloud)[0].executions().load(execution)
    assert loaded.snapshot == cloud.runtime.executions().known(execution).snapshot
    assert isinstance(
        cloud.store.append([Entry(execution, Commit(1, 0, [], [], [], {}, None), "")])[0], Conflict
    )
