"""The functions that a path may end with, as in `$.items.length()`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .errors import PathNotFound


def _numbers(values: Any) -> list[int | float]:
    items = values if isinstance(values, list) else [values]
    numbers = [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    if not numbers:
        raise PathNotFound("Aggregation function attempted to calculate value using empty array")
    return numbers


def _length(value: Any) -> Any:
    return len(value) if isinstance(value, list | dict | str) else None


def _stddev(values: Any) -> float:
    numbers = _numbers(values)
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers))


def _keys(value: Any) -> Any:
    return list(value) if isinstance(value, dict) else None


def _at(index: int) -> Callable[[Any], Any]:
    def get(value: Any) -> Any:
        if not isinstance(value, list) or not value:
            raise PathNotFound("Aggregation function attempted to calculate value using empty array")
        return value[index]

    return get


CLOSING: dict[str, Callable[[Any], Any]] = {
    "length": _length,
    "size": _length,
    "min": lambda values: float(min(_numbers(values))),
    "max": lambda values: float(max(_numbers(values))),
    "avg": lambda values: sum(numbers := _numbers(values)) / len(numbers),
    "sum": lambda values: float(sum(_numbers(values))),
    "stddev": _stddev,
    "keys": _keys,
    "first": _at(0),
    "last": _at(-1),
}
