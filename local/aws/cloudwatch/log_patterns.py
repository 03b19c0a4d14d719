"""Filter patterns of CloudWatch Logs, for metric filters.

See the CloudWatch Logs guide, "Filter pattern syntax for metric filters": terms (`word`, `"some words"`, `?either`, `-not`), and for
events that are JSON `{ $.field = value && … }`. Patterns for fields between spaces (`[a, b]`) and regular expressions are not
read here.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

Matches = Callable[[str, Any], bool]
"""Takes an event's text, and its value where it is a JSON object (else None)."""


class UnreadPattern(ValueError):
    """A pattern that nothing here reads."""


_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_PART = re.compile(
    r"""\s*(?:(?P<path>\$(?:\.[\w-]+|\[\d+\]|\["[^"]+"\])+)|(?P<mark>&&|\|\||!=|>=|<=|[()=<>])|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()&|=<>!"]+))"""
)
_STEP = re.compile(r'\.([\w-]+)|\[(\d+)\]|\["([^"]+)"\]')
_ABSENT = object()


@functools.lru_cache(256)
def compile_pattern(pattern: str) -> Matches:
    """What tells whether an event matches. Raises `UnreadPattern`."""
    text = pattern.strip()
    if not text:
        return lambda message, value: True
    if text.startswith("{") and text.endswith("}"):
        return _json(text[1:-1])
    if text.startswith(("[", "%")):
        raise UnreadPattern(f"not read here: {pattern}")
    return _terms(text)


def select(value: Any, path: str) -> Any:
    """What is at `$.a.b[0]`, or None where nothing is."""
    found = _at(value, path)
    return None if found is _ABSENT else found


def _terms(text: str) -> Matches:
    every: list[str] = []
    some: list[str] = []
    none: list[str] = []
    for kind, quoted, word in _TERM.findall(text):
        {"": every, "?": some, "-": none}[kind].append(quoted.replace('\\"', '"') if quoted else word)

    def matches(message: str, value: Any) -> bool:
        return (
            all(each in message for each in every)
            and (not some or any(each in message for each in some))
            and not any(each in message for each in none)
        )

    return matches


def _json(text: str) -> Matches:
    parts = list(_PART.finditer(text))
    if "".join(match[0] for match in parts).strip() != text.strip():
        raise UnreadPattern(f"not read here: {{{text}}}")
    tokens: list[tuple[str, str]] = [
        (kind, match[kind]) for match in parts for kind in [str(match.lastgroup)]
    ]

    def peek(kind: str, text: str) -> bool:
        return bool(tokens) and tokens[0] == (kind, text)

    def take(kind: str | None = None) -> tuple[str, str]:
        if not tokens or (kind is not None and tokens[0][0] != kind):
            raise UnreadPattern(f"not read here: {{{text}}}")
        return tokens.pop(0)

    def either() -> Callable[[Any], bool]:
        found = [both()]
        while peek("mark", "||"):
            take()
            found.append(both())
        return found[0] if len(found) == 1 else lambda value: any(each(value) for each in found)

    def both() -> Callable[[Any], bool]:
        found = [one()]
        while peek("mark", "&&"):
            take()
            found.append(one())
        return found[0] if len(found) == 1 else lambda value: all(each(value) for each in found)

    def one() -> Callable[[Any], bool]:
        if peek("mark", "("):
            take()
            inner = either()
            if take("mark")[1] != ")":
                raise UnreadPattern(f"not read here: {{{text}}}")
            return inner
        _, path = take("path")
        kind, sign = take()
        if (kind, sign) == ("word", "NOT"):
            if take("word")[1] != "EXISTS":
                raise UnreadPattern(f"not read here: {{{text}}}")
            return lambda value: _at(value, path) is _ABSENT
        if (kind, sign) == ("word", "IS"):
            wanted = {"TRUE": True, "FALSE": False, "NULL": None}.get(take("word")[1], _ABSENT)
            return lambda value: _at(value, path) is wanted is not _ABSENT
        if kind != "mark":
            raise UnreadPattern(f"not read here: {{{text}}}")
        return _comparison(path, sign, *take())

    answer = either()
    if tokens:
        raise UnreadPattern(f"not read here: {{{text}}}")
    return lambda message, value: isinstance(value, dict) and answer(value)


def _comparison(path: str, sign: str, kind: str, operand: str) -> Callable[[Any], bool]:
    if kind == "text":
        operand = json.loads(f'"{operand}"')
    number = _number(operand) if kind == "word" else None
    like = re.compile(".*".join(re.escape(part) for part in operand.split("*")), re.S)

    def equal(found: Any) -> bool:
        if number is not None and isinstance(found, int | float) and not isinstance(found, bool):
            return found == number
        return not isinstance(found, dict | list) and like.fullmatch(_text(found)) is not None

    if sign == "=":
        return lambda value: (found := _at(value, path)) is not _ABSENT and equal(found)
    if sign == "!=":
        return lambda value: (found := _at(value, path)) is not _ABSENT and not equal(found)
    if number is None or sign not in ("<", ">", "<=", ">="):
        raise UnreadPattern(f"{sign} is for numbers, and {operand} is none")
    compare = {
        "<": lambda a: a < number, ">": lambda a: a > number, "<=": lambda a: a <= number, ">=": lambda a: a >= number,
    }[sign]  # fmt: skip
    return lambda value: isinstance(found := _at(value, path), int | float) and compare(found)


def _at(value: Any, path: str) -> Any:
    for name, index, quoted in _STEP.findall(path):
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                return _ABSENT
            value = value[int(index)]
        else:
            if not isinstance(value, dict) or (name or quoted) not in value:
                return _ABSENT
            value = value[name or quoted]
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
