"""The values of a metric over periods. See the CloudWatch guide, "CloudWatch statistics definitions"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .metrics import milliseconds, moment

STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


def value_of(data: Iterable[Any], statistic: str) -> float | None:
    """The statistic of moto's data, or None where there are none."""
    total = count = 0.0
    least: float | None = None
    most: float | None = None
    for datum in data:
        single = getattr(datum, "value", None)
        low, high = (datum.min, datum.max) if single is None else (single, single)
        total += datum.sum if single is None else single
        count += datum.sample_count if single is None else 1
        least = low if least is None else min(least, low)
        most = high if most is None else max(most, high)
    if not count:
        return None
    answers = {
        "Sum": total,
        "Average": total / count,
        "Minimum": least,
        "Maximum": most,
        "SampleCount": count,
    }
    return answers[statistic]


def by_period(
    data: Iterable[Any], start: datetime, end: datetime, period: int
) -> list[tuple[datetime, list[Any]]]:
    """The data of `period` seconds each, from `start` on as CloudWatch rounds it: to the minute, or the shorter period."""
    step = period * 1000
    unit = min(step, 60_000)
    first, last = milliseconds(start) // unit * unit, milliseconds(end)
    found: dict[int, list[Any]] = {}
    for datum in data:
        at = milliseconds(datum.timestamp)
        if first <= at < last:
            found.setdefault((at - first) // step, []).append(datum)
    return [(moment(first + place * step), found[place]) for place in sorted(found)]
