"""Which expressions may fail: where there is something to undo, a state that nothing can catch must not hold one.

Only Task, Parallel and Map can catch. What may fail in a Choice, Pass, Wait or Succeed is computed beforehand, in a
Parallel of one branch: the guard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import jsonata
from ..jsonata import nodes as n
from ..spec.contracts import Contract
from ..spec.expressions import Known, contract_of, inside, is_expression

_SAFE_CALLS = {"exists", "not", "boolean", "count", "type", "millis", "now"}
_NUMBERS = ("number", "integer")


def may_raise(text: str, known: Known) -> bool:
    """Whether evaluating the expression may end in an error; that it comes to nothing is none."""
    return not _safe(jsonata.compile(text).ast, text, known)


def may_fail(value: Any, known: Known, there: Callable[[str], bool]) -> bool:
    """Whether data with expressions in it may fail: an error, or an expression that comes to nothing.

    `there` tells of a variable whether it surely has its value, and is not null.
    """
    if is_expression(value):
        text = inside(value)[0]
        tree = jsonata.compile(text).ast
        # An optional field that is absent is written as null, where it is the whole expression.
        whole = isinstance(tree, n.Path)
        return not (_safe(tree, text, known) and _defined(tree, text, known, there, optional=whole))
    if isinstance(value, dict):
        return any(may_fail(part, known, there) for part in value.values())
    if isinstance(value, list):
        return any(may_fail(part, known, there) for part in value)
    return False


def _safe(node: n.Node, text: str, known: Known) -> bool:
    if isinstance(node, n.Path):
        steps = [step.expression for step in node.steps]
        plain = not any(step.stages or step.focus or step.index or step.ancestors for step in node.steps)
        return (
            plain
            and isinstance(steps[0], n.Variable)
            and all(isinstance(step, n.Field) for step in steps[1:])
        )
    if isinstance(node, n.Binary):
        if not (_safe(node.left, text, known) and _safe(node.right, text, known)):
            return False
        if node.operator in ("and", "or", "=", "!=", "in", "&"):
            return True
        kinds = {_kind(node.left, text, known), _kind(node.right, text, known)}
        if node.operator in ("<", "<=", ">", ">="):
            return kinds in ({"number"}, {"string"})
        return node.operator in ("+", "-", "*") and kinds == {"number"}
    if isinstance(node, n.Call):
        safe = isinstance(node.function, n.Variable) and node.function.name in _SAFE_CALLS
        return safe and all(_safe(each, text, known) for each in node.arguments)
    if isinstance(node, n.Object):  # a key must be a text, and stand there once
        keys = [key.value for key, _ in node.pairs if isinstance(key, n.String)]
        distinct = len(keys) == len(node.pairs) == len(set(keys))
        return distinct and all(_safe(value, text, known) for _, value in node.pairs)
    if isinstance(node, n.Condition | n.Array):
        return all(_safe(child, text, known) for child in node.children())
    if isinstance(node, n.Block):
        return len(node.expressions) == 1 and _safe(node.expressions[0], text, known)
    return isinstance(node, n.String | n.Number | n.Constant | n.Variable)


def _kind(node: n.Node, text: str, known: Known) -> str | None:
    """`number` or `string`, where the node surely is one."""
    if isinstance(node, n.Number):
        return "number"
    if isinstance(node, n.String):
        return "string"
    if isinstance(node, n.Block) and len(node.expressions) == 1:
        return _kind(node.expressions[0], text, known)
    if isinstance(node, n.Binary):
        return {"&": "string", "+": "number", "-": "number", "*": "number"}.get(node.operator)
    if isinstance(node, n.Call) and isinstance(node.function, n.Variable):
        return {"count": "number", "millis": "number", "type": "string", "now": "string"}.get(
            node.function.name
        )
    contract = _contract(node, text, known)
    # A variable that is null has fields that are nothing, and to compare nothing is no error.
    if contract is None or contract.optional or (isinstance(node, n.Variable)):
        return None
    return (
        "number"
        if contract.kind in _NUMBERS
        else "string"
        if contract.kind in ("string", "date-time")
        else None
    )


def _contract(node: n.Node, text: str, known: Known) -> Contract | None:
    if isinstance(node, n.Variable):
        return known.get(node.name)
    if isinstance(node, n.Path):
        return contract_of(text[node.start : node.end], known)
    return None


def _defined(
    node: n.Node, text: str, known: Known, there: Callable[[str], bool], *, optional: bool = False
) -> bool:
    """Whether the node surely comes to something."""
    if isinstance(node, n.Path):
        contract = _contract(node, text, known)
        first = node.steps[0].expression
        if contract is None or (contract.optional and not optional):
            return False
        return isinstance(first, n.Variable) and there(first.name)
    if isinstance(node, n.Condition):
        return node.otherwise is not None and all(
            _defined(each, text, known, there) for each in (node.then, node.otherwise)
        )
    if isinstance(node, n.Block):
        return len(node.expressions) == 1 and _defined(node.expressions[0], text, known, there)
    if isinstance(node, n.Binary):
        if node.operator in ("and", "or", "=", "!=", "in", "&"):
            return True
        return _defined(node.left, text, known, there) and _defined(node.right, text, known, there)
    if isinstance(node, n.Call):
        return isinstance(node.function, n.Variable) and node.function.name in _SAFE_CALLS - {
            "not",
            "boolean",
        }
    return isinstance(node, n.String | n.Number | n.Constant | n.Variable | n.Object | n.Array)
