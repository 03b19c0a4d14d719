"""Executions' events in CloudWatch Logs, where their state machine's `loggingConfiguration` asks for it.

See the AWS guide, "Using CloudWatch Logs to log execution history in Step Functions", and "Log levels for Step Functions
execution events". Logging never holds up an execution: what CloudWatch does not take is left out, and said in the
handlers' own log.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .logs import logger
from .runtime import system_clock

if TYPE_CHECKING:
    from .runtime import Runtime

VALIDATION_STREAM = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"
_FATAL = {"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"}
_ERROR = _FATAL | {
    "ActivityFailed", "ActivityScheduleFailed", "ActivityTimedOut", "EvaluationFailed", "FailStateEntered",
    "LambdaFunctionFailed", "LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed", "LambdaFunctionTimedOut",
    "MapIterationAborted", "MapIterationFailed", "MapRunAborted", "MapRunFailed", "MapStateAborted", "MapStateFailed",
    "ParallelStateAborted", "ParallelStateFailed", "TaskFailed", "TaskStartFailed", "TaskStateAborted", "TaskSubmitFailed",
    "TaskTimedOut", "WaitStateAborted",
}  # fmt: skip
_LEVELS: dict[str, set[str] | None] = {"FATAL": _FATAL, "ERROR": _ERROR, "ALL": None}
_DATA = ("input", "inputDetails", "output", "outputDetails", "parameters")
_MOST = 1000
"""Events in one request."""
_LARGEST = 900_000
"""Characters in one request."""
_NEAR = 3_600_000
"""Milliseconds from now within which CloudWatch is told an event's own time: it refuses what is old, or yet to come."""


def log_group(configuration: Mapping[str, Any]) -> str | None:
    """The name of the log group that a `loggingConfiguration` names, or None."""
    for destination in configuration.get("destinations") or []:
        arn = (destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", "")
        return arn.partition(":log-group:")[2].partition(":")[0] or None
    return None


def destination_exists(runtime: Runtime, group: str) -> bool:
    """Whether the log group takes logs; asks as Step Functions does, by making a stream in it."""
    from botocore.exceptions import ClientError

    try:
        runtime.client("logs").create_log_stream(logGroupName=group, logStreamName=VALIDATION_STREAM)
    except ClientError as error:
        return error.response["Error"]["Code"] == "ResourceAlreadyExistsException"
    return True


def write(runtime: Runtime, snapshot: Mapping[str, Any], events: Sequence[dict[str, Any]]) -> None:
    """Sends the events of an execution that its level asks for."""
    configuration = snapshot["logging"]
    group = log_group(configuration)
    wanted = _LEVELS.get(configuration["level"], set())
    entries = [
        {
            "timestamp": _taken(event["timestamp"]),
            "message": json.dumps(_entry(snapshot, event, configuration)),
        }
        for event in events
        if wanted is None or event["type"] in wanted
    ]
    if not entries or group is None:
        return
    machine = snapshot["state_machine"]["name"]
    try:
        for batch in _batches(entries):
            _put(runtime, group, machine, batch)
    except Exception as error:
        logger.warning("not logged", log_group=group, state_machine=machine, reason=f"{error}")


def _batches(entries: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == _MOST or size + len(entry["message"]) > _LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry["message"])
    yield batch


def _taken(at: int) -> int:
    """The time that CloudWatch is told: now, where the events' clock is far from its own."""
    now = system_clock()
    return at if abs(now - at) < _NEAR else now


def _put(runtime: Runtime, group: str, machine: str, entries: list[dict[str, Any]]) -> None:
    client = runtime.client("logs")
    missing = client.exceptions.ResourceNotFoundException
    key = (runtime.account, runtime.region, group, machine)
    stream = runtime.log_streams.get(key)
    if stream is not None:
        try:
            client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=entries)
            return
        except missing:
            pass
    minute = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M")
    stream = f"states/{machine.replace(':', '-')}/{minute}/{uuid.uuid4().hex[:8]}"
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=entries)
    runtime.log_streams[key] = stream


def _entry(
    snapshot: Mapping[str, Any], event: Mapping[str, Any], configuration: Mapping[str, Any]
) -> dict[str, Any]:
    details = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    if not configuration.get("includeExecutionData"):
        details = {key: value for key, value in details.items() if key not in _DATA}
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "redrive_count": str(snapshot.get("redrives", 0)),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(event["timestamp"]),
        "execution_arn": snapshot["execution"]["id"],
    }
