"""Whether an alarm is off, by the values of its metric.

See the CloudWatch guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data". As there, more periods
are looked at than are wanted, so that data that come late or seldom are used before missing ones are made up. Other than on
AWS, where a period has to be over first, the one that runs counts as soon as it breaches and can only get worse (a sum that
is too high): nobody waits a minute for what is certain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .metrics import Series, moment
from .statistics import STATISTICS, value_of

FURTHER = 2
"""Periods that are looked at beyond those that an alarm evaluates: the guide's tables have 5 for 3."""

_BREACHES: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (lambda value, threshold: value > threshold, "greater than"),
    "GreaterThanOrEqualToThreshold": (
        lambda value, threshold: value >= threshold,
        "greater than or equal to",
    ),
    "LessThanThreshold": (lambda value, threshold: value < threshold, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, threshold: value <= threshold, "less than or equal to"),
}


@dataclass(frozen=True, slots=True)
class Watch:
    """What a metric alarm looks at; `period` in seconds."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int

    @property
    def grows(self) -> bool:
        """Whether a period's value never falls while it runs; a minimum never rises."""
        return self.statistic in ("Sum", "Maximum", "SampleCount")


@dataclass(frozen=True, slots=True)
class Verdict:
    state: str
    reason: str
    data: str


def watched(alarm: Any) -> Watch | None:
    """Of moto's alarm; None for one that nothing here evaluates: of percentiles, of expressions, of anomalies."""
    if alarm.comparison_operator not in _BREACHES:
        return None
    if alarm.metric_name:
        found = (alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.statistic, alarm.period)
    else:
        queries = [each for each in alarm.metric_data_queries if each.metric_stat is not None]
        if len(queries) != 1 or len(alarm.metric_data_queries) != 1:
            return None
        stat = queries[0].metric_stat
        found = (
            stat.metric.namespace,
            stat.metric.metric_name,
            stat.metric.dimensions,
            stat.stat,
            stat.period,
        )
    namespace, name, dimensions, statistic, period = found
    if statistic not in STATISTICS:
        return None
    return Watch(
        namespace, name, tuple((each.name, each.value) for each in dimensions), statistic, int(period)
    )


def verdict(alarm: Any, watch: Watch, series: Series | None, now: int) -> Verdict:
    """What the alarm's state is at `now`."""
    wanted = int(alarm.evaluation_periods)
    enough = int(alarm.datapoints_to_alarm or wanted)
    threshold = float(alarm.threshold)
    breaches, words = _BREACHES[alarm.comparison_operator]
    step = watch.period * 1000
    running = now // step

    def value(place: int) -> float | None:
        return (
            None
            if series is None
            else value_of(series.between(place * step, (place + 1) * step), watch.statistic)
        )

    places = list(range(running - wanted - FURTHER, running))
    values = [value(place) for place in places]
    latest = value(running)
    worse = watch.grows if "Greater" in alarm.comparison_operator else watch.statistic == "Minimum"
    if worse and latest is not None and breaches(latest, threshold):
        places, values = [*places[1:], running], [*values[1:], latest]

    breaching = [None if each is None else breaches(each, threshold) for each in values]
    state = judge(breaching, wanted, enough, alarm.treat_missing_data or "missing", alarm.state_value)
    known = [(place, each) for place, each in zip(places, values, strict=True) if each is not None][-wanted:]
    return Verdict(
        state,
        _reason(state, known, step, threshold, words, alarm, wanted),
        json.dumps(
            {
                "version": "1.0",
                "queryDate": _stamp(now),
                "startDate": _stamp(places[-1] * step),
                "statistic": watch.statistic,
                "period": watch.period,
                "recentDatapoints": [each for _, each in known],
                "threshold": threshold,
            }
        ),
    )


def judge(breaching: Sequence[bool | None], wanted: int, enough: int, missing: str, state: str) -> str:
    """The state by what is known of the periods, the oldest first (None: no data): `enough` of the `wanted` latest ones have
    to breach. Where fewer than `wanted` have data, `missing` says what the others are. Where they are to be `missing`, and all that
    is known breaches, it is an alarm once that has gone on for long enough."""
    known = [each for each in breaching if each is not None][-wanted:]
    over = sum(known)
    lacking = wanted - len(known)
    if over >= enough:
        return "ALARM"
    if not lacking or missing == "notBreaching":
        return "OK"
    if missing == "breaching":
        return "ALARM" if over + lacking >= enough else "OK"
    if not known:
        return state if missing == "ignore" else "INSUFFICIENT_DATA"
    if over < len(known):
        return "OK"
    if missing == "ignore":
        return state
    oldest = len(breaching) - next(place for place, each in enumerate(breaching) if each is not None)
    return "ALARM" if oldest >= enough else "INSUFFICIENT_DATA"


def _reason(
    state: str, known: Sequence[tuple[int, float]], step: int, threshold: float, words: str, alarm: Any, wanted: int
) -> str:  # fmt: skip
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {wanted} {_points(wanted)} {'was' if wanted == 1 else 'were'} unknown."
    if not known:
        treated = "Breaching" if state == "ALARM" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {wanted} {'period' if wanted == 1 else 'periods'} and {wanted} "
            f"missing {_points(wanted)} {'was' if wanted == 1 else 'were'} treated as [{treated}]."
        )
    told = ", ".join(
        f"{value} ({moment(place * step):%d/%m/%y %H:%M:%S})" for place, value in reversed(known)
    )
    negation = "" if state == "ALARM" else "not "
    verb = "was" if len(known) == 1 else "were"
    return f"Threshold Crossed: {len(known)} {_points(len(known))} [{told}] {verb} {negation}{words} the threshold ({threshold})."


def _points(count: int) -> str:
    return "datapoint" if count == 1 else "datapoints"


def _stamp(at: int) -> str:
    return f"{moment(at).isoformat(timespec='milliseconds')}+0000"
