"""JSON Schemas with the definitions that they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..spec.schema_reader import DIALECT


def standing_alone(schema: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the definitions that it needs. Where a definition comes round to itself, anything is allowed:
    a contract has an end."""
    needed: dict[str, Any] = {}

    def cut(part: Any, open: tuple[str, ...]) -> Any:
        if isinstance(part, list):
            return [cut(each, open) for each in part]
        if not isinstance(part, dict):
            return part
        ref = part.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/$defs/"):
            name = ref.removeprefix("#/$defs/")
            if name in open:
                return {"$comment": f"{name} again"}
            if name not in needed and name in definitions:
                needed[name] = {}  # keeps its place
                needed[name] = cut(definitions[name], (*open, name))
        return {key: value if key in _DATA else cut(value, open) for key, value in part.items()}

    made = cut(schema, ())
    return {"$schema": DIALECT, **made, **({"$defs": needed} if needed else {})}


_DATA = ("default", "const", "enum", "examples")
"""Keywords whose values are data, and no schemas."""
