"""Paths, payload templates and expressions: whether they can be read, and whether they stand where they may."""

from __future__ import annotations

from typing import Any

from ... import jsonata
from ...jsonpath import InvalidPath, Path, parse_query, parse_reference
from ..templates import STATES_FIELDS, is_expression
from .findings import INVALID_EXPRESSION, UNSUPPORTED_EXPRESSION, Body, Findings

MAX_DEPTH = 100
_NAME = 80
_NO_REFERENCE = "Value is not a Reference Path: {}"


def expressions(found: Findings, value: Any, at: str, *, error_output: bool = False, depth: int = 0) -> None:
    """Every expression in a field of a JSONata state. `error_output`: whether `$states.errorOutput` is there."""
    if depth > MAX_DEPTH:
        found.error("Value is nested too deeply", at, "TOO_DEEPLY_NESTED")
    elif isinstance(value, str):
        if value.startswith("{%") != value.endswith("%}"):
            found.error("JSONata string must start with {% and end with %}", at)
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
        found.error(jsonata.reference_text(error), at, INVALID_EXPRESSION)
        return
    for reference in jsonata.free_variables(compiled.ast):
        if reference.name != "states" or not reference.path:
            continue
        name = reference.path[0].name
        if name not in STATES_FIELDS or (name == "errorOutput" and not error_output):
            found.error(f"Field '$states.{name}' does not exist.", at, UNSUPPORTED_EXPRESSION)
    for use in jsonata.uses_context(compiled.ast):
        if use.text == "$$":
            found.error("Reference to '$$' is not supported.", at, UNSUPPORTED_EXPRESSION)
        elif not use.text.startswith(("$", "*", "%")):
            found.error(
                f"Reference to '{use.text}' at the top level is not supported.", at, UNSUPPORTED_EXPRESSION
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
    if null and body.get(key) is None:
        return
    value = _string(found, body, key, at)
    if value is None:
        return
    try:
        Path.parse(value)
    except InvalidPath:
        found.error("Value must be a valid JSONPath.", f"{at}/{key}")


def query(found: Findings, body: Body, key: str, at: str) -> None:
    """A field that is a path or an intrinsic function."""
    value = _string(found, body, key, at)
    if value is not None and not _reads(value):
        found.error("Value must be a valid JSONPath or a valid intrinsic function call", f"{at}/{key}")


def reference(found: Findings, body: Body, key: str, at: str) -> None:
    """A field that names one value, of the input or of a variable."""
    value = _string(found, body, key, at)
    if value is None:
        return
    if not value.startswith("$"):
        found.error(_NO_REFERENCE.format("Reference path didn't start with '$'"), f"{at}/{key}")
        return
    try:
        Path.parse(value)
    except InvalidPath as error:
        found.error(_NO_REFERENCE.format(error), f"{at}/{key}")


def reference_path(found: Findings, body: Body, key: str, at: str) -> None:
    """`ResultPath`: null, or a place in the input."""
    if body.get(key) is None:
        return
    value = _string(found, body, key, at)
    if value is None:
        return
    if not value.startswith("$"):
        found.error(_NO_REFERENCE.format("Reference path didn't start with '$'"), f"{at}/{key}")
        return
    try:
        parse_reference(value)
    except InvalidPath as error:
        found.error(_NO_REFERENCE.format(error), f"{at}/{key}")


def _string(found: Findings, body: Body, key: str, at: str) -> str | None:
    value = body.get(key)
    if isinstance(value, str):
        return value
    if key in body:
        found.expected("STRING", f"{at}/{key}")
    return None


def assign(found: Findings, body: Body, at: str, language: str, *, error_output: bool = False) -> None:
    """`Assign`: names of variables, and their values."""
    values = found.object(body, "Assign", at)
    if values is None:
        return
    for key in values:
        name = key.removesuffix(".$") if language == "JSONPath" else key
        if name == "states":
            found.error(
                "Cannot assign to reserved variable '$states'.", f"{at}/Assign", "RESERVED_VARIABLE_NAME"
            )
        elif not name.isidentifier():
            found.error(
                f"Invalid variable name '{name}': the variable name contains invalid characters.",
                f"{at}/Assign",
                "INVALID_VARIABLE_NAME",
            )
        elif len(name) > _NAME:
            found.error(
                f"Invalid variable name '{name}': the variable name exceeds {_NAME} characters.",
                f"{at}/Assign",
                "INVALID_VARIABLE_NAME",
            )
    if language == "JSONata":
        expressions(found, values, f"{at}/Assign", error_output=error_output)
    else:
        template(found, values, f"{at}/Assign")
