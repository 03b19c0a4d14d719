"""What AWS's services count of themselves, counted where the local cloud does the thing.

See the AWS Lambda guide, "Types of metrics for Lambda functions"; the Step Functions guide, "Monitoring Step Functions metrics using
Amazon CloudWatch"; the SQS guide, "Available CloudWatch metrics for Amazon SQS".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from ....handlers.arns import parse_arn
from ....handlers.logs import logger
from ....handlers.store import Commit
from .metrics import Dimensions, Metrics

LAMBDA, STATES, SQS = "AWS/Lambda", "AWS/States", "AWS/SQS"
_STARTED = 10_000
"""Executions that are remembered from their start on; others are asked for when they have ended."""
_ENDS = {
    "ExecutionSucceeded": "ExecutionsSucceeded",
    "ExecutionFailed": "ExecutionsFailed",
    "ExecutionTimedOut": "ExecutionsTimedOut",
    "ExecutionAborted": "ExecutionsAborted",
}


class LambdaMetrics:
    """Invocations, Errors, Throttles and Duration: by function, by what was asked for (`Resource`), for an alias by the
    version that ran too, and of all functions together."""

    def __init__(self, metrics: Metrics, clock: Callable[[], int]):
        self._metrics = metrics
        self._clock = clock

    def invoked(
        self,
        place: tuple[str, str],
        function: str,
        qualifier: str | None,
        version: str,
        *,
        failed: bool,
        seconds: float,
    ) -> None:
        """`qualifier` and `version` are what was asked for, and what ran."""
        at = self._clock()
        for dimensions in _of_function(function, qualifier, version):
            self._metrics.count(place, LAMBDA, "Invocations", dimensions, 1, at)
            self._metrics.count(place, LAMBDA, "Errors", dimensions, float(failed), at)
            self._metrics.count(place, LAMBDA, "Throttles", dimensions, 0, at)
            self._metrics.count(place, LAMBDA, "Duration", dimensions, seconds * 1000, at, "Milliseconds")

    def throttled(self, place: tuple[str, str], function: str, qualifier: str | None) -> None:
        """An invocation that was refused is none."""
        at = self._clock()
        for dimensions in _of_function(function, qualifier, None):
            self._metrics.count(place, LAMBDA, "Throttles", dimensions, 1, at)


def _of_function(function: str, qualifier: str | None, version: str | None) -> list[Dimensions]:
    name = ("FunctionName", function)
    resource = ("Resource", f"{function}:{qualifier}" if qualifier else function)
    found: list[Dimensions] = [(), (name,), (name, resource)]
    if version is not None and qualifier and not (qualifier[0].isdigit() or qualifier[0] == "$"):
        found.append((name, resource, ("ExecutedVersion", version)))
    return found


class StatesMetrics:
    """Executions that have begun and ended, by state machine, and by the version and the alias that they began with.

    `describe` answers what DescribeExecution does.
    """

    def __init__(self, metrics: Metrics, describe: Callable[[str], dict[str, Any]]):
        self._metrics = metrics
        self._describe = describe
        self._begun: dict[str, tuple[int, str | None, str | None]] = {}
        self._unknown: list[tuple[str, str, int]] = []

    def committed(self, execution: str, commit: Commit) -> None:
        """The cloud's observer: called at every commit, so most of them are to cost nothing."""
        events = commit.events
        if not events:
            return
        if events[0]["type"] == "ExecutionStarted":
            self._start(execution, commit)
        if (name := _ENDS.get(events[-1]["type"])) is not None:
            known = self._begun.pop(execution, None)
            if known is not None:
                self._end(execution, name, commit.at, *known)
            elif len(self._unknown) < _STARTED:
                self._unknown.append((execution, name, commit.at))

    def flush(self) -> None:
        """Counts those that had begun before this process did."""
        unknown, self._unknown = self._unknown, []
        for execution, name, at in unknown:
            try:
                found = self._describe(execution)
            except Exception as error:
                logger.warning("an end is not counted", execution=execution, reason=str(error))
                continue
            begun = round(found["startDate"] * 1000)
            version, alias = found.get("stateMachineVersionArn"), found.get("stateMachineAliasArn")
            self._end(execution, name, at, begun, version, alias)

    def reset(self) -> None:
        self._begun.clear()
        self._unknown.clear()

    def _start(self, execution: str, commit: Commit) -> None:
        message = next((each for each in commit.messages if each.get("type") == "start"), {})
        begun = (commit.at, message.get("version"), message.get("alias"))
        if len(self._begun) < _STARTED:
            self._begun[execution] = begun
        self._count(execution, "ExecutionsStarted", begun[1:], 1, commit.at)

    def _end(
        self, execution: str, name: str, at: int, begun: int, version: str | None, alias: str | None
    ) -> None:
        self._count(execution, name, (version, alias), 1, at)
        self._count(execution, "ExecutionTime", (version, alias), at - begun, at, "Milliseconds")

    def _count(
        self, execution: str, name: str, by: tuple[Any, ...], value: float, at: int, unit: str = "Count"
    ) -> None:
        arn = parse_arn(execution)
        if arn is None:
            return
        machine = (
            "StateMachineArn",
            f"arn:{arn.partition}:states:{arn.region}:{arn.account}:stateMachine:{arn.rest.partition(':')[0]}",
        )
        every: list[Dimensions] = [(machine,)]
        for dimension, qualified in zip(("Version", "Alias"), by, strict=True):
            if qualified:
                every.append((machine, (dimension, qualified.rpartition(":")[2])))
        for dimensions in every:
            self._metrics.count((arn.account, arn.region), STATES, name, dimensions, value, at, unit)


def sample_queues(metrics: Metrics, at: int, *, virtual: bool) -> None:
    """What waits in the queues now. Under a virtual clock a message is as old as it has been seen here: moto's queues know
    the system's time alone."""
    for place, name, queue in _queues():
        messages = list(queue._messages)
        visible = sum(message.visible and not message.delayed for message in messages)
        oldest = min((_since(message, at, virtual) for message in messages), default=at)
        dimensions = (("QueueName", name),)
        age = max(0, at - oldest) // 1000
        metrics.count(place, SQS, "ApproximateNumberOfMessagesVisible", dimensions, visible, at)
        metrics.count(place, SQS, "ApproximateAgeOfOldestMessage", dimensions, age, at, "Seconds")


def messages_wait() -> bool:
    """Whether anything is in any queue."""
    return any(queue._messages for _, _, queue in _queues())


def _queues() -> Iterator[tuple[tuple[str, str], str, Any]]:
    """Every queue of moto's, with its account and region, and its name."""
    if "moto.sqs.models" not in sys.modules:
        return
    from moto.backends import get_backend

    for account, regions in list(dict.items(get_backend("sqs"))):
        for region, backend in list(dict.items(regions)):
            for name, queue in list(backend.queues.items()):
                yield (account, region), name, queue


def _since(message: Any, at: int, virtual: bool) -> int:
    if not virtual:
        return int(message.sent_timestamp or at)
    if not hasattr(message, "first_seen"):
        message.first_seen = at
    return message.first_seen
