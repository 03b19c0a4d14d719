"""The operators: arithmetic, comparison, equality, membership, logic and `&`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import nodes as n
from .errors import JsonataError, show
from .evaluator import compile_node
from .functions import Evaluate
from .limits import Frame
from .numbers_text import text_of
from .values import UNDEFINED, is_number, same, truth, weight


def negate_of(node: n.Negate) -> Evaluate:
    operand = compile_node(node.operand)

    def negate(item: Any, frame: Frame) -> Any:
        value = operand(item, frame)
        if value is UNDEFINED:
            return UNDEFINED
        if not is_number(value):
            raise JsonataError(
                "D1002", f"{show(value)} cannot be negated: it is no number", node.start, value=value
            )
        return -value

    return negate


def _add(left: Any, right: Any) -> Any:
    return left + right


def _subtract(left: Any, right: Any) -> Any:
    return left - right


def _multiply(left: Any, right: Any) -> Any:
    return left * right


def _divide(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int and right and left % right == 0:
        return left // right
    try:
        return left / right
    except ZeroDivisionError:
        return math.nan if left == 0 else math.inf


def _modulo(left: Any, right: Any) -> Any:
    if right == 0:
        return math.nan
    result = math.fmod(left, right)
    return int(result) if type(left) is int and type(right) is int else result


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _modulo,
}  # fmt: skip
_EXACT = 2**53


def _arithmetic(node: n.Binary) -> Evaluate:
    left, right = compile_node(node.left), compile_node(node.right)
    operator, operate, at = node.operator, _ARITHMETIC[node.operator], node.operator_at

    def arithmetic(item: Any, frame: Frame) -> Any:
        first, second = left(item, frame), right(item, frame)
        kind, other = type(first), type(second)
        if kind is int and other is int and -_EXACT < first < _EXACT and -_EXACT < second < _EXACT:
            result = operate(first, second)
            if type(result) is int and -_EXACT <= result <= _EXACT:
                return result
        else:
            if first is not UNDEFINED and not (kind is int or kind is float):
                what = f"the left side of {operator} must be a number, not {show(first)}"
                raise JsonataError("T2001", what, at, token=operator, value=first)
            if second is not UNDEFINED and not (other is int or other is float):
                what = f"the right side of {operator} must be a number, not {show(second)}"
                raise JsonataError("T2002", what, at, token=operator, value=second)
            if first is UNDEFINED or second is UNDEFINED:
                return UNDEFINED
            for value in (first, second):
                if not math.isfinite(value):
                    raise JsonataError("D1001", f"{value} is out of range", at, token=operator, value=value)
            try:
                # Beyond 2**53 numbers are doubles, as everywhere in JSONata.
                result = operate(float(first), float(second))
            except OverflowError:
                result = math.inf
        return (
            int(result)
            if type(result) is float and result.is_integer() and abs(result) < _EXACT
            else float(result)
        )

    return arithmetic


def _concatenate(node: n.Binary) -> Evaluate:
    left, right = compile_node(node.left), compile_node(node.right)

    def concatenate(item: Any, frame: Frame) -> Any:
        first, second = left(item, frame), right(item, frame)
        if type(first) is not str:
            first = "" if first is UNDEFINED else text_of(first, frame.run)
        if type(second) is not str:
            second = "" if second is UNDEFINED else text_of(second, frame.run)
        size = len(first) + len(second)
        if size > 256:
            frame.run.room(size)
        return first + second

    return concatenate


def _equality(node: n.Binary) -> Evaluate:
    left, right, equal = compile_node(node.left), compile_node(node.right), node.operator == "="

    def equality(item: Any, frame: Frame) -> Any:
        first, second = left(item, frame), right(item, frame)
        if first is UNDEFINED or second is UNDEFINED:
            return False
        if isinstance(first, list | dict) and len(first) > 8:
            frame.run.spend(weight(first, frame.run.fuel + 1))
        return same(first, second) is equal

    return equality


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _comparison(node: n.Binary) -> Evaluate:
    left, right = compile_node(node.left), compile_node(node.right)
    operator, order, at = node.operator, _ORDER[node.operator], node.operator_at

    def comparison(item: Any, frame: Frame) -> Any:
        first, second = left(item, frame), right(item, frame)
        kind, other = type(first), type(second)
        first_number = kind is int or kind is float
        second_number = other is int or other is float
        if not (first_number or kind is str or first is UNDEFINED) or not (
            second_number or other is str or second is UNDEFINED
        ):
            wrong = second if first_number or kind is str or first is UNDEFINED else first
            what = f"{operator} compares numbers or strings, not {show(wrong)}"
            raise JsonataError("T2010", what, at, token=operator, value=wrong)
        if first is UNDEFINED or second is UNDEFINED:
            return UNDEFINED
        if first_number is not second_number:
            what = (
                f"{show(first)} and {show(second)} are of different types, so {operator} cannot compare them"
            )
            raise JsonataError("T2009", what, at, token=operator, value=first, value2=second)
        return order(first, second)

    return comparison


def _membership(node: n.Binary) -> Evaluate:
    left, right = compile_node(node.left), compile_node(node.right)

    def membership(item: Any, frame: Frame) -> Any:
        first, second = left(item, frame), right(item, frame)
        if first is UNDEFINED or second is UNDEFINED:
            return False
        if not isinstance(second, list):
            return same(first, second)
        frame.run.spend(len(second))
        for each in second:
            if same(first, each):
                return True
        return False

    return membership


def _and(node: n.Binary) -> Evaluate:
    left, right = compile_node(node.left), compile_node(node.right)
    return lambda item, frame: truth(left(item, frame)) and truth(right(item, frame))


def _or(node: n.Binary) -> Evaluate:
    left, right = compile_node(node.left), compile_node(node.right)
    return lambda item, frame: truth(left(item, frame)) or truth(right(item, frame))


def binary_of(node: n.Binary) -> Evaluate:
    operator = node.operator
    if operator in _ARITHMETIC:
        return _arithmetic(node)
    if operator in _ORDER:
        return _comparison(node)
    return {"&": _concatenate, "=": _equality, "!=": _equality, "in": _membership, "and": _and, "or": _or}[
        operator
    ](node)
