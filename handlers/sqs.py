"""The outbox on AWS: two SQS queues, and EventBridge Scheduler for what is due far ahead.

The queues are standard queues, and not FIFO. What keeps order here is the log: one conditional put of the next `seq` makes a
message count, once, and whatever is late, doubled or out of order is let pass. FIFO would add nothing to that. It would cost a
quarter more, let one poisoned message hold up all that follows in its group, and know no delay of a single message.

Messages carry their tenant as `MessageGroupId`, which makes the queues fair: SQS hands out those of quiet tenants first while
one has a backlog (SQS developer guide, "Amazon SQS fair queues").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .runtime import LEASE, Body, system_clock

MAX_DELAY_SECONDS = 900
"""The longest that SQS delays a message."""
_EARLY = 60
"""Seconds that a schedule runs ahead of what is due: Scheduler keeps to the minute, and SQS delays the rest to the second."""
_BATCH_ENTRIES = 10
_BATCH_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Where schedules are made: `group`, and the `role` that they send to the `queue` (an ARN) as. What is due after more
    than `after` seconds is scheduled; the rest are delayed messages."""

    group: str
    role: str
    queue: str
    after: int = MAX_DELAY_SECONDS
    client: Any = None


class SqsOutbox:
    """Without a `scheduler`, what is due later than SQS can delay is woken by the sweeper."""

    def __init__(
        self, advance_queue: str, task_queue: str, client: Any = None, scheduler: Scheduler | None = None
    ):
        if client is None:
            import boto3

            client = boto3.client("sqs")
        self._client = client
        self._advance_queue = advance_queue
        self._task_queue = task_queue
        self._scheduler = scheduler

    def advance(self, bodies: Sequence[Body]) -> None:
        self._send(self._advance_queue, [(body["tenant"], json.dumps(body)) for body in bodies])

    def perform(self, bodies: Sequence[Body]) -> None:
        now = system_clock()
        texts = [(body["tenant"], json.dumps({**body, "handed_out": now})) for body in bodies]
        self._send(self._task_queue, texts)

    def perform_later(self, body: Body, at: int) -> None:
        """Until the task's lease has run out: then the sweeper hands it out anew, and two would look at it in turns."""
        now = system_clock()
        if at < body.get("handed_out", now) + LEASE:
            seconds = min(MAX_DELAY_SECONDS, max(0, -(-(at - now) // 1000)))
            self._client.send_message(
                QueueUrl=self._task_queue, MessageBody=json.dumps(body), DelaySeconds=seconds,
                MessageGroupId=body["tenant"],
            )  # fmt: skip

    def wake(self, tenant: str, execution: str, at: int) -> None:
        seconds = -(-(at - system_clock()) // 1000)
        text = json.dumps({"tenant": tenant, "execution": execution, "message": {"type": "tick"}})
        if self._scheduler is not None and seconds > self._scheduler.after:
            self._schedule(self._scheduler, tenant, f"{tenant}/{execution}/{at}", at, text)
        elif seconds <= MAX_DELAY_SECONDS:
            self._client.send_message(
                QueueUrl=self._advance_queue,
                MessageBody=text,
                DelaySeconds=max(0, seconds),
                MessageGroupId=tenant,
            )

    def _schedule(self, scheduler: Scheduler, tenant: str, what: str, at: int, text: str) -> None:
        """Once for each execution and time: asking for the same again changes nothing.

        It calls SendMessage as Scheduler's universal target does, since the target that is a queue has a group for FIFO queues
        alone; and SQS holds each message without a group for a quiet tenant's, which would let a tenant's far wake-ups pass all
        others (SQS developer guide, "How Amazon SQS fair queues work"; Scheduler user guide, "Using universal targets").
        """
        partition = scheduler.queue.split(":")[1]
        message = {"QueueUrl": self._advance_queue, "MessageBody": text, "MessageGroupId": tenant}
        client = scheduler.client
        if client is None:
            import boto3

            client = boto3.client("scheduler")
        early = _EARLY if scheduler.after >= _EARLY else 0
        time = datetime.fromtimestamp(at // 1000 - early, UTC)
        try:
            client.create_schedule(
                Name=hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest(),
                GroupName=scheduler.group,
                ScheduleExpression=f"at({time:%Y-%m-%dT%H:%M:%S})",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": f"arn:{partition}:scheduler:::aws-sdk:sqs:sendMessage",
                    "RoleArn": scheduler.role,
                    "Input": json.dumps(message),
                },
            )
        except client.exceptions.ConflictException:
            return

    def _send(self, queue: str, texts: list[tuple[str, str]]) -> None:
        for batch in _batches(texts):
            entries = [
                {"Id": str(index), "MessageBody": text, "MessageGroupId": tenant}
                for index, (tenant, text) in enumerate(batch)
            ]
            answer = self._client.send_message_batch(QueueUrl=queue, Entries=entries)
            if failed := answer.get("Failed"):
                raise RuntimeError(
                    f"SQS took {len(entries) - len(failed)} of {len(entries)} messages: {failed[0]}"
                )


def _batches(texts: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """As few batches as SQS's limits on entries and bytes allow."""
    batch: list[tuple[str, str]] = []
    size = 0
    for tenant, text in texts:
        length = len(text.encode())
        if batch and (len(batch) == _BATCH_ENTRIES or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((tenant, text))
        size += length
    if batch:
        yield batch
