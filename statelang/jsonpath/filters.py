"""Filters of paths: `[?(@.price < 10 && @.tags contains 'new')]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import PathNotFound
from .lexing import Reader

if TYPE_CHECKING:
    from .path import Evaluation

Condition = Callable[[Any, "Evaluation"], bool]
Operand = Callable[[Any, "Evaluation"], Any]

MISSING: Any = object()
_MAX_DEPTH = 50


def read_filter(reader: Reader) -> Condition:
    """Reads `(condition)` after the question mark."""
    reader.skip_space()
    reader.expect("(")
    condition = _or(reader, 0)
    reader.skip_space()
    reader.expect(")")
    return condition


def _or(reader: Reader, depth: int) -> Condition:
    if depth > _MAX_DEPTH:
        raise reader.error("the filter is nested too deeply")
    parts = [_and(reader, depth)]
    while _operator(reader, "||"):
        parts.append(_and(reader, depth))
    if len(parts) == 1:
        return parts[0]
    return lambda item, evaluation: any(part(item, evaluation) for part in parts)


def _and(reader: Reader, depth: int) -> Condition:
    parts = [_unary(reader, depth)]
    while _operator(reader, "&&"):
        parts.append(_unary(reader, depth))
    if len(parts) == 1:
        return parts[0]
    return lambda item, evaluation: all(part(item, evaluation) for part in parts)


def _operator(reader: Reader, wanted: str) -> bool:
    reader.skip_space()
    return reader.take(wanted)


def _unary(reader: Reader, depth: int) -> Condition:
    reader.skip_space()
    if reader.peek() == "!" and reader.peek(2) != "!=":
        reader.take("!")
        inner = _unary(reader, depth + 1) if depth < _MAX_DEPTH else _or(reader, depth + 1)
        return lambda item, evaluation: not inner(item, evaluation)
    if reader.take("("):
        condition = _or(reader, depth + 1)
        reader.skip_space()
        reader.expect(")")
        return condition
    return _comparison(reader)


def _comparison(reader: Reader) -> Condition:
    left = _operand(reader)
    reader.skip_space()
    for symbol in ("==", "!=", "<=", ">=", "=~", "<", ">"):
        if reader.take(symbol):
            if symbol == "=~":
                return _matches(left, reader)
            compare = _COMPARE[symbol]
            right = _operand(reader)
            return lambda item, evaluation: compare(left(item, evaluation), right(item, evaluation))
    start = reader.at
    word = reader.name()
    if word in _WORDS:
        test = _WORDS[word]
        other = _operand(reader)
        return lambda item, evaluation: test(left(item, evaluation), other(item, evaluation))
    reader.at = start
    return lambda item, evaluation: left(item, evaluation) is not MISSING


def _operand(reader: Reader) -> Operand:
    from .path import INPUT, Path, read_steps

    reader.skip_space()
    first = reader.peek()
    if first in ("@", "$"):
        start = reader.at
        reader.at += 1
        path = Path("", INPUT, read_steps(reader))
        path.text = reader.text[start : reader.at]

        def get(item: Any, evaluation: Evaluation) -> Any:
            try:
                return path.select(item if first == "@" else evaluation.root)
            except PathNotFound:
                return MISSING

        return get
    if first in ("'", '"'):
        return _constant(reader.quoted())
    if first == "[":
        return _constant(_list(reader))
    for word, value in (("true", True), ("false", False), ("null", None)):
        if reader.take(word):
            return _constant(value)
    number = reader.number()
    if number is None:
        raise reader.error("a path, a string or a number is missing")
    return _constant(number)


def _constant(value: Any) -> Operand:
    return lambda item, evaluation: value


def _list(reader: Reader) -> list[Any]:
    reader.expect("[")
    values: list[Any] = []
    reader.skip_space()
    while not reader.take("]"):
        if values:
            reader.expect(",")
            reader.skip_space()
        if reader.peek() in ("@", "$", "["):
            raise reader.error("a list in a filter holds strings, numbers, true, false and null")
        values.append(_operand(reader)(None, None))  # pyright: ignore[reportArgumentType]
        reader.skip_space()
        if reader.ended:
            raise reader.error("a list does not end")
    return values


def _matches(left: Operand, reader: Reader) -> Condition:
    reader.skip_space()
    reader.expect("/")
    source: list[str] = []
    while not reader.ended and reader.peek() != "/":
        if reader.peek() == "\\" and reader.peek(2) == "\\/":
            reader.at += 1
        elif reader.peek() == "\\":
            source.append("\\")
            reader.at += 1
        source.append(reader.peek())
        reader.at += 1
    reader.expect("/")
    ignore = reader.take("i")
    import regex

    try:
        pattern = regex.compile("".join(source), regex.IGNORECASE if ignore else 0)
    except regex.error as error:
        raise reader.error(f"not a regular expression: {error}") from None

    def test(item: Any, evaluation: Evaluation) -> bool:
        value = left(item, evaluation)
        try:
            # Counted in time, as a pattern may backtrack for ever; nothing else in a path can.
            return isinstance(value, str) and pattern.fullmatch(value, timeout=0.5) is not None
        except TimeoutError:
            raise PathNotFound("the regular expression takes too long") from None

    return test


def _same(left: Any, right: Any) -> bool:
    if left is MISSING or right is MISSING:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return type(left) is type(right) and left == right


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        numbers = _is_number(left) and _is_number(right)
        if not numbers and not (isinstance(left, str) and isinstance(right, str)):
            return False
        return test(left, right)

    return compare


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(value: Any) -> int | None:
    return len(value) if isinstance(value, list | str) else None


def _empty(left: Any, right: Any) -> bool:
    return isinstance(left, list | str | dict) and (len(left) == 0) is right


def _in(left: Any, right: Any) -> bool:
    return isinstance(right, list) and any(_same(left, item) for item in right)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}
_WORDS: dict[str, Callable[[Any, Any], bool]] = {
    "in": _in,
    "nin": lambda left, right: isinstance(right, list) and not _in(left, right),
    "contains": _contains,
    "size": lambda left, right: (
        _size(left) is not None and _size(left) == (right if _is_number(right) else _size(right))
    ),
    "empty": _empty,
    "subsetof": lambda left, right: isinstance(left, list) and all(_in(item, right) for item in left),
    "anyof": lambda left, right: isinstance(left, list) and any(_in(item, right) for item in left),
    "noneof": lambda left, right: isinstance(left, list) and not any(_in(item, right) for item in left),
}
