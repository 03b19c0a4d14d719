"""The conditions of a JSONPath Choice: comparisons of a `Variable`, joined by And, Or and Not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .errors import InvalidPath, PathNotFound
from .path import Path
from .scope import Scope

Condition = Callable[[Scope], bool]
Compare = Callable[[Any, Any], bool]


class ChoicePathInvalid(LookupError):
    """The path of a rule leads nowhere; the text names it."""


def timestamp(value: Any) -> datetime | None:
    """The time that an RFC 3339 text with `T` and an offset says, or None."""
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _strings(test: Compare) -> Compare:
    return lambda value, other: isinstance(value, str) and isinstance(other, str) and test(value, other)


def _numbers(test: Compare) -> Compare:
    return lambda value, other: _is_number(value) and _is_number(other) and test(value, other)


def _timestamps(test: Compare) -> Compare:
    def compare(value: Any, other: Any) -> bool:
        at, until = timestamp(value), timestamp(other)
        return at is not None and until is not None and test(at, until)

    return compare


def _booleans(value: Any, other: Any) -> bool:
    return isinstance(value, bool) and isinstance(other, bool) and value == other


def matches(text: str, pattern: str) -> bool:
    """Whether `pattern` fits, in which `*` stands for any characters and `\\*` for a star."""
    parts: list[str] = [""]
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern) and pattern[at + 1] in "*\\":
            parts[-1] += pattern[at + 1]
            at += 2
        elif pattern[at] == "*":
            parts.append("")
            at += 1
        else:
            parts[-1] += pattern[at]
            at += 1
    if len(parts) == 1:
        return text == parts[0]
    head, *middle, tail = parts
    if not text.startswith(head) or len(text) < len(head) + len(tail):
        return False
    place, end = len(head), len(text) - len(tail)
    if not text.endswith(tail):
        return False
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


_ORDER: dict[str, Compare] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "GreaterThan": lambda a, b: a > b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
COMPARATORS: dict[str, Compare] = {
    **{f"String{name}": _strings(test) for name, test in _ORDER.items()},
    **{f"Numeric{name}": _numbers(test) for name, test in _ORDER.items()},
    **{f"Timestamp{name}": _timestamps(test) for name, test in _ORDER.items()},
    "BooleanEquals": _booleans,
    "StringMatches": _strings(matches),
}
"""The comparisons of two values; all but StringMatches also as `…Path`."""

TYPE_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": _is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: timestamp(value) is not None,
}
PATH_COMPARATORS = frozenset(f"{name}Path" for name in COMPARATORS if name != "StringMatches")
OPERATORS = frozenset({*COMPARATORS, *PATH_COMPARATORS, *TYPE_TESTS, "IsPresent"})


def prepare_condition(rule: Mapping[str, Any]) -> Condition:
    """The condition of a choice rule, as a function of the scope, which raises `ChoicePathInvalid` where a path
    leads nowhere. Raises `InvalidPath` for a rule that is none."""
    if "And" in rule:
        parts = [prepare_condition(part) for part in rule["And"]]
        return lambda scope: all(part(scope) for part in parts)
    if "Or" in rule:
        parts = [prepare_condition(part) for part in rule["Or"]]
        return lambda scope: any(part(scope) for part in parts)
    if "Not" in rule:
        inner = prepare_condition(rule["Not"])
        return lambda scope: not inner(scope)
    variable = rule.get("Variable")
    operators = [key for key in rule if key in OPERATORS]
    if not isinstance(variable, str) or len(operators) != 1:
        raise InvalidPath("a choice rule has a 'Variable' and one comparison")
    return _comparison(Path.parse(variable), operators[0], rule[operators[0]])


def _comparison(path: Path, operator: str, operand: Any) -> Condition:
    if operator == "IsPresent":
        return lambda scope: _present(path, scope) is bool(operand)
    if operator in TYPE_TESTS:
        test = TYPE_TESTS[operator]
        return lambda scope: test(_value(path, scope)) is bool(operand)
    if operator in PATH_COMPARATORS:
        compare = COMPARATORS[operator.removesuffix("Path")]
        other = Path.parse(operand)
        return lambda scope: compare(_value(path, scope), _value(other, scope))
    compare = COMPARATORS[operator]
    return lambda scope: compare(_value(path, scope), operand)


def _present(path: Path, scope: Scope) -> bool:
    try:
        found = path.evaluate(scope)
    except PathNotFound:
        return False
    return path.definite or bool(found)


def _value(path: Path, scope: Scope) -> Any:
    try:
        return path.evaluate(scope)
    except PathNotFound:
        raise ChoicePathInvalid(path.text) from None
