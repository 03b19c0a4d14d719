"""Choice rules of both query languages."""

from __future__ import annotations

from typing import Any

from ...jsonpath.choice import OPERATORS, PATH_COMPARATORS, TYPE_TESTS, timestamp
from . import queries
from .findings import Body, Findings

MAX_DEPTH = 100
_KINDS = ("And", "Or", "Not", "Variable")


def choice(found: Findings, body: Body, at: str, language: str) -> None:
    if "Default" in body:
        found.text(body, "Default", at)
    if not found.required(body, at, "Choices"):
        return
    for place, rule in found.entries(body, "Choices", at, empty=False):
        if found.required(rule, place, "Next"):
            found.text(rule, "Next", place)
        queries.assign(found, rule, place, language)
        other = "Variable" if language == "JSONata" else "Condition"
        if other in rule:
            found.other_language(language, other, place)
        elif language == "JSONata":
            _condition(found, rule, place)
        else:
            _rule(found, rule, place, {"Next", "Assign", "Comment"}, 0)


def _condition(found: Findings, rule: Body, at: str) -> None:
    found.supported(rule, at, {"Condition", "Next", "Assign", "Output", "Comment"})
    if found.required(rule, at, "Condition"):
        value = rule["Condition"]
        if not isinstance(value, str | bool):
            found.expected("STRING", f"{at}/Condition")
        queries.expressions(found, value, f"{at}/Condition")
    if "Output" in rule:
        queries.expressions(found, rule["Output"], f"{at}/Output")


def _rule(found: Findings, rule: Any, at: str, also: set[str], depth: int) -> None:
    """One rule; `also` are the fields that only the outermost has."""
    if depth > MAX_DEPTH:
        found.error("Choice rules are nested too deeply", at, "TOO_DEEPLY_NESTED")
        return
    if not isinstance(rule, dict):
        found.expected("OBJECT", at)
        return
    kinds = [key for key in _KINDS if key in rule]
    if len(kinds) != 1:
        found.error(f"The object must have only one of the following fields, [{', '.join(_KINDS)}]", at)
        return
    kind = kinds[0]
    if kind == "Variable":
        _comparison(found, rule, at, also)
        return
    found.supported(rule, at, also | {kind})
    if kind == "Not":
        _rule(found, rule[kind], f"{at}/Not", {"Comment"}, depth + 1)
        return
    for place, part in found.entries(rule, kind, at, empty=False):
        _rule(found, part, place, {"Comment"}, depth + 1)


def _comparison(found: Findings, rule: Body, at: str, also: set[str]) -> None:
    operators = [key for key in rule if key in OPERATORS]
    found.supported(rule, at, also | OPERATORS | {"Variable"})
    queries.reference(found, rule, "Variable", at)
    if len(operators) > 1:
        found.error(f"There should only be one of the following fields: [{', '.join(sorted(operators))}]", at)
    elif not operators:
        fields = ", ".join(sorted(OPERATORS))
        found.error(f"This object should have only one of the following fields: [{fields}]", at)
    else:
        _operand(found, operators[0], rule, at)


def _operand(found: Findings, operator: str, rule: Body, at: str) -> None:
    value, place = rule[operator], f"{at}/{operator}"
    if operator in PATH_COMPARATORS:
        queries.reference(found, rule, operator, at)
    elif operator in TYPE_TESTS or operator in ("IsPresent", "BooleanEquals"):
        found.boolean(rule, operator, at)
    elif operator.startswith("Numeric"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            found.expected("NUMBER", place)
    elif not isinstance(value, str):
        found.expected("STRING", place)
    elif operator.startswith("Timestamp") and timestamp(value) is None:
        found.error("String does not match RFC3339 timestamp", place)
