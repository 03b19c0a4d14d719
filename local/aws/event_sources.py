"""Queues whose messages invoke functions: event source mappings of Lambda on SQS.

See the AWS Lambda guide, "Using Lambda with Amazon SQS". What other services bring (SNS, S3, streams) moto hands to
the function itself; see `function_model`.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...handlers.functions import Invocation, InvocationResult
from ...handlers.logs import logger
from .destinations import Clients
from .invocations import Invocations
from .moto_services import MotoServices

_PAUSE = 0.2
"""Seconds between two looks at the queues, where nothing was sent meanwhile."""
_CONCURRENCY = 10


class EventSources:
    """Looks at the queues on a thread of its own, from the first mapping on.

    With `waits` False, messages of a failed batch come again at once and not after their visibility timeout.
    """

    def __init__(self, moto: MotoServices, invocations: Invocations, clients: Clients, *, waits: bool = True):
        self._moto = moto
        self._invocations = invocations
        self._clients = clients
        self._waits = waits
        self._mappings: dict[str, Any] = {}
        self._busy: dict[str, int] = {}
        self._since: dict[str, float] = {}
        self._changed = threading.Condition()
        self._sent = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._pool = ThreadPoolExecutor(_CONCURRENCY, "stratum-source")

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def reset(self) -> None:
        with self._changed:
            self._mappings = {}

    def look(self) -> None:
        """Takes note of the mappings that there are; after a request that may have changed them."""
        from moto.backends import get_backend

        found: dict[str, Any] = {}
        for regions in list(dict.values(get_backend("lambda"))):
            for backend in list(dict.values(regions)):
                for mapping in list(backend._event_source_mappings.values()):
                    if ":sqs:" in mapping.event_source_arn:
                        found[mapping.uuid] = mapping
        if not found and not self._mappings:
            return
        for mapping in found.values():
            # moto would invoke the function within SendMessage, one message at a time.
            if (queue := self._queue(mapping)) is not None:
                queue.lambda_event_source_mappings.clear()
        with self._changed:
            self._mappings = found
            if self._thread is None and found:
                self._thread = threading.Thread(target=self._run, name="stratum-sources", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def sent(self) -> None:
        """Something may have come into a queue."""
        if self._thread is not None:
            with self._changed:
                self._sent = True
                self._changed.notify_all()

    # -- the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._sent or self._closed, timeout=_PAUSE if self._mappings else None
                )
                if self._closed:
                    return
                self._sent = False
                mappings = list(self._mappings.values())
            for mapping in mappings:
                try:
                    while self._take(mapping):
                        pass
                except Exception as error:
                    logger.warning("queue not read", source=mapping.event_source_arn, reason=str(error))

    def _take(self, mapping: Any) -> bool:
        """Has one batch handled; answers whether there may be more for somebody to take."""
        queue = self._queue(mapping)
        if queue is None or not mapping.enabled or self._busy.get(mapping.uuid, 0) >= _most(mapping):
            return False
        waiting = len(queue.messages)
        if not waiting or not self._is_due(mapping, waiting):
            return False
        messages = self._receive(mapping)
        if not messages:
            return False
        with self._changed:
            self._busy[mapping.uuid] = self._busy.get(mapping.uuid, 0) + 1
        self._pool.submit(self._handle, mapping, _url(mapping), messages)
        return True

    def _is_due(self, mapping: Any, waiting: int) -> bool:
        """Whether a batch is full, or its window has passed since there was the first message for it."""
        window = float(mapping.max_batch_window or 0) if self._waits else 0
        if not window or waiting >= mapping.batch_size:
            self._since.pop(mapping.uuid, None)
            return True
        since = self._since.setdefault(mapping.uuid, time.monotonic())
        if time.monotonic() - since < window:
            return False
        del self._since[mapping.uuid]
        return True

    def _receive(self, mapping: Any) -> list[dict[str, Any]]:
        client = self._client(mapping)
        found: list[dict[str, Any]] = []
        while len(found) < mapping.batch_size:
            more = client.receive_message(
                QueueUrl=_url(mapping),
                MaxNumberOfMessages=min(10, mapping.batch_size - len(found)),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                WaitTimeSeconds=0,
            ).get("Messages", [])
            found += more
            if not more:
                break
        return found

    def _handle(self, mapping: Any, url: str, messages: list[dict[str, Any]]) -> None:
        try:
            client = self._client(mapping)
            records = {message["MessageId"]: _record(mapping, message) for message in messages}
            wanted = [record for record in records.values() if is_wanted(record, mapping.filter_criteria)]
            failed = self._invoke(mapping, wanted) if wanted else set()
            for message in messages:
                handle = message["ReceiptHandle"]
                if message["MessageId"] not in failed:
                    client.delete_message(QueueUrl=url, ReceiptHandle=handle)
                elif not self._waits:
                    client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        except Exception as error:
            if not self._closed:
                logger.warning("batch not handled", source=mapping.event_source_arn, reason=str(error))
        finally:
            with self._changed:
                self._busy[mapping.uuid] -= 1
            self.sent()

    def _invoke(self, mapping: Any, records: list[dict[str, Any]]) -> set[str]:
        """Answers the ids of messages that are to come again."""
        # By an alias, where it is mapped to one: moto has looked up which version that led to then.
        function = mapping.function_name if ":" in mapping.function_name else mapping.function_arn
        invocation = Invocation(
            function,
            json.dumps({"Records": records}),
            str(uuid.uuid4()),
            account=mapping.account_id,
            region=mapping.region,
        )
        result = self._invocations.invoke(invocation)
        return _failed(result, mapping, {record["messageId"] for record in records})

    def _client(self, mapping: Any) -> Any:
        return self._clients("sqs", mapping.account_id, mapping.region)

    def _queue(self, mapping: Any) -> Any:
        _, _, _, region, account, name = mapping.event_source_arn.split(":")[:6]
        return self._moto.backend("sqs", account, region).queues.get(name)


def _url(mapping: Any) -> str:
    """moto finds the queue by account and name, whatever the host."""
    _, _, _, _, account, name = mapping.event_source_arn.split(":")[:6]
    return f"http://127.0.0.1/{account}/{name}"


def _most(mapping: Any) -> int:
    """How many batches are handled at a time; those of a FIFO queue one after the other."""
    if mapping.event_source_arn.endswith(".fifo"):
        return 1
    return min(_CONCURRENCY, int((mapping.scaling_config or {}).get("MaximumConcurrency") or _CONCURRENCY))


def _failed(result: InvocationResult, mapping: Any, every: set[str]) -> set[str]:
    if result.function_error:
        return every
    if "ReportBatchItemFailures" not in (mapping.function_response_types or ()):
        return set()
    answer = json.loads(result.payload)
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    named = {str(each.get("itemIdentifier")) for each in failures or [] if isinstance(each, dict)}
    # A name that no message has means that the function's answer is not to be trusted: all come again.
    return named if named <= every else every


def is_wanted(record: dict[str, Any], criteria: dict[str, Any] | None) -> bool:
    """Whether any of the filters lets a queue's message through; where there are none, all do.

    A body that is JSON is looked into; one that is not meets patterns of text alone.
    """
    filters = [each.get("Pattern") for each in (criteria or {}).get("Filters") or []]
    if not any(filters):
        return True
    from moto.events.models import EventPattern

    try:
        body = json.loads(record["body"])
    except (ValueError, RecursionError):
        body = record["body"]
    seen: Any = {**record, "body": body}
    return any(EventPattern(None, json.loads(each)).matches_event(seen) for each in filters if each)


def _record(mapping: Any, message: dict[str, Any]) -> dict[str, Any]:
    attributes = {}
    for name, value in message.get("MessageAttributes", {}).items():
        attributes[name] = {
            **{key[0].lower() + key[1:]: _plain(part) for key, part in value.items()},
            "stringListValues": [],
            "binaryListValues": [],
        }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": attributes,
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.event_source_arn,
        "awsRegion": mapping.region,
    }


def _plain(value: Any) -> Any:
    import base64

    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
