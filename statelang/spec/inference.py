"""The contract of data that is written in a spec, as far as it can be told before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..jsonata.type_names import type_name
from .contracts import ANY, Contract
from .expressions import Known, contract_of, inside, is_expression

NULL = Contract("null")


def infer(value: Any, known: Known) -> Contract:
    """The contract of a value in which strings `{% … %}` are expressions."""
    if is_expression(value):
        return contract_of(inside(value)[0], known) or ANY
    if isinstance(value, dict):
        return Contract("object", fields={key: infer(part, known) for key, part in value.items()})
    if isinstance(value, list):
        return Contract("array", items=joined(infer(part, known) for part in value))
    return Contract(type_name(value))


def joined(contracts: Iterable[Contract]) -> Contract:
    """The contract of a value that has one of these; nulls make it optional."""
    found: list[Contract] = []
    missing = False
    for contract in contracts:
        missing |= contract.optional or contract.kind == "null"
        plain = replace(contract, optional=False)
        if plain.kind != "null" and plain not in found:
            found.append(plain)
    if not found:
        return NULL if missing else ANY
    if any(contract.kind == "any" for contract in found):
        return ANY
    one = found[0] if len(found) == 1 else Contract("union", choices=tuple(found))
    return replace(one, optional=True) if missing else one


def items_of(contract: Contract | None) -> Contract:
    """The contract of the items of an array."""
    return contract.items if contract is not None and contract.items is not None else ANY
