"""Who is told that an alarm has changed: the topics among its actions, and EventBridge.

See the CloudWatch guide, "Acting on alarm changes" and "Alarm events and EventBridge".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ....handlers.logs import logger
from ..clients import Clients

DETAIL_TYPE = "CloudWatch Alarm State Change"


@dataclass(frozen=True, slots=True)
class State:
    value: str
    reason: str
    data: str | None
    at: datetime

    @staticmethod
    def of(alarm: Any) -> State:
        return State(
            alarm.state_value, alarm.state_reason, alarm.state_reason_data, alarm.state_updated_timestamp
        )

    def event(self) -> dict[str, Any]:
        about = {"value": self.value, "reason": self.reason, "timestamp": _stamp(self.at)}
        return about | ({"reasonData": self.data} if self.data else {})


class Actions:
    """Tells of changes. Who cannot be reached is said in the log, as CloudWatch's callers never learn of it. `events` says
    whether anybody listens to EventBridge."""

    def __init__(self, clients: Clients, events: Callable[[], bool]):
        self._clients = clients
        self._events = events

    def changed(self, alarm: Any, place: tuple[str, str], before: State) -> list[tuple[str, str | None]]:
        """Tells those that the alarm's new state is for; answers the actions that were taken, with why one failed."""
        after = State.of(alarm)
        if self._events():
            try:
                self._put(alarm, place, before, after)
            except Exception as error:
                logger.warning("alarm not told", alarm=alarm.name, reason=str(error))
        if not alarm.actions_enabled:
            return []
        by_state = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}
        taken: list[tuple[str, str | None]] = []
        for action in by_state.get(after.value, alarm.insufficient_data_actions) or []:
            try:
                if ":sns:" not in action:
                    raise ValueError("only topics are reached here")
                self._publish(action, alarm, place, before, after)
                taken.append((action, None))
            except Exception as error:
                logger.warning("alarm action not taken", alarm=alarm.name, action=action, reason=str(error))
                taken.append((action, str(error)))
        return taken

    def _put(self, alarm: Any, place: tuple[str, str], before: State, after: State) -> None:
        detail = {
            "alarmName": alarm.name,
            "state": after.event(),
            "previousState": before.event(),
            "configuration": _configuration(alarm),
        }
        entry = {
            "Source": "aws.cloudwatch",
            "DetailType": DETAIL_TYPE,
            "Resources": [alarm.alarm_arn],
            "Detail": json.dumps(detail),
            "Time": after.at,
        }
        self._clients("events", *place).put_events(Entries=[entry])

    def _publish(self, topic: str, alarm: Any, place: tuple[str, str], before: State, after: State) -> None:
        account, region = place
        message: dict[str, Any] = {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": account,
            "AlarmConfigurationUpdatedTimestamp": _stamp(alarm.configuration_updated_timestamp),
            "NewStateValue": after.value,
            "NewStateReason": after.reason,
            "StateChangeTime": _stamp(after.at),
            "Region": region,
            "AlarmArn": alarm.alarm_arn,
            "OldStateValue": before.value,
            "OKActions": alarm.ok_actions or [],
            "AlarmActions": alarm.alarm_actions or [],
            "InsufficientDataActions": alarm.insufficient_data_actions or [],
        }
        message |= {"AlarmRule": alarm.rule} if alarm.rule is not None else {"Trigger": _trigger(alarm)}
        subject = f'{after.value}: "{alarm.name}" in {region}'[:100]
        self._clients("sns", *place).publish(TopicArn=topic, Subject=subject, Message=json.dumps(message))


def _configuration(alarm: Any) -> dict[str, Any]:
    about = {"description": alarm.description} if alarm.description else {}
    if alarm.rule is not None:
        return {**about, "alarmRule": alarm.rule}
    if alarm.metric_name:
        dimensions = {each.name: each.value for each in alarm.dimensions}
        metric = {"namespace": alarm.namespace, "name": alarm.metric_name, "dimensions": dimensions}
        stat = {"metric": metric, "period": alarm.period, "stat": alarm.statistic or alarm.extended_statistic}
        return {**about, "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}]}
    return {**about, "metrics": [{"id": each.id} for each in alarm.metric_data_queries]}


def _trigger(alarm: Any) -> dict[str, Any]:
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": str(alarm.statistic or "").upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": each.value, "name": each.name} for each in alarm.dimensions],
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
    }


def _stamp(at: datetime) -> str:
    return f"{at.isoformat(timespec='milliseconds')}+0000"
