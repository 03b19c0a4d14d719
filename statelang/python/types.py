"""Types in a workflow that is built: annotations, and the type syntax of specs around them.

Order                        a class: it becomes a type of its own name, with those that it is made of
{"order": Order, "skus": [str]}      the syntax of specs, with annotations in it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..spec.contracts import Path
from ..spec.diagnostics import Diagnostic

_SIMPLE = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    None: "null",
    type(None): "null",
    Any: "any",
    object: "any",
}
_SCALARS = ("string", "number", "integer", "boolean", "null")


@dataclass(frozen=True, slots=True)
class Annotated:
    """An annotation in the place of a type."""

    annotation: Any


def written_type(value: Any) -> Any:
    """A type as it was given, with annotations marked: `resolved` writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        if "type" in value or "enum" in value or "$schema" in value or "$ref" in value:
            return {
                key: written_type(part) if key in ("items", "additionalProperties") else part
                for key, part in value.items()
            }
        return {key: written_type(part) for key, part in value.items()}
    if isinstance(value, list):
        return [written_type(part) for part in value]
    if isinstance(value, bool):
        return value
    try:
        return _SIMPLE[value]
    except (KeyError, TypeError):
        return Annotated(value)


def resolved(document: dict[str, Any]) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The document with its annotations as types, those that have names under `types:`, and what is wrong with them."""
    from .annotations import schemas_of
    from .schemas import standing_alone

    uses = list(_annotations(document, ()))
    made = schemas_of([annotation for _, annotation in uses])
    by_path: dict[Path, Any] = {}
    findings: list[Diagnostic] = []
    for number, (path, _) in enumerate(uses):
        schema = made.schemas[number]
        if schema is None:
            findings.append(Diagnostic("S302", made.problems[number], path))
            by_path[path] = "any"
        else:
            by_path[path] = _syntax(schema) or standing_alone(schema, made.definitions)
    named = {name: standing_alone({"$ref": f"#/$defs/{name}"}, made.definitions) for name in made.definitions}
    for name in named.keys() & document["types"].keys():
        findings.append(Diagnostic("S302", f"there is a class `{name}` as well", ("types", name)))
    document = _replaced(document, by_path, ())
    types = {**named, **document["types"]}
    return {
        key: types if key == "types" else part for key, part in document.items() if key != "types" or types
    }, findings


def _annotations(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Annotated):
        yield path, value.annotation
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _annotations(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _annotations(part, (*path, index))


def _replaced(value: Any, by_path: Mapping[Path, Any], path: Path) -> Any:
    if isinstance(value, Annotated):
        return by_path[path]
    if isinstance(value, dict):
        return {key: _replaced(part, by_path, (*path, key)) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, by_path, (*path, index)) for index, part in enumerate(value)]
    return value


def _syntax(schema: Mapping[str, Any]) -> Any:
    """A JSON Schema in the type syntax of specs, where it is as short as a word."""
    kept = {key: value for key, value in schema.items() if key not in ("title", "description", "default")}
    if set(kept) == {"$ref"}:
        name = kept["$ref"].removeprefix("#/$defs/")
        return name if re.fullmatch(r"\w+", name, re.ASCII) else None
    if set(kept) == {"type"} and kept["type"] in _SCALARS:
        return kept["type"]
    if kept == {"type": "string", "format": "date-time"}:
        return "date-time"
    if set(kept) == {"type", "items"} and kept["type"] == "array" and isinstance(kept["items"], dict):
        item = _syntax(kept["items"])
        return None if item is None else [item]
    if set(kept) == {"anyOf"}:
        choices = [_syntax(part) for part in kept["anyOf"]]
        if all(isinstance(choice, str) for choice in choices):
            return " | ".join(choices)
    return None
