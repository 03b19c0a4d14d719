"""What Step Functions tells EventBridge: that an execution of a Standard workflow has begun, or has ended.

See the AWS guide, "Automating Step Functions event delivery with EventBridge".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...handlers.arns import parse_arn
from ...handlers.logs import logger
from ...handlers.store import Commit
from .clients import Clients

DETAIL_TYPE = "Step Functions Execution Status Change"
MAX_DATA = 248 * 1024
"""Bytes of input and output together above which an event has neither."""

_STATUS = {
    "ExecutionStarted": "RUNNING",
    "ExecutionRedriven": "RUNNING",
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}
_FIELDS = (
    "executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "input", "output",
    "stateMachineVersionArn", "stateMachineAliasArn", "redriveCount", "redriveDate", "redriveStatus",
    "redriveStatusReason", "inputDetails", "outputDetails", "error", "cause",
)  # fmt: skip
_OF_THE_END = ("stopDate", "output", "outputDetails", "error", "cause")


class StatusChanges:
    """Puts the events, in their order and beside the handlers, which do not wait for it.

    `describe` answers what DescribeExecution does. Where nothing has asked for EventBridge (`wanted`), nothing is put.
    """

    def __init__(
        self, clients: Clients, describe: Callable[[str], dict[str, Any]], wanted: Callable[[], bool]
    ):
        self._clients = clients
        self._describe = describe
        self._wanted = wanted
        self._pool = ThreadPoolExecutor(1, "stratum-status")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def committed(self, execution: str, commit: Commit) -> None:
        """The cloud's observer."""
        if not self._wanted():
            return
        changes = [status for event in commit.events if (status := _STATUS.get(event["type"])) is not None]
        arn = parse_arn(execution)
        if changes and arn is not None and arn.kind == "execution":
            self._pool.submit(self._put, execution, arn.account, arn.region, changes)

    def _put(self, execution: str, account: str, region: str, changes: list[str]) -> None:
        try:
            described = self._describe(execution)
            entries = [
                {
                    "Source": "aws.states",
                    "DetailType": DETAIL_TYPE,
                    "Resources": [execution],
                    "Detail": json.dumps(_detail(described, status)),
                }
                for status in changes
            ]
            self._clients("events", account, region).put_events(Entries=entries)
        except Exception as error:
            logger.warning(
                "status change not told", execution=execution, reason=f"{type(error).__name__}: {error}"
            )


def _detail(described: dict[str, Any], status: str) -> dict[str, Any]:
    """As AWS has it: every field is there, and times are milliseconds. An execution that has ended since it began is
    told of as it was."""
    ended = {} if status != "RUNNING" else dict.fromkeys(_OF_THE_END)
    detail: dict[str, Any] = {name: described.get(name) for name in _FIELDS} | ended | {"status": status}
    for name in ("startDate", "stopDate", "redriveDate"):
        if detail[name] is not None:
            detail[name] = round(detail[name] * 1000)
    if len(f"{detail['input']}{detail['output'] or ''}".encode()) > MAX_DATA:
        for name in ("input", "output"):
            detail[name], detail[f"{name}Details"] = None, {"included": False}
    return detail
