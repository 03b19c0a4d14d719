"""The rules of alarms that are made of others.

See the CloudWatch API reference, "PutCompositeAlarm": `ALARM(…)`, `OK(…)` and `INSUFFICIENT_DATA(…)` of an alarm's name or ARN,
`TRUE` and `FALSE`, with `AND`, `OR`, `NOT` and parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"""\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^)"]+?))\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<mark>[()]))"""
)
_Token = tuple[str, str]


class InvalidRule(ValueError):
    """The text is no rule."""


def parse(rule: str) -> list[_Token]:
    """The parts of a rule. Raises `InvalidRule`."""
    found: list[_Token] = []
    position = 0
    text = rule.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidRule(f"not understood from here: {text[position:].strip()[:40]}")
        if match["state"]:
            name = match["quoted"] or match["plain"]
            found.append((match["state"], name.rpartition(":alarm:")[2]))
        else:
            found.append((match["word"] or match["mark"], ""))
        position = match.end()
    return found


def named(rule: str) -> list[str]:
    """The names of the alarms in a rule."""
    return [name for _, name in parse(rule) if name]


def holds(rule: str, state: Callable[[str], str | None]) -> bool:
    """Whether the rule is true now; `state` answers that of the alarm with a name. Raises `InvalidRule`."""
    tokens = parse(rule)

    def peek() -> str:
        return tokens[0][0] if tokens else ""

    def either() -> bool:
        value = both()
        while peek() == "OR":
            tokens.pop(0)
            other = both()
            value = value or other
        return value

    def both() -> bool:
        value = one()
        while peek() == "AND":
            tokens.pop(0)
            other = one()
            value = value and other
        return value

    def one() -> bool:
        if not tokens:
            raise InvalidRule("it ends too early")
        word, name = tokens.pop(0)
        if word == "NOT":
            return not one()
        if word == "(":
            value = either()
            if not tokens or tokens.pop(0)[0] != ")":
                raise InvalidRule("a parenthesis is not closed")
            return value
        if name:
            return state(name) == word
        if word in ("TRUE", "FALSE"):
            return word == "TRUE"
        raise InvalidRule(f"{word} is not expected here")

    answer = either()
    if tokens:
        raise InvalidRule(f"{tokens[0][0]} is not expected here")
    return answer
