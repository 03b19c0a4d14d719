"""Whether data that is written in a spec can be what a contract wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..contracts import Contract, type_of, violations
from ..diagnostics import Diagnostic
from ..expressions import Path, Scope, contract_of, inside, is_expression


def misfits(value: Any, contract: Contract, path: Path, scope: Scope) -> Iterator[Diagnostic]:
    """Where data that is written here cannot be what a contract wants, as far as that can be told now."""
    if is_expression(value):
        found = contract_of(inside(value)[0], scope.known)
        if found is not None and not may_fit(found, contract):
            yield Diagnostic("S304", f"this is {found}, and the contract wants {contract}", path)
        return
    if contract.kind == "any" or contract.choices or (contract.optional and value is None):
        return
    if isinstance(value, dict) and contract.fields is not None:
        for name, part in contract.fields.items():
            if name in value:
                yield from misfits(value[name], part, (*path, name), scope)
            elif not part.optional:
                yield Diagnostic("S306", f"`{name}` is missing, which the contract wants ({part})", path)
        for name in value:
            if name not in contract.fields and contract.additional is not None:
                yield from misfits(value[name], contract.additional, (*path, name), scope)
            elif name not in contract.fields:
                fields = ", ".join(f"`{each}`" for each in contract.fields)
                yield Diagnostic(
                    "S305", f"the contract has no field `{name}`", (*path, name), None, f"it has {fields}"
                )
        return
    if isinstance(value, list) and contract.items is not None:
        for index, item in enumerate(value):
            yield from misfits(item, contract.items, (*path, index), scope)
        return
    if isinstance(value, dict) and contract.additional is not None:
        for name, part in value.items():
            yield from misfits(part, contract.additional, (*path, name), scope)
        return
    if isinstance(value, dict | list):
        if contract.kind != type_of(value):
            yield Diagnostic("S304", f"the contract wants {contract}, not {type_of(value)}", path)
        return
    for violation in violations(contract, value)[:1]:
        yield Diagnostic("S304", f"the contract refuses this: {violation.message}", path)


def may_fit(found: Contract, wanted: Contract) -> bool:
    """Whether a value of one contract can be a value of the other; False only where it surely cannot."""
    if "any" in (found.kind, wanted.kind) or "union" in (found.kind, wanted.kind):
        return True
    if found.kind != wanted.kind and {found.kind, wanted.kind} not in (
        {"number", "integer"},
        {"string", "date-time"},
    ):
        return False
    if found.fields is not None and wanted.fields is not None:
        for name, part in wanted.fields.items():
            if name not in found.fields:
                if not part.optional and found.additional is None:
                    return False
            elif not may_fit(found.fields[name], part):
                return False
    if found.items is not None and wanted.items is not None:
        return may_fit(found.items, wanted.items)
    return True
