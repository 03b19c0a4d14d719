"""`$formatNumber`: decimal numbers by picture.

See XPath and XQuery Functions 3.1, "fn:format-number", whose pictures JSONata takes over.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass, field
from typing import Any

from .errors import JsonataError, show
from .limits import Run
from .values import UNDEFINED

_SYMBOLS = {
    "decimal-separator": ".", "grouping-separator": ",", "exponent-separator": "e", "infinity": "Infinity",
    "minus-sign": "-", "NaN": "NaN", "percent": "%", "per-mille": "\u2030", "zero-digit": "0", "digit": "#",
    "pattern-separator": ";",
}  # fmt: skip


@dataclass(slots=True)
class _Part:
    """One sub-picture, taken apart."""

    prefix: str
    suffix: str
    integer: str
    fraction: str
    exponent: str | None
    active: str
    scale: int = 0
    groups: list[int] = field(default_factory=list)
    regular: int = 0
    fraction_groups: list[int] = field(default_factory=list)
    min_integer: int = 0
    scaling: int = 0
    min_fraction: int = 0
    max_fraction: int = 0
    min_exponent: int = 0


def format_number(run: Run, context: Any, value: Any, picture: Any, options: Any = UNDEFINED) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    run.room(len(picture))
    symbols = dict(_SYMBOLS)
    if options is not UNDEFINED:
        symbols.update({key: text for key, text in options.items() if type(text) is str})
    parts = [_read(text, symbols) for text in _split(picture, symbols)]
    positive = parts[0]
    if value >= 0:
        return positive.prefix + _digits(abs(value), positive, symbols) + positive.suffix
    negative = parts[1] if len(parts) == 2 else positive
    prefix = negative.prefix if len(parts) == 2 else symbols["minus-sign"] + positive.prefix
    return prefix + _digits(abs(value), negative, symbols) + negative.suffix


def _split(picture: str, symbols: dict[str, str]) -> list[str]:
    parts = picture.split(symbols["pattern-separator"])
    if len(parts) > 2:
        raise JsonataError("D3080", f"the picture {show(picture)} has more than two parts", token=picture)
    return parts


def _read(text: str, symbols: dict[str, str]) -> _Part:
    zero = ord(symbols["zero-digit"])
    digits = {chr(zero + index) for index in range(10)}
    point, grouping, optional = symbols["decimal-separator"], symbols["grouping-separator"], symbols["digit"]
    exponent_mark = symbols["exponent-separator"]
    active_characters = digits | {point, grouping, optional, exponent_mark}
    mantissa_characters = active_characters - {exponent_mark}
    start = next((index for index, c in enumerate(text) if c in mantissa_characters), len(text))
    end = len(text)
    while end > start and text[end - 1] not in mantissa_characters:
        end -= 1
    prefix, active, suffix = text[:start], text[start:end], text[end:]
    mark = active.find(exponent_mark)
    mantissa, exponent = (active, None) if mark < 0 else (active[:mark], active[mark + 1 :])
    integer, _, fraction = mantissa.partition(point)
    part = _Part(prefix, suffix, integer, fraction, exponent, active)
    _check(text, part, digits, symbols, active_characters)
    part.scale = (
        2 if symbols["percent"] in prefix + suffix else 3 if symbols["per-mille"] in prefix + suffix else 0
    )
    part.groups = _group_places(integer, grouping, digits | {optional}, from_right=True)
    if part.groups:
        step = part.groups[0]
        if part.groups == [step * (index + 1) for index in range(len(part.groups))]:
            part.regular = step
    part.fraction_groups = _group_places(fraction, grouping, digits | {optional}, from_right=False)
    part.min_integer = sum(c in digits for c in integer)
    part.scaling = part.min_integer
    part.min_fraction = sum(c in digits for c in fraction)
    part.max_fraction = sum(c in digits or c == optional for c in fraction)
    if part.min_integer == 0 and part.max_fraction == 0:
        if exponent is not None:
            part.min_fraction = part.max_fraction = 1
        else:
            part.min_integer = 1
    if exponent is not None and part.min_integer == 0 and optional in integer:
        part.min_integer = 1
    if part.min_integer == 0 and part.min_fraction == 0:
        part.min_fraction = 1
    part.min_exponent = sum(c in digits for c in exponent) if exponent is not None else 0
    return part


def _group_places(text: str, grouping: str, counted: set[str], *, from_right: bool) -> list[int]:
    places, seen = [], 0
    for character in reversed(text) if from_right else text:
        if character == grouping:
            places.append(seen)
        elif character in counted:
            seen += 1
    return places


def _check(text: str, part: _Part, digits: set[str], symbols: dict[str, str], active: set[str]) -> None:
    point, grouping, optional = symbols["decimal-separator"], symbols["grouping-separator"], symbols["digit"]
    percent, per_mille = symbols["percent"], symbols["per-mille"]

    def refuse(code: str, reason: str) -> JsonataError:
        return JsonataError(code, f"the picture {show(text)} {reason}", token=text)

    if text.count(point) > 1:
        raise refuse("D3081", "has more than one decimal separator")
    if text.count(percent) > 1:
        raise refuse("D3082", "has more than one percent sign")
    if text.count(per_mille) > 1:
        raise refuse("D3083", "has more than one per-mille sign")
    if percent in text and per_mille in text:
        raise refuse("D3084", "has both a percent and a per-mille sign")
    if not any(c in digits or c == optional for c in part.integer + part.fraction):
        raise refuse("D3085", "has no digit")
    if any(c not in active for c in part.active):
        raise refuse("D3086", "has something else among its digits")
    if (part.integer.endswith(grouping) and point in part.active) or part.fraction.startswith(grouping):
        raise refuse("D3087", "has a grouping separator beside the decimal separator")
    if part.integer.endswith(grouping) and point not in part.active:
        raise refuse("D3088", "ends its integer part with a grouping separator")
    if grouping * 2 in part.active:
        raise refuse("D3089", "has two grouping separators side by side")
    first_digit = next((index for index, c in enumerate(part.integer) if c in digits), None)
    if first_digit is not None and optional in part.integer[first_digit:]:
        raise refuse("D3090", "has an optional digit after a mandatory one in its integer part")
    last_digit = max((index for index, c in enumerate(part.fraction) if c in digits), default=None)
    if last_digit is not None and optional in part.fraction[:last_digit]:
        raise refuse("D3091", "has a mandatory digit after an optional one in its fraction")
    if part.exponent is not None and part.exponent and (percent in text or per_mille in text):
        raise refuse("D3092", "has an exponent and a percent or per-mille sign")
    if part.exponent is not None and (not part.exponent or any(c not in digits for c in part.exponent)):
        raise refuse("D3093", "has something else than digits in its exponent")


def _digits(value: int | float, part: _Part, symbols: dict[str, str]) -> str:
    exact = decimal.Decimal(repr(value)).scaleb(part.scale)
    power = 0
    if part.exponent is not None:
        if exact:
            power = exact.adjusted() + 1 - part.scaling
            exact = exact.scaleb(-power)
    with decimal.localcontext(prec=800):
        rounded = exact.quantize(decimal.Decimal(1).scaleb(-part.max_fraction), decimal.ROUND_HALF_EVEN)
    integer, _, fraction = f"{rounded:f}".partition(".")
    integer = integer.lstrip("0").rjust(part.min_integer, "0")
    fraction = fraction.rstrip("0").ljust(part.min_fraction, "0")
    integer = _grouped_from_right(integer, part, symbols["grouping-separator"])
    for place in reversed(part.fraction_groups):
        if place < len(fraction):
            fraction = fraction[:place] + symbols["grouping-separator"] + fraction[place:]
    text = integer + (symbols["decimal-separator"] + fraction if fraction else "")
    if part.exponent is not None:
        sign = symbols["minus-sign"] if power < 0 else ""
        text += symbols["exponent-separator"] + sign + str(abs(power)).rjust(part.min_exponent, "0")
    zero = ord(symbols["zero-digit"])
    if zero == 0x30:
        return text
    return "".join(chr(zero + ord(c) - 0x30) if "0" <= c <= "9" else c for c in text)


def _grouped_from_right(integer: str, part: _Part, separator: str) -> str:
    if part.regular:
        places = list(range(part.regular, len(integer), part.regular))
    else:
        places = [place for place in part.groups if place < len(integer)]
    for place in reversed(places):
        at = len(integer) - place
        integer = integer[:at] + separator + integer[at:]
    return integer
