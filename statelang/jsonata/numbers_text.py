"""Values as text, the way `$string` and `&` write them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from .errors import JsonataError
from .values import UNDEFINED, Function, whole

if TYPE_CHECKING:
    from .limits import Run

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_encode_pretty = json.JSONEncoder(indent=2, ensure_ascii=False).encode


def number_text(number: int | float) -> str:
    """A number as JavaScript prints it."""
    if type(number) is int and -(10**21) < number < 10**21:
        return str(number)
    value = float(number)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        if value != 0 and abs(value) < 1e-4:  # Python turns to exponents here, JavaScript at 1e-6
            return text
        return text
    power = int(exponent)
    if -7 < power < 0:
        digits = mantissa.replace(".", "").replace("-", "")
        sign = "-" if mantissa.startswith("-") else ""
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{'+' if power > 0 else ''}{power}"


def rounded(number: int | float) -> int | float:
    """The number to 15 significant digits: what hides that 0.1 + 0.2 is not quite 0.3."""
    if type(number) is int and -(10**15) < number < 10**15:
        return number
    return whole(float(f"{number:.15g}"))


def text_of(value: Any, run: Run, pretty: bool = False) -> str:
    """`$string`. Raises D3001 for numbers that JSON cannot write."""
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind is int or kind is float:
        if not math.isfinite(value):
            raise JsonataError("D3001", f"{value} cannot be written as text", value=str(value))
        return number_text(rounded(value))
    if isinstance(value, Function):
        return ""
    written = (_encode_pretty if pretty else _encode)(_writable(value, run, run.limits.depth))
    run.room(len(written))
    return written


class _Number(float):
    """A float that the encoder writes as JavaScript would."""

    def __repr__(self) -> str:
        return number_text(float(self))


def _writable(value: Any, run: Run, depth: int) -> Any:
    """The value as the encoder takes it; its cost is spent on the way."""
    run.spend(1)
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int or kind is float:
        if not math.isfinite(value):
            raise JsonataError("D1001", f"{value} cannot be written as JSON", value=None)
        short = rounded(value)
        return short if type(short) is int else _float(short)
    if depth <= 0:
        raise JsonataError("U1001", "the value is nested too deeply")
    if isinstance(value, dict):
        return {key: _writable(part, run, depth - 1) for key, part in value.items() if part is not UNDEFINED}
    if isinstance(value, list):
        return [_writable(part, run, depth - 1) for part in value]
    return "" if isinstance(value, Function) else None


def _float(value: float) -> Any:
    text = number_text(value)
    return value if text == repr(value) else _Number(value)
