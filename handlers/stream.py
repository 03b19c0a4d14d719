"""The stream handler: a second line behind the outbox, for what has no first.

A command that was lost between its commit and the queue goes out again when the message that led to the commit comes again,
or when its lease has run out. The first commit of an execution has neither: it comes from a request, and whoever answered
that may have ended before there was a head for the sweeper to find. So the table's stream brings first commits here, and
those without a head are gone on with. For all others it costs one read.
"""

from __future__ import annotations

from typing import Any

from .logs import logger
from .runtime import Runtime, invoked
from .store.table import place_of
from .work.journal import is_journal

_PATIENCE = 5000
"""Milliseconds that a start may take from its commit to its head."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes an event of DynamoDB Streams and answers `{"batchItemFailures": [...]}`: the record to go on from."""
    for record in event["Records"]:
        place = place_of(record["dynamodb"]["Keys"])
        if record["eventName"] != "INSERT" or place is None or place[2] != 0 or is_journal(place[1]):
            continue
        tenant, execution, _ = place
        try:
            if runtime.executions(tenant).store.head(execution) is not None:
                continue
            # Whoever began it may be about to write the head.
            runtime.sleep_until(int(record["dynamodb"]["ApproximateCreationDateTime"] * 1000) + _PATIENCE)
            if runtime.executions(tenant).settle_start(execution):
                logger.warning("a start that was not followed up", tenant=tenant, execution=execution)
        except Exception as error:
            logger.exception("not followed up", tenant=tenant, execution=execution, reason=str(error))
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
