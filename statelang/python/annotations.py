"""Annotations as contracts: what pydantic makes of one as JSON Schema, read as every JSON Schema is."""

from __future__ import annotations

import json
import sys
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typing_extensions
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from ..spec.contracts import MAX_VIOLATIONS, Contract, Violation, violations
from ..spec.schema_reader import SchemaReader
from .schemas import standing_alone

Json = Any
_EXACT = 2**53
"""Up to where a whole number is the same as a float."""


class AnnotationError(TypeError):
    """An annotation that cannot be a contract."""


class ContractViolated(Exception):
    """A value is not as its contract says; `violations` are all the ways in which it is not.

    Step Functions sees it under the name that the compiler's own checks have.
    """

    def __init__(self, what: str, violations: Sequence[Violation]):
        super().__init__(f"{what}: " + "; ".join(f"{each.path}: {each.message}" for each in violations))
        self.violations = tuple(violations)


ContractViolated.__name__ = (
    "Stratum.ContractViolated"  # Lambda reports a class by this: it is what Retry and Catch match
)


class Shape:
    """One annotation. Values come in by `decode` and go out by `encode`; both raise `ContractViolated`.

    A contract says what JSON Schema can say of the annotation; what a validator of a model's own adds is looked at
    as well when a value comes in. `what` is what errors call the value. Raises `AnnotationError`.
    """

    def __init__(self, annotation: Any, what: str, *, anonymous: bool = False):
        self.what = what
        self._anonymous = anonymous
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(_usable(annotation))
            self._schemas = TypeAdapter.json_schemas([("", "validation", self._adapter)])
        except (PydanticUserError, TypeError, NameError) as error:
            raise AnnotationError(f"{what}: {_reason(error)}") from None

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON Schema that stands on its own."""
        return standing_alone(self._schemas[0]["", "validation"], self._schemas[1].get("$defs", {}))

    @cached_property
    def contract(self) -> Contract:
        contract = SchemaReader(self.schema, (), []).contract()
        return replace(contract, name=None) if self._anonymous else contract

    def decode(self, value: Json) -> Any:
        """The Python value of JSON data."""
        self._check(value)
        try:
            return self._decoded(value)
        except ValidationError as first:
            # 3.0 is an integer to JSON, and no int to Python.
            whole = _whole(value)
            if whole != value or str(whole) != str(value):
                try:
                    return self._decoded(whole)
                except ValidationError:
                    pass
            raise ContractViolated(self.what, _told(first)) from None

    def encode(self, value: Any) -> Json:
        """The JSON data of a Python value."""
        try:
            data = self._adapter.dump_python(value, mode="json", by_alias=True, warnings=False)
        except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
            raise ContractViolated(self.what, [Violation("$", f"is no JSON: {error}")]) from None
        self._check(data)
        return data

    def _decoded(self, value: Json) -> Any:
        return self._adapter.validate_json(json.dumps(value), strict=True)

    def _check(self, value: Json) -> None:
        if found := violations(self.contract, value):
            raise ContractViolated(self.what, [_zoned(each) for each in found])


@dataclass(frozen=True, slots=True)
class Schemas:
    """JSON Schemas of several annotations, and the definitions that they refer to, each under one name.
    `problems` tell why an annotation has none."""

    schemas: list[dict[str, Any] | None]
    definitions: dict[str, Any]
    problems: dict[int, str]


def schemas_of(annotations: Sequence[Any]) -> Schemas:
    """The schemas of the annotations, in their order."""
    adapters: list[tuple[int, Literal["validation"], TypeAdapter[Any]]] = []
    problems: dict[int, str] = {}
    for number, annotation in enumerate(annotations):
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(_usable(annotation))
            TypeAdapter.json_schemas([(number, "validation", adapter)])
        except (PydanticUserError, TypeError, NameError) as error:
            problems[number] = _reason(error)
        else:
            adapters.append((number, "validation", adapter))
    made, shared = TypeAdapter.json_schemas(adapters) if adapters else ({}, {})
    schemas = [made.get((number, "validation")) for number in range(len(annotations))]
    return Schemas(schemas, shared.get("$defs", {}), problems)


# -- what pydantic says ----------------------------------------------------------------------------------------


def _reason(error: Exception) -> str:
    text = str(error).split("\n\nFor further information")[0].split("\n")[0]
    return text.replace("Unable to generate pydantic-core schema for", "there is no JSON for").rstrip(".")


def _told(error: ValidationError) -> list[Violation]:
    found: list[Violation] = []
    for each in error.errors(include_url=False, include_context=False)[:MAX_VIOLATIONS]:
        message = each["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        violation = Violation(_path(each["loc"]), message[:1].lower() + message[1:])
        if violation not in found:
            found.append(violation)
    return found


def _path(location: Iterable[str | int]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _zoned(violation: Violation) -> Violation:
    if "expected date-time" not in violation.message:
        return violation
    return Violation(
        violation.path, f"{violation.message} (a time with its zone, such as 2026-01-31T12:00:00Z)"
    )


def _whole(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    return value


# -- TypedDicts of Python 3.11 -----------------------------------------------------------------------------------


def record_of(name: str, fields: Mapping[str, Any]) -> Any:
    """A TypedDict that is made of what is known only now."""
    make: Any = typing_extensions.TypedDict
    return make(name, dict(fields))


def _usable(annotation: Any) -> Any:
    """The annotation as pydantic takes it: before Python 3.12 it knows only the TypedDict of typing_extensions."""
    return annotation if sys.version_info >= (3, 12) else _converted(annotation, {})


def _converted(annotation: Any, known: dict[Any, Any]) -> Any:
    if typing_extensions.is_typeddict(annotation):
        if annotation not in known:
            hints = typing_extensions.get_type_hints(annotation, include_extras=True)
            known[annotation] = Any  # where it comes round to itself
            fields = {
                name: _qualified(hint, name in annotation.__required_keys__)[_converted(_bare(hint), known)]
                for name, hint in hints.items()
            }
            made = record_of(annotation.__name__, fields)
            made.__module__ = annotation.__module__
            if hasattr(annotation, "__pydantic_config__"):
                made.__pydantic_config__ = annotation.__pydantic_config__
            known[annotation] = made
        return known[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not arguments or origin is Literal:
        return annotation
    if origin is Annotated:
        inner = _converted(annotation.__origin__, known)
        return annotation if inner is annotation.__origin__ else Annotated[(inner, *annotation.__metadata__)]
    made = tuple(_converted(each, known) for each in arguments)
    if all(one is other for one, other in zip(made, arguments, strict=True)):
        return annotation
    if origin in (Union, UnionType):
        return Union[made]  # noqa: UP007 - made of what is known only now
    return origin[made]  # pyright: ignore[reportOptionalSubscript]


def _qualified(hint: Any, required: bool) -> Any:
    """`Required` or `NotRequired`: as the hint says, which a class cannot see in annotations that are strings."""
    origin = get_origin(hint)
    if origin in (typing.Required, typing.NotRequired):
        required = origin is typing.Required
    return typing_extensions.Required if required else typing_extensions.NotRequired


def _bare(hint: Any) -> Any:
    """Without `Required` and `NotRequired`."""
    return get_args(hint)[0] if get_origin(hint) in (typing.Required, typing.NotRequired) else hint
