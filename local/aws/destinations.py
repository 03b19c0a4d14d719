"""Where asynchronous invocations go when they are over: destinations, and dead-letter queues and topics.

See the AWS Lambda guide, "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...handlers.functions import Invocation, InvocationResult

Clients = Callable[[str, str, str], Any]
"""Makes boto3's client of a service, for an account and a region."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an asynchronous invocation ended, after `count` attempts; `arn` is the function's, with its qualifier."""

    invocation: Invocation
    result: InvocationResult
    arn: str
    count: int

    @property
    def succeeded(self) -> bool:
        return self.result.function_error is None

    @property
    def place(self) -> tuple[str, str]:
        """Account and region of the function."""
        _, _, _, region, account, *_ = self.arn.split(":")
        return account, region

    def record(self) -> str:
        """What a destination is sent."""
        context = {"statusCode": 200, "executedVersion": self.result.executed_version}
        if self.result.function_error:
            context["functionError"] = self.result.function_error
        return json.dumps(
            {
                "version": "1.0",
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "requestContext": {
                    "requestId": self.invocation.request_id,
                    "functionArn": self.arn,
                    "condition": "Success" if self.succeeded else "RetriesExhausted",
                    "approximateInvokeCount": self.count,
                },
                "requestPayload": json.loads(self.invocation.payload),
                "responseContext": context,
                "responsePayload": json.loads(self.result.payload),
            }
        )


def send_record(
    clients: Clients, destination: str, outcome: Outcome, invoke_later: Callable[[Invocation], None]
) -> None:
    """Sends the record to a queue, a topic, an event bus, or with `invoke_later` to another function."""
    service, record = destination.split(":")[2], outcome.record()
    account, region = outcome.place
    if service == "lambda":
        invoke_later(Invocation(destination, record, str(uuid.uuid4()), account=account, region=region))
        return
    client = clients(service, account, region)
    if service == "sqs":
        client.send_message(QueueUrl=_queue_url(client, destination), MessageBody=record)
    elif service == "sns":
        client.publish(TopicArn=destination, Message=record)
    elif service == "events":
        how = "Success" if outcome.succeeded else "Failure"
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {how}",
            "Detail": record,
            "Resources": [outcome.arn],
            "EventBusName": destination,
        }
        client.put_events(Entries=[entry])
    elif service == "s3":
        day = datetime.now(UTC)
        name = f"aws/lambda/async/{outcome.arn.split(':')[6]}/{day:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
        client.put_object(Bucket=destination.split(":")[5], Key=name, Body=record.encode())
    else:
        raise ValueError(f"{service} is no service for destinations here")


def send_dead_letter(clients: Clients, target: str, outcome: Outcome) -> None:
    """Sends the event as it was, with the error in attributes."""
    message = str(json.loads(outcome.result.payload).get("errorMessage", ""))[:1024]
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": outcome.invocation.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message or "-"},
    }
    event = outcome.invocation.payload
    if target.split(":")[2] == "sns":
        client = clients("sns", *outcome.place)
        client.publish(TopicArn=target, Message=event, MessageAttributes=attributes)
    else:
        client = clients("sqs", *outcome.place)
        client.send_message(
            QueueUrl=_queue_url(client, target), MessageBody=event, MessageAttributes=attributes
        )


def _queue_url(client: Any, arn: str) -> str:
    account, name = arn.split(":")[4:6]
    return client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
