"""Contracts and `ensure` as JSONata: an expression for the list of violations, empty where there is none.

Parts that find nothing are undefined, which an array constructor leaves out; so the list is an array whatever it
holds. The names in here begin with `_`, which no step's id can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from ..spec.contracts import CLOSE, MAX_VIOLATIONS, Contract
from ..spec.models import Check
from .errors import CONTRACT_VIOLATED, POSTCONDITION_FAILED
from .rewriting import Names, quoted

_BAD = (
    "$_bad := function($_p, $_e, $_v){{'code': '" + CONTRACT_VIOLATED + "', 'path': $_p,"
    " 'message': 'expected ' & $_e & ', got ' & $type($_v)}}"
)
_MISSING = (
    "$_missing := function($_p){{'code': '" + CONTRACT_VIOLATED + "', 'path': $_p, 'message': 'is missing'}}"
)
_UNEXPECTED = (
    "$_unexpected := function($_p){{'code': '"
    + CONTRACT_VIOLATED
    + "', 'path': $_p, 'message': 'is not expected'}}"
)
_DATE_TIME = r"/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/"
_COMPARED = {
    "minimum": "{v} >= {n}", "maximum": "{v} <= {n}", "exclusiveMinimum": "{v} > {n}", "exclusiveMaximum": "{v} < {n}",
    "multipleOf": "{v} % {n} = 0", "minLength": "$length({v}) >= {n}", "maxLength": "$length({v}) <= {n}",
    "minItems": "$count({v}) >= {n}", "maxItems": "$count({v}) <= {n}", "uniqueItems": "$count($distinct({v})) = $count({v})",
}  # fmt: skip


def violations_expression(
    contract: Contract | None, ensures: Sequence[Check], result: str, names: Names
) -> str:
    """The list of violations of the value that the expression `result` gives. The contract comes first:
    conditions of `ensure` are only looked at where it holds."""
    postconditions = ", ".join(_ensure(each, names) for each in ensures)
    if contract is None or contract.kind == "any":
        return f"[{postconditions}]"
    writer = _Writer()
    check = writer.check(contract, "$_r", quoted("$"))
    functions = "; ".join([f"$_r := {result}", *writer.used(check), *writer.functions])
    found = f"$_found := [{check}]"
    then = f"[$_found[[0..{MAX_VIOLATIONS - 1}]]]"
    return f"({functions}; {found}; $count($_found) > 0 ? {then} : [{postconditions}])"


def _ensure(check: Check, names: Names) -> str:
    condition = names.bare(check.that)
    message = names.text(check.otherwise) if check.otherwise is not None else quoted("this must be so")
    return f"({condition}) ? () : {{'code': '{POSTCONDITION_FAILED}', 'that': {quoted(check.that.strip())}, 'message': {message}}}"


class _Writer:
    """Writes checks; every type that has a name becomes one function, however often it is used."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self._named: dict[str, Contract] = {}
        self._depth = 0

    def used(self, check: str) -> list[str]:
        """The helpers that the checks call."""
        everything = check + "".join(self.functions)
        helpers = (("$_bad(", _BAD), ("$_missing(", _MISSING), ("$_unexpected(", _UNEXPECTED))
        return [helper for name, helper in helpers if name in everything]

    def check(self, contract: Contract, value: str, path: str) -> str:
        """An expression for the violations of `value`: undefined, one, or several."""
        if contract.optional:
            inner = self._required(contract, value, path)
            return f"({value} = null ? () : {inner})"
        return self._required(contract, value, path)

    def _required(self, contract: Contract, value: str, path: str) -> str:
        if contract.name is not None and (contract.fields is not None or contract.items is not None):
            name = self._function(contract)
            if name is not None:
                return f"{name}({value}, {path})"
        return self._plain(contract, value, path)

    def _function(self, contract: Contract) -> str | None:
        """The function that checks a type with a name; two types of one name (a JSON Schema has its own) are told apart."""
        if contract.name is None or not re.fullmatch(r"\w+", contract.name, re.ASCII):
            return None
        plain = replace(contract, optional=False)
        name, number = f"$_is_{contract.name}", 2
        while name in self._named and self._named[name] != plain:
            name, number = f"$_is_{contract.name}_{number}", number + 1
        if name not in self._named:
            self._named[name] = plain
            self.functions.append(f"{name} := function($_v, $_p){{{self._plain(contract, '$_v', '$_p')}}}")
        return name

    def _plain(self, contract: Contract, value: str, path: str) -> str:
        if contract.kind == "any":
            return "()"
        bad = f"$_bad({path}, {quoted(_expected(contract))}, {value})"
        if contract.choices:
            fitting = [f"$count([{self.check(choice, value, path)}]) = 0" for choice in contract.choices]
            tests = " or ".join(fitting)
            if contract.one:
                tests = f"$sum([{', '.join(f'{each} ? 1 : 0' for each in fitting)}]) = 1"
            return f"({tests} ? () : {bad})"
        test = self._test(contract, value)
        parts = self._parts(contract, value, path)
        if not parts and contract.fields is None and contract.items is None:
            return f"({test} ? () : {bad})"
        return f"({test} ? [{', '.join(parts)}] : {bad})"

    def _parts(self, contract: Contract, value: str, path: str) -> list[str]:
        found: list[str] = []
        for key, part in (contract.fields or {}).items():
            field = _field(value, key)
            at = f"{path} & {quoted('.' + key)}"
            inner = self.check(part, field, at)
            if part.optional:
                found.append(f"($exists({field}) ? {inner})")
            elif inner == "()":
                found.append(f"($exists({field}) ? () : $_missing({at}))")
            else:
                found.append(f"($exists({field}) ? {inner} : $_missing({at}))")
        if contract.items is not None and contract.items.kind != "any":
            self._depth += 1
            item, index = f"$_i{self._depth}", f"$_n{self._depth}"
            inner = self.check(contract.items, item, f"{path} & '[' & {index} & ']'")
            self._depth -= 1
            found.append(f"$reduce($map({value}, function({item}, {index}){{[{inner}]}}), $append)")
        if contract.closed or (contract.additional is not None and contract.additional.kind != "any"):
            self._depth += 1
            key = f"$_k{self._depth}"
            at = f"{path} & '.' & {key}"
            inner = f"$_unexpected({at})"
            if contract.additional is not None:
                inner = self.check(contract.additional, f"$lookup({value}, {key})", at)
            self._depth -= 1
            known = json.dumps(list(contract.fields or {}), ensure_ascii=False)
            others = f"$filter($keys({value}), function({key}){{({key} in {known}) ? false : true}})"
            found.append(f"$reduce($map({others}, function({key}){{[{inner}]}}), $append)")
        return found

    def _test(self, contract: Contract, value: str) -> str:
        if contract.enum is not None:
            written = [json.dumps(each, ensure_ascii=False) for each in contract.enum]
            if any(
                isinstance(each, dict | list) for each in contract.enum
            ):  # `in` looks for the very same array
                return "(" + " or ".join(f"{value} = {each}" for each in written) + ")"
            return f"{value} in [{', '.join(written)}]"
        kind = (
            "string"
            if contract.kind == "date-time"
            else "number"
            if contract.kind == "integer"
            else contract.kind
        )
        tests = [f"$type({value}) = '{kind}'"]
        if contract.kind == "integer":
            tests.append(f"$floor({value}) = {value}")
        if contract.kind == "date-time":
            tests.append(f"$contains({value}, {_DATE_TIME})")
        for name, limit in contract.constraints.items():
            if name == "pattern":
                if limit:  # JSONata has no empty ones
                    tests.append(f"$contains({value}, /{limit.replace('/', chr(92) + '/')}/)")
            elif name == "multipleOf" and not float(limit).is_integer():
                ratio = f"{value} / {json.dumps(limit)}"
                tests.append(f"$abs({ratio} - $round({ratio})) < {CLOSE}")
            else:
                tests.append(_COMPARED[name].format(v=value, n=json.dumps(limit)))
        return " and ".join(tests)


def _field(value: str, key: str) -> str:
    """A field of a value: as a step of a path, its name quoted where it is not a plain word."""
    if "`" in key:  # which no quoted name can have
        return f"$lookup({value}, {quoted(key)})"
    words = ("and", "or", "in", "true", "false", "null", "function")
    plain = re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) and key not in words
    return f"{value}.{key}" if plain else f"{value}.`{key}`"


def _expected(contract: Contract) -> str:
    """What was expected, without the details that the violations below it tell."""
    if contract.fields is not None:
        return contract.name or "object"
    return str(replace(contract, name=None, optional=False, items=None))
