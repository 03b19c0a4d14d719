"""The outbox on AWS: two SQS queues."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from .runtime import LEASE, Body, system_clock

MAX_DELAY_SECONDS = 900
"""The longest that SQS delays a message; what is due later is woken by the sweeper."""
_BATCH_ENTRIES = 10
_BATCH_BYTES = 262_144


class SqsOutbox:
    def __init__(self, advance_queue: str, task_queue: str, client: Any = None):
        if client is None:
            import boto3

            client = boto3.client("sqs")
        self._client = client
        self._advance_queue = advance_queue
        self._task_queue = task_queue

    def advance(self, bodies: Sequence[Body]) -> None:
        self._send(self._advance_queue, [json.dumps(body) for body in bodies])

    def perform(self, bodies: Sequence[Body]) -> None:
        now = system_clock()
        self._send(self._task_queue, [json.dumps({**body, "handed_out": now}) for body in bodies])

    def perform_later(self, body: Body, at: int) -> None:
        """Until the task's lease has run out: then the sweeper hands it out anew, and two would look at it in turns."""
        now = system_clock()
        if at < body.get("handed_out", now) + LEASE:
            seconds = min(MAX_DELAY_SECONDS, max(0, -(-(at - now) // 1000)))
            self._client.send_message(
                QueueUrl=self._task_queue, MessageBody=json.dumps(body), DelaySeconds=seconds
            )

    def wake(self, tenant: str, execution: str, at: int) -> None:
        seconds = -(-(at - system_clock()) // 1000)
        if seconds <= MAX_DELAY_SECONDS:
            body = {"tenant": tenant, "execution": execution, "message": {"type": "tick"}}
            self._client.send_message(
                QueueUrl=self._advance_queue, MessageBody=json.dumps(body), DelaySeconds=max(0, seconds)
            )

    def _send(self, queue: str, texts: list[str]) -> None:
        for batch in _batches(texts):
            entries = [{"Id": str(index), "MessageBody": text} for index, text in enumerate(batch)]
            answer = self._client.send_message_batch(QueueUrl=queue, Entries=entries)
            if failed := answer.get("Failed"):
                raise RuntimeError(
                    f"SQS took {len(entries) - len(failed)} of {len(entries)} messages: {failed[0]}"
                )


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """As few batches as SQS's limits on entries and bytes allow."""
    batch: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if batch and (len(batch) == _BATCH_ENTRIES or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch
