"""Reading paths character by character: names, quoted strings, numbers."""

from __future__ import annotations

import re

from .errors import InvalidPath

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]+")
_STOPS = frozenset(" \t\n\r.[](){}'\"?,!=<>&|@*:+/\\")


class Reader:
    """A text and a position in it."""

    __slots__ = ("at", "text")

    def __init__(self, text: str, at: int = 0):
        self.text = text
        self.at = at

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def skip_space(self) -> None:
        while not self.ended and self.text[self.at] in " \t\n\r":
            self.at += 1

    def take(self, wanted: str) -> bool:
        """Whether `wanted` stands here; if so, it is read."""
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            found = f"'{self.peek()}'" if not self.ended else "the end"
            raise self.error(f"expected '{wanted}', found {found}")

    def error(self, message: str) -> InvalidPath:
        return InvalidPath(f"{message} at position {self.at} of '{self.text}'", self.at)

    def name(self) -> str:
        """A property's name after a dot; may be empty."""
        start = self.at
        while not self.ended and self.text[self.at] not in _STOPS:
            self.at += 1
        return self.text[start : self.at]

    def integer(self) -> int | None:
        found = _INTEGER.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return int(found[0])

    def number(self) -> int | float | None:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return float(found[0]) if found[2] or found[3] else int(found[0])

    def quoted(self) -> str:
        """A string in single or double quotes. A backslash takes a quote or a backslash as it is; before
        anything else it is a character like any other."""
        quote = self.text[self.at]
        self.at += 1
        parts: list[str] = []
        while not self.ended:
            character = self.text[self.at]
            if character == quote:
                self.at += 1
                return "".join(parts)
            if character == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                following = self.text[self.at]
                if following not in (quote, "\\"):
                    parts.append("\\")
                character = following
            parts.append(character)
            self.at += 1
        raise self.error(f"a string that begins with {quote} does not end")
