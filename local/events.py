"""The events that AWS hands to a Lambda function, made of what the local cloud has in hand."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Sequence
from typing import Any

_numbers = itertools.count(1)


def sqs_event(queue: str, bodies: Sequence[dict[str, Any]], now: int) -> dict[str, Any]:
    """An SQS batch. See the AWS Lambda guide, "Using Lambda with Amazon SQS"."""
    return {
        "Records": [
            _record(queue, json.dumps(body), str(now), body.get("receives", 0) + 1) for body in bodies
        ]
    }


def _record(queue: str, body: str, now: str, receives: int) -> dict[str, Any]:
    number = f"{next(_numbers):012d}"
    return {
        "messageId": f"00000000-0000-4000-8000-{number}",
        "receiptHandle": number,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": now,
            "SenderId": "stratum",
            "ApproximateFirstReceiveTimestamp": now,
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        "awsRegion": "us-east-1",
    }


def function_url_event(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A POST to a function URL. See the AWS Lambda guide, "Invoking Lambda function URLs"."""
    body = json.dumps(parameters)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/x-amz-json-1.0",
            "content-length": str(len(body)),
            "x-amz-target": f"AWSStepFunctions.{operation}",
        },
        "requestContext": {
            "http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
        },
        "body": body,
        "isBase64Encoded": False,
    }


def page_event(method: str, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """What a function URL hands on of a browser's request (payload format 2.0)."""
    place, _, query = path.partition("?")
    return {
        "version": "2.0",
        "rawPath": place,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": place, "sourceIp": "127.0.0.1"}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def scheduled_event() -> dict[str, Any]:
    """What EventBridge's scheduler sends."""
    return {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}
