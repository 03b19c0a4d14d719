"""A failed execution goes on where it failed."""

from __future__ import annotations

import json
from typing import Any

from api_calls import definition, refused, run, types
from endpoint import Endpoint


def test_a_redriven_execution_goes_on_where_it_failed(sfn: Any, endpoint: Endpoint) -> None:
    calls: list[str] = []
    broken = [True]

    def step(event: Any, context: Any) -> Any:
        calls.append(event["step"])
        if event["step"] == "two" and broken[0]:
            raise RuntimeError("not today")
        return event

    made = Endpoint(functions={"step": step})
    client = made.client()

    def task(name: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:step",
            "Parameters": {"step": name},
        }

    branches = [json.loads(definition(task("one"))), json.loads(definition(task("two")))]
    branches[1] = {"StartAt": "X", "States": {"X": {**task("two"), "End": True}}}
    text = definition(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Y", "States": {"Y": {**task("one"), "End": True}}}, branches[1]],
        },
        task("three"),
    )
    failed = run(made, client, text)
    assert failed["status"] == "FAILED"
    assert failed["redriveStatus"] == "REDRIVABLE"
    broken[0] = False
    client.redrive_execution(executionArn=failed["executionArn"])
    made.cloud.drain()
    again = client.describe_execution(executionArn=failed["executionArn"])
    assert (again["status"], again["redriveCount"]) == ("SUCCEEDED", 1)
    assert calls == ["one", "two", "two", "three"]
    assert "ExecutionRedriven" in types(client, failed["executionArn"])
    assert (
        refused(client.redrive_execution, executionArn=failed["executionArn"])[0] == "ExecutionNotRedrivable"
    )
    made.close()


def failing(endpoint: Endpoint, sfn: Any) -> str:
    return run(endpoint, sfn, definition({"Type": "Fail"}))["executionArn"]


def test_the_same_redrive_twice_is_one(sfn: Any, endpoint: Endpoint) -> None:
    execution = failing(endpoint, sfn)
    first = sfn.redrive_execution(executionArn=execution, clientToken="t")["redriveDate"]
    assert sfn.redrive_execution(executionArn=execution, clientToken="t")["redriveDate"] == first
    endpoint.cloud.drain()
    assert sfn.describe_execution(executionArn=execution)["redriveCount"] == 1


def test_what_cannot_be_redriven_any_more(sfn: Any, endpoint: Endpoint) -> None:
    execution = failing(endpoint, sfn)
    endpoint.cloud.clock.advance_to(endpoint.cloud.clock() + 15 * 24 * 60 * 60 * 1000)  # pyright: ignore
    told = sfn.describe_execution(executionArn=execution)
    reason = "Execution redrivable period exceeded"
    assert (told["redriveStatus"], told["redriveStatusReason"]) == ("NOT_REDRIVABLE", reason)
    assert refused(sfn.redrive_execution, executionArn=execution) == ("ExecutionNotRedrivable", reason)


def test_a_history_that_is_full_cannot_be_redriven(sfn: Any, endpoint: Endpoint) -> None:
    loop = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Choice", "Choices": [], "Default": "A"}}
    loop["B"]["Choices"] = [{"Variable": "$.end", "IsPresent": True, "Next": "C"}]
    states = {**loop, "C": {"Type": "Succeed"}}
    ended = run(endpoint, sfn, json.dumps({"StartAt": "A", "States": states}), {})
    assert ended["cause"] == "The execution reached the maximum number of history events (25000)."
    reason = "Execution history event limit exceeded"
    assert (ended["redriveStatus"], ended["redriveStatusReason"]) == ("NOT_REDRIVABLE", reason)


def test_a_map_that_can_read_no_items_fails_again(sfn: Any, endpoint: Endpoint) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": config, "StartAt": "I", "States": {"I": {"Type": "Fail"}}}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket.$": "$.no", "Key": "k"}}
    text = definition({"Type": "Map", "ItemReader": reader, "ItemProcessor": processor})
    execution = run(endpoint, sfn, text, {})["executionArn"]
    sfn.redrive_execution(executionArn=execution)
    endpoint.cloud.drain()
    told = sfn.describe_execution(executionArn=execution)
    assert (told["status"], told["error"], told["redriveCount"]) == ("FAILED", "States.Runtime", 1)


def test_a_child_of_a_map_is_redriven_by_its_map_run_alone(sfn: Any, endpoint: Endpoint) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": config, "StartAt": "I", "States": {"I": {"Type": "Fail"}}}
    execution = run(endpoint, sfn, definition({"Type": "Map", "ItemProcessor": processor}), [1])[
        "executionArn"
    ]
    map_run = sfn.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
    child = sfn.list_executions(mapRunArn=map_run)["executions"][0]["executionArn"]
    assert sfn.describe_execution(executionArn=child)["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    assert refused(sfn.redrive_execution, executionArn=child)[0] == "ExecutionNotRedrivable"
