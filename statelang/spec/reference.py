"""The parts of the language's reference that are generated: fields of the models, codes of findings.

In the page they stand between `<!-- generated: NAME -->` and `<!-- end -->`; `filled` writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .diagnostics import CODES
from .models import KINDS, FallibleStep, Step
from .models.steps import CallStep
from .schema import json_schema

_PLACE = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SHARED = tuple(dict.fromkeys([*Step.model_fields, *FallibleStep.model_fields, *CallStep.model_fields]))
"""Fields that more than one kind of step can have."""
_STEPS = {model.__name__ for model in KINDS.values()}


def filled(page: str) -> str:
    """The page with its generated parts written anew. Raises KeyError for a part that there is not."""
    return _PLACE.sub(lambda found: f"{found[1]}{_part(found[2])}\n{found[3]}", page)


def _part(name: str) -> str:
    schema = json_schema()
    if name == "kinds":
        return _kinds()
    if name == "step-fields":
        return _shared_fields(schema)
    if name == "codes":
        return _table(("Code", "About"), ([f"`{code}`", _escaped(about)] for code, about in CODES.items()))
    if name in KINDS:
        model = KINDS[name]
        fields = schema["$defs"][model.__name__]
        own = [each for each in model.model_fields if each not in _SHARED]
        return _fields(fields, own)
    fields = schema if name == "Spec" else schema["$defs"][name]
    return _fields(fields, list(fields["properties"]))


def _kinds() -> str:
    rows = []
    for kind, model in KINDS.items():
        doc = (model.__doc__ or "").partition("\n")[0]
        rows.append([f"[`{kind}`](#{kind})", _escaped(doc)])
    return _table(("Kind", "What it is"), rows)


def _shared_fields(schema: Mapping[str, Any]) -> str:
    rows = []
    for name in _SHARED:
        having = [kind for kind, model in KINDS.items() if name in model.model_fields]
        fields = schema["$defs"][KINDS[having[0]].__name__]
        of = "all" if len(having) == len(KINDS) else ", ".join(having)
        rows.append([*_row(name, fields), of])
    return _table(("Field", "Value", "Default", "What it says", "Kinds"), rows)


def _fields(schema: Mapping[str, Any], names: Iterable[str]) -> str:
    aliases = {"as_": "as"}
    rows = (_row(aliases.get(name, name), schema) for name in names)
    return _table(("Field", "Value", "Default", "What it says"), rows)


def _row(name: str, schema: Mapping[str, Any]) -> list[str]:
    field = schema["properties"][name]
    required = name in schema.get("required", [])
    return [
        f"`{name}`",
        _value(field),
        "**required**" if required else _default(field),
        _escaped(field.get("description", "")),
    ]


def _value(field: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    choices = [each for each in field.get("anyOf", ()) if each.get("type") != "null"]
    if choices:
        if any("smhdw" in each.get("pattern", "") for each in choices):
            return "duration"
        steps = [each for each in choices if each.get("$ref", "").rpartition("/")[2] in _STEPS]
        return "step" if steps else " or ".join(dict.fromkeys(map(_value, choices)))
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    kind = field.get("type")
    if kind == "array" and "items" in field:
        return f"list of {_value(field['items'])}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"mapping of names to {_value(field['additionalProperties'])}"
    if isinstance(kind, list):
        return "[type](#types)"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "object": "mapping",
    }
    return words.get(kind or "", "data")


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    if value in (None, [], {}) or isinstance(value, dict):
        return ""
    if _value(field) == "duration" and isinstance(value, int):
        unit, size = next(
            (unit, size)
            for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
            if value % size == 0
        )
        return f"`{value // size}{unit}`"
    return f"`{value}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
