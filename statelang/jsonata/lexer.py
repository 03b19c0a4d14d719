"""Source text to tokens, one at a time: whether `/` divides or opens a regular expression is the parser's to say."""

from __future__ import annotations

import math
import re

from .errors import JsonataError

_SKIP = re.compile(r"(?:[ \t\n\r\v]+|/\*.*?\*/)*", re.DOTALL)
_NAME_END = r" \t\n\r\v.\[\]{}(),@#;:?+\-*/%|=<>^&!~"
_TOKEN = re.compile(
    rf"""
      (?P<variable>\$[^{_NAME_END}]*)
    | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
    | (?P<string>"[^"\\]*"|'[^'\\]*')
    | (?P<escaped>["'])
    | (?P<quoted>`[^`]*`)
    | (?P<operator>\.\.|:=|!=|>=|<=|\*\*|~>|[.\[\]{{}}(),@\#;:?+\-*/%|=<>^&!~])
    | (?P<unclosed>`)
    | (?P<name>[^{_NAME_END}]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(
    r"""(?P<text>[^"'\\]+)|\\u(?P<code>[0-9a-fA-F]{4})|\\(?P<escape>.)|(?P<quote>["'])""", re.DOTALL
)
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"and", "or", "in"}
_CONSTANTS = {"true": True, "false": False, "null": None}


class Lexer:
    """The current token: `kind` is ``end``, ``name``, ``variable``, ``string``, ``number``, ``constant``, ``regex``
    or an operator's own text; `value`, `start` and `end` belong to it, `last_end` to the token before it."""

    __slots__ = ("end", "kind", "last_end", "position", "source", "start", "value")

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.start = self.end = self.last_end = 0
        self.kind = "end"
        self.value: object = None

    @property
    def text(self) -> str:
        """The token as it is written."""
        return self.source[self.start : self.end]

    def next(self, *, operand: bool) -> None:
        """Read the next token; `operand` says that one may stand here, so that `/` opens a regular expression."""
        source = self.source
        self.last_end = self.end
        skipped = _SKIP.match(source, self.position)
        start = skipped.end() if skipped else self.position
        self.start = start
        if start >= len(source):
            self.kind, self.value, self.end = "end", None, start
            self.position = start
            return
        if source.startswith("/*", start):
            raise JsonataError("S0106", "the comment has no closing */", start, token="/*")
        found = _TOKEN.match(source, start)
        if found is None:
            raise JsonataError("S0201", f"{source[start]!r} cannot stand here", start, token=source[start])
        group, text = found.lastgroup, found.group()
        self.position = self.end = found.end()
        if group == "operator":
            if text == "/" and operand:
                self._regex(start)
                return
            self.kind = self.value = text
        elif group == "name":
            if text in _CONSTANTS:
                self.kind, self.value = "constant", _CONSTANTS[text]
            else:
                self.kind, self.value = (text if text in _WORDS else "name"), text
        elif group == "variable":
            self.kind, self.value = "variable", text[1:]
        elif group == "number":
            self.kind, self.value = "number", number_of(text, start)
        elif group == "string":
            self.kind, self.value = "string", text[1:-1]
        elif group == "escaped":
            self._string(start, text)
        elif group == "quoted":
            self.kind, self.value = "name", text[1:-1]
        else:
            raise JsonataError("S0105", "the quoted name has no closing `", start, token="`")

    def _string(self, start: int, quote: str) -> None:
        source, position, parts = self.source, start + 1, []
        while True:
            found = _PART.match(source, position)
            if found is None:
                raise JsonataError(
                    "S0101", f"the string has no closing {quote}", start, token=source[start : start + 20]
                )
            kind, text = found.lastgroup, found.group()
            if kind == "text":
                parts.append(text)
            elif kind == "quote":
                if text == quote:
                    break
                parts.append(text)
            elif kind == "code":
                parts.append(chr(int(text[2:], 16)))
            elif text[1] in _ESCAPES:
                parts.append(_ESCAPES[text[1]])
            elif text[1] == "u":
                raise JsonataError(
                    "S0104", r"\u must be followed by 4 hexadecimal digits", position, token=r"\u"
                )
            else:
                raise JsonataError("S0103", f"{text!r} is not an escape sequence", position, token=text[1])
            position = found.end()
        self.kind, self.value = "string", join_surrogates("".join(parts))
        self.position = self.end = found.end()

    def _regex(self, start: int) -> None:
        """`/pattern/flags`; a slash within brackets of any sort belongs to the pattern."""
        source, position, depth = self.source, start + 1, 0
        while position < len(source):
            character = source[position]
            if character == "\\":
                position += 2
                continue
            if character == "/" and depth == 0:
                if position == start + 1:
                    raise JsonataError(
                        "S0301", "an empty regular expression is not allowed", start, token="//"
                    )
                pattern = source[start + 1 : position]
                position += 1
                flags_at = position
                while position < len(source) and source[position] in "im":
                    position += 1
                self.kind, self.value = "regex", (pattern, source[flags_at:position])
                self.position = self.end = position
                return
            if character in "([{":
                depth += 1
            elif character in ")]}":
                depth -= 1
            position += 1
        raise JsonataError("S0302", "the regular expression has no closing /", start, token="/")


def number_of(text: str, position: int | None = None) -> int | float:
    """A number literal; integers stay exact as far as a double is."""
    if text.isdigit() and len(text) < 16:
        return int(text)
    value = float(text)
    if math.isinf(value):
        raise JsonataError("S0102", f"the number {text[:30]} is out of range", position, token=text[:30])
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def join_surrogates(text: str) -> str:
    r"""`\ud83d\ude00` written as two escapes is one character."""
    if any("\ud800" <= character <= "\udbff" for character in text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text
