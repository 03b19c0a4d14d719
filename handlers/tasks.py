"""The tasks handler: commands from their SQS queue, each carried out and its result sent as a message.

A command is carried out at least once: it may be delivered again, also after its result was committed. A task's
idempotency key, in the invocation's client context, is the same every time, and the engine counts the first
result and no other.
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.parser import BaseModel, parse

from ..statelang.engine import messages
from . import integrations
from .arns import parse_arn
from .logs import logger
from .mocks import Response
from .runtime import Body, Runtime, invoked

_FIRST_LOOK = 250
"""Milliseconds until a job is looked at for the first time."""


class TaskCommand(BaseModel):
    """What `decide` asks to have performed; `arguments` is JSON text, `key` the idempotency key; `tenant` is
    filled in by `integrations.perform`."""

    frame: str
    task: int
    resource: str
    arguments: str
    state: str
    key: str
    timeout: int | None = None
    role: str | None = None
    attempt: int = 1
    mock: dict[str, Any] | None = None
    job: str | None = None
    """The handle of what the task has started, once it has."""
    looks: int = 0
    """How often somebody has looked how that goes."""
    handed_out: int | None = None
    tenant: str = "default"


class TaskBody(BaseModel):
    """The body of one message: a command of `decide` (see `engine.Decision`)."""

    tenant: str
    execution: str
    command: dict[str, Any]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes an SQS event and answers `{"batchItemFailures": [...]}`."""
    results: list[Body] = []
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

    def answer(record: Any) -> None:
        try:
            results.extend(perform(runtime, parse(json.loads(record.body), model=TaskBody)))
        except Exception as error:
            # Nothing is known of the task, so it says nothing of it: the command is delivered again.
            logger.warning(
                "not performed", message_id=record.message_id, reason=f"{type(error).__name__}: {error}"
            )
            raise

    answered = process_partial_response(
        event=event, record_handler=answer, processor=processor, context=context
    )
    if results:
        runtime.outbox.advance(results)
    return answered  # pyright: ignore[reportReturnType]


def perform(runtime: Runtime, body: TaskBody) -> list[Body]:
    """Carries out one command; answers the bodies of the messages that say what came of it."""
    tenant, execution, command = body.tenant, body.execution, body.command
    arn = parse_arn(execution)
    if arn is not None and (arn.account, arn.region) != (runtime.account, runtime.region):
        runtime = runtime.at(arn.account, arn.region)
    kind = command["type"]
    if kind == "perform":
        message = perform_task(runtime, tenant, execution, TaskCommand(**command))
        found = [] if message is None else [message]
    elif kind == "start_child":
        from .children import start_child

        return start_child(runtime, tenant, execution, command)
    elif kind == "stop_children":
        from .children import stop_children

        return stop_children(runtime, tenant, command["map_run"])
    elif kind == "cancel":
        return cancel_job(runtime, tenant, execution, command)
    else:
        found = [map_io(runtime, tenant, execution, command)]
    about: Body = {"tenant": tenant, "execution": execution}
    if "state" in command:
        about["state"] = command["state"]
    return [{**about, "message": message} for message in found]


def perform_task(
    runtime: Runtime, tenant: str, execution: str, command: TaskCommand
) -> dict[str, Any] | None:
    """Performs a task; answers the message that says what came of it, or None where somebody else will."""
    if runtime.mocks is not None and (response := runtime.mocks.answer(execution, command)) is not None:
        return _mocked(runtime, tenant, execution, command, response)
    try:
        output = integrations.perform(runtime, tenant, execution, command)
        message = messages.task_succeeded(command.frame, command.task, output)
    except integrations.TaskSubmitted as submitted:
        if submitted.output is None:
            return None
        message = messages.task_submitted(command.frame, command.task, submitted.output, submitted.job)
        if submitted.job is not None:
            _look_later(
                runtime, tenant, execution, command.model_copy(update={"job": submitted.job}), _FIRST_LOOK
            )
    except integrations.JobRunning as running:
        after = command.model_copy(update={"looks": command.looks + 1})
        _look_later(runtime, tenant, execution, after, running.milliseconds)
        return None
    except integrations.TaskTimedOut:
        message = messages.task_timed_out(command.frame, command.task)
    except integrations.TaskFailed as failed:
        message = messages.task_failed(command.frame, command.task, failed.error, failed.cause)
    logger.info(
        "performed", tenant=tenant, execution=execution, state=command.state, key=command.key,
        result=message["type"],
    )  # fmt: skip
    return message


def _look_later(
    runtime: Runtime, tenant: str, execution: str, command: TaskCommand, milliseconds: int
) -> None:
    """The job that the task has started is looked at again."""
    again = {"type": "perform", **command.model_dump(exclude_none=True)}
    body = {"tenant": tenant, "execution": execution, "command": again}
    runtime.outbox.perform_later(body, runtime.clock() + milliseconds)


def cancel_job(runtime: Runtime, tenant: str, execution: str, command: dict[str, Any]) -> list[Body]:
    """Ends a job that nobody waits for any more, as well as that may be: it may have ended by itself."""
    try:
        return integrations.cancel(
            runtime, tenant, command["resource"], command["job"], command["state"], command.get("role")
        )
    except integrations.TaskFailed as failed:
        logger.warning(
            "job not ended", tenant=tenant, execution=execution, resource=command["resource"], job=command["job"],
            reason=str(failed.cause),
        )  # fmt: skip
        return []


def _mocked(
    runtime: Runtime, tenant: str, execution: str, command: TaskCommand, response: Response
) -> dict[str, Any] | None:
    """The message for a mocked task; what comes before it in the history is told here."""
    before = None
    if command.resource.endswith((".sync", ".sync:2", integrations.TOKEN)):
        before = messages.task_submitted(command.frame, command.task, response.submitted or "{}")
    elif ":activity:" in command.resource:
        before = messages.activity_started(command.frame, command.task, None)
    if before is not None:
        runtime.outbox.advance([{"tenant": tenant, "execution": execution, "message": before}])
    if response.pending:
        return None
    if response.output is not None:
        return messages.task_succeeded(command.frame, command.task, response.output)
    return messages.task_failed(command.frame, command.task, response.error, response.cause)


def map_io(runtime: Runtime, tenant: str, execution: str, command: dict[str, Any]) -> dict[str, Any]:
    """Reads a distributed map's items, or writes its results."""
    from . import items

    frame, task = command["frame"], command["task"]
    arguments, config = json.loads(command["arguments"]), json.loads(command["config"])
    if command["type"] == "read_items":
        try:
            found = items.read_items(runtime, command["resource"], arguments, config)
        except items.ItemReaderFailed as failed:
            return messages.items_failed(frame, task, str(failed))
        # A table may have times and other values that are no JSON.
        text = json.dumps(found, separators=(",", ":"), ensure_ascii=False, default=str)
        return messages.items_read(frame, task, text)
    try:
        results = items.child_results(runtime, tenant, command["map_run"])
        output = items.write_results(
            runtime, command["resource"], arguments, config, command["map_run"], results
        )
    except items.ResultWriterFailed as failed:
        return messages.results_failed(frame, task, str(failed))
    return messages.results_written(
        frame, task, json.dumps(output, separators=(",", ":"), ensure_ascii=False)
    )
