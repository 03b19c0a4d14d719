"""Queues, each with its queue for what was refused too often, kept for two weeks."""

from __future__ import annotations

from ..plan import Deployment
from .parts import Parts, att, ref

RECEIVES = 5
"""How often a message is delivered before it counts as dead."""
_FOURTEEN_DAYS = 1_209_600
DEAD = "DeadLetters"
_GOES = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
"""What is in a queue follows from the table, and is handed out from there again."""


def add(parts: Parts, deployment: Deployment, name: str, visibility: int) -> str:
    """A queue and its dead-letter queue; `visibility` in seconds. Answers the queue's logical name."""
    key = deployment.settings.kms_key
    encryption = {"SqsManagedSseEnabled": True} if key is None else {"KmsMasterKeyId": key}
    queue, dead = f"{name}Queue", f"{name}{DEAD}"
    parts.add(dead, "AWS::SQS::Queue", {"MessageRetentionPeriod": _FOURTEEN_DAYS, **encryption}, **_GOES)
    parts.add(
        queue,
        "AWS::SQS::Queue",
        {
            "MessageRetentionPeriod": _FOURTEEN_DAYS,
            "RedrivePolicy": {"deadLetterTargetArn": att(dead), "maxReceiveCount": RECEIVES},
            "VisibilityTimeout": visibility,
            **encryption,
        },
        **_GOES,
    )
    parts.output(f"{name}QueueUrl", ref(queue), f"The queue of {name.lower()}")
    parts.output(
        f"{name}{DEAD}Url", ref(dead), f"What the handler of the queue of {name.lower()} has refused"
    )
    return queue


def own_dead_letters(parts: Parts, deployment: Deployment, name: str) -> str:
    """A queue for what some other source could not have handled."""
    key = deployment.settings.kms_key
    encryption = {"SqsManagedSseEnabled": True} if key is None else {"KmsMasterKeyId": key}
    dead = parts.add(
        f"{name}{DEAD}", "AWS::SQS::Queue", {"MessageRetentionPeriod": _FOURTEEN_DAYS, **encryption}, **_GOES
    )
    parts.output(f"{name}{DEAD}Url", ref(dead), f"What could not be handled of {name.lower()}")
    return dead


def refuse_plain_http(parts: Parts) -> None:
    """Requests without TLS are refused by every queue."""
    names = [name for name, each in parts.resources.items() if each["Type"] == "AWS::SQS::Queue"]
    for name in names:
        statement = {
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": att(name),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }  # fmt: skip
        document = {"Version": "2012-10-17", "Statement": [statement]}
        parts.add(
            f"{name}Policy", "AWS::SQS::QueuePolicy", {"PolicyDocument": document, "Queues": [ref(name)]}
        )
