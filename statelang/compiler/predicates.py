"""Contracts and `ensure` as JSONata: an expression for the list of violations, empty where there is none.

Parts that find nothing are undefined, which an array constructor leaves out; so the list is an array whatever it
holds. The names in here begin with `_`, which no step's id can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from ..spec.contracts import MAX_VIOLATIONS, Contract
from ..spec.models import Check
from .rewriting import Names, quoted

POSTCONDITION_FAILED = "Stratum.PostconditionFailed"
CONTRACT_VIOLATED = "Stratum.ContractViolated"
PRECONDITION_FAILED = "Stratum.PreconditionFailed"

_BAD = (
    "$_bad := function($_p, $_e, $_v){{'code': '" + CONTRACT_VIOLATED + "', 'path': $_p,"
    " 'message': 'expected ' & $_e & ', got ' & $type($_v)}}"
)
_MISSING = (
    "$_missing := function($_p){{'code': '" + CONTRACT_VIOLATED + "', 'path': $_p, 'message': 'is missing'}}"
)
_DATE_TIME = r"/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/"
_COMPARED = {
    "minimum": "{v} >= {n}", "maximum": "{v} <= {n}", "exclusiveMinimum": "{v} > {n}", "exclusiveMaximum": "{v} < {n}",
    "multipleOf": "{v} % {n} = 0", "minLength": "$length({v}) >= {n}", "maxLength": "$length({v}) <= {n}",
    "minItems": "$count({v}) >= {n}", "maxItems": "$count({v}) <= {n}",
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
        self._named: set[str] = set()
        self._depth = 0

    def used(self, check: str) -> list[str]:
        """The helpers that the checks call."""
        everything = check + "".join(self.functions)
        return [helper for name, helper in (("$_bad(", _BAD), ("$_missing(", _MISSING)) if name in everything]

    def check(self, contract: Contract, value: str, path: str) -> str:
        """An expression for the violations of `value`: undefined, one, or several."""
        if contract.optional:
            inner = self._required(contract, value, path)
            return f"({value} = null ? () : {inner})"
        return self._required(contract, value, path)

    def _required(self, contract: Contract, value: str, path: str) -> str:
        if contract.name is not None and (contract.fields is not None or contract.items is not None):
            name = f"$_is_{contract.name}"
            if contract.name not in self._named and re.fullmatch(r"\w+", contract.name, re.ASCII):
                self._named.add(contract.name)
                body = self._plain(contract, "$_v", "$_p")
                self.functions.append(f"{name} := function($_v, $_p){{{body}}}")
            if contract.name in self._named:
                return f"{name}({value}, {path})"
        return self._plain(contract, value, path)

    def _plain(self, contract: Contract, value: str, path: str) -> str:
        if contract.kind == "any" and contract.enum is None:
            return "()"
        bad = f"$_bad({path}, {quoted(_expected(contract))}, {value})"
        if contract.choices:
            tests = " or ".join(
                f"$count([{self.check(choice, value, path)}]) = 0" for choice in contract.choices
            )
            return f"({tests} ? () : {bad})"
        test = self._test(contract, value)
        if contract.fields is None and contract.items is None:
            return f"({test} ? () : {bad})"
        return f"({test} ? [{', '.join(self._parts(contract, value, path))}] : {bad})"

    def _parts(self, contract: Contract, value: str, path: str) -> list[str]:
        found: list[str] = []
        for key, part in (contract.fields or {}).items():
            field = f"{value}.{_field_name(key)}"
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
        return found

    def _test(self, contract: Contract, value: str) -> str:
        if contract.enum is not None:
            return f"{value} in {json.dumps(list(contract.enum), ensure_ascii=False)}"
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
                tests.append(f"$contains({value}, /{limit.replace('/', chr(92) + '/')}/)")
            else:
                tests.append(_COMPARED[name].format(v=value, n=json.dumps(limit)))
        return " and ".join(tests)


def _field_name(key: str) -> str:
    """A field's name as a step of a path, quoted where it is not a plain word."""
    words = ("and", "or", "in", "true", "false", "null", "function")
    return key if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) and key not in words else f"`{key}`"


def _expected(contract: Contract) -> str:
    """What was expected, without the details that the violations below it tell."""
    if contract.fields is not None:
        return contract.name or "object"
    if contract.items is not None:
        return "array"
    return str(replace(contract, name=None, optional=False))
