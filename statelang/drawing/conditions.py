"""Choice rules in few words, for labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SIGNS = {
    "LessThanEquals": "≤", "GreaterThanEquals": "≥", "LessThan": "<", "GreaterThan": ">", "Equals": "=",
    "Matches": "like",
}  # fmt: skip
_TYPES = ("Numeric", "String", "Boolean", "Timestamp")


def condition(rule: Mapping[str, Any]) -> str:
    """`$.total > 9` and the like, for a rule in either query language. Anything else is shown as far as it goes."""
    if "Condition" in rule:
        text = str(rule["Condition"]).strip()
        return " ".join(text.removeprefix("{%").removesuffix("%}").split())
    for word in ("And", "Or"):
        if isinstance(rule.get(word), list):
            return f" {word.lower()} ".join(_inner(part) for part in rule[word])
    if isinstance(rule.get("Not"), Mapping):
        return f"not {_inner(rule['Not'])}"
    variable = str(rule.get("Variable", ""))
    for key, value in rule.items():
        if key.startswith("Is"):
            return f"{variable} {'is' if value else 'is not'} {key[2:].lower()}"
        for type in _TYPES:
            sign = _SIGNS.get(key.removeprefix(type).removesuffix("Path"))
            if key.startswith(type) and sign is not None:
                return f"{variable} {sign} {value if key.endswith('Path') else _literal(value)}"
    return variable


def _inner(rule: Any) -> str:
    text = condition(rule) if isinstance(rule, Mapping) else ""
    return f"({text})" if isinstance(rule, Mapping) and {"And", "Or"} & set(rule) else text


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
