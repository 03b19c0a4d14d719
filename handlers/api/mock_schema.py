"""Whether a mocked result looks like what the service answers, as TestState checks it.

The service's own model, which botocore carries, says which fields an answer has and of what types.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...statelang.engine.resources import parse_resource
from .errors import ApiError

_SERVICES = {
    "states": "stepfunctions",
    "sfn": "stepfunctions",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
}
_STRINGS = ("string", "timestamp", "blob", "character")


def check_mock(resource: str, result: Any, mode: str) -> None:
    """Raises `ValidationException`. STRICT wants required fields to be there too, PRESENT checks what is there."""
    if mode == "NONE" or not isinstance(result, dict):
        return
    shape = _output_shape(resource)
    if shape is not None:
        _structure(shape, result, strict=mode == "STRICT", free=_free_fields(resource))


def _free_fields(resource: str) -> frozenset[str]:
    # What a function returns may be anything, where Lambda's model says bytes.
    return frozenset({"Payload"}) if ":lambda:invoke" in resource else frozenset()


@lru_cache(maxsize=64)
def _output_shape(resource: str) -> Any:
    """The model of what the action answers, or None where that is not the service's own answer."""
    parsed = parse_resource(resource)
    if parsed.family != "service" or "." in parsed.action:
        return None
    import botocore.exceptions
    import botocore.session

    name = parsed.type.removeprefix("aws-sdk:").lower()
    try:
        model = botocore.session.get_session().get_service_model(_SERVICES.get(name, name))
    except botocore.exceptions.UnknownServiceError:
        return None
    # Step Functions writes `describeDbInstances` where the service says `DescribeDBInstances`.
    names: list[str] = model.operation_names  # pyright: ignore[reportAssignmentType] - botocore has no types
    operation = {name.lower(): name for name in names}.get(parsed.action.lower())
    return None if operation is None else model.operation_model(operation).output_shape


def _structure(
    shape: Any, value: dict[str, Any], *, strict: bool, free: frozenset[str] = frozenset()
) -> None:
    members = {name.lower(): member for name, member in shape.members.items()}
    given = {name.lower() for name in value if name[:1].isupper()}
    if strict:
        for name in shape.required_members:
            if name.lower() not in given:
                raise _invalid(f"Required field '{name[:1].upper()}{name[1:]}' is missing")
    for name, item in value.items():
        if name.lower() in given & members.keys() and name not in free and item is not None:
            _check(name, members[name.lower()], item, strict=strict)


def _check(name: str, shape: Any, value: Any, *, strict: bool) -> None:
    kind = shape.type_name
    if kind == "structure":
        _expect(name, isinstance(value, dict), "an object")
        _structure(shape, value, strict=strict)
    elif kind == "map":
        _expect(name, isinstance(value, dict), "an object")
        for item in value.values():
            _check(name, shape.value, item, strict=strict)
    elif kind == "list":
        _expect(name, isinstance(value, list), "an array")
        for item in value:
            _check(name, shape.member, item, strict=strict)
    elif kind in ("integer", "long"):
        _expect(name, isinstance(value, int) and not isinstance(value, bool), "a number")
    elif kind in ("float", "double"):
        _expect(name, isinstance(value, int | float) and not isinstance(value, bool), "a number")
    elif kind in _STRINGS:
        _expect(name, isinstance(value, str), "a string")
        if getattr(shape, "enum", None) and value not in shape.enum:
            raise _invalid(f"Field '{name}' is not an expected value")
    elif kind == "boolean":
        _expect(name, isinstance(value, bool), "a boolean")


def _expect(name: str, true: bool, what: str) -> None:
    if not true:
        raise _invalid(f"Field '{name}' must be {what}")


def _invalid(reason: str) -> ApiError:
    return ApiError("ValidationException", f"Mock result schema validation error: {reason}")
