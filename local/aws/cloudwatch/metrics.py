"""What was counted, by metric and minute.

Counting puts numbers into a dictionary. They go into moto's CloudWatch, where the API finds them beside what others put
there, once somebody asks for CloudWatch or an alarm is there to be looked at. See the CloudWatch guide, "Metrics concepts".
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ..moto_services import MotoServices

MINUTE = 60_000
Dimensions = tuple[tuple[str, str], ...]
_WAITING = 20_000
"""Numbers (one for each metric and minute) that are kept at the most while nobody asks for CloudWatch."""
_KEPT = 20_000
_HOURS = 3 * 3_600_000
"""How many of them moto holds, and for how long where they are more."""

_Key = tuple[str, str, str, str, Dimensions, str, int]
"""Account, region, namespace, name, dimensions, unit, minute."""


class Series:
    """One metric's data by minute; `revision` is another after every change."""

    def __init__(self) -> None:
        self.data: dict[int, list[Any]] = {}
        self.revision = 0

    def between(self, start: int, end: int) -> Iterator[Any]:
        """moto's data from `start` to before `end`, in milliseconds."""
        first, last = start // MINUTE, -(-end // MINUTE)
        minutes: Iterable[int] = range(first, last) if last - first < len(self.data) else sorted(self.data)
        for minute in minutes:
            if first <= minute < last:
                for datum in self.data.get(minute, ()):
                    if start <= milliseconds(datum.timestamp) < end:
                        yield datum


class Metrics:
    """Counts, and finds what was counted."""

    def __init__(self, moto: MotoServices):
        self._moto = moto
        self._waiting: dict[_Key, list[float]] = {}
        self._taking = threading.Lock()
        self._merging = threading.RLock()
        self._open: dict[_Key, Any] = {}
        self._found: dict[tuple[str, str], tuple[list[Any], int, dict[Any, Series]]] = {}

    def count(
        self,
        place: tuple[str, str],
        namespace: str,
        name: str,
        dimensions: Dimensions,
        value: float,
        at: int,
        unit: str = "Count",
    ) -> None:
        """`place` is account and region, `at` in milliseconds since the epoch."""
        key = (*place, namespace, name, dimensions, unit, at // MINUTE)
        with self._taking:
            known = self._waiting.get(key)
            if known is None:
                if len(self._waiting) >= _WAITING:
                    del self._waiting[next(iter(self._waiting))]
                self._waiting[key] = [value, value, value, 1]
                return
            known[0] = min(known[0], value)
            known[1] = max(known[1], value)
            known[2] += value
            known[3] += 1

    def flush(self) -> None:
        """Gives moto what was counted. Loads moto where there is anything."""
        if not self._waiting:
            return
        self._moto.load()
        with self._merging:
            with self._taking:
                taken, self._waiting = self._waiting, {}
            for key, numbers in taken.items():
                self._merge(key, *numbers)
            newest = max(key[6] for key in taken)
            self._open = {key: datum for key, datum in self._open.items() if key[6] >= newest - 1}
            for account, region in {key[:2] for key in taken}:
                self._thin(self._moto.backend("cloudwatch", account, region), newest)

    def find(
        self, account: str, region: str, namespace: str, name: str, dimensions: Iterable[tuple[str, str]]
    ) -> Series | None:
        """The metric's data, as far as they were flushed or put by others."""
        with self._merging:
            return self._series(account, region).get((namespace, name, frozenset(dimensions)))

    def reset(self) -> None:
        with self._merging, self._taking:
            self._waiting.clear()
            self._open.clear()
            self._found.clear()

    def _merge(self, key: _Key, least: float, most: float, total: float, count: float) -> None:
        account, region, namespace, name, dimensions, unit, minute = key
        backend = self._moto.backend("cloudwatch", account, region)
        series = self._series(account, region)
        known = self._open.get(key)
        if known is not None and any(known is each for each in _data_of(series, known)):
            known.min, known.max = min(known.min, least), max(known.max, most)
            known.sum += total
            known.sample_count += count
            series[_key_of(known)].revision += 1
            return
        from moto.cloudwatch.models import MetricAggregatedDatum

        named = [{"Name": each, "Value": value} for each, value in dimensions]
        made: Any = MetricAggregatedDatum(
            namespace,
            name,
            min_stat=least,
            max_stat=most,
            sample_count=count,
            sum_stat=total,
            dimensions=named,
            timestamp=moment(minute * MINUTE),
            unit=unit,
        )
        made.counted = True
        self._open[key] = made
        backend.metric_data.append(made)

    def _series(self, account: str, region: str) -> dict[Any, Series]:
        """Every metric's data. moto's list is where they are kept: only what is new in it is looked at."""
        if "moto.cloudwatch.models" not in sys.modules:
            return {}
        kept = self._moto.backend("cloudwatch", account, region).metric_data
        before, position, series = self._found.get((account, region), (None, 0, dict[Any, Series]()))
        if before is not kept or position > len(kept):
            position, series = 0, {}
        for datum in kept[position:]:
            found = series.setdefault(_key_of(datum), Series())
            found.data.setdefault(milliseconds(datum.timestamp) // MINUTE, []).append(datum)
            found.revision += 1
            position += 1
        self._found[account, region] = (kept, position, series)
        return series

    def _thin(self, backend: Any, minute: int) -> None:
        """Takes away what was counted hours ago, where it is much."""
        kept = backend.metric_data
        if len(kept) <= _KEPT:
            return
        since = moment(minute * MINUTE - _HOURS)
        left = [each for each in kept if not hasattr(each, "counted") or each.timestamp >= since]
        kept[:] = left[-_KEPT * 3 // 4 :]
        self._found.clear()


def _data_of(series: dict[Any, Series], datum: Any) -> list[Any]:
    found = series.get(_key_of(datum))
    return found.data.get(milliseconds(datum.timestamp) // MINUTE, []) if found is not None else []


def _key_of(datum: Any) -> tuple[str, str, frozenset[tuple[str, str]]]:
    return datum.namespace, datum.name, frozenset((each.name, each.value) for each in datum.dimensions)


def milliseconds(timestamp: datetime) -> int:
    """Of moto's times, which are UTC and say no zone."""
    aware = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def moment(at: int) -> datetime:
    """The time as moto has it."""
    return datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None)
