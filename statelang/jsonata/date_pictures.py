"""The markers of date pictures, such as `[Y0001]` or `[FNn,3-3]`: taken apart, written and read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from .errors import JsonataError, show
from .integer_pictures import Picture, read_picture, reader, write_integer

_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DEFAULTS = {
    "Y": "1", "M": "1", "D": "1", "d": "1", "F": "n", "W": "1", "w": "1", "X": "1", "x": "1", "H": "1", "h": "1", "P": "n",
    "m": "01", "s": "01", "f": "1", "Z": "01:01", "z": "01:01", "C": "n", "E": "n",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marker:
    """`names` is upper, lower or title for a component that is written as a name; else `picture` is for numbers."""

    component: str
    presentation: str
    names: str | None
    picture: Picture | None
    least: int | None
    most: int | None
    zulu: bool = False


@lru_cache(maxsize=256)
def read_date_picture(picture: str) -> list[str | Marker]:
    """Literal texts and markers, in order. Raises D3132 for a component that is not known, D3135 without its `]`."""
    parts: list[str | Marker] = []
    markers: list[int] = []
    literal = ""
    position = 0
    while position < len(picture):
        character = picture[position]
        if character == "[":
            if picture.startswith("[[", position):
                literal += "["
                position += 2
                continue
            end = picture.find("]", position)
            if end < 0:
                raise JsonataError("D3135", f"{show(picture)} has a [ without its ]", token=picture)
            if literal:
                parts.append(literal)
                literal = ""
            markers.append(len(parts))
            parts.append("".join(picture[position + 1 : end].split()))
            position = end + 1
            continue
        literal += "]" if character == "]" else character
        position += 2 if picture.startswith("]]", position) else 1
    if literal:
        parts.append(literal)
    for index in markers:
        parts[index] = _marker(str(parts[index]))
    return parts


def _marker(text: str) -> Marker:
    component, rest = text[:1], text[1:]
    if component not in _DEFAULTS:
        raise JsonataError("D3132", f"{show(text)} is no component of a date", value=text[:1])
    presentation, comma, width = rest.rpartition(",")
    if not comma:
        presentation, width = rest, ""
    least = most = None
    if width:
        low, _, high = width.partition("-")
        least = None if low in ("", "*") else int(low)
        most = None if high in ("", "*") else int(high)
    ordinal = zulu = False
    if len(presentation) > 1 and presentation[-1] in "atco":
        ordinal, zulu = presentation[-1] == "o", presentation[-1] == "t"
        presentation = presentation[:-1]
    presentation = presentation or _DEFAULTS[component]
    names = {"N": "upper", "n": "lower", "Nn": "title"}.get(presentation)
    if names is not None:
        if component not in "MxFPZzCE":
            raise JsonataError("D3133", f"the component {component} has no names", value=component)
        return Marker(component, presentation, names, None, least, most)
    if component in "Zz":
        digits = sum(character.isdigit() for character in presentation)
        if digits > 4:
            raise JsonataError(
                "D3134", f"a time zone has at most four digits, not {show(presentation)}", token=text
            )
        return Marker(component, presentation, None, read_picture(presentation), least, most, zulu)
    number = read_picture(presentation + (";o" if ordinal else ""))
    if component == "Y" and most is None and number.primary == "decimal":
        digits = max(number.digits, least or 0)
        most = digits if digits >= 2 else None
    return Marker(component, presentation, None, number, least, most)


# -- writing -------------------------------------------------------------------------------------------------


def write_marker(marker: Marker, at: datetime, offset: int) -> str:
    """The component of `at`, which is the local time at `offset` minutes from UTC."""
    component = marker.component
    if component in "Zz":
        return _zone(marker, offset)
    if component == "P":
        text = "pm" if at.hour >= 12 else "am"
        return text.upper() if marker.names == "upper" else text
    if component in "CE":
        return "ISO"
    if marker.names is not None:
        name = _name(marker, at)
        text = {"upper": name.upper(), "lower": name.lower(), "title": name}[marker.names]
        return text[: marker.most] if marker.most is not None else text
    assert marker.picture is not None
    value = _value(component, at)
    if component == "Y" and marker.most is not None and marker.most >= 2:
        value %= 10**marker.most
    picture = marker.picture
    if marker.least is not None and picture.primary == "decimal" and picture.mandatory < marker.least:
        return write_integer(value, picture).rjust(marker.least, "0")
    text = write_integer(value, picture)
    cut = component == "Y" and picture.primary == "decimal" and not picture.separators
    return text[-marker.most :] if cut and marker.most is not None else text


def _name(marker: Marker, at: datetime) -> str:
    if marker.component == "F":
        return _DAYS[at.weekday()]
    month = at.month if marker.component == "M" else _value("x", at)
    return _MONTHS[month - 1]


def _value(component: str, at: datetime) -> int:
    day = at.date()
    if component == "Y":
        return at.year
    if component == "M":
        return at.month
    if component == "D":
        return at.day
    if component == "d":
        return at.timetuple().tm_yday
    if component == "F":
        return at.isoweekday()
    if component == "W":
        return day.isocalendar().week
    if component == "X":
        return day.isocalendar().year
    if component in "wx":
        month, week = _week_of_month(day)
        return week if component == "w" else month
    if component == "H":
        return at.hour
    if component == "h":
        return (at.hour - 1) % 12 + 1
    return {"m": at.minute, "s": at.second, "f": at.microsecond // 1000}[component]


def _week_of_month(day: date) -> tuple[int, int]:
    """Month and week of it: a week belongs to the month that its Thursday is in."""
    thursday = day - timedelta(days=day.weekday()) + timedelta(days=3)
    return thursday.month, (thursday.day - 1) // 7 + 1


def _zone(marker: Marker, offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    prefix = "GMT" if marker.component == "z" else ""
    if marker.picture is None:
        return f"{prefix}{sign}{hours:02d}:{minutes:02d}"
    if marker.zulu and offset == 0:
        return "Z"
    if marker.picture.regular or marker.picture.separators:
        pieces = write_integer(hours * 100 + minutes, marker.picture)
        return f"{prefix}{sign}{pieces}"
    digits = marker.picture.mandatory
    if digits <= 2:
        text = str(hours).rjust(digits, "0")
        text += f":{minutes:02d}" if minutes else ""
    else:
        text = str(hours * 100 + minutes).rjust(digits, "0")
    return f"{prefix}{sign}{text}"


# -- reading -------------------------------------------------------------------------------------------------


def reader_of(marker: Marker) -> tuple[str, Callable[[str], int]]:
    """A regular expression for what the marker writes, and how to read it."""
    component = marker.component
    if component in "Zz":
        return _zone_reader(marker)
    if component == "P":
        return "[aApP][mM]", lambda text: int(text[0] in "pP")
    if component in "CE":
        return "ISO", lambda text: 0
    if marker.names is not None:
        names = _DAYS if component == "F" else _MONTHS
        short = [name[: marker.most] for name in names] if marker.most is not None else names
        values = {name.lower(): index + 1 for index, name in enumerate(short)}
        return "[a-zA-Z]+", lambda text: values[text.lower()] if text.lower() in values else _unknown(text)
    assert marker.picture is not None
    picture = marker.picture
    pattern, value = reader(picture)
    if picture.primary == "decimal" and not picture.ordinal:
        width = marker.least if marker.least is not None and marker.least == marker.most else None
        if component == "Y" and width is None and picture.digits >= 2:
            width = picture.digits
        if width is None and picture.mandatory > 1:
            width = picture.mandatory
        if width is not None:
            pattern = pattern.removesuffix("+") + f"{{{width}}}"
    if component == "f":
        return pattern, lambda text: int(f"{text:0<3}"[:3])
    if component == "Y":
        return pattern, lambda text: _year(value(text), text)
    return pattern, value


def _year(value: int, text: str) -> int:
    return value


def _unknown(text: str) -> int:
    raise JsonataError("D3136", f"{show(text)} is no name that the picture allows", token=text)


def _zone_reader(marker: Marker) -> tuple[str, Callable[[str], int]]:
    prefix = "GMT" if marker.component == "z" else ""
    picture = marker.picture
    separator = ""
    if picture is not None and picture.separators:
        separator = picture.separators[-1][1]
    elif picture is None:
        separator = ":"
    pattern = f"{prefix}[-+]\\d+" + (f"{re.escape(separator)}\\d+" if separator else "")
    if marker.zulu:
        pattern = f"(?:{pattern}|Z)"

    def value(text: str) -> int:
        text = text.removeprefix(prefix)
        if text in ("Z", "z"):
            return 0
        sign = -1 if text[0] == "-" else 1
        if separator:
            hours, _, minutes = text[1:].partition(separator)
        else:
            digits = text[1:]
            hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
        return sign * (int(hours) * 60 + int(minutes))

    return pattern, value
