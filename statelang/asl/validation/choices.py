"""Choice rules of both query languages."""

from __future__ import annotations

from typing import Any

from ...jsonpath import InvalidPath, Path
from ...jsonpath.choice import COMPARATORS, OPERATORS, PATH_COMPARATORS, TYPE_TESTS, timestamp
from . import queries
from .findings import Body, Findings

MAX_DEPTH = 100


def choice(found: Findings, body: Body, at: str, language: str) -> None:
    found.required(body, at, "Choices")
    for place, rule in found.entries(body, "Choices", at, least=1):
        found.required(rule, place, "Next")
        queries.assign(found, rule, place, language)
        if language == "JSONata":
            _condition(found, rule, place)
        else:
            _rule(found, rule, place, {"Next", "Assign", "Comment"}, 0)


def _condition(found: Findings, rule: Body, at: str) -> None:
    for key in sorted(rule.keys() - {"Condition", "Next", "Assign", "Output", "Comment"}):
        found.error(f"Field '{key}' is not supported", at)
    if found.required(rule, at, "Condition"):
        value = rule["Condition"]
        if not isinstance(value, str | bool):
            found.error("Value must be a JSONata expression or a boolean", f"{at}/Condition")
        queries.expressions(found, value, f"{at}/Condition")
    if "Output" in rule:
        queries.expressions(found, rule["Output"], f"{at}/Output")


def _rule(found: Findings, rule: Any, at: str, also: set[str], depth: int) -> None:
    """One rule; `also` are the fields that only the outermost has."""
    if depth > MAX_DEPTH:
        found.error("Choice rules are nested too deeply", at, "TOO_DEEPLY_NESTED")
        return
    if not isinstance(rule, dict):
        found.error("Value must be an object", at)
        return
    joined = [key for key in ("And", "Or", "Not") if key in rule]
    if joined:
        for key in sorted(rule.keys() - also - set(joined[:1])):
            found.error(f"Field '{key}' is not supported", at)
        key = joined[0]
        if key == "Not":
            _rule(found, rule[key], f"{at}/Not", {"Comment"}, depth + 1)
            return
        if not isinstance(rule[key], list) or not rule[key]:
            found.error("Array must have at least 1 item", f"{at}/{key}")
            return
        for index, part in enumerate(rule[key]):
            _rule(found, part, f"{at}/{key}[{index}]", {"Comment"}, depth + 1)
        return
    _comparison(found, rule, at, also)


def _comparison(found: Findings, rule: Body, at: str, also: set[str]) -> None:
    operators = [key for key in rule if key in OPERATORS]
    for key in sorted(rule.keys() - also - OPERATORS - {"Variable"}):
        found.error(f"Field '{key}' is not supported", at)
    if not found.required(rule, at, "Variable"):
        return
    queries.path(found, rule, "Variable", at)
    if len(operators) != 1:
        found.error("A choice rule must have exactly one comparison operator", at)
        return
    _operand(found, operators[0], rule[operators[0]], f"{at}/{operators[0]}")


def _operand(found: Findings, operator: str, value: Any, at: str) -> None:
    if operator in PATH_COMPARATORS:
        try:
            if not isinstance(value, str):
                raise InvalidPath("it must be a string")
            Path.parse(value)
        except InvalidPath as error:
            found.error(f"Value is not a Path: {error}", at)
        return
    if operator in TYPE_TESTS or operator == "IsPresent" or operator == "BooleanEquals":
        if not isinstance(value, bool):
            found.error("Value must be a boolean", at)
        return
    assert operator in COMPARATORS
    if operator.startswith("Numeric"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            found.error("Value must be a number", at)
    elif not isinstance(value, str):
        found.error("Value must be a string", at)
    elif operator.startswith("Timestamp") and timestamp(value) is None:
        found.error("String does not match RFC3339 timestamp", at)
