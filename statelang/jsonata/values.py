"""The values that an evaluation works with, beside plain JSON data.

Data that comes in stays what it is: exact ``dict`` and ``list``. What an evaluation builds is one of the subclasses
below, so that the end of an evaluation converts just what it built, however large the data is that passes through.
"""

from __future__ import annotations

import math
from typing import Any, Final

from .errors import JsonataError


class _Undefined:
    """The type of `UNDEFINED`: no value at all, which is not JSON's null."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final[Any] = _Undefined()


class Seq(list[Any]):
    """A result sequence: one of length 1 stands for its item, one of length 0 for undefined."""

    __slots__ = ()


class KeptSeq(Seq):
    """A sequence that stays an array at length 1, because the expression says `[]`."""

    __slots__ = ()


class Arr(list[Any]):
    """An array that the expression has built and that stays an array at any length."""

    __slots__ = ()


class ConsArr(Arr):
    """An array constructor at an end of a path: the path does not flatten it."""

    __slots__ = ()


class Obj(dict[str, Any]):
    """An object that the expression has built."""

    __slots__ = ()


class Function:
    """The base of all function values."""

    __slots__ = ()
    arity: int = 0
    name: str = ""

    def __repr__(self) -> str:
        return f"<function ${self.name}>" if self.name else "<function>"


def unwrap(value: Any) -> Any:
    """A sequence of one is its item, an empty one is undefined."""
    if type(value) is Seq:
        size = len(value)
        if size == 1:
            return value[0]
        if size == 0:
            return UNDEFINED
    return value


def keep_array(value: Any) -> Any:
    """What `[]` after an expression does: a sequence stays an array, even with one item."""
    if type(value) is Seq:
        return KeptSeq(value)
    return value


def is_number(value: Any) -> bool:
    """A JSON number, finite (a boolean is none)."""
    kind = type(value)
    return kind is int or (kind is float and math.isfinite(value))


def whole(number: float) -> int | float:
    """A number as JSON prints it: integral floats are integers."""
    if number.is_integer() and -1e21 < number < 1e21:
        return int(number)
    return number


_SCALARS = (str, int, bool, type(None), dict, list)


def to_json(value: Any, depth: int) -> Any:
    """A value as plain JSON data or `UNDEFINED`; functions are dropped, as JSON text would drop them.

    Raises `JsonataError` D1001 for a number that JSON cannot write, U1001 for nesting beyond `depth`.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is float:
        if math.isfinite(value):
            return whole(value)
        raise JsonataError("D1001", f"the result is {value}, which is not a JSON number", value=None)
    if isinstance(value, list):
        if depth <= 0:
            raise too_nested()
        result = [to_json(item, depth - 1) for item in value]
        return [None if item is UNDEFINED else item for item in result] if UNDEFINED in result else result
    if isinstance(value, dict):
        if depth <= 0:
            raise too_nested()
        fields = {}
        for key, item in value.items():
            plain = to_json(item, depth - 1)
            if plain is not UNDEFINED:
                fields[key] = plain
        return fields
    return UNDEFINED


def too_nested() -> JsonataError:
    return JsonataError("U1001", "the value is nested too deeply")


def truth(value: Any) -> bool:
    """The effective boolean value, as `$boolean` has it; undefined is false."""
    kind = type(value)
    if kind is bool:
        return value
    if isinstance(value, list):
        if len(value) == 1:
            return truth(value[0])
        return any(map(truth, value)) if len(value) < 64 else _any_true(value)
    if isinstance(value, (str, dict)):
        return len(value) > 0
    if kind is int or kind is float:
        return value != 0 and value == value
    return False


def _any_true(items: list[Any]) -> bool:
    return any(truth(item) for item in items)


def same(left: Any, right: Any) -> bool:
    """Deep equality of JSON values, by type and value: 1 is not true, and key order does not matter."""
    kind = type(left)
    if kind is type(right) and (kind is str or kind is int or kind is float or kind is bool):
        return left == right
    if left is right:
        return True
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        for index, item in enumerate(left):
            if not same(item, right[index]):
                return False
        return True
    if isinstance(left, dict):
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        for key, item in left.items():
            if key not in right or not same(item, right[key]):
                return False
        return True
    if kind is int or kind is float:
        other = type(right)
        return (other is int or other is float) and left == right
    return False


def weight(value: Any, at_most: int) -> int:
    """How many values there are in a value, counted up to `at_most`: the price of walking it."""
    count = 0
    stack = [value]
    while stack:
        item = stack.pop()
        count += 1
        if count > at_most:
            break
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif type(item) is str:
            count += len(item) >> 6
    return count
