"""What stands in place of tasks in tests: callbacks, activities, nested executions, maps, and AWS's mock files."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from machines import LAMBDA, RETRY, TOKEN, call, callback, machine, task, wait
from stratum.local.testing import Call, SetupError, TaskError, TestCloud, after, iterations, never, sequence

PAINT = "arn:aws:states:us-east-1:123456789012:activity:paint"
CHILD = "arn:aws:states:us-east-1:123456789012:stateMachine:child"


class Busy(Exception):
    pass


def test_a_function_answers_its_own_token(stratum: TestCloud) -> None:
    def ask(event: Any, context: Any) -> None:
        import boto3

        boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='{"ok": 1}')

    stratum.run(machine(Ask=callback()), tasks={"ask": ask}).succeeded({"ok": 1})


def test_a_mock_is_told_of_the_call(stratum: TestCloud) -> None:
    calls: list[Call] = []

    def answer(input: Any, call: Call) -> Any:
        calls.append(call)
        if call.attempt == 1:
            raise Busy("later")
        return input["n"] + 1

    stratum.run(machine(Add=call("add", Retry=RETRY)), {"n": 1}, mocks={"Add": answer}).succeeded(2)
    assert [(each.state, each.attempt, each.input, each.token) for each in calls] == [
        ("Add", 1, {"n": 1}, None),
        ("Add", 2, {"n": 1}, None),
    ]
    mock = Mock(return_value="yes")
    stratum.run(machine(Ask=callback()), mocks={"Ask": mock}).succeeded("yes")
    [given] = mock.call_args.args
    assert given["input"] == {}


def test_what_an_assertion_in_a_mock_says_is_the_tests(stratum: TestCloud) -> None:
    def answer(input: Any) -> None:
        assert input == {"n": 2}

    caught = machine(A=call("f", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]), B={"Type": "Pass"})
    with pytest.raises(AssertionError):
        stratum.run(caught, {"n": 1}, mocks={"A": answer})


def test_exceptions_look_as_they_do_on_aws(stratum: TestCloud) -> None:
    import botocore.exceptions

    result = stratum.run(machine(A=call("f")), mocks={"A": Busy("why")}).failed("Busy", "why")
    assert json.loads(result.cause or "")["errorMessage"] == "why"
    assert result.raised is not None
    put = task("arn:aws:states:::aws-sdk:dynamodb:putItem", TableName="t", Item={})
    taken = botocore.exceptions.ClientError(
        {"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}, "PutItem"
    )
    stratum.run(machine(Put=put), mocks={"dynamodb:putItem": taken}).failed(cause="no")
    told = stratum.run(
        machine(A=call("f")), mocks={"f": TaskError("Lambda.TooManyRequestsException", {"a": 1})}
    )
    assert (told.error, told.cause) == ("Lambda.TooManyRequestsException", '{"a": 1}')


@pytest.mark.parametrize(
    "name", ["Send", "sqs:sendMessage", "arn:aws:states:::sqs:sendMessage.waitForTaskToken"]
)
def test_a_service_is_mocked_by_state_or_resource(stratum: TestCloud, name: str) -> None:
    send = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", QueueUrl="q", MessageBody="m")
    stratum.run(machine(Send=send), mocks={name: {"answer": 1}}).succeeded({"answer": 1})


def test_the_whole_answer_of_invoke_is_taken_as_it_is(stratum: TestCloud) -> None:
    whole = {"StatusCode": 200, "Payload": {"n": 1}}
    invoke = task(LAMBDA, FunctionName="f")
    stratum.run(machine(A=invoke), mocks={"A": whole}).succeeded(whole)
    stratum.run(machine(A=invoke), mocks={"A": {"n": 1}}).succeeded(
        {"ExecutedVersion": "$LATEST", "Payload": {"n": 1}, "StatusCode": 200}
    )


def test_activities(stratum: TestCloud) -> None:
    act = {"Type": "Task", "Resource": PAINT, "TimeoutSeconds": 100, "HeartbeatSeconds": 10}
    definition = machine(Act=act)
    result = stratum.run(definition, {"x": 1}, mocks={"Act": lambda input: input["x"] + 1}).succeeded(2)
    assert [event["type"] for event in result.events][2:5] == [
        "ActivityScheduled", "ActivityStarted", "ActivitySucceeded",
    ]  # fmt: skip
    late = stratum.run(definition, mocks={"paint": after(50, 3, heartbeat=5)}).succeeded(3)
    assert late.duration == timedelta(seconds=50)
    stratum.run(definition, mocks={"paint": never}).failed("States.Timeout")
    client = stratum.client("stepfunctions")
    arn = client.create_activity(name="paint")["activityArn"]
    execution = stratum.start(definition, {"x": 5})
    taken = client.get_activity_task(activityArn=arn)
    assert json.loads(taken["input"]) == {"x": 5}
    client.send_task_success(taskToken=taken["taskToken"], output="9")
    execution.result.succeeded(9)
    stratum.start(definition).send_task_failure("Mine", "why").failed("Mine", "why")


def test_nested_executions(stratum: TestCloud) -> None:
    around = machine(
        Run=task("arn:aws:states:::states:startExecution.sync:2", StateMachineArn=CHILD, Input={})
    )
    stratum.run(around, mocks={"Run": {"Output": 3}}).succeeded({"Output": 3})
    stratum.deploy(machine(Wait=wait(60), C=call("c")), state_machine="child", mocks={"C": {"n": 7}})
    result = stratum.run(around)
    assert result.succeeded().output["Output"] == {"n": 7}
    assert result.duration == timedelta(seconds=60)
    [_, outer, inner] = stratum.executions
    assert (outer.result.path, inner.result.path) == (["Run"], ["Wait", "C"])


def test_sync_tasks_time_out(stratum: TestCloud) -> None:
    job = task("arn:aws:states:::glue:startJobRun.sync", {"TimeoutSeconds": 3600}, JobName="j")
    definition = machine(Job=job)
    stratum.run(
        definition, mocks={"glue:startJobRun": after("30m", {"JobRunState": "SUCCEEDED"})}
    ).succeeded()
    stratum.run(definition, mocks={"glue:startJobRun": after("2h", {})}).failed("States.Timeout")


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_maps(stratum: TestCloud, mode: str) -> None:
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    processor = {"ProcessorConfig": config, **machine(Inner=call("f", Retry=RETRY))}
    definition = machine(Each={"Type": "Map", "ItemProcessor": processor})
    mocks = {
        "Inner": iterations(
            "a", sequence(Busy(), Busy(), "b"), then=lambda input, call: [input, call.iteration]
        )
    }
    result = stratum.run(definition, [1, 2, 3], mocks=mocks).succeeded(["a", "b", [3, 2]])
    assert result.path == ["Each", "Inner", "Inner", "Inner"]
    assert [visit.attempts for visit in result.step("Inner").visits] == [1, 3, 1]
    assert result.step("Inner").outputs == ["a", "b", [3, 2]]
    each = iterations(then=sequence(Busy(), then="x"))
    assert (
        stratum.run(definition, [1, 2], mocks={"Inner": each}).succeeded(["x", "x"]).step("Inner").attempts
        == 4
    )


def test_branches_are_told_one_after_the_other(stratum: TestCloud) -> None:
    first, second = machine(A=wait(10), A2={"Type": "Pass"}), machine(B=call("f"), B2={"Type": "Pass"})
    definition = machine(Both={"Type": "Parallel", "Branches": [first, second]}, Z={"Type": "Pass"})
    result = stratum.run(definition, mocks={"f": 1}).succeeded([{}, 1])
    assert result.path == ["Both", "A", "A2", "B", "B2", "Z"]


def test_redrive_goes_on_where_it_failed(stratum: TestCloud) -> None:
    execution = stratum.start(
        machine(A=call("f"), B={"Type": "Pass"}), mocks={"A": sequence(Busy("no"), "yes")}
    )
    execution.result.failed("Busy")
    result = execution.redrive().succeeded("yes")
    assert (result.path, result.step("A").attempts, result.step("A").status) == (["A", "B"], 2, "SUCCEEDED")


def test_time_passes_until_somebody_is_asked(stratum: TestCloud) -> None:
    ask = callback(TimeoutSeconds=1000)
    definition = machine(First=callback("first"), Wait=wait(86400), Ask=ask, End={"Type": "Pass"})
    execution = stratum.start(
        definition, mocks={"First": after("1h", 1)}, tasks={"ask": lambda event, context: None}
    )
    assert execution.until_waiting().duration == timedelta(hours=25)
    stratum.advance("10m")
    assert execution.send_task_success("yes").succeeded("yes").duration == timedelta(hours=25, minutes=10)
    with pytest.raises(SetupError, match="never waits at 'Ask'"):
        execution.until_waiting("Ask")
    with pytest.raises(SetupError, match="First"):
        stratum.start(machine(First=callback("first")), mocks={"First": never}).until_waiting()


def test_stop(stratum: TestCloud) -> None:
    execution = stratum.start(machine(W=wait(100)))
    stopped = execution.stop("Mine", "why")
    assert (stopped.status, stopped.error, stopped.cause) == ("ABORTED", "Mine", "why")


def test_what_waits_for_good_is_told(stratum: TestCloud) -> None:
    with pytest.raises(SetupError, match=r"'Ask' \(lambda:invoke\): its token is not answered"):
        stratum.run(machine(Ask=callback()), mocks={"Ask": never})


def test_express(stratum: TestCloud) -> None:
    result = stratum.run(machine(A=call("f"), W=wait(10)), mocks={"A": 1}, express=True).succeeded(1)
    assert result.path == ["A", "W"]
    assert ":express:" in result.execution


CONFIG = {
    "StateMachines": {
        "orders": {
            "TestCases": {"Retried": {"Pay": "PayRetried", "Ask": "Asked"}, "Other": {"Nope": "Asked"}}
        },
        "other": {"TestCases": {}},
    },
    "MockedResponses": {
        "PayRetried": {
            "0-1": {"Throw": {"Error": "Busy", "Cause": "later"}},
            "2": {"Return": {"StatusCode": 200, "Payload": {"paid": True}}},
        },
        "Asked": {"0": {"Return": {"yes": True}}},
    },
}


def test_aws_mock_files(stratum: TestCloud, tmp_path: Path) -> None:
    path = tmp_path / "MockConfigFile.json"
    path.write_text(json.dumps(CONFIG))
    definition = machine(
        Pay=call("pay", Retry=RETRY), Ask=task(TOKEN, FunctionName="ask", Payload={"t.$": "$$.Task.Token"})
    )

    def run(**options: Any) -> Any:
        return stratum.run(
            definition, state_machine="orders", **{"mock_config": path, "test_case": "Retried", **options}
        )

    result = run(all_mocks_used=True).succeeded({"yes": True})
    assert result.step("Pay").attempts == 3
    assert result.step("Pay").output == {"paid": True}
    assert run(mocks={"Pay": 7}).step("Pay").output == 7
    for options, told in (
        ({"test_case": "Retryed"}, "did you mean 'Retried'"),
        ({"test_case": "Other"}, "'Nope'"),
        ({"mock_config": None}, "give both"),
        ({"mock_config": tmp_path / "no.json"}, "No such file"),
    ):
        with pytest.raises(SetupError, match=told):
            run(**options)


def test_mocks_and_functions_are_checked_before_anything_runs(stratum: TestCloud) -> None:
    definition = machine(A=call("f"))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"tasks": {"g": print}}, "calls no function 'g'"),
        ({"tasks": {"f": 3}}, "mocks={'f'"),
        ({"tasks": {"f": "nomodule"}}, "names no function"),
        ({"tasks": {"f": "no_such_module_here.f"}}, "no module 'no_such_module_here'"),
        ({"tasks": {"f": "json.dmups"}}, "did you mean 'dumps'"),
        ({"tasks": {"f": "nowhere.py:f"}}, "no file for"),
        ({"mocks": {"A": sequence({1})}}, "cannot be JSON"),
        ({"mocks": []}, "mapping"),
    ]
    for options, told in wrong:
        with pytest.raises(SetupError) as error:
            stratum.run(definition, **options)
        assert told in str(error.value)
