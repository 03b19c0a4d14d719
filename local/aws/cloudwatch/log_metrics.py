"""What is counted out of logs: metrics embedded in events, and what metric filters match.

See the CloudWatch guide, "Specification: Embedded metric format", and the CloudWatch Logs guide, "Creating metrics from log events
using filters".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ....handlers.logs import logger
from .log_patterns import UnreadPattern, compile_pattern, select
from .metrics import Dimensions, Metrics

_EMBEDDED = '"_aws"'


class LogMetrics:
    """Counts what comes into log groups. `when` says for the time of an event at which time it is counted."""

    def __init__(self, metrics: Metrics, when: Callable[[int], int]):
        self._metrics = metrics
        self._when = when
        self._told: set[str] = set()

    def came(self, backend: Any, group: str, events: Sequence[dict[str, Any]]) -> None:
        """`backend` is moto's model of CloudWatch Logs; an event has `timestamp`, in milliseconds, and `message`."""
        # moto keeps a filter that was put twice twice: the last one counts.
        filters = {
            each["filterName"]: each
            for each in backend.filters.metric_filters
            if each["logGroupName"] == group
        }
        place = (backend.account_id, backend.region_name)
        read = [(event, _json(event["message"])) for event in events]
        for event, value in read:
            if value is not None and _EMBEDDED in event["message"]:
                self._embedded(place, value)
        for each in filters.values():
            self._filtered(place, each, read)

    def _embedded(self, place: tuple[str, str], value: dict[str, Any]) -> None:
        about = value.get("_aws")
        if not isinstance(about, dict):
            return
        at = self._when(int(about.get("Timestamp") or 0))
        for directive in about.get("CloudWatchMetrics") or []:
            for dimensions in _dimensions(directive, value):
                for metric in directive.get("Metrics") or []:
                    given = value.get(metric["Name"])
                    for number in given if isinstance(given, list) else [given]:
                        if isinstance(number, int | float):
                            unit = metric.get("Unit") or "None"
                            name = metric["Name"]
                            self._metrics.count(
                                place, directive["Namespace"], name, dimensions, number, at, unit
                            )

    def _filtered(
        self, place: tuple[str, str], filter: dict[str, Any], read: Sequence[tuple[dict[str, Any], Any]]
    ) -> None:
        try:
            matches = compile_pattern(filter["filterPattern"] or "")
        except UnreadPattern as error:
            if filter["filterName"] not in self._told:
                self._told.add(filter["filterName"])
                logger.warning(
                    "a metric filter counts nothing here", filter=filter["filterName"], reason=str(error)
                )
            return
        matched = [(event, value) for event, value in read if matches(event["message"], value)]
        for transformation in filter["metricTransformations"]:
            namespace, name = transformation["metricNamespace"], transformation["metricName"]
            unit = transformation.get("unit") or "None"
            for event, value in matched:
                number = _number(transformation["metricValue"], value)
                dimensions = _chosen(transformation.get("dimensions") or {}, value)
                if number is not None and dimensions is not None:
                    at = self._when(event["timestamp"])
                    self._metrics.count(place, namespace, name, dimensions, number, at, unit)
            default = transformation.get("defaultValue")
            if read and not matched and default is not None:
                at = self._when(read[0][0]["timestamp"])
                self._metrics.count(place, namespace, name, (), float(default), at, unit)


def _json(message: str) -> dict[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _dimensions(directive: dict[str, Any], value: dict[str, Any]) -> Iterator[Dimensions]:
    """The sets of dimensions that have all their values."""
    for names in directive.get("Dimensions") or [[]]:
        if all(name in value for name in names):
            yield tuple((name, str(value[name])) for name in names)


def _chosen(wanted: dict[str, str], value: Any) -> Dimensions | None:
    """The dimensions that a filter takes out of an event; None where one of them is not in it."""
    found = {name: select(value, path) for name, path in wanted.items()}
    if any(each is None for each in found.values()):
        return None
    return tuple((name, str(each)) for name, each in found.items())


def _number(given: str, value: Any) -> float | None:
    found = select(value, given) if given.startswith("$") else given
    try:
        return None if found is None or isinstance(found, bool) else float(found)
    except (ValueError, TypeError):
        return None
