"""Expressions of a spec as expressions of ASL: a few variables have other names there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .. import jsonata
from ..jsonata import nodes as n
from ..spec.expressions import Known, contract_of, inside, is_expression

_ALWAYS_BOOLEAN = {"and", "or", "=", "!=", "in"}
_SEQUENCES = {"append", "distinct", "each", "filter", "keys", "lookup", "map", "match", "spread"}
"""Functions of JSONata whose values are out of their array where there is but one."""

Resolve = Callable[[str], str | None]
"""The expression that a variable of the spec is in ASL; None where it is called the same."""


class Names:
    """How variables are called in the states of one step; `known` are the contracts of what is in scope."""

    def __init__(
        self, known: Known, renamed: Mapping[str, str] | None = None, resolve: Resolve | None = None
    ):
        self.known = known
        self._renamed = {"context": "$states.context", **(renamed or {})}
        self._resolve = resolve

    def renamed(self, name: str) -> str | None:
        if name in self._renamed:
            return self._renamed[name]
        return self._resolve(name) if self._resolve is not None else None

    def expression(self, text: str) -> str:
        """The expression with the spec's variables under ASL's names, elsewhere as it was written."""
        made, position = "", 0
        for reference in jsonata.free_variables(jsonata.compile(text).ast):
            other = self.renamed(reference.name)
            if other is not None:
                made += text[position : reference.start] + other
                position = reference.end
        return made + text[position:]

    def bare(self, text: str) -> str:
        """A field that is always an expression."""
        return self.expression(inside(text)[0] if is_expression(text) else text.strip())

    def array(self, text: str) -> str:
        """A field that is an expression for an array. In JSONata a filter that finds one value comes to that value, and one
        that finds none to nothing; here they are arrays of one and of none."""
        written = inside(text)[0] if is_expression(text) else text.strip()
        made = self.expression(written)
        return f"[{made}]" if self._collapses(jsonata.compile(written).ast, written) else made

    def _collapses(self, tree: n.Node, text: str) -> bool:
        """Whether the value, where it is of one item or of none, is not in an array."""
        match tree:
            case n.Block():
                return bool(tree.expressions) and self._collapses(tree.expressions[-1], text)
            case n.Condition():
                ends = (tree.then, tree.otherwise)
                return any(end is not None and self._collapses(end, text) for end in ends)
            case n.Apply():
                return self._collapses(tree.right, text)
            case n.Call():
                return self._collapses(tree.function, text)
            case n.Variable():
                return tree.name in _SEQUENCES
            case n.Filtered():
                return True
            case n.Path():
                # `[]` keeps one value in its array, but nothing is still nothing.
                before = [text[tree.start : step.expression.end] for step in tree.steps[:-1]]
                return (
                    tree.keep
                    or any(step.stages for step in tree.steps)
                    or any(
                        found is not None and found.kind == "array"
                        for found in (contract_of(each, self.known) for each in before)
                    )
                )
        return False

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
            return braced(self._total(inside(value)[0]))
        if isinstance(value, dict):
            return {key: self.template(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.template(part) for part in value]
        return value

    def value(self, data: Any) -> str:
        """Data as one expression. What comes to nothing is left out of it."""
        if is_expression(data):
            return f"({self._total(inside(data)[0])})"
        if isinstance(data, dict):
            return "{" + ", ".join(f"{quoted(key)}: {self.value(part)}" for key, part in data.items()) + "}"
        if isinstance(data, list):
            if not any(computed(part) for part in data):
                return json.dumps(data, ensure_ascii=False)
            # An array that is an item of another would be poured into it, so every item comes in an array of its own.
            made = "[]"
            for part in data:
                made = f"$append({made}, {boxed(self.value(part))})"
            return made
        return json.dumps(data, ensure_ascii=False)

    def text(self, value: str) -> str:
        """Text that may be an expression, as an expression for a string."""
        return self.expression(inside(value)[0]) if is_expression(value) else quoted(value)

    def _total(self, text: str) -> str:
        made = self.expression(text)
        contract = contract_of(text, self.known)
        if contract is not None and contract.optional and "." in text:
            return f"$exists({made}) ? {made} : null"
        return made


def computed(data: Any) -> bool:
    """Whether there is an expression in it."""
    if isinstance(data, dict):
        return any(map(computed, data.values()))
    return any(map(computed, data)) if isinstance(data, list) else is_expression(data)


def boxed(expression: str) -> str:
    """An array of one item, also where that item is an array."""
    return f"($_b := {expression}; $type($_b) = 'array' ? [[$_b]] : [$_b])"


def braced(expression: str) -> str:
    return f"{{% {expression} %}}"


def quoted(text: str) -> str:
    """A string literal of JSONata."""
    return json.dumps(text, ensure_ascii=False)
