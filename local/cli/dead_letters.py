"""`stratum redrive-dlq`: messages that a stage's handlers have refused again and again, shown and handed out once more."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ...infra import stages
from .aws import clients, reported
from .problem import WrongRequest
from .tables import print_table

_LOOKS = 3
"""Empty answers after which a queue counts as read: SQS asks a part of its servers at a time."""
_HIDDEN = 120
"""Seconds for which what is shown here is shown to nobody else."""
_SHOWN = 70


@reported
def redrive(options: argparse.Namespace) -> int:
    made = clients(options)
    try:
        stage = stages.find(made, options.stage)
    except stages.NoSuchStage as problem:
        raise WrongRequest(str(problem)) from None
    queues = _queues(stage, options.queue)
    sqs = made("sqs")
    found = [(name, message) for name, (dead, _) in queues.items() for message in _read(sqs, dead)]
    if not found:
        print("no message was refused", file=sys.stderr)
        return 0
    print_table(("QUEUE", "SENT", "RECEIVED", "MESSAGE"), [_row(name, message) for name, message in found])
    again = not options.dry_run and (options.yes or _confirmed(len(found)))
    for name, message in found:
        dead, back = queues[name]
        if again and back is not None:
            # Sent before it is deleted: what is sent twice counts once.
            sqs.send_message(QueueUrl=back, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        else:
            sqs.change_message_visibility(
                QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
    if again:
        handed = sum(queues[name][1] is not None for name, _ in found)
        print(f"{handed} messages are handed out again", file=sys.stderr)
        if handed < len(found):
            print("those of the stream stay: the sweeper goes on with what they were about", file=sys.stderr)
    return 0


def _queues(stage: stages.Stage, only: str | None) -> dict[str, tuple[str, str | None]]:
    """Dead-letter queue and queue, by name; a stream has no queue to go back to."""
    ending = "DeadLettersUrl"
    found = {
        key.removesuffix(ending).lower(): (url, stage.outputs.get(f"{key.removesuffix(ending)}QueueUrl"))
        for key, url in stage.outputs.items()
        if key.endswith(ending)
    }
    if not found:
        raise WrongRequest(f"the stage {stage.name} is on {stage.target}, and has no queues")
    if only is None:
        return found
    if only not in found:
        raise WrongRequest(f"there is no queue '{only}': it is one of {', '.join(sorted(found))}")
    return {only: found[only]}


def _read(sqs: Any, url: str) -> list[dict[str, Any]]:
    messages: dict[str, dict[str, Any]] = {}
    empty = 0
    while empty < _LOOKS:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN, WaitTimeSeconds=0,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        ).get("Messages", [])  # fmt: skip
        empty = 0 if answer else empty + 1
        messages.update({message["MessageId"]: message for message in answer})
    return list(messages.values())


def _row(name: str, message: dict[str, Any]) -> tuple[str, str, str, str]:
    from .gates import time_of

    attributes = message.get("Attributes", {})
    sent = attributes.get("SentTimestamp")
    return (
        name,
        time_of(int(sent) if sent else None),
        attributes.get("ApproximateReceiveCount", ""),
        _about(message["Body"]),
    )


def _about(body: str) -> str:
    """What a message is about, in one line."""
    try:
        value = json.loads(body)
    except ValueError:
        return f"no JSON: {body!r}"[:_SHOWN]
    if not isinstance(value, dict) or "execution" not in value:
        return body[:_SHOWN]
    what = value.get("message", value.get("command", {}))
    state = f" of {what['state']}" if "state" in what else ""
    return f"{what.get('type')}{state}, {str(value['execution']).rpartition(':')[2]}"


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise WrongRequest("say --yes where nobody can be asked, or --dry-run to see them only")
    print(f"hand {count} out again? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
