"""What moto's model of CloudWatch lacks: alarms made of others, the history of alarms, and metrics by their exact dimensions.

moto answers for a metric with all that have its dimensions among theirs, so that a function's invocations would be counted once
more for each of its aliases. Importing its classes takes a while: `complete` is called when CloudWatch is first asked for.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .rules import InvalidRule, holds, named
from .statistics import by_period

if TYPE_CHECKING:
    from .service import CloudWatch


def complete(cloudwatch: CloudWatch) -> None:
    """Has `cloudwatch` told of alarms and logs; of the last one that asks, as moto's state is one for the process."""
    from moto.cloudwatch import models, responses

    backend: Any = models.CloudWatchBackend
    if not hasattr(backend, "stratum"):
        _complete_alarms(backend)
        _complete_metrics(backend, models)
        _complete_responses(responses)
    backend.stratum = cloudwatch


def complete_logs(came: Callable[[Any, str, list[dict[str, Any]]], None]) -> None:
    """Has `came` told of what comes into log groups."""
    from moto.logs.models import LogsBackend

    backend: Any = LogsBackend
    put = getattr(backend.put_log_events, "__wrapped__", backend.put_log_events)

    @functools.wraps(put)
    def put_log_events(self: Any, group: str, stream: str, events: list[dict[str, Any]]) -> Any:
        answer = put(self, group, stream, events)
        came(self, group, events)
        return answer

    backend.put_log_events = put_log_events


def _complete_alarms(backend: Any) -> None:
    put, set_state = backend.put_metric_alarm, backend.set_alarm_state

    def put_metric_alarm(self: Any, name: str, *given: Any, **more: Any) -> Any:
        """A new alarm knows nothing yet; one that is changed keeps its state."""
        before = self.alarms.get(name)
        made = put(self, name, *given, **more)
        self.stratum.alarm_put(made, before)
        return made

    def set_alarm_state(self: Any, alarm_name: str, *given: Any, **more: Any) -> None:
        with self.stratum.by_hand(self, alarm_name):
            set_state(self, alarm_name, *given, **more)

    backend.put_metric_alarm, backend.set_alarm_state = put_metric_alarm, set_alarm_state


def _complete_metrics(backend: Any, models: Any) -> None:
    put, get_data = backend.put_metric_data, backend.get_metric_data

    def put_metric_data(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        now = self.stratum.now()
        put(self, namespace, [{**each, "Timestamp": each.get("Timestamp") or now} for each in metric_data])

    def found(self: Any, namespace: str, name: str, dimensions: Any, unit: str | None) -> list[Any]:
        wanted = {(each["Name"], each["Value"]) for each in dimensions or []}
        return [
            datum
            for datum in self.get_all_metrics()
            if datum.name == name
            and datum.namespace == namespace
            and {(each.name, each.value) for each in datum.dimensions} == wanted
            and unit in (None, datum.unit)
        ]

    def statistics(at: datetime, data: list[Any], wanted: list[str]) -> Any:
        made = models.Statistics(wanted, at, data[0].unit)
        made.metric_data = data
        return made

    def get_metric_statistics(
        self: Any,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Any]:
        if start_time >= end_time:
            raise models.InvalidParameterValue(
                "The parameter StartTime must be less than the parameter EndTime."
            )
        data = found(self, namespace, metric_name, dimensions, unit)
        return [
            statistics(at, each, stats or []) for at, each in by_period(data, start_time, end_time, period)
        ]

    def get_metric_data(
        self: Any, queries: Any, start_time: datetime, end_time: datetime, scan_by: str = "TimestampAscending"
    ) -> Any:
        """moto's own for expressions, which it looks up in a list of results."""
        plain = {query["Id"] for query in queries if "MetricStat" in query}
        answers = get_data(self, queries, start_time, end_time, scan_by)
        for query in queries:
            if query["Id"] not in plain:
                continue
            stat = query["MetricStat"]
            metric = stat["Metric"]
            data = found(
                self, metric["Namespace"], metric["MetricName"], metric.get("Dimensions"), stat.get("Unit")
            )
            values = [
                (at, statistics(at, each, [stat["Stat"]]).get_statistics_for_type(stat["Stat"]))
                for at, each in by_period(data, start_time, end_time, int(stat["Period"]))
            ]
            if scan_by == "TimestampDescending":
                values.reverse()
            for answer in answers:
                if answer["id"] == query["Id"]:
                    answer["timestamps"] = [at for at, _ in values]
                    answer["values"] = [value for _, value in values]
        return answers

    def get_filtered_metrics(self: Any, metric_name: str, namespace: str, dimensions: Any) -> list[Any]:
        """Each metric once: moto compares each with all the others, and knows those without dimensions never again."""
        every = {
            (datum.namespace, datum.name, tuple((each.name, each.value) for each in datum.dimensions)): datum
            for datum in self.get_all_metrics()
            if datum.filter(namespace=namespace, name=metric_name, dimensions=dimensions)
        }
        return list(every.values())

    backend.get_filtered_metrics = get_filtered_metrics
    backend.put_metric_data, backend.get_metric_data = put_metric_data, get_metric_data
    backend.get_metric_statistics = get_metric_statistics


def _complete_responses(responses: Any) -> None:
    response: Any = responses.CloudWatchResponse

    def put_composite_alarm(self: Any) -> Any:
        rule = self._get_param("AlarmRule")
        try:
            holds(rule, lambda name: None)
            unknown = [name for name in named(rule) if name not in self.cloudwatch_backend.alarms]
        except InvalidRule as error:
            raise responses.ValidationError(f"AlarmRule is invalid: {error}") from None
        if unknown:
            raise responses.ValidationError(f"AlarmRule names alarms that do not exist: {', '.join(unknown)}")
        return self.put_metric_alarm()

    def describe_alarm_history(self: Any) -> Any:
        """The newest first, as is asked for where nothing is."""
        name, kind = self._get_param("AlarmName"), self._get_param("HistoryItemType")
        start, end = self._get_param("StartDate"), self._get_param("EndDate")
        found = [
            item
            for alarm in self.cloudwatch_backend.alarms.values()
            if name in (None, alarm.name)
            for item in getattr(alarm, "items", ())
            if kind in (None, item["HistoryItemType"])
            and (start is None or item["Timestamp"] >= start)
            and (end is None or item["Timestamp"] <= end)
        ]
        newest_last = self._get_param("ScanBy") == "TimestampAscending"
        found.sort(key=lambda item: item["Timestamp"])
        if not newest_last:
            found.reverse()
        most = int(self._get_param("MaxRecords") or 100)
        return responses.ActionResult({"AlarmHistoryItems": found[:most]})

    response.put_composite_alarm = put_composite_alarm
    response.describe_alarm_history = describe_alarm_history


def note(alarm: Any, kind: str, at: datetime, summary: str, data: dict[str, Any]) -> None:
    """Puts an item into the alarm's history; the last hundred are kept."""
    item = {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm" if alarm.rule is None else "CompositeAlarm",
        "Timestamp": at,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps(data),
    }
    alarm.items = [*getattr(alarm, "items", [])[-99:], item]
