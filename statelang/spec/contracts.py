"""Contracts: what a value must look like, from the type syntax of specs.

- `string number integer boolean object array any null date-time`, or the name of a type from `types:`
- `[T]`: an array of T
- `{field: T, …}`: an object with at least these fields
- `optional T`: the field may be absent or null; `T | U`: one of them
- `{type: integer, minimum: 1}`: a scalar type or `array` with constraints; `{enum: [a, b]}`: one of these values
- `{type: string, secret: true}`: hidden in what an audit shows
- `{type: object, additionalProperties: T}`: an object of any fields that are T
- `{$ref: ./order.schema.json}` under `types:`: a JSON Schema, out of a file (`schema_files`); a mapping with `$schema`
  is one itself (`schema_reader`)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..jsonata.type_names import type_name
from .diagnostics import Diagnostic, did_you_mean

SCALARS = ("string", "number", "integer", "boolean", "object", "array", "any", "null", "date-time")
CONSTRAINTS: dict[str, tuple[str, ...]] = {
    "minimum": ("number", "integer"), "maximum": ("number", "integer"), "exclusiveMinimum": ("number", "integer"),
    "exclusiveMaximum": ("number", "integer"), "multipleOf": ("number", "integer"), "minLength": ("string",),
    "maxLength": ("string",), "pattern": ("string",), "minItems": ("array",), "maxItems": ("array",),
    "uniqueItems": ("array",),
}  # fmt: skip
"""Which constraint is for values of which types."""

MAX_VIOLATIONS = 20
MAX_NESTING = 24
"""Levels of a type within which no other has a name: its checks become one expression."""
CLOSE = "0.000000001"
"""How near to a whole number the ratio to a fraction is that counts as `multipleOf` it."""
_DATE_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a value is not as its contract says; `path` is as in `$.items[0].qty`."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Contract:
    """`kind` is one of SCALARS, or `union` (also for an `enum` of several kinds). `fields` is None for an object of any fields; what others it may have is
    `additional` (None: anything), unless it is `closed` and has none. `one`: exactly one of the choices holds. A `secret`
    is hidden wherever an audit shows it."""

    kind: str
    fields: Mapping[str, Contract] | None = None
    additional: Contract | None = None
    closed: bool = False
    items: Contract | None = None
    choices: tuple[Contract, ...] = ()
    one: bool = False
    constraints: Mapping[str, Any] = field(default_factory=dict)
    enum: tuple[Any, ...] | None = None
    optional: bool = False
    name: str | None = None
    secret: bool = False

    def __str__(self) -> str:
        text = self.name or self._written()
        return f"optional {text}" if self.optional else text

    def _written(self) -> str:
        if self.enum is not None:
            return "one of " + ", ".join(map(_shown, self.enum))
        if self.kind == "union":
            return " | ".join(map(str, self.choices))
        if self.kind == "object" and self.fields:
            return "{" + ", ".join(f"{key}: {value}" for key, value in self.fields.items()) + "}"
        if self.additional is not None:
            return f"object of {self.additional}"
        told = ", ".join(f"{key} {_shown(value)}" for key, value in self.constraints.items())
        kind = f"[{self.items}]" if self.items is not None else self.kind
        return f"{kind} ({told})" if told else kind

    def to_json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {} if self.kind in ("any", "union") else {"type": self.kind}
        if self.kind == "date-time":
            schema = {"type": "string", "format": "date-time"}
        schema.update(self.constraints)
        if self.enum is not None:
            schema = {"enum": list(self.enum)}
        if self.choices:
            schema["oneOf" if self.one else "anyOf"] = [choice.to_json_schema() for choice in self.choices]
        if self.items is not None:
            schema["items"] = self.items.to_json_schema()
        if self.fields is not None:
            schema["properties"] = {key: value.to_json_schema() for key, value in self.fields.items()}
            schema["required"] = [key for key, value in self.fields.items() if not value.optional]
        if self.closed or self.additional is not None:
            schema["additionalProperties"] = (
                False if self.additional is None else self.additional.to_json_schema()
            )
        return {"anyOf": [schema, {"type": "null"}]} if self.optional else schema


ANY = Contract("any")


def secrets(name: str, contract: Contract) -> Iterator[str]:
    """Where the secrets are in a value of the contract that is called `name`: `input.card.number`, `made.items[].key`."""
    if contract.secret:
        yield name
        return
    for key, part in (contract.fields or {}).items():
        yield from secrets(f"{name}.{key}", part)
    for part in (contract.items, *contract.choices):
        if part is not None:
            yield from secrets(f"{name}[]" if part is contract.items else name, part)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def violations(contract: Contract, value: Any) -> list[Violation]:
    """Everything in which the value is not as the contract says, up to `MAX_VIOLATIONS`."""
    found: list[Violation] = []
    for violation in _violations(contract, value, "$"):
        found.append(violation)
        if len(found) == MAX_VIOLATIONS:
            break
    return found


def _key(value: Any) -> Any:
    """Two JSON values are the same when their keys are: `true` is not 1, and 1.0 is."""
    if isinstance(value, dict):
        return "object", frozenset((name, _key(part)) for name, part in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_key, value))
    return type_name(value), value


def _violations(contract: Contract, value: Any, path: str) -> Iterator[Violation]:
    if (contract.optional and value is None) or contract.kind == "any":
        return
    if contract.choices:
        fitting = sum(next(_violations(choice, value, path), None) is None for choice in contract.choices)
        if fitting == 0 or (contract.one and fitting > 1):
            yield Violation(path, f"expected {contract}, got {type_name(value)}")
        return
    if contract.enum is not None:
        if not any(_key(value) == _key(each) for each in contract.enum):
            yield Violation(path, f"expected {replace(contract, name=None)}, got {type_name(value)}")
        return
    if not _has_kind(contract, value) or not all(
        _holds(*pair, value) for pair in contract.constraints.items()
    ):
        shown = replace(contract, name=None) if contract.constraints else contract
        yield Violation(path, f"expected {shown}, got {type_name(value)}")
        return
    if contract.items is not None:
        for index, item in enumerate(value):
            yield from _violations(contract.items, item, f"{path}[{index}]")
    for key, part in (contract.fields or {}).items():
        if key in value:
            yield from _violations(part, value[key], f"{path}.{key}")
        elif not part.optional:
            yield Violation(f"{path}.{key}", "is missing")
    if contract.closed or contract.additional is not None:
        for key in value:
            if key in (contract.fields or {}):
                continue
            if contract.additional is None:
                yield Violation(f"{path}.{key}", "is not expected")
            else:
                yield from _violations(contract.additional, value[key], f"{path}.{key}")


def _has_kind(contract: Contract, value: Any) -> bool:
    actual = type_name(value)
    if contract.kind == "integer":
        return actual == "number" and float(value).is_integer()
    if contract.kind == "date-time":
        return actual == "string" and re.match(_DATE_TIME, value) is not None
    return actual == contract.kind


def _holds(constraint: str, limit: Any, value: Any) -> bool:
    if constraint == "pattern":
        return re.search(limit, value) is not None
    if constraint == "multipleOf":
        if float(limit).is_integer():
            return value % limit == 0
        return abs(value / limit - round(value / limit)) < float(CLOSE)
    if constraint == "uniqueItems":
        return len({_key(item) for item in value}) == len(value)
    measured = len(value) if isinstance(value, str | list) else value
    if constraint.startswith("min"):
        return measured >= limit
    if constraint.startswith("max"):
        return measured <= limit
    return measured > limit if constraint == "exclusiveMinimum" else measured < limit


# -- from the syntax -----------------------------------------------------------------------------------------

Path = tuple[str | int, ...]


class TypeReader:
    """Reads the type syntax; names are resolved in `types`. What is wrong is added to `findings`."""

    def __init__(self, types: Mapping[str, Any], findings: list[Diagnostic]):
        self._written = types
        self._findings = findings
        self._known: dict[str, Contract] = {}
        self._open: list[str] = []
        self._depth = 0

    def named(self, name: str, at: Path = ()) -> Contract | None:
        if name in self._known:
            return self._known[name]
        if name in self._open:
            circle = " -> ".join([*self._open[self._open.index(name) :], name])
            self._problem(
                "S303",
                f"the type {name} refers to itself: {circle}",
                at,
                "write `any` or `object` where it comes round",
            )
            return ANY
        self._open.append(name)
        depth, self._depth = self._depth, 0
        contract = self.read(self._written[name], ("types", name))
        self._depth = depth
        self._open.pop()
        self._known[name] = replace(contract, name=name)
        return self._known[name]

    def read(self, written: Any, path: Path) -> Contract:
        if self._depth > MAX_NESTING:
            hint = "give the inner ones names, under `types:`"
            self._problem("S302", f"types are nested deeper than {MAX_NESTING} levels", path, hint)
            return ANY
        self._depth += 1
        contract = self._read(written, path)
        self._depth -= 1
        return contract

    def _read(self, written: Any, path: Path) -> Contract:
        if isinstance(written, str):
            return self._word(written.strip(), path)
        if isinstance(written, list):
            if len(written) != 1:
                self._problem(
                    "S302", "an array type has one type between its brackets, such as [string]", path
                )
                return Contract("array")
            return Contract("array", items=self.read(written[0], (*path, 0)))
        if isinstance(written, dict):
            if "$schema" in written or "$ref" in written:
                return self._schema(written, path)
            if is_constrained(written):
                return self._constrained(written, path)
            return Contract(
                "object", fields={key: self.read(part, (*path, key)) for key, part in written.items()}
            )
        self._problem(
            "S302",
            "a type is missing here" if written is None else f"{_shown(written)} is no type",
            path,
            "a type is a name, [T], {field: T} or {type: …, minimum: …}",
        )
        return ANY

    def _word(self, word: str, path: Path) -> Contract:
        if word.startswith("optional "):
            return replace(self._word(word.removeprefix("optional ").strip(), path), optional=True)
        if "|" in word:
            choices = tuple(self._word(part.strip(), path) for part in word.split("|"))
            return Contract("union", choices=choices)
        if word.startswith("[") and word.endswith("]"):
            return Contract("array", items=self._word(word[1:-1].strip(), path))
        if word in SCALARS:
            return Contract(word)
        if word in self._written:
            return self.named(word, path) or ANY
        hint = (
            did_you_mean(word, [*SCALARS, *self._written]) or "types of your own are written under `types:`"
        )
        self._problem("S301", f"there is no type `{word}`", path, hint)
        return ANY

    def _constrained(self, written: dict[str, Any], path: Path) -> Contract:
        enum = written.get("enum")
        if enum is not None and not (isinstance(enum, list) and enum):
            self._problem("S302", "`enum` is a list of at least one value", (*path, "enum"))
            enum = None
        base = self._word(written["type"], (*path, "type")) if "type" in written else Contract("any")
        constraints: dict[str, Any] = {}
        for key, value in written.items():
            if key not in CONSTRAINTS:
                continue
            if base.kind not in CONSTRAINTS[key]:
                kinds = " or ".join(CONSTRAINTS[key])
                self._problem("S302", f"`{key}` is for {kinds}, not for {base.kind}", (*path, key))
            elif key == "uniqueItems":
                if isinstance(value, bool):
                    constraints.update({key: True} if value else {})
                else:
                    self._problem(
                        "S302", f"`uniqueItems` is true or false, not {_shown(value)}", (*path, key)
                    )
            elif key == "pattern":
                if self._is_pattern(value, (*path, key)):
                    constraints[key] = value
            elif isinstance(value, bool) or not isinstance(value, int | float):
                self._problem("S302", f"`{key}` is a number, not {_shown(value)}", (*path, key))
            elif key == "multipleOf" and value <= 0:
                self._problem("S302", f"`multipleOf` is more than 0, not {_shown(value)}", (*path, key))
            else:
                constraints[key] = value
        items = self.read(written["items"], (*path, "items")) if "items" in written else base.items
        made = replace(base, constraints=in_order(constraints), items=items)
        if enum:
            made = replace(listed(enum), optional=base.optional)
        made = replace(made, secret=written.get("secret", False))
        if "additionalProperties" not in written:
            return made
        if base.kind != "object":
            at = (*path, "additionalProperties")
            self._problem("S302", f"`additionalProperties` is for object, not for {base.kind}", at)
            return made
        rest = written["additionalProperties"]
        if isinstance(rest, bool):
            return replace(made, closed=not rest)
        return replace(made, additional=self.read(rest, (*path, "additionalProperties")))

    def _schema(self, written: dict[str, Any], path: Path) -> Contract:
        from .schema_reader import SchemaReader

        if "$schema" not in written:
            where = "a JSON Schema out of a file is given a name under `types:`"
            self._problem("S307", f"{written['$ref']!r} is not looked up here", path, where)
            return ANY
        return SchemaReader(written, path, self._findings).contract()

    def _is_pattern(self, value: Any, path: Path) -> bool:
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            self._problem("S302", f"`pattern` is not a regular expression: {error}", path)
            return False
        return True

    def _problem(self, code: str, message: str, path: Path, suggestion: str | None = None) -> None:
        self._findings.append(Diagnostic(code, message, path, None, suggestion))


def in_order(constraints: Mapping[str, Any]) -> dict[str, Any]:
    """Constraints in one order, however they were written: contracts that say the same compile to the same."""
    return {word: constraints[word] for word in CONSTRAINTS if word in constraints}


def listed(values: list[Any]) -> Contract:
    """The contract of what is one of the values."""
    kinds = {type_name(value) for value in values}
    return Contract(kinds.pop() if len(kinds) == 1 else "union", enum=tuple(values))


def is_constrained(written: dict[str, Any]) -> bool:
    """Whether a mapping is a type with constraints; a record may have a field called `type` beside others."""
    allowed = {*CONSTRAINTS, "type", "enum", "items", "additionalProperties", "secret"}
    if not set(written) <= allowed or not isinstance(written.get("secret", False), bool):
        return False
    if "type" in written:
        return isinstance(written["type"], str) and written["type"] in SCALARS
    return isinstance(written.get("enum"), list)
