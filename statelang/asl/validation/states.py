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
        found.expected("OBJECT", at)
        return
    if not found.required(body, at, "Type"):
        return
    kind = body["Type"]
    if not isinstance(kind, str):
        found.expected("STRING", f"{at}/Type")
        return
    if kind not in TYPES:
        found.error(f"The field 'Type' should have one of these values: [{', '.join(TYPES)}]", f"{at}/Type")
        return
    language = language_of(body, inherited)
    mixed = inherited == "JSONata" and body.get("QueryLanguage") == "JSONPath"
    if mixed:
        found.error("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at)
    _fields(found, body, at, language, mixed)
    found.one_of(body, "QueryLanguage", at, LANGUAGES)
    found.text(body, "Comment", at, empty=True)
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
        for _ in found.entries(body, "Branches", at, empty=False):
            pass


def language_of(body: Body, inherited: str) -> str:
    """Whatever is no `JSONPath` is read as JSONata."""
    return "JSONPath" if body.get("QueryLanguage", inherited) == "JSONPath" else "JSONata"


def _fields(found: Findings, body: Body, at: str, language: str, mixed: bool) -> None:
    kind = body["Type"]
    own, other = (JSONATA, JSONPATH) if language == "JSONata" else (JSONPATH, JSONATA)
    for key in sorted(body.keys() - own[kind]):
        if key in other[kind]:
            if mixed:
                continue
            found.other_language(language, key, at)
        else:
            found.error(f"Field '{key}' is not supported", at)


def _flow(found: Findings, body: Body, at: str) -> None:
    found.boolean(body, "End", at)
    found.text(body, "Next", at)
    # `"End": false` is as good as none.
    ways = {key: body[key] for key in ("Next", "End") if key in body and body[key] is not False}
    found.either(ways, at, "Next", "End", required=True)


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
    keys = ("SecondsPath", "Seconds", "TimestampPath", "Timestamp")
    if language == "JSONata":
        keys = ("Seconds", "Timestamp")
    found.either(body, at, *keys, required=True)
    value = body.get("Timestamp")
    if language == "JSONata":
        queries.expression_or(found, body, "Seconds", at, lambda: found.whole(body, "Seconds", at, 0))
        if is_expression(value):
            queries.expressions(found, value, f"{at}/Timestamp")
            return
    else:
        for key in ("SecondsPath", "TimestampPath"):
            queries.reference(found, body, key, at)
        if "Seconds" in body:
            found.whole(body, "Seconds", at, 0)
    if "Timestamp" in body and not isinstance(value, str):
        found.expected("STRING", f"{at}/Timestamp")
    elif "Timestamp" in body and timestamp(value) is None:
        found.error("String does not match RFC3339 timestamp", f"{at}/Timestamp")


def _fail(found: Findings, body: Body, at: str, language: str) -> None:
    for key in ("Error", "Cause"):
        found.text(body, key, at, empty=True)
        if language == "JSONata" and key in body:
            queries.expressions(found, body[key], f"{at}/{key}")
        elif language == "JSONPath":
            found.either(body, at, key, f"{key}Path")
            queries.query(found, body, f"{key}Path", at)
