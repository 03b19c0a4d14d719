"""Queues whose messages invoke functions, through boto3."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from up import Up, received, until

# Sends on what it is given, so that a test sees the batches; the bodies "bad" fail in one way or another.
CODE = """
import boto3, json, os
sqs = boto3.client("sqs")
def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    if not bodies:
        return None
    sqs.send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event["Records"]))
    if "worst" in bodies:
        raise ValueError("worst")
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "bad"]}
"""

RELAY = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event["Records"]))
"""


class Source:
    """A queue with a dead-letter queue, a function that reads it, and a queue where the function says what it saw."""

    def __init__(self, up: Up, name: str, receives: int = 2, fifo: bool = False, **mapping: Any):
        self.sqs = up.service("sqs")
        self.seen = self.sqs.create_queue(QueueName=f"{name}-seen")["QueueUrl"]
        suffix = ".fifo" if fifo else ""
        more = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead{suffix}", Attributes=more)["QueueUrl"]
        target = f"arn:aws:sqs:us-east-1:123456789012:{name}-dead{suffix}"
        redrive = {"deadLetterTargetArn": target, "maxReceiveCount": receives}
        self.queue = self.sqs.create_queue(
            QueueName=f"{name}{suffix}",
            Attributes={"VisibilityTimeout": "3", "RedrivePolicy": json.dumps(redrive), **more},
        )["QueueUrl"]
        up.make(name, CODE, Environment={"Variables": {"SEEN": self.seen}}, Timeout=20)
        up.call(name, {"Records": []})  # warm: a cold start must not outlast the visibility timeout
        self.lambda_ = up.service("lambda")
        self.mapping = self.lambda_.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:us-east-1:123456789012:{name}{suffix}", FunctionName=name, **mapping
        )["UUID"]

    def send(self, *bodies: str, **fields: Any) -> None:
        entries = [{"Id": str(place), "MessageBody": body, **fields} for place, body in enumerate(bodies)]
        assert not self.sqs.send_message_batch(QueueUrl=self.queue, Entries=entries).get("Failed")

    def batches(self, count: int) -> list[list[str]]:
        """The bodies of the batches that the function was given."""
        return [
            [record["body"] for record in json.loads(each["Body"])]
            for each in received(self.sqs, self.seen, count)
        ]

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


def flat(batches: list[list[str]]) -> list[str]:
    return [body for batch in batches for body in batch]


def test_messages_come_in_batches_and_are_deleted(up: Up) -> None:
    source = Source(up, "batches", BatchSize=4)
    attribute = {"color": {"DataType": "String", "StringValue": "red"}}
    source.send(*map(str, range(10)), MessageAttributes=attribute)
    batches = source.batches(3)
    assert sorted(len(batch) for batch in batches) == [2, 4, 4]
    assert sorted(flat(batches)) == [str(number) for number in range(10)]
    until(lambda: source.left() == 0)


def test_a_record_is_what_lambda_gives(up: Up) -> None:
    source = Source(up, "record")
    attribute = {"color": {"DataType": "String", "StringValue": "red"}}
    source.send("text", MessageAttributes=attribute)
    [record] = json.loads(received(source.sqs, source.seen)[0]["Body"])
    assert record["attributes"].pop("ApproximateReceiveCount") == "1"
    assert set(record["attributes"]) >= {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"}
    assert record["messageAttributes"] == {
        "color": {"dataType": "String", "stringValue": "red", "stringListValues": [], "binaryListValues": []}
    }
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:record"
    assert (record["eventSource"], record["awsRegion"], record["body"]) == ("aws:sqs", "us-east-1", "text")


def test_messages_that_failed_come_again_alone_and_then_are_dead(up: Up) -> None:
    source = Source(up, "partial", FunctionResponseTypes=["ReportBatchItemFailures"])
    source.send("good", "bad", "fine")
    assert sorted(map(sorted, source.batches(2))) == [["bad"], ["bad", "fine", "good"]]
    assert received(source.sqs, source.dead)[0]["Body"] == "bad"
    assert source.left() == 0


def test_a_batch_that_raises_comes_again_whole(up: Up) -> None:
    source = Source(up, "whole")
    source.send("good", "worst")
    assert [sorted(batch) for batch in source.batches(2)] == [["good", "worst"]] * 2
    assert sorted(each["Body"] for each in received(source.sqs, source.dead, 2)) == ["good", "worst"]


def test_a_window_gathers_messages(up: Up) -> None:
    source = Source(up, "window", BatchSize=100, MaximumBatchingWindowInSeconds=1)
    for number in range(4):
        source.send(str(number))
        time.sleep(0.05)
    assert [sorted(batch) for batch in source.batches(1)] == [["0", "1", "2", "3"]]


def test_filters_let_some_through_and_the_rest_is_deleted(up: Up) -> None:
    patterns = [{"body": {"kind": ["order"], "sum": [{"numeric": [">", 10]}]}}, {"body": ["plain"]}]
    criteria = {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]}
    source = Source(up, "filtered", FilterCriteria=criteria)
    bodies = [
        '{"kind": "order", "sum": 11}',
        '{"kind": "order", "sum": 9}',
        '{"kind": "x"}',
        "plain",
        "other",
    ]
    source.send(*bodies)
    until(lambda: source.left() == 0)
    assert sorted(flat(source.batches(1))) == sorted([bodies[0], "plain"])


def test_a_fifo_queue_keeps_its_order(up: Up) -> None:
    source = Source(up, "ordered", fifo=True, BatchSize=2)
    source.send(*map(str, range(6)), MessageGroupId="g")
    assert flat(source.batches(3)) == [str(number) for number in range(6)]


def test_a_mapping_is_stopped_and_goes_on(up: Up) -> None:
    source = Source(up, "stopped")
    source.lambda_.update_event_source_mapping(UUID=source.mapping, Enabled=False)
    source.send("later")
    time.sleep(0.4)
    assert source.left() == 1
    source.lambda_.update_event_source_mapping(UUID=source.mapping, Enabled=True)
    assert source.batches(1) == [["later"]]
    source.lambda_.delete_event_source_mapping(UUID=source.mapping)
    with pytest.raises(source.lambda_.exceptions.ResourceNotFoundException):
        source.lambda_.get_event_source_mapping(UUID=source.mapping)
    source.send("never")
    time.sleep(0.4)
    assert source.left() == 1


def test_a_topic_and_a_bucket_invoke_functions(up: Up) -> None:
    sqs, sns, s3 = up.service("sqs"), up.service("sns"), up.service("s3")
    seen = sqs.create_queue(QueueName="triggered")["QueueUrl"]
    arn = up.make("triggered", RELAY, Environment={"Variables": {"SEEN": seen}}, Timeout=20)
    topic = sns.create_topic(Name="trigger")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    [record] = json.loads(received(sqs, seen)[0]["Body"])
    assert record["Sns"]["Message"] == "hello"
    s3.create_bucket(Bucket="trigger")
    s3.put_bucket_notification_configuration(
        Bucket="trigger",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    s3.put_object(Bucket="trigger", Key="a.txt", Body=b"x")
    records = [json.loads(each["Body"])[0] for each in received(sqs, seen, 1)]
    assert "a.txt" in [record["s3"]["object"]["key"] for record in records]
