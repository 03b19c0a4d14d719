"""The fields of each type of state."""

from __future__ import annotations

from typing import Any

from ...jsonpath.choice import timestamp
from ..fields import JSONATA, JSONPATH
from ..templates import is_expression
from . import choices, maps, queries, tasks
from .findings import Body, Findings

TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
LANGUAGES = ("JSONPath", "JSONata")


def state(found: Findings, body: Any, at: str, inherited: str) -> None:
    """A state by itself; where it leads, and the machines within it, are looked at by `machine`."""
    if not isinstance(body, dict):
        found.error("Value must be an object", at)
        return
    if "Type" not in body:
        found.required(body, at, "Type")
        return
    kind = body["Type"]
    if kind not in TYPES:
        found.error(f"The field 'Type' should have one of these values: [{', '.join(TYPES)}]", f"{at}/Type")
        return
    found.one_of(body, "QueryLanguage", at, LANGUAGES)
    language = language_of(body, inherited)
    if inherited == "JSONata" and body.get("QueryLanguage") == "JSONPath":
        found.error("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at)
    _fields(found, body, at, language)
    _comment(found, body, at)
    if "Next" in JSONPATH[kind]:
        _flow(found, body, at)
    queries.assign(found, body, at, language)
    _data(found, body, at, language)
    if "Retry" in JSONPATH[kind]:
        tasks.retriers(found, body, at)
        tasks.catchers(found, body, at, language)
    if kind == "Task":
        tasks.task(found, body, at, language)
    elif kind == "Choice":
        choices.choice(found, body, at, language)
    elif kind == "Map":
        maps.map_state(found, body, at, language)
    elif kind == "Wait":
        _wait(found, body, at, language)
    elif kind == "Fail":
        _fail(found, body, at, language)
    elif kind == "Parallel" and found.required(body, at, "Branches"):
        for _ in found.entries(body, "Branches", at, least=1):
            pass


def language_of(body: Body, inherited: str) -> str:
    own = body.get("QueryLanguage", inherited)
    return own if own in LANGUAGES else "JSONPath"


def _fields(found: Findings, body: Body, at: str, language: str) -> None:
    kind = body["Type"]
    own, other = (JSONATA, JSONPATH) if language == "JSONata" else (JSONPATH, JSONATA)
    for key in sorted(body.keys() - own[kind]):
        if key in other[kind]:
            elsewhere = "JSONPath" if language == "JSONata" else "JSONata"
            found.error(
                f"The QueryLanguage is set to '{language}', but field '{key}' is only supported for the '{elsewhere}' QueryLanguage",
                at,
            )
        else:
            found.error(f"Field '{key}' is not supported", at)


def _comment(found: Findings, body: Body, at: str) -> None:
    if not isinstance(body.get("Comment", ""), str):
        found.error("Value must be a string", f"{at}/Comment")


def _flow(found: Findings, body: Body, at: str) -> None:
    if "End" in body and not isinstance(body["End"], bool):
        found.error("Value must be a boolean", f"{at}/End")
    found.text(body, "Next", at)
    if ("Next" in body) == (body.get("End") is True):
        found.error("A state must have either 'Next' or 'End': true", at)


def _data(found: Findings, body: Body, at: str, language: str) -> None:
    if language == "JSONata":
        for key in ("Output", "Arguments"):
            if key in body:
                queries.expressions(found, body[key], f"{at}/{key}")
        return
    for key in ("InputPath", "OutputPath"):
        queries.path(found, body, key, at, null=True)
    queries.reference_path(found, body, "ResultPath", at)
    for key in ("Parameters", "ResultSelector"):
        if key in body and body["Type"] != "Map":
            queries.template(found, body[key], f"{at}/{key}")
    if body["Type"] == "Map" and "ResultSelector" in body:
        queries.template(found, body["ResultSelector"], f"{at}/ResultSelector")


def _wait(found: Findings, body: Body, at: str, language: str) -> None:
    keys = (
        ("Seconds", "Timestamp")
        if language == "JSONata"
        else ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
    )
    found.either(body, at, *keys, required=True)
    value = body.get("Timestamp")
    if language == "JSONata":
        queries.expression_or(found, body, "Seconds", at, lambda: found.whole(body, "Seconds", at, 0))
        if is_expression(value):
            queries.expressions(found, value, f"{at}/Timestamp")
            return
    else:
        for key in ("SecondsPath", "TimestampPath"):
            queries.path(found, body, key, at)
        if "Seconds" in body:
            found.whole(body, "Seconds", at, 0)
    if "Timestamp" in body and timestamp(value) is None:
        found.error("String does not match RFC3339 timestamp", f"{at}/Timestamp")


def _fail(found: Findings, body: Body, at: str, language: str) -> None:
    for key in ("Error", "Cause"):
        found.text(body, key, at, empty=True)
        if language == "JSONata" and key in body:
            queries.expressions(found, body[key], f"{at}/{key}")
        elif language == "JSONPath":
            found.either(body, at, key, f"{key}Path")
            queries.query(found, body, f"{key}Path", at)
