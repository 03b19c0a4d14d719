"""What is known of an execution."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import errors

RUNNING = ("RUNNING", "PENDING_REDRIVE")


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution as it was when it was asked for. `input` and `output` are data; `workflow` is a name."""

    arn: str
    name: str
    workflow: str
    status: str
    started: datetime
    stopped: datetime | None = None
    input: Any = None
    output: Any = None
    error: str | None = None
    cause: str | None = None

    @property
    def running(self) -> bool:
        return self.status in RUNNING

    def result(self) -> Any:
        """The output. Raises `ExecutionFailed`, `ExecutionTimedOut` or `ExecutionAborted` where there is none."""
        if self.status == "SUCCEEDED":
            return self.output
        kinds = {"TIMED_OUT": errors.ExecutionTimedOut, "ABORTED": errors.ExecutionAborted}
        raise kinds.get(self.status, errors.ExecutionFailed)(self)


def described(answer: dict[str, Any], workflow: str) -> Execution:
    """Out of what DescribeExecution or an entry of ListExecutions says, and the name of its workflow."""
    return Execution(
        arn=answer["executionArn"],
        name=answer["name"],
        workflow=workflow,
        status=answer["status"],
        started=when(answer["startDate"]),
        stopped=when(answer["stopDate"]) if answer.get("stopDate") is not None else None,
        input=_data(answer.get("input")),
        output=_data(answer.get("output")),
        error=answer.get("error"),
        cause=answer.get("cause"),
    )


def when(value: Any) -> datetime:
    """A time of the API: seconds as the wire has them, or what boto3 has made of those."""
    return value.astimezone(UTC) if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def _data(text: str | None) -> Any:
    return None if text is None else json.loads(text)
