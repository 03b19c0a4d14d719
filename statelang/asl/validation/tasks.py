"""Task states: resources, timeouts, credentials; and the retriers and catchers of every state that has them."""

from __future__ import annotations

import re
from typing import Any

from ...engine.resources import Resource, parse_resource
from .. import integrations
from ..templates import is_expression
from . import queries
from .findings import Body, Findings

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
    resource = None
    if found.required(body, at, "Resource"):
        resource = _resource(found, body, at)
    for name in ("TimeoutSeconds", "HeartbeatSeconds"):
        _seconds(found, body, name, at, language)
    timeout, heartbeat = body.get("TimeoutSeconds"), body.get("HeartbeatSeconds")
    if _number(timeout) and _number(heartbeat) and heartbeat >= timeout:  # pyright: ignore[reportOptionalOperand]
        found.error("HeartbeatSeconds must be smaller than TimeoutSeconds", f"{at}/HeartbeatSeconds")
    if resource is not None and resource.family == "service":
        _arguments(found, body, at, resource, language)
    if resource is not None and resource.family == "activity" and "Credentials" in body:
        found.error("The field 'Credentials' is not supported for activities", at)
    _credentials(found, body, at, language)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _resource(found: Findings, body: Body, at: str) -> Resource | None:
    arn = found.text(body, "Resource", at)
    if arn is None:
        return None
    if not _ARN.fullmatch(arn):
        found.error("Value is not a valid resource ARN", f"{at}/Resource")
        return None
    try:
        resource = parse_resource(arn)
        if resource.family == "service":
            integrations.check(resource)
    except ValueError:
        found.error(integrations.unrecognized(arn), f"{at}/Resource")
        return None
    if found.type == "EXPRESS":
        if resource.family == "activity":
            found.error("Express state machine does not support Activity ARN", f"{at}/Resource")
        elif resource.pattern:
            found.error(
                f"Express state machine does not support '{resource.pattern}' service integration",
                f"{at}/Resource",
            )
    return resource


def _arguments(found: Findings, body: Body, at: str, resource: Resource, language: str) -> None:
    """What the service is called with: it must be there, and have what the call cannot do without."""
    field = "Arguments" if language == "JSONata" else "Parameters"
    if field not in body:
        found.error(f"{field} field is required for resource ARN: {resource.arn}", at)
        return
    arguments = body[field]
    if isinstance(arguments, dict):
        for member in integrations.required(resource):
            found.member(arguments, member, f"{at}/{field}", language == "JSONPath")
    elif language == "JSONPath":
        found.expected("OBJECT", f"{at}/{field}")


def _seconds(found: Findings, body: Body, name: str, at: str, language: str) -> None:
    if language == "JSONPath":
        found.either(body, at, name, f"{name}Path")
        queries.reference(found, body, f"{name}Path", at)
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
        found.supported(entry, place, _RETRIER)
        _errors(found, entry, place, index == last)
        found.whole(entry, "IntervalSeconds", place, 0)
        found.whole(entry, "MaxAttempts", place, 0)
        found.whole(entry, "MaxDelaySeconds", place, 1, MAX_DELAY)
        found.one_of(entry, "JitterStrategy", place, ("NONE", "FULL"))
        found.number(entry, "BackoffRate", place, 1.0)


def catchers(found: Findings, body: Body, at: str, language: str) -> None:
    last = len(body["Catch"]) - 1 if isinstance(body.get("Catch"), list) else -1
    for index, (place, entry) in enumerate(found.entries(body, "Catch", at)):
        found.supported(entry, place, _CATCHER[language])
        _errors(found, entry, place, index == last)
        if found.required(entry, place, "Next"):
            found.text(entry, "Next", place)
        queries.assign(found, entry, place, language, error_output=True)
        if language == "JSONata" and "Output" in entry:
            queries.expressions(found, entry["Output"], f"{place}/Output", error_output=True)
        if language == "JSONPath":
            queries.reference_path(found, entry, "ResultPath", place)


def _errors(found: Findings, entry: Body, at: str, last: bool) -> None:
    if not found.required(entry, at, "ErrorEquals"):
        return
    names, at = entry["ErrorEquals"], f"{at}/ErrorEquals"
    if not isinstance(names, list):
        found.expected("ARRAY", at)
        return
    if not names:
        found.error("Value cannot be empty", at)
    for index, name in enumerate(names):
        if not isinstance(name, str):
            found.expected("STRING", f"{at}[{index}]")
    if ALL in names and (len(names) > 1 or not last):
        found.error(f"{ALL} must appear alone and at end of list", at)
