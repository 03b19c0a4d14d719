"""Interim checks of a definition."""

from __future__ import annotations

from typing import Any

from .. import jsonata
from . import fields
from .problems import Problem

SCHEMA = "SCHEMA_VALIDATION_FAILED"
_TYPES = "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"


def validate(definition: Any, *, type: str = "STANDARD") -> list[Problem]:
    problems: list[Problem] = []
    _machine(definition, "", "JSONPath", problems)
    return problems


def _machine(definition: Any, at: str, language: str, problems: list[Problem]) -> None:
    if not isinstance(definition, dict):
        problems.append(Problem(SCHEMA, "a state machine is a JSON object", at or "/"))
        return
    missing = [key for key in ("States", "StartAt") if key not in definition]
    if missing:
        problems.append(Problem(SCHEMA, f"These fields are required: [{', '.join(missing)}]", at or "/"))
        return
    language = definition.get("QueryLanguage", language)
    states = definition["States"]
    if not isinstance(states, dict) or not states:
        problems.append(
            Problem(SCHEMA, "a state machine needs a 'States' object with at least one state", f"{at}/States")
        )
        return
    if definition["StartAt"] not in states:
        problems.append(
            Problem(
                "MISSING_TRANSITION_TARGET",
                f"Missing 'StartAt' target: {definition['StartAt']}",
                f"{at}/StartAt",
            )
        )
    for name, body in states.items():
        _state(name, body, f"{at}/States/{name}", language, states, problems)


def _state(name: str, body: Any, at: str, language: str, states: Any, problems: list[Problem]) -> None:
    from .machine import transitions

    if not isinstance(body, dict) or body.get("Type") not in fields.JSONPATH:
        problems.append(
            Problem(SCHEMA, f"The field 'Type' should have one of these values: {_TYPES}", f"{at}/Type")
        )
        return
    own = body.get("QueryLanguage", language)
    allowed = (fields.JSONATA if own == "JSONata" else fields.JSONPATH)[body["Type"]]
    for key in sorted(body.keys() - allowed):
        problems.append(Problem(SCHEMA, "Field is not supported", f"{at}/{key}"))
    for place, target in transitions(body):
        if not isinstance(target, str) or target not in states:
            problems.append(
                Problem("MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {target}", f"{at}/{place}")
            )
    if "Next" in allowed and ("Next" in body) == bool(body.get("End")):
        problems.append(Problem(SCHEMA, "a state needs either 'Next' or 'End': true", at))
    for index, branch in enumerate(body.get("Branches", [])):
        _machine(branch, f"{at}/Branches[{index}]", language, problems)
    for key in ("ItemProcessor", "Iterator"):
        if key in body:
            _machine(body[key], f"{at}/{key}", language, problems)
    if own == "JSONata":
        _expressions(body, at, problems)


def _expressions(value: Any, at: str, problems: list[Problem]) -> None:
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        try:
            jsonata.compile(value[2:-2].strip())
        except jsonata.JsonataError as error:
            problems.append(Problem("INVALID_JSONATA_EXPRESSION", f"{error.code}: {error.message}", at))
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in ("Branches", "ItemProcessor", "Iterator"):
                _expressions(part, f"{at}/{key}", problems)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _expressions(part, f"{at}[{index}]", problems)
