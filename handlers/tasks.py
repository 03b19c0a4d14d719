"""The tasks handler: commands from their SQS queue, each performed and its result sent as a message.

A task is performed at least once: its command may be delivered again, also after its result was committed.
The idempotency key in the invocation's client context is the same every time, and the engine counts the first
result and no other.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.parser import BaseModel, parse

from ..statelang.engine import messages
from . import integrations
from .logs import logger
from .runtime import Body, Runtime, deployed

_processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


class TaskCommand(BaseModel):
    """What `decide` asks to have performed; `arguments` is JSON text, `key` the idempotency key."""

    frame: str
    task: int
    resource: str
    arguments: str
    state: str
    key: str
    timeout: int | None = None
    attempt: int = 1


class TaskBody(BaseModel):
    tenant: str
    execution: str
    command: TaskCommand


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return handle(deployed(), event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes an SQS event and answers `{"batchItemFailures": [...]}`."""
    results: list[Body] = []

    def answer(record: Any) -> None:
        try:
            results.append(perform(runtime, parse(record.body, model=TaskBody)))
        except Exception as error:
            # Nothing is known of the task, so it says nothing of it: the command is delivered again.
            logger.warning(
                "not performed", message_id=record.message_id, reason=f"{type(error).__name__}: {error}"
            )
            raise

    answered = process_partial_response(
        event=event, record_handler=answer, processor=_processor, context=context
    )
    if results:
        runtime.outbox.advance(results)
    return answered  # pyright: ignore[reportReturnType]


def perform(runtime: Runtime, body: TaskBody) -> Body:
    """Performs one task; answers the body of the message that says what came of it."""
    command = body.command
    try:
        output = integrations.perform(runtime, body.execution, command)
        message = messages.task_succeeded(command.frame, command.task, output)
    except integrations.TaskTimedOut:
        message = messages.task_timed_out(command.frame, command.task)
    except integrations.TaskFailed as failed:
        message = messages.task_failed(command.frame, command.task, failed.error, failed.cause)
    logger.info(
        "performed", tenant=body.tenant, execution=body.execution, state=command.state, key=command.key,
        result=message["type"],
    )  # fmt: skip
    return {"tenant": body.tenant, "execution": body.execution, "message": message}
