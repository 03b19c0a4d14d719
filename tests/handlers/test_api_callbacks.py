"""Activities, task tokens and nested executions: tasks that others answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_calls import create, definition, refused, run, types
from endpoint import Endpoint


def activity(sfn: Any, **fields: Any) -> tuple[str, str]:
    arn = sfn.create_activity(name="work")["activityArn"]
    machine = create(sfn, definition({"Type": "Task", "Resource": arn, **fields}))
    return arn, sfn.start_execution(stateMachineArn=machine, input='{"n": 1}')["executionArn"]


def test_an_activity_is_taken_kept_alive_and_answered(endpoint: Endpoint, sfn: Any) -> None:
    arn, execution = activity(sfn, HeartbeatSeconds=30, TimeoutSeconds=300)
    endpoint.cloud._work()
    endpoint.cloud._work()
    task = sfn.get_activity_task(activityArn=arn, workerName="me")
    assert task["input"] == '{"n": 1}'
    assert sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
    assert sfn.describe_execution(executionArn=execution)["output"] == '{"n": 2}'
    assert types(sfn, execution)[2:6] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
    ]
    code, _ = refused(sfn.send_task_success, taskToken=task["taskToken"], output="1")
    assert code == "TaskTimedOut"
    assert "taskToken" not in sfn.get_activity_task(activityArn=arn)


def test_an_activity_whose_worker_falls_silent_times_out(endpoint: Endpoint, sfn: Any) -> None:
    arn, execution = activity(
        sfn, HeartbeatSeconds=30, Retry=[{"ErrorEquals": ["States.HeartbeatTimeout"], "MaxAttempts": 1}]
    )
    endpoint.cloud._work()
    endpoint.cloud._work()
    assert sfn.get_activity_task(activityArn=arn)["taskToken"]
    endpoint.cloud.drain()
    described = sfn.describe_execution(executionArn=execution)
    assert (described["status"], described["error"]) == ("FAILED", "States.Timeout")
    assert types(sfn, execution).count("ActivityTimedOut") == 2


@pytest.mark.parametrize("token", ["x", "AQ", "AQ!!!!", "AQW10=", "AQ" + "A" * 1000])
def test_what_is_no_token_is_refused(sfn: Any, token: str) -> None:
    assert refused(sfn.send_task_success, taskToken=token, output="1") == (
        "InvalidToken",
        "Invalid Token: 'Invalid token'",
    )


def test_an_output_that_is_no_json_is_refused_and_the_task_goes_on(endpoint: Endpoint, sfn: Any) -> None:
    arn, execution = activity(sfn)
    endpoint.cloud._work()
    endpoint.cloud._work()
    token = sfn.get_activity_task(activityArn=arn)["taskToken"]
    assert refused(sfn.send_task_success, taskToken=token, output="{no")[0] == "InvalidOutput"
    sfn.send_task_failure(taskToken=token, error="Mine", cause="so")
    described = sfn.describe_execution(executionArn=execution)
    assert (described["error"], described["cause"]) == ("Mine", "so")


# -- nested executions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "output"), [("startExecution.sync", '"[1]"'), ("startExecution.sync:2", "[1]")]
)
def test_a_nested_execution_is_waited_for(endpoint: Endpoint, sfn: Any, action: str, output: str) -> None:
    child = create(sfn, definition({"Type": "Wait", "Seconds": 60}), "child")
    task = {
        "Type": "Task", "Resource": f"arn:aws:states:::states:{action}", "ResultSelector": {"o.$": "$.Output"}, "OutputPath": "$.o",
        "Parameters": {"StateMachineArn": child, "Input": [1], "Name": "inner"},
    }  # fmt: skip
    assert run(endpoint, sfn, definition(task))["output"] == output
    inner = child.replace(":stateMachine:", ":execution:") + ":inner"
    assert sfn.describe_execution(executionArn=inner)["status"] == "SUCCEEDED"


def test_the_failure_of_a_nested_execution_can_be_caught(endpoint: Endpoint, sfn: Any) -> None:
    child = create(sfn, definition({"Type": "Fail", "Error": "Inner"}), "child")
    task = {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "Parameters": {"StateMachineArn": child},
        "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "B"}],
    }  # fmt: skip
    described = run(endpoint, sfn, definition(task, {"Type": "Pass"}))
    assert json.loads(json.loads(described["output"])["Cause"])["Error"] == "Inner"
