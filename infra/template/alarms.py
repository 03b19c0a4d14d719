"""Alarms and the dashboard. What an alarm means and what to do then stands in its description.

Those that `watching` names stop a release: see `release`, and `Alarms.of_release`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..plan import Deployment
from . import queues
from .functions import ALIAS, own_name
from .parts import Parts, Value, att, ref, sub

NAMESPACE = "Stratum"
OVERDUE, FAILED, ENDED = "OverdueSeconds", "ExecutionsFailed", "ExecutionsEnded"
_MINUTE = 60
RELEASE = "ReleaseAlarm"


@dataclass(frozen=True, slots=True)
class Queue:
    """What is watched of a queue: of its own messages how old they get, and that nothing comes to the dead letters."""

    name: str
    queue: str | None
    dead: str


class Alarms:
    """Collects what is watched."""

    def __init__(self, parts: Parts, deployment: Deployment):
        self._parts = parts
        self._deployment = deployment
        self.watching: list[str] = []
        """Logical names of the alarms that stop a release."""

    def dead_letters(self, name: str, dead: str) -> None:
        self._add(
            f"{name}DeadLettersAlarm",
            f"Messages of {name.lower()} were refused {queues.RECEIVES} times. Read why in the function's log, mend it, then bring them back: "
            f"stratum redrive-dlq --stage {self._deployment.settings.stage}",
            _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=att(dead, "QueueName")),
            threshold=0, releases=True,
        )  # fmt: skip

    def age(self, name: str, queue: str, seconds: int) -> None:
        self._add(
            f"{name}AgeAlarm",
            f"Messages of {name.lower()} wait for more than {seconds} s: the function is throttled, too slow, or fails.",
            _metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=att(queue, "QueueName")),
            threshold=seconds, periods=3,
        )  # fmt: skip

    def function(self, name: str) -> None:
        function = own_name(self._deployment, name)
        by_alias = {"FunctionName": function, "Resource": f"{function}:{ALIAS}"}
        self._add(
            f"{name}ErrorsAlarm",
            f"{name} fails: its log group /aws/lambda/{function} says why. Nothing is lost, messages come again.",
            _metric("AWS/Lambda", "Errors", "Sum", **by_alias), threshold=0, periods=2, releases=True,
        )  # fmt: skip
        self._add(
            f"{name}ThrottlesAlarm",
            f"{name} is throttled: the account's or the function's concurrency is used up. What waits is in its queue.",
            _metric("AWS/Lambda", "Throttles", "Sum", FunctionName=function), threshold=0, periods=5,
        )  # fmt: skip

    def stuck(self, group: str, seconds: int) -> None:
        """By what the sweeper says of what it finds."""
        self._filter("OverdueMetric", group, '{ $.message = "swept" }', OVERDUE, "$.overdue_seconds")
        self._add(
            "StuckAlarm",
            f"An execution has been due for more than {seconds} s although it was woken every minute: stratum list --status "
            "RUNNING, and look for it in the log of the advance function.",
            self._own(OVERDUE, "Maximum"), threshold=seconds, periods=2,
        )  # fmt: skip

    def executions(self, group: str) -> None:
        """By what the handler that commits says of executions that end."""
        failed = '{ $.message = "ended" && $.status != "SUCCEEDED" && $.status != "ABORTED" }'
        self._filter("FailedMetric", group, failed, FAILED, "1")
        self._filter("EndedMetric", group, '{ $.message = "ended" }', ENDED, "1")

        self._add(
            "FailuresAlarm", "An execution has ended with an error, or out of time: stratum list --status FAILED, stratum show.",
            self._own(FAILED, "Sum"), threshold=0, releases=True,
        )  # fmt: skip

    def machine(self, name: str, machine: str) -> None:
        """A state machine of Step Functions' own."""
        for what in ("Failed", "TimedOut"):
            self._add(
                f"{name}{what}Alarm", f"An execution of {name} has ended badly: its history says why.",
                _metric("AWS/States", f"Executions{what}", "Sum", StateMachineArn=ref(machine)), threshold=0, releases=True,
            )  # fmt: skip
        self._add(
            f"{name}ThrottledAlarm", f"{name} is throttled: Step Functions' quotas are used up.",
            _metric("AWS/States", "ExecutionThrottled", "Sum", StateMachineArn=ref(machine)), threshold=0, periods=5,
        )  # fmt: skip

    def of_release(self) -> None:
        """One alarm that is off when any of those is that stop a release: CloudFormation watches five at the most."""
        rule = " OR ".join(f'ALARM("${{{name}}}")' for name in self.watching)
        stack = self._deployment.settings.stack
        self._parts.add(
            RELEASE,
            "AWS::CloudWatch::CompositeAlarm",
            {
                "AlarmDescription": "A release is taken back while this is off: one of its alarms says why.",
                "AlarmName": f"{stack}-Release",
                "AlarmRule": sub(rule) if rule else "FALSE",
            },
        )
        self._parts.output("ReleaseAlarmArn", att(RELEASE), "The alarm that takes a release back")
        self._parts.output(
            "ReleaseAlarms",
            {"Fn::Join": [",", [ref(name) for name in self.watching]]},
            "The alarms that it is made of",
        )

    def _own(self, name: str, statistic: str) -> dict[str, Any]:
        return _metric(NAMESPACE, f"{self._deployment.settings.stack}/{name}", statistic)

    def _filter(self, name: str, group: str, pattern: str, metric: str, value: str) -> None:
        transformation = {
            "MetricName": f"{self._deployment.settings.stack}/{metric}", "MetricNamespace": NAMESPACE, "MetricValue": value,
        }  # fmt: skip
        self._parts.add(
            name,
            "AWS::Logs::MetricFilter",
            {"FilterPattern": pattern, "LogGroupName": ref(group), "MetricTransformations": [transformation]},
        )

    def _add(
        self, name: str, description: str, metric: dict[str, Any], *, threshold: float, periods: int = 1, releases: bool = False
    ) -> None:  # fmt: skip
        topic = self._deployment.settings.alarm_topic
        self._parts.add(
            name,
            "AWS::CloudWatch::Alarm",
            {
                "AlarmActions": [topic] if topic is not None else None,
                "OKActions": [topic] if topic is not None else None,
                "AlarmDescription": description,
                "AlarmName": f"{self._deployment.settings.stack}-{name.removesuffix('Alarm')}",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": periods,
                "Threshold": threshold,
                "TreatMissingData": "notBreaching",
                **metric,
            },
        )
        if releases:
            self.watching.append(name)


def _metric(namespace: str, name: str, statistic: str, **dimensions: Value) -> dict[str, Any]:
    listed = [{"Name": key, "Value": value} for key, value in sorted(dimensions.items())]
    return {
        "Namespace": namespace, "MetricName": name, "Statistic": statistic, "Period": _MINUTE,
        **({"Dimensions": listed} if listed else {}),
    }  # fmt: skip


def dashboard(
    parts: Parts, deployment: Deployment, functions: Sequence[str], queues: Sequence[Queue]
) -> None:
    """One page: what runs, what waits, what fails."""
    stack = deployment.settings.stack
    names = [own_name(deployment, name) for name in functions]
    own = [[NAMESPACE, f"{stack}/{name}", {"stat": "Sum"}] for name in (ENDED, FAILED)]
    waiting = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${" + each.queue + ".QueueName}"]
        for each in queues
        if each.queue
    ]
    ages = [
        [
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            "QueueName",
            "${" + each.queue + ".QueueName}",
            {"stat": "Maximum"},
        ]
        for each in queues
        if each.queue
    ]
    dead = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${" + each.dead + ".QueueName}"]
        for each in queues
    ]
    widgets = [
        ("Executions that ended", own),
        ("Executions overdue, seconds", [[NAMESPACE, f"{stack}/{OVERDUE}", {"stat": "Maximum"}]]),
        ("Calls", [["AWS/Lambda", "Invocations", "FunctionName", name, {"stat": "Sum"}] for name in names]),
        ("Errors", [["AWS/Lambda", "Errors", "FunctionName", name, {"stat": "Sum"}] for name in names]),
        ("Throttles", [["AWS/Lambda", "Throttles", "FunctionName", name, {"stat": "Sum"}] for name in names]),
        (
            "Duration, p95",
            [["AWS/Lambda", "Duration", "FunctionName", name, {"stat": "p95"}] for name in names],
        ),
        ("Messages that wait", waiting),
        ("Oldest message, seconds", ages),
        ("Dead letters", dead),
        (
            "Table: units used",
            [
                ["AWS/DynamoDB", f"Consumed{kind}CapacityUnits", "TableName", "${Table}", {"stat": "Sum"}]
                for kind in ("Read", "Write")
            ],
        ),
    ]
    made = [
        {
            "type": "metric", "width": 12, "height": 6, "x": 12 * (index % 2), "y": 6 * (index // 2),
            "properties": {"title": title, "metrics": metrics, "region": "${AWS::Region}", "period": 60, "view": "timeSeries"},
        }
        for index, (title, metrics) in enumerate((title, metrics) for title, metrics in widgets if metrics)
    ]  # fmt: skip
    body = json.dumps({"widgets": made})
    parts.add("Dashboard", "AWS::CloudWatch::Dashboard", {"DashboardName": stack, "DashboardBody": sub(body)})
