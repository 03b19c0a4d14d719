"""The advance handler: messages for executions, from their SQS queue, in batches.

Messages for one execution that arrive together are decided together, in one commit. A message that could not
be committed is reported as a failed item of its batch and is delivered again; the others are not.

What Lambda says of functions that nobody waited for comes from a queue of its own (`STRATUM_RESULT_QUEUE`, its ARN), as
those who may write there may write nothing else.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.parser import BaseModel, parse

from .executions import AGAIN
from .loading import ExecutionNotFound
from .logs import logger
from .runtime import Runtime, invoked

FORGET = "forget"
"""The message that an execution's time is over: see `retention`."""


class AdvanceBody(BaseModel):
    """The body of one message: something that happened to an execution (see `engine.messages`); `state` says where, for the
    log alone."""

    tenant: str
    execution: str
    message: dict[str, Any]
    state: str | None = None

    def about(self) -> dict[str, Any]:
        """What lines of the log are found by."""
        state = {} if self.state is None else {"state": self.state}
        return {
            "tenant": self.tenant,
            "execution": self.execution,
            **state,
            "received": self.message.get("type"),
        }


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes an SQS event and answers `{"batchItemFailures": [...]}`."""
    bodies: dict[str, AdvanceBody | Exception] = {}
    forgetting: list[AdvanceBody] = []
    groups: defaultdict[str, defaultdict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for record in event["Records"]:
        try:
            body = bodies[record["messageId"]] = parse(_body(runtime, record), model=AdvanceBody)
        except (ValueError, LookupError, TypeError) as error:  # no JSON, or not what a message is
            bodies[record["messageId"]] = error
            continue
        if body.message.get("type") == FORGET:
            forgetting.append(body)
        else:
            again = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)) > 1
            groups[body.tenant][body.execution].append(
                {**body.message, AGAIN: True} if again else body.message
            )
    failures: dict[tuple[str, str], Exception] = {
        (tenant, execution): error
        for tenant, messages in groups.items()
        for execution, error in runtime.executions(tenant).advance(messages).items()
    }

    for body in forgetting:
        if (body.tenant, body.execution) in failures:
            continue
        try:
            _forget(runtime, body)
        except Exception as error:  # one execution's trouble must not hold up the rest of its batch
            failures[body.tenant, body.execution] = error

    def answer(record: Any) -> None:
        body = bodies[record.message_id]
        if isinstance(body, Exception):
            logger.error("a message that is none", message_id=record.message_id, reason=str(body))
            raise body
        failure = failures.get((body.tenant, body.execution))
        if runtime.retention is not None and _is_late(body, failure):
            logger.info("woke nobody", tenant=body.tenant, execution=body.execution)
            return
        if failure is not None:
            logger.warning("not advanced", **body.about(), reason=f"{type(failure).__name__}: {failure}")
            raise failure
        logger.info("advanced", **body.about())

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=answer, processor=processor, context=context)  # pyright: ignore[reportReturnType]


def _is_late(body: AdvanceBody, failure: Exception | None) -> bool:
    """Whether it is the tick of an execution that was forgotten before its time came: one that was stopped, say."""
    return isinstance(failure, ExecutionNotFound) and body.message.get("type") == "tick"


def _forget(runtime: Runtime, body: AdvanceBody) -> None:
    from . import retention

    retention.handle(runtime, body.model_dump())


def _body(runtime: Runtime, record: dict[str, Any]) -> Any:
    """Raises `ValueError`, `LookupError` and `TypeError` for what is no message."""
    body = json.loads(record["body"])
    queue = os.environ.get("STRATUM_RESULT_QUEUE")
    if queue is None or record.get("eventSourceARN") != queue:
        return body
    from .integrations.later import answer

    return answer(runtime, body)
