"""Regular expressions: JavaScript's syntax on an engine that can be given a time limit.

A literal is a function: called with a string it answers the first match, with `next` for the one after it.
"""

from __future__ import annotations

import re as _re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from .errors import JsonataError
from .limits import Run
from .values import UNDEFINED, Arr, Function, Obj

# What JavaScript writes otherwise than the engine does, outside the escapes that both share.
_NAMED = _re.compile(r"(?<!\\)\(\?<([A-Za-z_]\w*)>")


class RegexFunction(Function):
    """A regular expression as a value."""

    __slots__ = ("arity", "compiled", "name", "pattern")

    def __init__(self, pattern: str, flags: str, position: int | None):
        self.arity = 1
        self.name = ""
        self.pattern = pattern
        self.compiled = _compile(pattern, flags, position)

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        text = arguments[0] if arguments else UNDEFINED
        if type(text) is not str:
            return UNDEFINED
        return _match_object(self.matches(text, run), run)

    def matches(self, text: str, run: Run) -> Iterator[Any]:
        """The engine's match objects, one after the other. Raises D1004 for an empty match, U1001 in time."""
        position = 0
        while position <= len(text):
            run.spend(1 + (len(text) >> 8))
            try:
                found = self.compiled.search(text, position, timeout=run.limits.regex_seconds)
            except TimeoutError:
                raise JsonataError(
                    "U1001", f"the regular expression /{self.pattern}/ takes too long", limit="steps"
                ) from None
            if found is None:
                return
            if found.end() == found.start():
                raise JsonataError("D1004", f"the regular expression /{self.pattern}/ matches an empty text")
            yield found
            position = found.end()


def groups_of(found: Any) -> Arr:
    """The texts of the groups; one that took no part is empty."""
    return Arr("" if group is None else group for group in found.groups())


class _Next(Function):
    __slots__ = ("arity", "matches", "name")

    def __init__(self, matches: Iterator[Any]):
        self.arity = 0
        self.name = "next"
        self.matches = matches

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        return _match_object(self.matches, run)


def _match_object(matches: Iterator[Any], run: Run) -> Any:
    found = next(matches, None)
    if found is None:
        return UNDEFINED
    return Obj(
        match=found.group(),
        start=found.start(),
        end=found.end(),
        groups=groups_of(found),
        next=_Next(matches),
    )


@lru_cache(maxsize=256)
def _compile(pattern: str, flags: str, position: int | None) -> Any:
    import regex

    options = regex.VERSION0
    if "i" in flags:
        options |= regex.IGNORECASE
    if "m" in flags:
        options |= regex.MULTILINE
    try:
        return regex.compile(_NAMED.sub(r"(?P<\1>", pattern).replace(r"\d", "[0-9]"), options)
    except (regex.error, RecursionError) as error:
        raise JsonataError(
            "S0303", f"/{pattern}/ is not a regular expression: {error}", position, token=pattern
        ) from None
