"""Contracts and input schemas of the earlier Stratum as types: `{field: {type: string, values: [a, b]}, …}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..spec.contracts import CONSTRAINTS, SCALARS, is_constrained
from ..spec.source import Path

Note = Callable[[str, Path], None]
"""Told of what is not carried over: the reason, and where it stands."""

_WORDS = {
    "string": "string", "str": "string", "text": "string", "integer": "integer", "int": "integer", "number": "number",
    "float": "number", "boolean": "boolean", "bool": "boolean", "object": "object", "dict": "object", "array": "array",
    "list": "array", "any": "any", "null": "null", "none": "null", "datetime": "date-time", "date-time": "date-time",
}  # fmt: skip
_IN_SCHEMAS = ("string", "number", "integer", "boolean", "object", "array", "null")
_KNOWN = {"type", "values", "enum", "items", "required", "optional", "nullable", "default", "description"}


class Types:
    """The types of one workflow; `made` grows by those that the fields need a name for."""

    def __init__(self, contracts: Mapping[str, Mapping[str, Any]], note: Note):
        self.names = _names(contracts)
        self.made: dict[str, Any] = {}
        self._note = note
        for name, fields in contracts.items():
            self.made[self.names[name]] = self.record(fields, ("contracts", name), self.names[name])

    def record(self, fields: Mapping[str, Any], path: Path, owner: str) -> Any:
        """An object with these fields."""
        record = {key: self.field(written, (*path, key), f"{owner}_{key}") for key, written in fields.items()}
        if record and is_constrained(
            record
        ):  # a record of the one field `type` reads as a type with constraints
            properties = {key: {"type": part} if part in _IN_SCHEMAS else {} for key, part in record.items()}
            return {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object", "properties": properties, "required": list(properties),
            }  # fmt: skip
        return record or "object"

    def field(self, written: Any, path: Path, name: str) -> Any:
        if isinstance(written, str):
            written = {"type": written}
        if not isinstance(written, dict):
            self._note("it is not written as types were: any value is taken", path)
            return "any"
        made = self._type(written, path, name)
        if (
            written.get("required") is False
            or written.get("optional") is True
            or written.get("nullable") is True
        ):
            made = self._optional(made, name)
        if "default" in written and written["default"] is not None:
            self._note(
                "`default`: an input has no defaults here; whoever starts it gives the value",
                (*path, "default"),
            )
        for key in written:
            if key not in _KNOWN and key not in CONSTRAINTS:
                self._note(f"`{key}`: types here have no such part", (*path, key))
        return made

    def _type(self, written: Mapping[str, Any], path: Path, name: str) -> Any:
        values = written.get("values", written.get("enum"))
        if isinstance(values, list) and values:
            return {"enum": values}
        word = written.get("type", "any")
        if not isinstance(word, str):
            self._note(f"the type {word!r}: any value is taken", (*path, "type"))
            return "any"
        made = self._word(word.strip(), (*path, "type"))
        if made == "array" and isinstance(written.get("items"), dict | str):
            inner = self.field(written["items"], (*path, "items"), f"{name}_item")
            made = [inner]
        fitting: dict[str, Any] = {}
        for key in CONSTRAINTS:
            if key not in written or not isinstance(made, str):
                continue
            if (
                made in CONSTRAINTS[key] and not isinstance(written[key], bool | str | list | dict | None)
            ) or (key == "pattern" and made == "string" and _is_pattern(written[key])):
                fitting[key] = written[key]
            else:
                self._note(f"`{key}`: it says nothing of {made} that can be checked", (*path, key))
        if fitting:
            return {"type": made, **fitting}
        return made

    def _word(self, word: str, path: Path) -> Any:
        if word.endswith("?") or word.startswith("optional "):
            inner = self._word(word.removesuffix("?").removeprefix("optional ").strip(), path)
            return f"optional {inner}" if isinstance(inner, str) else inner
        listed = re.fullmatch(r"(?:list|array|List)\[(.+)\]", word) or re.fullmatch(r"(.+)\[\]", word)
        if listed:
            return [self._word(listed[1].strip(), path)]
        if "|" in word:
            parts = [self._word(part.strip(), path) for part in word.split("|")]
            return " | ".join(parts) if all(isinstance(part, str) for part in parts) else "any"
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        if word in self.names:
            return self.names[word]
        self._note(f"the type `{word[:60]}`: any value is taken", path)
        return "any"

    def _optional(self, made: Any, name: str) -> Any:
        if isinstance(made, str):
            return made if made.startswith("optional ") else f"optional {made}"
        if isinstance(made, list) and isinstance(made[0], str):
            return f"optional [{made[0]}]"
        name = _fresh(re.sub(r"\W", "_", name), {*self.names.values(), *self.made})
        self.made[name] = made
        return f"optional {name}"

    def schema(self, written: Mapping[str, Any], name: str) -> str:
        """A JSON Schema as a type of its own; answers the type's name."""
        name = _fresh(name, {*self.names.values(), *self.made})
        self.made[name] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **written}
        return name


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError):
        return False
    return True


def _names(contracts: Mapping[str, Any]) -> dict[str, str]:
    names: dict[str, str] = {}
    for contract in contracts:
        plain = re.sub(r"\W", "_", contract, flags=re.ASCII) or "Type"
        names[contract] = _fresh(plain if plain[0].isalpha() else f"T{plain}", {*names.values(), *SCALARS})
    return names


def _fresh(name: str, taken: set[str]) -> str:
    number, made = 1, name
    while made in taken:
        number += 1
        made = f"{name}_{number}"
    return made
