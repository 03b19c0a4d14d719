"""Paths, payload templates and expressions: whether they can be read, and whether they stand where they may."""

from __future__ import annotations

from typing import Any

from ... import jsonata
from ...jsonpath import InvalidPath, Path, parse_query, parse_reference
from ..templates import is_expression
from .findings import Body, Findings

MAX_DEPTH = 100
_NAME = 80


def expressions(found: Findings, value: Any, at: str, *, error_output: bool = False, depth: int = 0) -> None:
    """Every expression in a field of a JSONata state. `error_output`: whether `$states.errorOutput` is there."""
    if depth > MAX_DEPTH:
        found.error("Value is nested too deeply", at, "TOO_DEEPLY_NESTED")
    elif is_expression(value):
        _expression(found, value[2:-2].strip(), at, error_output)
    elif isinstance(value, dict):
        for key, item in value.items():
            expressions(found, item, f"{at}/{key}", error_output=error_output, depth=depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            expressions(found, item, f"{at}[{index}]", error_output=error_output, depth=depth + 1)


def _expression(found: Findings, source: str, at: str, error_output: bool) -> None:
    try:
        compiled = jsonata.compile(source)
    except jsonata.JsonataError as error:
        found.error(f"{error.message}", at)
        return
    for reference in jsonata.free_variables(compiled.ast):
        if reference.name != "states" or not reference.path:
            continue
        name = reference.path[0].name
        if name == "errorOutput" and not error_output:
            found.error(
                "'$states.errorOutput' is only available in the Assign and Output fields of a Catch", at
            )


def expression_or(found: Findings, body: Body, key: str, at: str, literal: Any) -> None:
    """A field that is an expression, or else what `literal` checks."""
    value = body.get(key)
    if is_expression(value):
        expressions(found, value, f"{at}/{key}")
    elif key in body:
        literal()


def template(found: Findings, value: Any, at: str, depth: int = 0) -> None:
    """A payload template of a JSONPath state."""
    if depth > MAX_DEPTH:
        found.error("Value is nested too deeply", at, "TOO_DEEPLY_NESTED")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith(".$"):
                if not isinstance(item, str) or not _reads(item):
                    found.error(
                        f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call",
                        at,
                    )
            else:
                template(found, item, f"{at}/{key}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            template(found, item, f"{at}[{index}]", depth + 1)


def _reads(text: str) -> bool:
    try:
        parse_query(text)
    except InvalidPath:
        return False
    return True


def path(found: Findings, body: Body, key: str, at: str, *, null: bool = False) -> None:
    """A field that is a path."""
    value = body.get(key)
    if key not in body or (null and value is None):
        return
    try:
        if not isinstance(value, str):
            raise InvalidPath("it must be a string")
        Path.parse(value)
    except InvalidPath as error:
        found.error(f"Value is not a Path: {error}", f"{at}/{key}")


def query(found: Findings, body: Body, key: str, at: str) -> None:
    """A field that is a path or an intrinsic function."""
    value = body.get(key)
    if key not in body:
        return
    try:
        if not isinstance(value, str):
            raise InvalidPath("it must be a string")
        parse_query(value)
    except InvalidPath as error:
        found.error(f"Value is not a valid JSONPath or intrinsic function: {error}", f"{at}/{key}")


def reference_path(found: Findings, body: Body, key: str, at: str) -> None:
    """`ResultPath`: null, or a place in the input."""
    value = body.get(key)
    if key not in body or value is None:
        return
    try:
        if not isinstance(value, str):
            raise InvalidPath("it must be a string")
        parse_reference(value)
    except InvalidPath as error:
        found.error(f"Value is not a Reference Path: {error}", f"{at}/{key}")


def assign(found: Findings, body: Body, at: str, language: str, *, error_output: bool = False) -> None:
    """`Assign`: names of variables, and their values."""
    if "Assign" not in body:
        return
    values = found.object(body, "Assign", at)
    if values is None:
        return
    for key in values:
        name = key.removesuffix(".$") if language == "JSONPath" else key
        if not name.isidentifier() or len(name) > _NAME:
            found.error(f"'{key}' is not a valid variable name", f"{at}/Assign")
        elif name == "states":
            found.error("The variable name 'states' is reserved", f"{at}/Assign")
    if language == "JSONata":
        expressions(found, values, f"{at}/Assign", error_output=error_output)
    else:
        template(found, values, f"{at}/Assign")
