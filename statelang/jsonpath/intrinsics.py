"""Intrinsic functions: `States.Format('Hello {}', $.name)`, read once and evaluated many times.

See the AWS guide, "Intrinsic functions for JSONPath states in Step Functions".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .errors import IntrinsicFailure, InvalidPath
from .functions import FUNCTIONS
from .lexing import Reader
from .path import Path, read_path
from .scope import Scope

MAX_NESTED = 10
"""Intrinsic functions that one field may have within each other."""

PREFIX = "States."
_STRING = re.compile(r"'(?:[^'\\]|\\['{}\\])*'", re.S)
_ESCAPE = re.compile(r"\\(.)", re.S)


class Literal:
    """A constant. `written` is a string as it stands in the call, of which States.Format tells an escaped brace from
    a place to fill."""

    __slots__ = ("value", "written")

    def __init__(self, value: Any, written: str | None = None):
        self.value = value
        self.written = written

    def evaluate(self, scope: Scope) -> Any:
        return self.value


class Intrinsic:
    """A call; its arguments are literals, paths and further calls."""

    __slots__ = ("arguments", "name", "text")

    def __init__(self, text: str, name: str, arguments: tuple[Literal | Path | Intrinsic, ...]):
        self.text = text
        self.name = name
        self.arguments = arguments

    @staticmethod
    def parse(text: str) -> Intrinsic:
        """Reads a call. Raises `InvalidPath`."""
        return _parse(text)

    def evaluate(self, scope: Scope) -> Any:
        """Raises `IntrinsicFailure`, and `PathNotFound` for a path among the arguments."""
        values = [argument.evaluate(scope) for argument in self.arguments]
        first = self.arguments[0] if self.arguments else None
        if self.name == "Format" and isinstance(first, Literal) and first.written is not None:
            values[0] = first.written
        try:
            return FUNCTIONS[self.name].apply(scope, values)
        except IntrinsicFailure as failure:
            raise IntrinsicFailure(f"The Intrinsic Function '{self.text}' failed: {failure}") from None

    def paths(self) -> list[Path]:
        """Every path in the call."""
        found: list[Path] = []
        for argument in self.arguments:
            if isinstance(argument, Path):
                found.append(argument)
            elif isinstance(argument, Intrinsic):
                found += argument.paths()
        return found

    def __repr__(self) -> str:
        return f"Intrinsic({self.text!r})"


@lru_cache(maxsize=4096)
def _parse(text: str) -> Intrinsic:
    reader = Reader(text)
    reader.skip_space()
    call = _call(reader, 1)
    reader.skip_space()
    if not reader.ended:
        raise reader.error(f"'{reader.peek()}' does not belong after an intrinsic function")
    return call


def _call(reader: Reader, depth: int) -> Intrinsic:
    if depth > MAX_NESTED:
        raise reader.error(f"intrinsic functions are nested more than {MAX_NESTED} deep")
    start = reader.at
    reader.expect(PREFIX)
    name = reader.name()
    if name not in FUNCTIONS:
        raise InvalidPath(f"There is no intrinsic function 'States.{name}'", start)
    reader.skip_space()
    reader.expect("(")
    arguments: list[Literal | Path | Intrinsic] = []
    reader.skip_space()
    if not reader.take(")"):
        while True:
            reader.skip_space()
            arguments.append(_argument(reader, depth))
            reader.skip_space()
            if reader.take(")"):
                break
            reader.expect(",")
    function = FUNCTIONS[name]
    if not function.least <= len(arguments) <= function.most:
        wanted = (
            str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
        )
        if function.most > 99:
            wanted = f"at least {function.least}"
        raise InvalidPath(f"States.{name} takes {wanted} arguments, not {len(arguments)}", start)
    return Intrinsic(reader.text[start : reader.at], name, tuple(arguments))


def _argument(reader: Reader, depth: int) -> Literal | Path | Intrinsic:
    first = reader.peek()
    if first == "$":
        return read_path(reader)
    if first == "'":
        return _text(reader)
    if reader.peek(len(PREFIX)) == PREFIX:
        return _call(reader, depth + 1)
    for word, value in (("true", True), ("false", False), ("null", None)):
        if reader.take(word):
            return Literal(value)
    number = reader.number()
    if number is None:
        raise reader.error(
            "an argument is a path, a string in single quotes, a number, true, false, null or a call"
        )
    return Literal(number)


def _text(reader: Reader) -> Literal:
    """A string in single quotes, in which a backslash stands before a quote, a brace or another backslash alone."""
    start = reader.at
    written = _STRING.match(reader.text, start)
    if written is None:
        raise reader.error("a string ends with ', and a backslash stands before ', {, } or \\ alone")
    reader.at = written.end()
    inner = written.group()[1:-1]
    return Literal(_ESCAPE.sub(r"\1", inner), inner)
