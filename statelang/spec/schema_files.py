"""JSON Schema files that a spec names: put into the spec, so that it stands on its own from here on.

    types: {Order: {$ref: ./order.schema.json}, Item: {$ref: ./order.schema.json#/$defs/Item}}

What the files refer to comes with them, each as a part of `$defs` under its own name as `$id`, as the JSON Schema
standard bundles documents. Reading the files is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .contracts import Path
from .diagnostics import Diagnostic
from .schema_reader import DIALECT, target

ReadSchema = Callable[[str], Any]
"""Gives the parsed document at a path relative to the spec. Raises `SchemaUnreadable`."""
_MAX_FILES = 100


class SchemaUnreadable(Exception):
    """Why a document is not there: for people."""


def embedded(types: Any, read: ReadSchema | None, findings: list[Diagnostic]) -> Any:
    """`types:` with the documents in the place of their names."""
    if not isinstance(types, dict):
        return types
    made = dict(types)
    for name, written in types.items():
        if isinstance(written, dict) and set(written) == {"$ref"} and read is not None:
            schema = _bundle(written["$ref"], read, ("types", name), findings)
            made[name] = "any" if schema is None else schema
    return made


def _bundle(ref: Any, read: ReadSchema, path: Path, findings: list[Diagnostic]) -> dict[str, Any] | None:
    def problem(message: str, hint: str | None = None) -> None:
        findings.append(Diagnostic("S307", message, (*path, "$ref"), None, hint))

    if not isinstance(ref, str) or not ref.partition("#")[0]:
        problem(
            f"{ref!r} names no file", "write {$ref: ./order.schema.json}, with #/$defs/Name for a part of it"
        )
        return None
    name, _, pointer = ref.partition("#")
    first = target("", name)
    found: dict[str, Any] = {}
    waiting = [first]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        if "://" in each or each.startswith(("http:", "https:", "urn:")):
            problem(
                f"{each} is not looked up: a contract is read from files alone", "keep a copy beside the spec"
            )
            return None
        if len(found) == _MAX_FILES:
            problem(f"{ref} leads to more than {_MAX_FILES} files")
            return None
        try:
            found[each] = read(each)
        except SchemaUnreadable as reason:
            problem(str(reason))
            return None
        waiting += (target(each, other) for other in _references(found[each]) if other)
    defs = {each: {**document, "$id": each} for each, document in found.items() if isinstance(document, dict)}
    if first not in defs:
        problem(f"{first} is no JSON Schema: it is an object")
        return None
    return {"$schema": DIALECT, "$ref": f"{first}#{pointer}" if pointer else first, "$defs": defs}


def _references(schema: Any) -> Iterator[str]:
    """The documents that the schema refers to."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"].partition("#")[0]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
