"""`$now`, `$millis`, `$fromMillis` and `$toMillis`.

Pictures as in XPath and XQuery Functions 3.1, "fn:format-dateTime", as far as JSONata takes them over. Times are
milliseconds since the epoch.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from .date_pictures import Marker, read_date_picture, reader_of, write_marker
from .errors import JsonataError, show
from .limits import Run
from .values import UNDEFINED

_ISO = re.compile(r"\d{4}(-[01]\d)*(-[0-3]\d)*(T[0-2]\d:[0-5]\d:[0-5]\d)*(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def millis(run: Run, context: Any) -> Any:
    if run.now is None:
        raise JsonataError("D3110", "there is no time here")
    return int(run.now)


def now(run: Run, context: Any, picture: Any = UNDEFINED, zone: Any = UNDEFINED) -> Any:
    return from_millis(run, context, millis(run, context), picture, zone)


def from_millis(run: Run, context: Any, value: Any, picture: Any = UNDEFINED, zone: Any = UNDEFINED) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    hours = minutes = 0
    if zone is not UNDEFINED:
        number = int(zone)
        hours, minutes = int(number / 100), int(math.fmod(number, 100))
    offset = hours * 60 + minutes
    try:
        at = _EPOCH + timedelta(milliseconds=math.floor(value), minutes=offset)
    except (OverflowError, ValueError):
        raise JsonataError(
            "D3110", f"{show(value)} milliseconds are outside the years 1 to 9999", value=value
        ) from None
    if picture is UNDEFINED:
        return f"{_iso(at)}{'Z' if zone is UNDEFINED else _zone(offset)}"
    run.room(len(picture))
    return "".join(
        part if isinstance(part, str) else write_marker(part, at, offset)
        for part in read_date_picture(picture)
    )


def _iso(at: datetime) -> str:
    return (
        f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}"
        if at.year >= 1000
        else f"{at.year:04d}{at:-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}"
    )


def _zone(offset: int) -> str:
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def to_millis(run: Run, context: Any, text: Any, picture: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    run.room(len(text))
    if picture is UNDEFINED:
        return _from_iso(text)
    return _by_picture(text, read_date_picture(picture), run, picture)


def _from_iso(text: str) -> int:
    if not _ISO.fullmatch(text):
        raise JsonataError("D3110", f"{show(text)} is no timestamp of ISO 8601", value=text)
    filled = text + "-01-01"[(len(text) - 4) :] if len(text) in (4, 7) else text
    try:
        at = datetime.fromisoformat(filled)
    except ValueError:
        raise JsonataError("D3110", f"{show(text)} is no timestamp of ISO 8601", value=text) from None
    return _to_millis(at if at.tzinfo else at.replace(tzinfo=UTC))


def _to_millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _by_picture(text: str, parts: list[str | Marker], run: Run, picture: str) -> Any:
    """Reads by the picture; what it says nothing of comes from now, or is the least that it can be."""
    pattern, readers = "", []
    for part in parts:
        if isinstance(part, str):
            pattern += re.escape(part)
        else:
            expression, read = reader_of(part)
            pattern += f"({expression})"
            readers.append((part.component, read))
    found = re.fullmatch(pattern, text, re.IGNORECASE)
    if found is None:
        return UNDEFINED
    given: dict[str, int] = {}
    for (component, read), value in zip(readers, found.groups(), strict=True):
        given[component] = read(value)
    if not given:
        return UNDEFINED
    return _assemble(given, run, picture)


def _assemble(given: dict[str, int], run: Run, picture: str) -> int:
    if ("W" in given or "X" in given or "w" in given or "x" in given) and not (
        "Y" in given and ("M" in given or "d" in given)
    ):
        raise JsonataError("D3136", f"{show(picture)} does not say enough of the date", token=picture)
    by_day_of_year = "d" in given
    twelve = "h" in given or "P" in given
    dates = ["Y", "d"] if by_day_of_year else ["Y", "M", "D"]
    times = ["P", "h", "m", "s", "f"] if twelve else ["H", "m", "s", "f"]
    order = dates + times
    present = [index for index, component in enumerate(order) if component in given]
    moment = datetime.fromtimestamp((run.now or 0) / 1000, UTC)
    current = {"Y": moment.year, "M": moment.month, "D": moment.day, "d": moment.timetuple().tm_yday}
    values = {"M": 1, "D": 1, "d": 1}
    first, last = (present[0], present[-1]) if present else (0, 0)
    for index, component in enumerate(order):
        if component in given:
            values[component] = given[component]
        elif index < first:
            values[component] = current.get(component, 0)
        elif index < last:
            raise JsonataError("D3136", f"{show(picture)} leaves out something in between", token=picture)
        else:
            values.setdefault(component, 0)
    hour = values.get("H", 0)
    if twelve:
        hour = values["h"] % 12 + (12 if values.get("P") == 1 else 0)
    month, day = (1, 1) if by_day_of_year else (values["M"], values["D"])
    try:
        at = datetime(values["Y"], month, 1, hour, values["m"], values["s"], values["f"] * 1000, tzinfo=UTC)
        at += timedelta(days=day - 1 if not by_day_of_year else values["d"] - 1)
    except (ValueError, OverflowError):
        raise JsonataError("D3110", f"{show(picture)} read a date that there is not", token=picture) from None
    return _to_millis(at) - (given.get("Z", given.get("z", 0))) * 60_000
