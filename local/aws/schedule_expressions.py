"""When a schedule comes due: `rate(…)`, `cron(…)` and `at(…)` of EventBridge's rules and of EventBridge Scheduler.

See the EventBridge guide, "Cron expressions reference", and the EventBridge Scheduler guide, "Schedule types" and "Daylight
savings time": a local time that a clock change leaves out is skipped, and one that comes twice counts once.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_CRON = re.compile(r"cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {
    name: at
    for at, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_DAYS = {name: at for at, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_LAST_YEAR = 2199


class WrongExpression(ValueError):
    """It is none of the forms, or a field of it is out of range."""


def next_due(expression: str, after: float, zone: str | None = None) -> float | None:
    """The first time after `after` at which the expression comes due, in seconds since the epoch; None where it never does.

    A rate counts from `after`. `zone` is a name of the IANA time zone database, UTC by default; rates have no use for it.
    Raises `WrongExpression`.
    """
    if found := _RATE.fullmatch(expression):
        if not int(found[1]):
            raise WrongExpression(f"{expression}: the value of a rate is a whole number above 0")
        return after + int(found[1]) * _SECONDS[found[2]]
    try:
        place = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise WrongExpression(f"there is no time zone {zone!r}") from None
    if found := _AT.fullmatch(expression):
        try:
            at = datetime.fromisoformat(found[1]).replace(tzinfo=place).timestamp()
        except ValueError as error:
            raise WrongExpression(f"{expression}: {error}") from None
        return at if at > after else None
    if found := _CRON.fullmatch(expression):
        return _cron(*found.groups()).first_after(after, place)
    raise WrongExpression(
        f"{expression!r} is neither rate(…), cron(…) with six fields, nor at(yyyy-mm-ddThh:mm:ss)"
    )


@dataclass(frozen=True, slots=True)
class _Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    is_day: Callable[[date], bool]

    def first_after(self, after: float, zone: ZoneInfo) -> float | None:
        # A clock that is set back may show what is wanted once more: begin where local time certainly is not past it.
        begin = datetime.fromtimestamp(after, zone).replace(tzinfo=None) - timedelta(hours=3)
        for day in self._days(begin.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    local = datetime(day.year, day.month, day.day, hour, minute)
                    at = local.replace(tzinfo=zone)
                    if at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
                        continue
                    if at.timestamp() > after:
                        return at.timestamp()
        return None

    def _days(self, first: date) -> Iterator[date]:
        for year in self.years:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self.is_day(day):
                        yield day


@lru_cache(maxsize=256)
def _cron(minutes: str, hours: str, days: str, months: str, weekdays: str, years: str) -> _Cron:
    if (days == "?") == (weekdays == "?"):
        raise WrongExpression(
            f"one of day-of-month ({days}) and day-of-week ({weekdays}) has to be `?`, and the other not"
        )
    return _Cron(
        _numbers(minutes, "minutes", 0, 59),
        _numbers(hours, "hours", 0, 23),
        _numbers(months, "month", 1, 12, _MONTHS),
        _numbers(years, "year", 1970, _LAST_YEAR),
        _by_date(days) if weekdays == "?" else _by_weekday(weekdays),
    )


def _numbers(
    field: str, what: str, low: int, high: int, names: Mapping[str, int] | None = None
) -> tuple[int, ...]:
    """The values of a field, in order: `*`, `5`, `1-5`, `10/15`, and lists of these."""

    def number(text: str) -> int:
        value = (names or {}).get(text.upper())
        if value is None:
            if not re.fullmatch(r"\d{1,4}", text):
                raise WrongExpression(f"{what}: {text!r} is no value of this field")
            value = int(text)
        if not low <= value <= high:
            raise WrongExpression(f"{what}: {text} is not from {low} to {high}")
        return value

    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch(r"[1-9]\d{0,3}", step):
            raise WrongExpression(f"{what}: {part!r} has no increment after the slash")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = number(first)
            end = number(last) if dash else high if slash else begin
        values = range(begin, end + 1) if begin <= end else [*range(begin, high + 1), *range(low, end + 1)]
        found.update(list(values)[:: int(step) if slash else 1])
    return tuple(sorted(found))


def _by_date(field: str) -> Callable[[date], bool]:
    if field.upper() == "L":
        return lambda day: day.day == _length(day)
    if field.upper() == "LW":
        return lambda day: day.day == _nearest_weekday(day, _length(day))
    if found := re.fullmatch(r"(\d{1,2})[Ww]", field):
        [wanted] = _numbers(found[1], "day-of-month", 1, 31)
        return lambda day: wanted <= _length(day) and day.day == _nearest_weekday(day, wanted)
    numbers = frozenset(_numbers(field, "day-of-month", 1, 31))
    return lambda day: day.day in numbers


def _by_weekday(field: str) -> Callable[[date], bool]:
    if field.upper() == "L":
        return lambda day: _weekday(day) == 7
    if found := re.fullmatch(r"(\w+)#([1-5])", field):
        [wanted] = _numbers(found[1], "day-of-week", 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == int(found[2])
    if found := re.fullmatch(r"(\w+)[Ll]", field):
        [wanted] = _numbers(found[1], "day-of-week", 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and day.day > _length(day) - 7
    numbers = frozenset(_numbers(field, "day-of-week", 1, 7, _DAYS))
    return lambda day: _weekday(day) in numbers


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    """1 for Sunday to 7 for Saturday, as AWS counts."""
    return day.isoweekday() % 7 + 1


def _nearest_weekday(day: date, wanted: int) -> int:
    """The day of that month, from Monday to Friday, that is the closest to the wanted one and in the same month."""
    match _weekday(day.replace(day=wanted)):
        case 7:
            return wanted - 1 if wanted > 1 else wanted + 2
        case 1:
            return wanted + 1 if wanted < _length(day) else wanted - 2
        case _:
            return wanted
