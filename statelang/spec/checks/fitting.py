"""Whether data that is written in a spec can be what a contract wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...jsonata.type_names import type_name
from ..contracts import Contract, violations
from ..diagnostics import Diagnostic, did_you_mean
from ..expressions import Path, Scope, contract_of, inside, is_expression, maybe_missing


def misfits(
    value: Any, contract: Contract, path: Path, scope: Scope, who: str = "the contract"
) -> Iterator[Diagnostic]:
    """Where data that is written here cannot be what a contract wants, as far as that can be told now; `who` wants it."""
    if is_expression(value):
        found = contract_of(inside(value)[0], scope.known)
        if found is not None and (reason := why_not(found, contract)) is not None:
            hint = reason if found.fields is not None or found.items is not None else None
            yield Diagnostic("S304", f"this is {found}, and {who} wants {contract}", path, None, hint)
        elif violations(contract, None) and maybe_missing(inside(value)[0], scope.known, scope):
            text = inside(value)[0]
            hint = f"say what it is then: `{text} != null ? {text} : …`"
            yield Diagnostic(
                "W902", f"this may be missing, and {who} wants {contract}", path, None, hint, "warning"
            )
        return
    if contract.kind == "any" or contract.choices or (contract.optional and value is None):
        return
    if isinstance(value, dict) and contract.fields is not None:
        for name, part in contract.fields.items():
            if name in value:
                yield from misfits(value[name], part, (*path, name), scope, who)
            elif not part.optional:
                yield Diagnostic("S306", f"`{name}` is missing, which {who} wants ({part})", path)
        for name in value:
            if name not in contract.fields and contract.additional is not None:
                yield from misfits(value[name], contract.additional, (*path, name), scope, who)
            elif name not in contract.fields:
                fields = ", ".join(f"`{each}`" for each in contract.fields) or "no fields"
                hint = did_you_mean(name, contract.fields) or f"it has {fields}"
                yield Diagnostic("S305", f"{who} has no field `{name}`", (*path, name), None, hint)
        return
    if isinstance(value, list) and contract.items is not None:
        for index, item in enumerate(value):
            yield from misfits(item, contract.items, (*path, index), scope, who)
        return
    if isinstance(value, dict) and contract.additional is not None:
        for name, part in value.items():
            yield from misfits(part, contract.additional, (*path, name), scope, who)
        return
    if isinstance(value, dict | list):
        if contract.kind != type_name(value):
            yield Diagnostic("S304", f"{who} wants {contract}, not {type_name(value)}", path)
        return
    for violation in violations(contract, value)[:1]:
        yield Diagnostic("S304", f"{who} refuses this: {violation.message}", path)


def may_fit(found: Contract, wanted: Contract) -> bool:
    """Whether a value of one contract can be a value of the other; False only where it surely cannot."""
    return why_not(found, wanted) is None


def why_not(found: Contract, wanted: Contract, at: str = "") -> str | None:
    """Why no value of one contract can be a value of the other; None where one may be."""
    if "any" in (found.kind, wanted.kind):
        return None
    if found.choices or wanted.choices:
        pairs = [(one, other) for one in found.choices or (found,) for other in wanted.choices or (wanted,)]
        return None if any(may_fit(one, other) for one, other in pairs) else _unlike(found, wanted, at)
    if found.enum is not None and wanted.enum is not None:
        common = [value for value in found.enum if not violations(wanted, value)]
        return None if common else _unlike(found, wanted, at)
    if "union" in (found.kind, wanted.kind):
        return None
    if found.kind != wanted.kind and {found.kind, wanted.kind} not in (
        {"number", "integer"},
        {"string", "date-time"},
    ):
        return _unlike(found, wanted, at)
    if found.fields is not None and wanted.fields is not None:
        for name, part in wanted.fields.items():
            place = f"{at}.{name}" if at else name
            if name not in found.fields:
                if not part.optional and found.additional is None:
                    return f"`{place}` is missing"
            elif (reason := why_not(found.fields[name], part, place)) is not None:
                return reason
    if found.items is not None and wanted.items is not None:
        return why_not(found.items, wanted.items, f"{at}[]")
    return None


def _unlike(found: Contract, wanted: Contract, at: str) -> str:
    if at in ("", "[]"):
        return f"{'an item of it' if at else 'it'} is {found}, not {wanted}"
    return f"`{at}` is {found}, not {wanted}"
