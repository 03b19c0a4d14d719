"""Distributed maps on the local cloud: the same outcome whatever is forgotten or delivered twice; items from S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from stratum.handlers.runtime import Body
from stratum.local.clock import VirtualClock
from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.queues import LocalQueues
from stratum.local.stores import open_store

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


class Twice(LocalQueues):
    """Delivers every message and every task twice."""

    def take_messages(self, now: int, limit: int = 100) -> list[Body]:
        return [body for body in super().take_messages(now, limit) for _ in range(2)]

    def take_tasks(self, limit: int = 100) -> list[Body]:
        return [body for body in super().take_tasks(limit) for _ in range(2)]


class Forgetful(LocalCloud):
    """Remembers nothing of executions between two batches of messages."""

    def _work(self) -> bool:
        self.runtime.executions()._cache.clear()
        return super()._work()


def odd_fails(event: Any, context: Any) -> Any:
    if event["n"] % 3 == 1:
        raise ValueError(event["n"])
    return event["n"] * 10


def distributed(states: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": f"{FUNCTION}odd",
        "Retry": [{"ErrorEquals": ["ValueError"], "MaxAttempts": 1}],
        "End": True,
    }
    processor = {
        "StartAt": "A",
        "States": states or {"A": task},
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    return {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}},
    }


def outcome(cloud: LocalCloud, definition: dict[str, Any], input: Any) -> tuple[list[Any], Any]:
    """The history and what became of the children, without the ids that are made anew."""
    machine = cloud.call("CreateStateMachine", name="m", definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    execution = cloud.call("StartExecution", stateMachineArn=machine, name="x", input=json.dumps(input))[
        "executionArn"
    ]
    cloud.wait(execution)
    cloud.drain()
    events = cloud.call("GetExecutionHistory", executionArn=execution, maxResults=1000)["events"]
    [run] = cloud.call("ListMapRuns", executionArn=execution)["mapRuns"]
    children = cloud.call("ListExecutions", mapRunArn=run["mapRunArn"], maxResults=1000)["executions"]
    return events, sorted((child["executionArn"], child["status"]) for child in children)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 5), max_size=8),
    st.integers(0, 3),
    st.sampled_from([{}, {"ToleratedFailureCount": 1}, {"ToleratedFailurePercentage": 100}]),
    st.sampled_from(
        [
            {},
            {"ItemBatcher": {"MaxItemsPerBatch": 2}},
            {"ItemSelector": {"n.$": "$$.Map.Item.Value.n", "all.$": "$"}},
        ]
    ),
)
def test_a_map_run_does_not_depend_on_what_is_lost_or_repeated(
    items: list[int], limit: int, tolerated: dict[str, Any], shape: dict[str, Any]
) -> None:
    wait = {"A": {"Type": "Wait", "Seconds": 5, "Next": "B"}, "B": {"Type": "Pass", "End": True}}
    states = wait if "ItemBatcher" in shape else None
    definition = distributed(states, MaxConcurrency=limit, **tolerated, **shape)
    input = [{"n": number} for number in items]

    def run(kind: type[LocalCloud], queues: LocalQueues | None = None) -> Any:
        with kind(
            open_store("sqlite:///:memory:"),
            InProcessFunctions({"odd": odd_fails}),
            clock=VirtualClock(),
            workers=0,
        ) as cloud:
            if queues is not None:
                cloud.queues = cloud.runtime.outbox = queues
            return outcome(cloud, definition, input)

    events, children = run(LocalCloud)
    assert run(Forgetful) == (events, children)
    repeated_events, repeated_children = run(LocalCloud, Twice())
    # What was running when too much had failed is stopped; how far it had come by then is a matter of order.
    if events[-1]["type"] == "ExecutionSucceeded":
        assert (repeated_events, repeated_children) == (events, children)
    else:
        assert [event["type"] for event in repeated_events] == [event["type"] for event in events]


# -- S3 ----------------------------------------------------------------------------------------------------


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield client


def run(definition: dict[str, Any], input: Any = None) -> dict[str, Any]:
    with LocalCloud(
        open_store("sqlite:///:memory:"), InProcessFunctions(), clock=VirtualClock(), workers=0
    ) as cloud:
        machine = cloud.call("CreateStateMachine", name="m", definition=json.dumps(definition), roleArn=ROLE)[
            "stateMachineArn"
        ]
        execution = cloud.call("StartExecution", stateMachineArn=machine, input=json.dumps(input))[
            "executionArn"
        ]
        return cloud.wait(execution).snapshot


def reader(
    config: dict[str, Any], key: str = "k", action: str = "getObject", **fields: Any
) -> dict[str, Any]:
    place = {"Bucket": "bucket", "Key": key} if action == "getObject" else {"Bucket": "bucket", "Prefix": key}
    item_reader = {"Resource": f"arn:aws:states:::s3:{action}", "Parameters": place, "ReaderConfig": config}
    return distributed({"A": {"Type": "Pass", "End": True}}, ItemReader=item_reader, **fields)


@pytest.mark.parametrize(
    ("body", "config", "items"),
    [
        ('[1, {"a": 2}]', {"InputType": "JSON"}, [1, {"a": 2}]),
        ('{"a": 1}', {"InputType": "JSON"}, [{"Key": "a", "Value": 1}]),
        ('{"x": {"y": [7, 8]}}', {"InputType": "JSON", "ItemsPointer": "/x/y"}, [7, 8]),
        ('{"a": 1}\n\n{"a": 2}\n', {"InputType": "JSONL"}, [{"a": 1}, {"a": 2}]),
        ("h1,h2\na,b\nc\nd,e,f\n\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, [{"h1": "a", "h2": "b"}, {"h1": "c", "h2": ""}, {"h1": "d", "h2": "e"}]),
        ('a|"b|c"\n', {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"], "CSVDelimiter": "PIPE"}, [{"x": "a", "y": "b|c"}]),
        ("h\n1\n2\n3\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 2}, [{"h": "1"}, {"h": "2"}]),
    ],
)  # fmt: skip
def test_items_out_of_a_file(s3: Any, body: str, config: dict[str, Any], items: list[Any]) -> None:
    s3.put_object(Bucket="bucket", Key="k", Body=body.encode())
    assert json.loads(run(reader(config))["output"]) == items


def test_items_out_of_a_listing_and_an_inventory(s3: Any) -> None:
    for key in ("in/1", "in/2", "other"):
        s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    listed = json.loads(run(reader({}, "in/", "listObjectsV2"))["output"])
    assert [item["Key"] for item in listed] == ["in/1", "in/2"]
    assert set(listed[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}
    manifest = {
        "destinationBucket": "arn:aws:s3:::bucket",
        "fileSchema": "Bucket, Key",
        "files": [{"key": "data.csv"}],
    }
    s3.put_object(Bucket="bucket", Key="data.csv", Body=b'"bucket","in/1"\n"bucket","in/2"\n')
    s3.put_object(Bucket="bucket", Key="k", Body=json.dumps(manifest).encode())
    assert json.loads(run(reader({"InputType": "MANIFEST"}))["output"]) == [
        {"Bucket": "bucket", "Key": "in/1"},
        {"Bucket": "bucket", "Key": "in/2"},
    ]


@pytest.mark.parametrize(
    ("body", "config", "cause"),
    [
        ("[", {"InputType": "JSON"}, "is not JSON"),
        ("5", {"InputType": "JSON"}, "non-iterable"),
        (
            "a,a\n",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "CSV headers cannot contain duplicates.",
        ),
        (None, {"InputType": "JSON"}, "The specified key does not exist."),
    ],
)
def test_items_that_cannot_be_read(s3: Any, body: str | None, config: dict[str, Any], cause: str) -> None:
    if body is not None:
        s3.put_object(Bucket="bucket", Key="k", Body=body.encode())
    ended = run(reader(config))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ItemReaderFailed")
    assert cause in ended["cause"]


@pytest.mark.parametrize(("config", "files"), [({}, "SUCCEEDED_0.json"), ({"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"}}, "SUCCEEDED_0.jsonl")])  # fmt: skip
def test_results_are_written(s3: Any, config: dict[str, Any], files: str) -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "bucket", "Prefix": "out"},
        **config,
    }
    ended = run(distributed({"A": {"Type": "Pass", "End": True}}, ResultWriter=writer), [1, 2])
    place = json.loads(ended["output"])["ResultWriterDetails"]
    manifest = json.loads(s3.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read())
    [file] = manifest["ResultFiles"]["SUCCEEDED"]
    assert file["Key"].endswith(files)
    body = s3.get_object(Bucket="bucket", Key=file["Key"])["Body"].read().decode()
    if config:
        assert body == "1\n2\n"
    else:
        assert sorted(result["Output"] for result in json.loads(body)) == ["1", "2"]


def test_results_that_cannot_be_written(s3: Any) -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "none"}}
    ended = run(distributed({"A": {"Type": "Pass", "End": True}}, ResultWriter=writer), [1])
    assert ended["error"] == "States.ResultWriterFailed"
