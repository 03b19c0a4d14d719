"""Task states: resources, timeouts, credentials; and the retriers and catchers of every state that has them."""

from __future__ import annotations

import re
from typing import Any

from ...engine.resources import parse_resource
from ..templates import is_expression
from . import queries
from .findings import MAX_SECONDS, Body, Findings

ALL = "States.ALL"
MAX_DELAY = 31_622_400
_ARN = re.compile(r"arn:[^:]*:[^:]+:[^:]*:[^:]*:.+", re.S)
_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCHER = {
    "JSONPath": {"ErrorEquals", "Next", "ResultPath", "Assign", "Comment"},
    "JSONata": {"ErrorEquals", "Next", "Output", "Assign", "Comment"},
}


def task(found: Findings, body: Body, at: str, language: str) -> None:
    if found.required(body, at, "Resource"):
        _resource(found, body, at)
    for name in ("TimeoutSeconds", "HeartbeatSeconds"):
        _seconds(found, body, name, at, language)
    timeout, heartbeat = body.get("TimeoutSeconds"), body.get("HeartbeatSeconds")
    if _number(timeout) and _number(heartbeat) and heartbeat >= timeout:  # pyright: ignore[reportOptionalOperand]
        found.error("HeartbeatSeconds must be smaller than TimeoutSeconds", f"{at}/HeartbeatSeconds")
    _credentials(found, body, at, language)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _resource(found: Findings, body: Body, at: str) -> None:
    resource = found.text(body, "Resource", at)
    if resource is None:
        return
    if not _ARN.fullmatch(resource):
        found.error("Value is not a valid resource ARN", f"{at}/Resource")
        return
    try:
        parsed = parse_resource(resource)
    except ValueError:
        found.error(
            f"The resource provided {resource} is not recognized.", f"{at}/Resource", "INVALID_RESOURCE"
        )
        return
    if found.type == "EXPRESS" and (
        parsed.waits_for_end or parsed.waits_for_token or parsed.family == "activity"
    ):
        found.error(
            f"Express state machine does not support '{parsed.action.rpartition('.')[2]}' service integration",
            f"{at}/Resource",
        )


def _seconds(found: Findings, body: Body, name: str, at: str, language: str) -> None:
    if language == "JSONPath":
        found.either(body, at, name, f"{name}Path")
        queries.path(found, body, f"{name}Path", at)
    queries.expression_or(found, body, name, at, lambda: found.whole(body, name, at, 1))


def _credentials(found: Findings, body: Body, at: str, language: str) -> None:
    if language == "JSONata" and is_expression(body.get("Credentials")):
        queries.expressions(found, body["Credentials"], f"{at}/Credentials")
        return
    credentials = found.object(body, "Credentials", at)
    if credentials is None:
        return
    if "RoleArn" not in credentials and not (language == "JSONPath" and "RoleArn.$" in credentials):
        found.error("The field 'RoleArn' is required but was missing", f"{at}/Credentials")
    if language == "JSONata":
        queries.expressions(found, credentials, f"{at}/Credentials")
    else:
        queries.template(found, credentials, f"{at}/Credentials")


def retriers(found: Findings, body: Body, at: str) -> None:
    last = len(body["Retry"]) - 1 if isinstance(body.get("Retry"), list) else -1
    for index, (place, entry) in enumerate(found.entries(body, "Retry", at)):
        _only(found, entry, place, _RETRIER)
        _errors(found, entry, place, index == last)
        found.whole(entry, "IntervalSeconds", place, 1)
        found.whole(entry, "MaxAttempts", place, 0)
        found.whole(entry, "MaxDelaySeconds", place, 1, MAX_DELAY)
        found.one_of(entry, "JitterStrategy", place, ("FULL", "NONE"))
        rate = entry.get("BackoffRate", 2.0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1 <= rate <= MAX_SECONDS:
            found.error("Value must be a number of at least 1", f"{place}/BackoffRate")


def catchers(found: Findings, body: Body, at: str, language: str) -> None:
    last = len(body["Catch"]) - 1 if isinstance(body.get("Catch"), list) else -1
    for index, (place, entry) in enumerate(found.entries(body, "Catch", at)):
        _only(found, entry, place, _CATCHER[language])
        _errors(found, entry, place, index == last)
        found.required(entry, place, "Next")
        queries.assign(found, entry, place, language, error_output=True)
        if language == "JSONata" and "Output" in entry:
            queries.expressions(found, entry["Output"], f"{place}/Output", error_output=True)
        if language == "JSONPath":
            queries.reference_path(found, entry, "ResultPath", place)


def _only(found: Findings, entry: Body, at: str, allowed: set[str]) -> None:
    for key in sorted(entry.keys() - allowed):
        found.error(f"Field '{key}' is not supported", at)


def _errors(found: Findings, entry: Body, at: str, last: bool) -> None:
    if not found.required(entry, at, "ErrorEquals"):
        return
    names = entry["ErrorEquals"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        found.error("ErrorEquals must be an array of at least one error name", f"{at}/ErrorEquals")
    elif ALL in names and len(names) > 1:
        found.error(f"'{ALL}' must appear alone in ErrorEquals", f"{at}/ErrorEquals")
    elif ALL in names and not last:
        found.error(f"'{ALL}' can only be in the last entry", f"{at}/ErrorEquals")
