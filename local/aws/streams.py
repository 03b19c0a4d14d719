"""Streams of DynamoDB whose records invoke functions: event source mappings of Lambda.

moto keeps the mappings, and would invoke the function within PutItem itself, with every record and no filter. See the AWS Lambda
guide, "Using AWS Lambda with Amazon DynamoDB".
"""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from datetime import datetime
from typing import Any

from ...handlers.functions import Invocation
from ...handlers.logs import logger
from .invocations import Invocations

_PAUSE = 0.2
_ATTEMPTS = 3
"""How often a batch is handled that fails; AWS tries for as long as a record lives, unless it is told otherwise."""


class Streams:
    """One thread for each mapping, from its first record on: records are handled in order. `waits` is False where nothing waits."""

    def __init__(self, invocations: Invocations, *, waits: bool = True):
        self._invocations = invocations
        self._waits = waits
        self._lines: dict[str, queue.SimpleQueue[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def install(self) -> None:
        """Has moto's tables hand their records over."""
        from moto.dynamodb.models import table

        model: Any = table.StreamShard
        own = getattr(model.add, "__wrapped__", model.add)

        def add(shard: Any, old: Any, new: Any) -> None:
            mappings = shard.table.lambda_event_source_mappings
            shard.table.lambda_event_source_mappings = {}
            try:
                own(shard, old, new)
            finally:
                shard.table.lambda_event_source_mappings = mappings
            if mappings:
                self._take(shard, list(mappings.values()))

        add.__wrapped__ = own  # pyright: ignore[reportFunctionMemberAccess]
        model.add = add

    def close(self) -> None:
        self._closed = True

    def reset(self) -> None:
        with self._lock:
            self._lines.clear()

    def _take(self, shard: Any, mappings: list[Any]) -> None:
        record = shard.items[-1].to_json()
        about = dict(record["dynamodb"])
        if isinstance(about.get("ApproximateCreationDateTime"), datetime):
            about["ApproximateCreationDateTime"] = about["ApproximateCreationDateTime"].timestamp()
        event = {
            **{key: record[key] for key in ("eventID", "eventName", "eventVersion", "eventSource")},
            "awsRegion": shard.table.region_name, "dynamodb": about,
        }  # fmt: skip
        for mapping in mappings:
            if mapping.enabled and _is_wanted(event, mapping.filter_criteria):
                self._line(mapping).put({**event, "eventSourceARN": mapping.event_source_arn})

    def _line(self, mapping: Any) -> queue.SimpleQueue[dict[str, Any]]:
        with self._lock:
            line = self._lines.get(mapping.uuid)
            if line is None:
                line = self._lines[mapping.uuid] = queue.SimpleQueue()
                threading.Thread(
                    target=self._run, args=(mapping, line), name="stratum-stream", daemon=True
                ).start()
            return line

    def _run(self, mapping: Any, line: queue.SimpleQueue[dict[str, Any]]) -> None:
        while not self._closed and self._lines.get(mapping.uuid) is line:
            try:
                records = [line.get(timeout=_PAUSE)]
            except queue.Empty:
                continue
            if self._waits and mapping.max_batch_window:
                time.sleep(float(mapping.max_batch_window))
            while len(records) < mapping.batch_size and not line.empty():
                records.append(line.get())
            self._handle(mapping, records)

    def _handle(self, mapping: Any, records: list[dict[str, Any]]) -> None:
        for _ in range(_ATTEMPTS):
            function = mapping.function_name if ":" in mapping.function_name else mapping.function_arn
            invocation = Invocation(
                function, json.dumps({"Records": records}), str(uuid.uuid4()), account=mapping.account_id, region=mapping.region
            )  # fmt: skip
            try:
                result = self._invocations.invoke(invocation)
            except Exception as error:
                if not self._closed:
                    logger.warning("batch not handled", source=mapping.event_source_arn, reason=str(error))
                continue
            if result.function_error is None:
                records = _from_failed(records, json.loads(result.payload), mapping)
            if not records:
                return
        if not self._closed:
            logger.warning("records given up", source=mapping.event_source_arn, count=len(records))


def _from_failed(records: list[dict[str, Any]], answer: Any, mapping: Any) -> list[dict[str, Any]]:
    """The records from the first on that failed."""
    if "ReportBatchItemFailures" not in (mapping.function_response_types or ()) or not isinstance(
        answer, dict
    ):
        return []
    failed = {str(each.get("itemIdentifier")) for each in answer.get("batchItemFailures") or []}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    places = [index for index, number in enumerate(numbers) if number in failed]
    return records[places[0] :] if places else []


def _is_wanted(event: dict[str, Any], criteria: dict[str, Any] | None) -> bool:
    patterns = [each.get("Pattern") for each in (criteria or {}).get("Filters") or []]
    if not any(patterns):
        return True
    from moto.events.models import EventPattern

    seen: Any = event
    return any(EventPattern(None, json.loads(each)).matches_event(seen) for each in patterns if each)
