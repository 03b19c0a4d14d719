"""What each operation may be given: types, lengths, ranges and enumerations, as AWS's API reference states them.

A request is looked at before its operation is: what is of a wrong type is refused with `SerializationException`, what
breaks constraints with one `ValidationException` that names every one of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ApiError


@dataclass(frozen=True, slots=True)
class Text:
    """A string. What is `secret` is shown in no message."""

    least: int = 0
    most: int | None = None
    among: tuple[str, ...] = ()
    pattern: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    least: float | None = None
    most: float | None = None
    kind: str = "Integer"


@dataclass(frozen=True, slots=True)
class Flag:
    pass


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """`required` members must be there; members that are not named here are let pass, as AWS does."""

    members: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    name: str = ""


Shape = Text | Number | Flag | ListOf | Structure


@dataclass(slots=True)
class _Check:
    broken: list[str] = field(default_factory=list)

    def say(self, value: Any, place: str, constraint: str, *, secret: bool = False) -> None:
        shown = "" if secret else " null" if value is None else f" '{value}'"
        self.broken.append(f"Value{shown} at '{place}' failed to satisfy constraint: {constraint}")

    def look(self, value: Any, shape: Shape, place: str) -> None:
        if isinstance(shape, Structure):
            self.structure(value, shape, place)
        elif isinstance(shape, ListOf):
            self.list(value, shape, place)
        elif isinstance(shape, Text):
            self.text(value, shape, place)
        elif isinstance(shape, Number):
            self.number(value, shape, place)
        elif not isinstance(value, bool):
            raise _unreadable(value, "a Boolean")

    def structure(self, value: Any, shape: Structure, place: str) -> None:
        if not isinstance(value, dict):
            raise _unreadable(value)
        for name, member in shape.members.items():
            inner = f"{place}.{name}" if place else name
            if value.get(name) is not None:
                self.look(value[name], member, inner)
            elif name in shape.required:
                self.say(None, inner, "Member must not be null")

    def list(self, value: Any, shape: ListOf, place: str) -> None:
        if not isinstance(value, list):
            raise _unreadable(value)
        self.length(_shown(value, shape), len(value), shape, place)
        for index, item in enumerate(value):
            if item is None:
                raise ApiError("SerializationException", "Lists may not have null in them")
            self.look(item, shape.item, f"{place}.{index + 1}.member")

    def text(self, value: Any, shape: Text, place: str) -> None:
        if not isinstance(value, str):
            raise _unreadable(value, "a String")
        self.length(value, len(value), shape, place, secret=shape.secret)
        if shape.among and value not in shape.among:
            self.say(value, place, f"Member must satisfy enum value set: [{', '.join(shape.among)}]")
        if shape.pattern is not None and not re.fullmatch(shape.pattern, value):
            self.say(value, place, f"Member must satisfy regular expression pattern: {shape.pattern}")

    def length(
        self, value: Any, length: int, shape: Text | ListOf, place: str, *, secret: bool = False
    ) -> None:
        if length < shape.least:
            bound = f"Member must have length greater than or equal to {shape.least}"
            self.say(value, place, bound, secret=secret)
        elif shape.most is not None and length > shape.most:
            self.say(
                value, place, f"Member must have length less than or equal to {shape.most}", secret=secret
            )

    def number(self, value: Any, shape: Number, place: str) -> None:
        whole = shape.kind != "Float"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise _unreadable(value, f"a{'n' if shape.kind == 'Integer' else ''} {shape.kind}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ApiError("SerializationException", f"{value} is no number of JSON")
        if shape.least is not None and value < shape.least:
            self.say(value, place, f"Member must have value greater than or equal to {shape.least:g}")
        elif shape.most is not None and value > shape.most:
            self.say(value, place, f"Member must have value less than or equal to {shape.most:g}")


def check(operation: str, parameters: dict[str, Any]) -> None:
    """Raises `ApiError` for a request that its operation cannot take."""
    looked = _Check()
    looked.structure(parameters, OPERATIONS[operation], "")
    if looked.broken:
        count = len(looked.broken)
        what = f"{count} validation error{'s' if count > 1 else ''} detected: "
        raise ApiError("ValidationException", what + "; ".join(looked.broken))


_TOKENS = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE"}


def _unreadable(value: Any, wanted: str | None = None) -> ApiError:
    if isinstance(value, list):
        reason = "Start of list found where not expected"
    elif isinstance(value, dict):
        reason = "Start of structure or map found where not expected"
    elif wanted is None:
        reason = "Unexpected field type"
    else:
        token = f"{value}_VALUE".upper() if isinstance(value, bool) else _TOKENS[type(value)]
        reason = f"{token} can not be converted to {wanted}"
    return ApiError("SerializationException", reason)


def _shown(value: list[Any], shape: ListOf) -> str:
    """A list as AWS prints it."""

    def one(item: Any) -> str:
        if not isinstance(shape.item, Structure) or not isinstance(item, dict):
            return str(item)
        members = ", ".join(f"{name}={item.get(name)}" for name in shape.item.members)
        return f"{shape.item.name}({members})"

    return f"[{', '.join(map(one, value))}]"


# -- the operations ----------------------------------------------------------------------------------------

_DATA = 262_144
_ARN = Text(1, 256)
_LONG_ARN = Text(1, 2000)
_NAME = Text(1, 80)
_DEFINITION = Text(1, 1_048_576, secret=True)
_INPUT = Text(0, _DATA, secret=True)
_ERROR = Text(0, 256, secret=True)
_CAUSE = Text(0, 32_768, secret=True)
_DESCRIPTION = Text(0, 256, secret=True)
_TOKEN = Text(1, 2048)
_PAGE = {"maxResults": Number(0, 1000), "nextToken": Text(1, 1024)}
_TYPE = Text(among=("STANDARD", "EXPRESS"))
_INCLUDED = Text(among=("ALL_DATA", "METADATA_ONLY"))
_TAGS = ListOf(Structure({"key": Text(1, 128), "value": Text(0, 256)}, name="Tag"))
_ENCRYPTION = Structure(
    {
        "kmsKeyId": Text(1, 2048),
        "kmsDataKeyReusePeriodSeconds": Number(60, 900),
        "type": Text(among=("AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY")),
    },
    ("type",),
)
_SETTINGS = {
    "loggingConfiguration": Structure(
        {
            "level": Text(among=("ALL", "ERROR", "FATAL", "OFF")),
            "includeExecutionData": Flag(),
            "destinations": ListOf(
                Structure({"cloudWatchLogsLogGroup": Structure({"logGroupArn": _ARN})}, name="LogDestination")
            ),
        }
    ),
    "tracingConfiguration": Structure({"enabled": Flag()}),
    "publish": Flag(),
    "versionDescription": _DESCRIPTION,
    "encryptionConfiguration": _ENCRYPTION,
}
_ROUTING = ListOf(
    Structure(
        {"stateMachineVersionArn": _ARN, "weight": Number(0, 100)},
        ("stateMachineVersionArn", "weight"),
        "RoutingConfigurationListItem",
    ),
    1,
    2,
)
_START = {"stateMachineArn": _ARN, "name": _NAME, "input": _INPUT, "traceHeader": Text(0, 256)}


def _one(name: str, shape: Shape = _ARN, **others: Shape) -> Structure:
    """The named member is required; the others are not."""
    return Structure({name: shape, **others}, (name,))


OPERATIONS: dict[str, Structure] = {
    "CreateActivity": _one("name", _NAME, tags=_TAGS, encryptionConfiguration=_ENCRYPTION),
    "CreateStateMachine": Structure(
        {"name": _NAME, "definition": _DEFINITION, "roleArn": _ARN, "type": _TYPE, "tags": _TAGS, **_SETTINGS},
        ("name", "definition", "roleArn"),
    ),
    "CreateStateMachineAlias": Structure(
        {
            "description": _DESCRIPTION,
            "name": Text(1, 80, pattern=r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$"),
            "routingConfiguration": _ROUTING,
        },
        ("name", "routingConfiguration"),
    ),
    "DeleteActivity": _one("activityArn"),
    "DeleteStateMachine": _one("stateMachineArn"),
    "DeleteStateMachineAlias": _one("stateMachineAliasArn"),
    "DeleteStateMachineVersion": _one("stateMachineVersionArn", _LONG_ARN),
    "DescribeActivity": _one("activityArn"),
    "DescribeExecution": _one("executionArn", includedData=_INCLUDED),
    "DescribeMapRun": _one("mapRunArn", _LONG_ARN),
    "DescribeStateMachine": _one("stateMachineArn", includedData=_INCLUDED),
    "DescribeStateMachineAlias": _one("stateMachineAliasArn"),
    "DescribeStateMachineForExecution": _one("executionArn", includedData=_INCLUDED),
    "GetActivityTask": _one("activityArn", workerName=_NAME),
    "GetExecutionHistory": _one(
        "executionArn", reverseOrder=Flag(), includeExecutionData=Flag(), **_PAGE
    ),
    "ListActivities": Structure(_PAGE),
    "ListExecutions": Structure(
        {
            "stateMachineArn": _ARN,
            "mapRunArn": _LONG_ARN,
            "statusFilter": Text(
                among=("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING")
            ),
            "redriveFilter": Text(among=("REDRIVEN", "NOT_REDRIVEN")),
            "maxResults": Number(0, 1000),
            "nextToken": Text(1, 3096),
        }
    ),
    "ListMapRuns": _one("executionArn", **_PAGE),
    "ListStateMachineAliases": _one("stateMachineArn", **_PAGE),
    "ListStateMachineVersions": _one("stateMachineArn", **_PAGE),
    "ListStateMachines": Structure(_PAGE),
    "ListTagsForResource": _one("resourceArn"),
    "PublishStateMachineVersion": _one("stateMachineArn", revisionId=Text(), description=_DESCRIPTION),
    "RedriveExecution": _one("executionArn", clientToken=Text(1, 64, pattern="[!-~]+")),
    "SendTaskFailure": _one("taskToken", _TOKEN, error=_ERROR, cause=_CAUSE),
    "SendTaskHeartbeat": _one("taskToken", _TOKEN),
    "SendTaskSuccess": Structure({"taskToken": _TOKEN, "output": _INPUT}, ("taskToken", "output")),
    # The test case of a mocked execution follows the ARN.
    "StartExecution": Structure({**_START, "stateMachineArn": Text(1, 400)}, ("stateMachineArn",)),
    "StartSyncExecution": Structure(
        {**_START, "stateMachineArn": Text(1, 400), "includedData": _INCLUDED}, ("stateMachineArn",)
    ),
    "StopExecution": _one("executionArn", error=_ERROR, cause=_CAUSE),
    "TagResource": Structure({"resourceArn": _ARN, "tags": _TAGS}, ("resourceArn", "tags")),
    "TestState": _one(
        "definition",
        _DEFINITION,
        roleArn=_ARN,
        input=_INPUT,
        inspectionLevel=Text(among=("INFO", "DEBUG", "TRACE")),
        revealSecrets=Flag(),
        variables=_INPUT,
        stateName=_NAME,
        mock=Structure(
            {
                "result": _INPUT,
                "errorOutput": Structure({"error": _ERROR, "cause": _CAUSE}),
                "fieldValidationMode": Text(among=("STRICT", "PRESENT", "NONE")),
            }
        ),
        context=_INPUT,
        stateConfiguration=Structure(
            {
                "retrierRetryCount": Number(0),
                "errorCausedByState": _NAME,
                "mapIterationFailureCount": Number(0),
                "mapItemReaderData": _INPUT,
            }
        ),
    ),
    "UntagResource": Structure(
        {"resourceArn": _ARN, "tagKeys": ListOf(Text(1, 128))}, ("resourceArn", "tagKeys")
    ),
    "UpdateMapRun": _one(
        "mapRunArn",
        _LONG_ARN,
        maxConcurrency=Number(0),
        toleratedFailurePercentage=Number(0, 100, "Float"),
        toleratedFailureCount=Number(0, kind="Long"),
    ),
    "UpdateStateMachine": _one(
        "stateMachineArn", definition=_DEFINITION, roleArn=_ARN, **_SETTINGS
    ),
    "UpdateStateMachineAlias": _one(
        "stateMachineAliasArn", description=_DESCRIPTION, routingConfiguration=_ROUTING
    ),
    "ValidateStateMachineDefinition": _one(
        "definition",
        _DEFINITION,
        type=_TYPE,
        severity=Text(among=("ERROR", "WARNING")),
        maxResults=Number(0, 100),
    ),
}  # fmt: skip
