"""Map states with child executions, and their map runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_calls import FUNCTION, definition, run, types
from endpoint import Endpoint


def distributed(*states: dict[str, Any], **fields: Any) -> str:
    processor = {
        **json.loads(definition(*states)),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    renamed = json.loads(json.dumps(processor).replace('"A"', '"I"'))
    return definition({"Type": "Map", "ItemProcessor": renamed, **fields})


def test_a_distributed_map_has_child_executions(endpoint: Endpoint, sfn: Any) -> None:
    described = run(
        endpoint,
        sfn,
        distributed({"Type": "Task", "Resource": f"{FUNCTION}double"}, Label="L", MaxConcurrency=2),
        [1, 2, 3],
    )
    assert described["output"] == "[2,4,6]"
    [listed] = sfn.list_map_runs(executionArn=described["executionArn"])["mapRuns"]
    map_run = sfn.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (map_run["status"], map_run["itemCounts"]["succeeded"], map_run["maxConcurrency"]) == (
        "SUCCEEDED",
        3,
        2,
    )
    children = sfn.list_executions(mapRunArn=listed["mapRunArn"])["executions"]
    assert len(children) == 3
    child = sfn.describe_execution(executionArn=children[0]["executionArn"])
    assert child["mapRunArn"] == listed["mapRunArn"]
    assert "LambdaFunctionSucceeded" in types(sfn, child["executionArn"])


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [({}, "FAILED"), ({"ToleratedFailureCount": 1}, "FAILED"), ({"ToleratedFailureCount": 2}, "SUCCEEDED"), ({"ToleratedFailurePercentage": 50}, "SUCCEEDED")],
)  # fmt: skip
def test_failures_of_children_are_tolerated_up_to_a_number(
    endpoint: Endpoint, sfn: Any, tolerated: dict[str, Any], status: str
) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericLessThan": 3, "Next": "B"}],
        "Default": "C",
    }
    text = distributed(
        choice, {"Type": "Fail", "Error": "Small"}, {"Type": "Pass"}, MaxConcurrency=1, **tolerated
    )
    text = text.replace('"B"', '"J"').replace('"C"', '"K"')
    described = run(endpoint, sfn, text, [1, 2, 3, 4])
    assert described["status"] == status
    if status == "FAILED":
        assert described["error"] == "States.ExceedToleratedFailureThreshold"
    else:
        assert described["output"] == "[3,4]"


def test_a_failed_map_run_is_redriven_from_its_failures(endpoint: Endpoint) -> None:
    broken = [True]
    calls: list[int] = []

    def sometimes(event: Any, context: Any) -> Any:
        calls.append(event)
        if event == 2 and broken[0]:
            raise RuntimeError
        return event

    made = Endpoint(functions={"sometimes": sometimes})
    client = made.client()
    failed = run(
        made,
        client,
        distributed({"Type": "Task", "Resource": f"{FUNCTION}sometimes"}, MaxConcurrency=1),
        [1, 2, 3],
    )
    assert failed["status"] == "FAILED"
    broken[0] = False
    client.redrive_execution(executionArn=failed["executionArn"])
    made.cloud.drain()
    assert client.describe_execution(executionArn=failed["executionArn"])["output"] == "[1,2,3]"
    assert calls == [1, 2, 2, 3]
    made.close()


def test_items_are_batched(endpoint: Endpoint, sfn: Any) -> None:
    text = distributed(
        {"Type": "Pass"},
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"f": 1}},
        ItemSelector={"v.$": "$$.Map.Item.Value"},
    )
    output = json.loads(run(endpoint, sfn, text, [1, 2, 3])["output"])
    assert output == [
        {"BatchInput": {"f": 1}, "Items": [{"v": 1}, {"v": 2}]},
        {"BatchInput": {"f": 1}, "Items": [{"v": 3}]},
    ]


@pytest.mark.parametrize("kind", ["INLINE", "DISTRIBUTED"])
def test_an_empty_map_succeeds(endpoint: Endpoint, sfn: Any, kind: str) -> None:
    text = distributed({"Type": "Pass"})
    if kind == "INLINE":
        text = text.replace('"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"', '"Mode": "INLINE"')
    assert run(endpoint, sfn, text, [])["output"] == "[]"


def test_what_is_no_array_is_not_gone_through(endpoint: Endpoint, sfn: Any) -> None:
    described = run(endpoint, sfn, distributed({"Type": "Pass"}, ItemsPath="$.x"), {"x": 1})
    assert described["error"] == "States.Runtime"
    assert 'Reference path "$.x" must point to array' in described["cause"]
