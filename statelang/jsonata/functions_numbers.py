"""The library's functions on numbers and booleans, and those that aggregate."""

from __future__ import annotations

import decimal
import math
import re
from typing import Any

from .errors import JsonataError, show
from .limits import Run
from .values import UNDEFINED, truth, whole

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_PREFIXED = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")


def number(run: Run, context: Any, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if type(value) is bool:
        return int(value)
    if type(value) is str:
        if _PREFIXED.fullmatch(value):
            return int(value, 0)
        if _NUMBER.fullmatch(value) and math.isfinite(parsed := float(value)):
            return whole(parsed)
        raise JsonataError("D3030", f"{show(value)} is not a number", value=value)
    return value


def floor(run: Run, context: Any, value: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else math.floor(value)


def ceil(run: Run, context: Any, value: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else math.ceil(value)


def round_(run: Run, context: Any, value: Any, precision: Any = UNDEFINED) -> Any:
    """Half to even, on the decimal digits that the number is written with."""
    if value is UNDEFINED:
        return UNDEFINED
    places = 0 if precision is UNDEFINED else int(precision)
    if places > 320:
        return value
    exact = decimal.Decimal(repr(value))
    with decimal.localcontext(prec=800):
        made = exact.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_EVEN)
    return whole(float(made))


def absolute(run: Run, context: Any, value: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else abs(value)


def sqrt(run: Run, context: Any, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if value < 0:
        raise JsonataError("D3060", f"{show(value)} has no square root: it is negative", value=value)
    return whole(math.sqrt(value))


def power(run: Run, context: Any, base: Any, exponent: Any) -> Any:
    if base is UNDEFINED:
        return UNDEFINED
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError):
        result = math.inf
    if not math.isfinite(result):
        raise JsonataError(
            "D3061", f"$power({show(base)}, {show(exponent)}) is no number", value=base, exp=exponent
        )
    return whole(result)


def random(run: Run, context: Any) -> Any:
    return run.draw()


def boolean(run: Run, context: Any, value: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else truth(value)


def not_(run: Run, context: Any, value: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else not truth(value)


def sum_(run: Run, context: Any, numbers: Any) -> Any:
    if numbers is UNDEFINED:
        return UNDEFINED
    run.spend(len(numbers))
    total: int | float = 0
    for each in numbers:
        total += each
    return total


def count(run: Run, context: Any, items: Any) -> Any:
    return 0 if items is UNDEFINED else len(items)


def max_(run: Run, context: Any, numbers: Any) -> Any:
    if numbers is UNDEFINED or not numbers:
        return UNDEFINED
    run.spend(len(numbers))
    return max(numbers)


def min_(run: Run, context: Any, numbers: Any) -> Any:
    if numbers is UNDEFINED or not numbers:
        return UNDEFINED
    run.spend(len(numbers))
    return min(numbers)


def average(run: Run, context: Any, numbers: Any) -> Any:
    if numbers is UNDEFINED or not numbers:
        return UNDEFINED
    run.spend(len(numbers))
    return whole(float(sum_(run, context, numbers)) / len(numbers))


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def format_base(run: Run, context: Any, value: Any, radix: Any = UNDEFINED) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    base = 10 if radix is UNDEFINED else int(round_(run, context, radix))
    if not 2 <= base <= 36:
        raise JsonataError(
            "D3100", f"the base of $formatBase is from 2 to 36, not {show(radix)}", value=radix
        )
    rest = abs(int(round_(run, context, value)))
    digits = ""
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return f"-{digits}" if value < 0 and digits != "0" else digits
