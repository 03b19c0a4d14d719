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
