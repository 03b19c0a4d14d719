"""Expressions of a spec as expressions of ASL: a few variables have other names there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .. import jsonata
from ..jsonata import nodes as n
from ..spec.contracts import Contract
from ..spec.expressions import contract_of, inside, is_expression

_ALWAYS_BOOLEAN = {"and", "or", "=", "!=", "in"}


class Names:
    """How variables are called in the states of one step; `known` are the contracts of what is in scope."""

    def __init__(self, known: Mapping[str, Contract], renamed: Mapping[str, str] | None = None):
        self.known = known
        self.renamed = {"context": "$states.context", **(renamed or {})}

    def expression(self, text: str) -> str:
        """The expression with the spec's variables under ASL's names, elsewhere as it was written."""
        made, position = "", 0
        for reference in jsonata.free_variables(jsonata.compile(text).ast):
            other = self.renamed.get(reference.name)
            if other is not None:
                made += text[position : reference.start] + other
                position = reference.end
        return made + text[position:]

    def bare(self, text: str) -> str:
        """A field that is always an expression."""
        return self.expression(inside(text)[0] if is_expression(text) else text.strip())

    def condition(self, text: str) -> str:
        """A condition: always true or false, also where it comes to nothing."""
        made = self.bare(text)
        tree = jsonata.compile(made).ast
        if isinstance(tree, n.Binary) and tree.operator in _ALWAYS_BOOLEAN:
            return made
        if (
            isinstance(tree, n.Call)
            and isinstance(tree.function, n.Variable)
            and tree.function.name == "exists"
        ):
            return made
        return f"({made}) ? true : false"

    def template(self, value: Any) -> Any:
        """Data, with its expressions rewritten. An optional field that is absent becomes null."""
        if is_expression(value):
            text = inside(value)[0]
            made = self.expression(text)
            contract = contract_of(text, self.known)
            if contract is not None and contract.optional and "." in text:
                made = f"$exists({made}) ? {made} : null"
            return braced(made)
        if isinstance(value, dict):
            return {key: self.template(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.template(part) for part in value]
        return value

    def text(self, value: str) -> str:
        """Text that may be an expression, as an expression for a string."""
        return self.expression(inside(value)[0]) if is_expression(value) else quoted(value)


def braced(expression: str) -> str:
    return f"{{% {expression} %}}"


def quoted(text: str) -> str:
    """A string literal of JSONata."""
    return json.dumps(text, ensure_ascii=False)
