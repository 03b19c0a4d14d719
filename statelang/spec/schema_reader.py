"""JSON Schema as contracts: a document, with everything that it refers to inside it, becomes one `Contract`.

Read are draft 2020-12 and what earlier drafts wrote in the same words: `type` (also several), `properties`,
`required`, `additionalProperties`, `items`, `enum`, `const`, `anyOf`, `oneOf`, `allOf`, `$ref`, `$defs`, `definitions`,
`format: date-time`, and the constraints of `CONSTRAINTS`. Where a schema has no `type`, it is taken for the one
that its keywords are for. A property that is not required may also be null, as with `optional`: expressions hardly
tell the two apart. Every keyword that narrows and is not checked is told as a warning.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from ..jsonata.type_names import type_name
from .contracts import ANY, CONSTRAINTS, SCALARS, Contract, Path, in_order, listed
from .diagnostics import Diagnostic

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ANNOTATIONS = frozenset(
    ("$schema", "$id", "$comment", "$defs", "$anchor", "$vocabulary", "definitions", "title", "description", "default",
     "examples", "deprecated", "readOnly", "writeOnly", "discriminator", "contentMediaType", "contentEncoding", "format")
)  # fmt: skip
"""Keywords that refuse nothing. `format` is one of them by default; date-time is checked all the same."""
_READ = frozenset(
    ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")
)  # fmt: skip
_WIDER = {"integer": "number", "date-time": "string"}
_MAX_DEPTH = 24


class _Never(Exception):
    """No value can be as the schemas together say."""


class SchemaReader:
    """Reads one document, which stands at `path` of a spec. What is wrong is added to `findings`."""

    def __init__(self, document: Any, path: Path, findings: list[Diagnostic]):
        self._path = path
        self._findings = findings
        self._documents = {"": document}
        defs = document.get("$defs") if isinstance(document, dict) else None
        for part in (defs if isinstance(defs, dict) else {}).values():
            # A document that was put inside has its own name as `$id`: the bundling of the JSON Schema standard.
            if isinstance(part, dict) and isinstance(part.get("$id"), str):
                self._documents[part["$id"]] = part
        self._known: dict[tuple[str, str], Contract] = {}
        self._open: list[tuple[str, str]] = []
        self._told: set[str] = set()
        self._depth = 0

    def contract(self) -> Contract:
        return self._read(self._documents[""], "", "")

    def _read(self, schema: Any, base: str, at: str) -> Contract:
        """`base` is the document that the schema is in, and `at` where in it, as a JSON pointer."""
        if isinstance(schema, bool):
            if not schema:
                self._problem("S307", f"{_place(base, at)}: `false` allows no value at all")
            return ANY
        if not isinstance(schema, dict):
            self._problem(
                "S307", f"{_place(base, at)}: a schema is an object or true, not {type_name(schema)}"
            )
            return ANY
        if self._depth > _MAX_DEPTH:
            self._problem("S307", f"{_place(base, at)}: nested deeper than {_MAX_DEPTH} levels")
            return ANY
        self._depth += 1
        try:
            parts = self._parts(schema, base, at)
            contract = parts[0] if parts else ANY
            for part in parts[1:]:
                contract = self._both(contract, part, base, at)
            return contract
        except _Never as reason:
            self._problem("S307", f"{_place(base, at)}: nothing can be {reason}")
            return ANY
        finally:
            self._depth -= 1

    def _parts(self, schema: dict[str, Any], base: str, at: str) -> list[Contract]:
        """The contracts that must all hold."""
        parts: list[Contract] = []
        if "$ref" in schema:
            parts.append(self._reference(schema["$ref"], base, at))
        own = self._own(schema, base, at)
        if own is not ANY:
            parts.append(own)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                parts.append(self._choice(schema[word], word, base, at))
        every = schema.get("allOf", [])
        for number, part in enumerate(every if isinstance(every, list) else []):
            parts.append(self._read(part, base, f"{at}/allOf/{number}"))
        for word in schema.keys() - _READ - _ANNOTATIONS - CONSTRAINTS.keys():
            if not word.startswith("x-"):
                self._unchecked(word, base, at)
        return parts

    # -- a schema's own keywords ---------------------------------------------------------------------------

    def _own(self, schema: dict[str, Any], base: str, at: str) -> Contract:
        types = schema.get("type")
        if types is None:
            types = [kind] if (kind := _implied(schema)) else []
        elif not isinstance(types, list):
            types = [types]
        wrong = [kind for kind in types if kind not in SCALARS or kind in ("any", "date-time")]
        if wrong:
            self._problem("S307", f"{_place(base, at, 'type')}: there is no type {wrong[0]!r} in JSON Schema")
            return ANY
        enum = [schema["const"]] if "const" in schema else schema.get("enum")
        if enum is not None:
            if not isinstance(enum, list) or not enum:
                self._problem("S307", f"{_place(base, at, 'enum')}: a list of at least one value is wanted")
                return ANY
            return listed(enum)
        made = [self._typed(kind, schema, base, at) for kind in types]
        if not made:
            return ANY
        return made[0] if len(made) == 1 else Contract("union", choices=tuple(made))

    def _typed(self, kind: str, schema: dict[str, Any], base: str, at: str) -> Contract:
        constraints = {
            word: schema[word]
            for word in CONSTRAINTS
            if word in schema and kind in CONSTRAINTS[word] and self._usable(word, schema[word], base, at)
        }
        if kind == "string" and schema.get("format") == "date-time" and not constraints:
            kind = "date-time"
        contract = Contract(kind, constraints=constraints)
        if kind == "array" and "items" in schema:
            if isinstance(schema["items"], list):  # what drafts before 2020-12 wrote for prefixItems
                self._unchecked("items", base, at, "as a list")
            else:
                contract = replace(contract, items=self._read(schema["items"], base, f"{at}/items"))
        return self._object(contract, schema, base, at) if kind == "object" else contract

    def _object(self, contract: Contract, schema: dict[str, Any], base: str, at: str) -> Contract:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            self._problem(
                "S307", f"{_place(base, at)}: `properties` is an object, and `required` a list of names"
            )
            return contract
        fields: dict[str, Contract] = {}
        for name, part in properties.items():
            field = self._read(part, base, f"{at}/properties/{_escaped(name)}")
            fields[name] = field if name in required else _optional(field)
        rest = schema.get("additionalProperties")
        if rest is True or isinstance(rest, dict):
            contract = replace(contract, additional=self._read(rest, base, f"{at}/additionalProperties"))
        elif rest not in (None, False):
            self._problem(
                "S307", f"{_place(base, at, 'additionalProperties')}: a schema, true or false is wanted"
            )
        for name in required:
            if isinstance(name, str) and name not in fields:
                if rest is False:
                    raise _Never(f"an object that has `{name}` and must not have it")
                fields[name] = contract.additional or ANY
        any_fields = not fields and "properties" not in schema
        return replace(
            contract, fields=None if any_fields and rest is not False else fields, closed=rest is False
        )

    def _usable(self, word: str, limit: Any, base: str, at: str) -> bool:
        place = _place(base, at, word)
        if word == "uniqueItems":
            return limit is True
        if word == "pattern":
            try:
                re.compile(limit)
            except (re.error, TypeError, RecursionError) as error:
                self._problem("S307", f"{place}: not a regular expression that is known here: {error}")
                return False
            return True
        if (
            isinstance(limit, bool)
            or not isinstance(limit, int | float)
            or (word == "multipleOf" and limit <= 0)
        ):
            self._problem("S307", f"{place}: not a number that can be used: {limit!r}")
            return False
        return True

    def _choice(self, written: Any, word: str, base: str, at: str) -> Contract:
        if not isinstance(written, list) or not written:
            self._problem("S307", f"{_place(base, at, word)}: a list of at least one schema is wanted")
            return ANY
        choices = tuple(
            self._read(part, base, f"{at}/{word}/{number}") for number, part in enumerate(written)
        )
        if len(choices) == 1:
            return choices[0]
        return Contract("union", choices=choices, one=word == "oneOf" and not _apart(choices))

    # -- references ----------------------------------------------------------------------------------------

    def _reference(self, ref: Any, base: str, at: str) -> Contract:
        if not isinstance(ref, str):
            self._problem("S307", f"{_place(base, at, '$ref')}: a text is wanted")
            return ANY
        name, _, pointer = ref.partition("#")
        key = (target(base, name), unquote(pointer))
        if key in self._known:
            return self._known[key]
        if key in self._open:
            circle = f"{_place(*key)} refers to itself"
            if circle not in self._told:
                self._told.add(circle)
                self._problem("S303", circle, "a contract has an end: write `true` where it comes round")
            return ANY
        if key[0] not in self._documents:
            self._problem("S307", f"{_place(base, at, '$ref')}: there is no document {key[0]!r}")
            return ANY
        found = self._documents[key[0]]
        for part in key[1].split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                self._problem("S307", f"{_place(base, at, '$ref')}: {ref!r} leads to nothing")
                return ANY
        if key[1] and not key[1].startswith("/"):
            self._problem(
                "S307", f"{_place(base, at, '$ref')}: {ref!r}: only JSON pointers are followed, no anchors"
            )
            return ANY
        self._open.append(key)
        contract = self._read(found, key[0], key[1])
        self._open.pop()
        last = key[1].rpartition("/")[2]
        if re.fullmatch(r"[A-Za-z_]\w*", last, re.ASCII) and contract.kind != "any":
            contract = replace(contract, name=last)
        self._known[key] = contract
        return contract

    # -- allOf ---------------------------------------------------------------------------------------------

    def _both(self, one: Contract, other: Contract, base: str, at: str) -> Contract:
        """What both contracts allow. Raises `_Never`."""
        if one.kind == "any":
            return other
        if other.kind == "any":
            return one
        if one.enum is not None or other.enum is not None:
            return _values(one, other)
        for first, second in ((one, other), (other, one)):
            if first.kind == "union":
                fitting: list[Contract] = []
                for choice in first.choices:
                    try:
                        fitting.append(self._both(choice, second, base, at))
                    except _Never:
                        continue
                if not fitting:
                    raise _Never(f"both {one} and {other}")
                if len(fitting) == 1:
                    return fitting[0]
                return replace(first, choices=tuple(fitting), name=None)
        kinds = {one.kind, other.kind}
        narrower = [kind for kind in ("integer", "date-time") if kinds == {kind, _WIDER[kind]}]
        if len(kinds) > 1 and not narrower:
            raise _Never(f"both {one} and {other}")
        kind = narrower[0] if narrower else one.kind
        items = self._maybe(one.items, other.items, base, at)
        return self._fields(one, other, kind, items, base, at)

    def _fields(
        self, one: Contract, other: Contract, kind: str, items: Contract | None, base: str, at: str
    ) -> Contract:
        fields: dict[str, Contract] | None = None
        if one.fields is not None or other.fields is not None:
            first, second = one.fields or {}, other.fields or {}
            fields = {}
            for name in [*first, *(name for name in second if name not in first)]:
                if name not in first or name not in second:
                    lacking, has = (one, second) if name not in first else (other, first)
                    if lacking.closed:
                        raise _Never(f"both {one} and {other}: one of them has no `{name}`")
                    if lacking.additional is None:
                        fields[name] = has[name]
                        continue
                    parts, optional = (has[name], lacking.additional), has[name].optional
                else:
                    parts = (first[name], second[name])
                    optional = first[name].optional and second[name].optional
                left, right = (replace(part, optional=False) for part in parts)
                both = self._both(left, right, base, at)
                fields[name] = replace(both, optional=optional)
        return Contract(
            kind,
            fields,
            additional=self._maybe(one.additional, other.additional, base, at),
            closed=one.closed or other.closed,
            items=items,
            constraints=self._constraints(one.constraints, other.constraints, base, at),
        )

    def _maybe(self, one: Contract | None, other: Contract | None, base: str, at: str) -> Contract | None:
        return self._both(one, other, base, at) if one is not None and other is not None else one or other

    def _constraints(
        self, one: Mapping[str, Any], other: Mapping[str, Any], base: str, at: str
    ) -> dict[str, Any]:
        made = dict(one)
        for word, limit in other.items():
            if word not in made or made[word] == limit:
                made[word] = limit
            elif word.startswith(("min", "exclusiveMin")):
                made[word] = max(made[word], limit)
            elif word.startswith(("max", "exclusiveMax")):
                made[word] = min(made[word], limit)
            else:
                self._unchecked(word, base, at, "a second time")
        return in_order(made)

    # -- what is wrong -------------------------------------------------------------------------------------

    def _unchecked(self, word: str, base: str, at: str, how: str = "") -> None:
        text = f"{_place(base, at)}: `{word}`{f' {how}' if how else ''} is not checked"
        if text not in self._told:
            self._told.add(text)
            hint = "what it refuses is let through; a step's `ensure` can check it"
            self._findings.append(Diagnostic("W903", text, self._path, None, hint, "warning"))

    def _problem(self, code: str, message: str, suggestion: str | None = None) -> None:
        self._findings.append(Diagnostic(code, message, self._path, None, suggestion))


def target(base: str, name: str) -> str:
    """The document that a reference in the document `base` names: relative to where that one is."""
    if not name or "://" in name:
        return name or base
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), name))


def _place(base: str, at: str, word: str = "") -> str:
    pointer = f"{at}/{word}" if word else at
    return f"{base}#{pointer}" if base else pointer or "the schema"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _implied(schema: Mapping[str, Any]) -> str | None:
    if schema.keys() & {"properties", "required", "additionalProperties"}:
        return "object"
    if "items" in schema:
        return "array"
    return next((CONSTRAINTS[word][0] for word in schema if word in CONSTRAINTS), None)


def _optional(contract: Contract) -> Contract:
    """The contract of a property that may be missing; a choice of null in it is said by that."""
    if contract.kind == "null":
        return replace(ANY, optional=True)
    rest = tuple(choice for choice in contract.choices if choice.kind != "null")
    if len(rest) < len(contract.choices):
        contract = rest[0] if len(rest) == 1 else replace(contract, choices=rest)
    return replace(contract, optional=True)


def _values(one: Contract, other: Contract) -> Contract:
    from .contracts import violations

    listed, second = (one, other) if one.enum is not None else (other, one)
    values = tuple(value for value in listed.enum or () if not violations(second, value))
    if not values:
        raise _Never(f"both {one} and {other}")
    return replace(listed, enum=values, name=None)


def _apart(choices: Sequence[Contract]) -> bool:
    """Whether no value can be as two of the choices say, so that exactly one and any are the same."""
    marks: list[dict[str, Any]] = []
    for choice in choices:
        fields = choice.fields or {}
        marks.append({name: part.enum for name, part in fields.items() if part.enum and not part.optional})
    kinds = [_WIDER.get(choice.kind, choice.kind) for choice in choices]
    for number, mark in enumerate(marks):
        for before in range(number):
            if kinds[number] != kinds[before] and not {"any", "union"} & {kinds[number], kinds[before]}:
                continue
            if choices[number].enum is not None and choices[before].enum is not None:
                if not set(map(repr, choices[number].enum or ())) & set(
                    map(repr, choices[before].enum or ())
                ):
                    continue
            shared = mark.keys() & marks[before].keys()
            if not any(
                set(map(repr, mark[name])).isdisjoint(map(repr, marks[before][name])) for name in shared
            ):
                return False
    return True
