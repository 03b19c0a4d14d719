"""References: what a workflow's data will be, while it is being built. Python's operators write JSONata.

    wf.input.total > 1000                 $input.total > 1000
    (charge.ok) & ~fn.exists(gift)        $charge.ok and $not($exists($gift))
    f"order {wf.input.id} is done"        'order ' & $input.id & ' is done'

A reference has fields and nothing else: `order.items` is the field `items`. Functions are those of JSONata,
called as `fn.sum(…)`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

ATOM, TIMES, PLUS, COMPARED, AND, OR, CHOICE = 100, 60, 50, 40, 30, 25, 20
"""How tightly JSONata's operators bind; what stands for itself binds most."""

_OPEN, _CLOSE, _LEVEL = "\ue000", "\ue001", "\ue002"
"""Around a reference in the text that an f-string makes: characters of Unicode that mean nothing."""
_MARKED = re.compile(f"{_OPEN}(\\d+){_LEVEL}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_WORDS = ("and", "or", "in", "true", "false", "null", "function")


class Expression:
    """JSONata in the making."""

    __slots__ = ("_level", "_text")
    __hash__ = None  # pyright: ignore[reportAssignmentType] - `==` writes a comparison

    def __init__(self, text: str, level: int = ATOM):
        self._text = text
        self._level = level

    # -- fields and items ------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Expression:
        if name.startswith("_"):
            raise AttributeError(f"{name!r}: a field that begins with _ is written [{name!r}]")
        return Expression(f"{_within(self, ATOM)}.{field_name(name)}")

    def __getitem__(self, key: str | int | Expression) -> Expression:
        if isinstance(key, str):
            return Expression(f"{_within(self, ATOM)}.{field_name(key)}")
        if isinstance(key, bool) or not isinstance(key, int | Expression):
            raise TypeError(f"[{key!r}]: a field's name, a number or a condition is wanted")
        return Expression(f"{_within(self, ATOM)}[{text_of(key)}]")

    # -- operators -------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return _binary(self, "=", other, COMPARED)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return _binary(self, "!=", other, COMPARED)

    def __lt__(self, other: Any) -> Expression:
        return _binary(self, "<", other, COMPARED)

    def __le__(self, other: Any) -> Expression:
        return _binary(self, "<=", other, COMPARED)

    def __gt__(self, other: Any) -> Expression:
        return _binary(self, ">", other, COMPARED)

    def __ge__(self, other: Any) -> Expression:
        return _binary(self, ">=", other, COMPARED)

    def __and__(self, other: Any) -> Expression:
        return _binary(self, "and", other, AND)

    def __rand__(self, other: Any) -> Expression:
        return _binary(other, "and", self, AND)

    def __or__(self, other: Any) -> Expression:
        return _binary(self, "or", other, OR)

    def __ror__(self, other: Any) -> Expression:
        return _binary(other, "or", self, OR)

    def __invert__(self) -> Expression:
        return Expression(f"$not({self._text})")

    def __add__(self, other: Any) -> Expression:
        return _binary(self, "&" if isinstance(other, str) else "+", other, PLUS)

    def __radd__(self, other: Any) -> Expression:
        return _binary(other, "&" if isinstance(other, str) else "+", self, PLUS)

    def __sub__(self, other: Any) -> Expression:
        return _binary(self, "-", other, PLUS)

    def __rsub__(self, other: Any) -> Expression:
        return _binary(other, "-", self, PLUS)

    def __mul__(self, other: Any) -> Expression:
        return _binary(self, "*", other, TIMES)

    def __rmul__(self, other: Any) -> Expression:
        return _binary(other, "*", self, TIMES)

    def __truediv__(self, other: Any) -> Expression:
        return _binary(self, "/", other, TIMES)

    def __rtruediv__(self, other: Any) -> Expression:
        return _binary(other, "/", self, TIMES)

    def __mod__(self, other: Any) -> Expression:
        return _binary(self, "%", other, TIMES)

    def __neg__(self) -> Expression:
        return Expression(f"-{_within(self, ATOM)}", TIMES)

    # -- text ------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return f"{_OPEN}{self._level}{_LEVEL}{self._text}{_CLOSE}"

    def __format__(self, specification: str) -> str:
        if specification:
            raise TypeError(
                f"{self!r}: its value is not there to be laid out; fn.formatNumber does that later"
            )
        return str(self)

    def __repr__(self) -> str:
        return f"<{self._text}>"

    # -- what Python would want of a value that is there -----------------------------------------------------

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} has no value while the workflow is built: write & for `and`, | for `or`, ~ for `not`, "
            "choose(…) for `if … else`, and a chain of comparisons as two"
        )

    def __iter__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} has no items while the workflow is built: `wf.map` goes through them later"
        )

    def __len__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no length while the workflow is built: write fn.count or fn.length")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"{self!r} has no items while the workflow is built: write contained(item, items)")

    def __call__(self, *arguments: Any) -> NoReturn:
        name = self._text.rpartition(".")[2]
        raise TypeError(f"{self!r} is a field, which cannot be called; JSONata's functions are: fn.{name}(…)")


class _Functions:
    """JSONata's functions: `fn.join(names, ", ")` is `$join($names, ', ')`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments: Any) -> Expression:
            return Expression(f"${name}({', '.join(map(text_of, arguments))})")

        return call


fn = _Functions()
null = Expression("null")


def expression(text: str) -> Expression:
    """JSONata as it is written: `expression("$input.items[qty > 1].sku")`."""
    return Expression(in_expression(text).strip(), 0)


def choose(condition: Any, then: Any, otherwise: Any) -> Expression:
    """`condition ? then : otherwise`."""
    return Expression(
        f"{_within(condition, OR)} ? {_within(then, OR)} : {_within(otherwise, CHOICE)}", CHOICE
    )


def contained(item: Any, items: Any) -> Expression:
    """Whether the item is one of the items."""
    return _binary(item, "in", items, COMPARED)


def variable(name: str) -> Expression:
    """`$name`."""
    return Expression(f"${name}")


# -- as text -------------------------------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """The value as JSONata."""
    return _operand(value)._text


def template(value: Any) -> Any:
    """Data with references as data of a spec: every reference becomes `{% … %}`. Raises TypeError for what no JSON is."""
    if isinstance(value, Expression):
        return f"{{% {value._text} %}}"
    if isinstance(value, str):
        return f"{{% {_operand(value)._text} %}}" if _OPEN in value else value
    if isinstance(value, Mapping):
        return {_key(key): template(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [template(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"JSON has no {value}")
    if value is None or isinstance(value, bool | int | float):
        return value
    return template(_plain(value))


def bare(value: Any) -> Any:
    """A field that is always an expression."""
    if isinstance(value, Expression):
        return value._text
    return in_expression(value) if isinstance(value, str) else value


def in_expression(text: str) -> str:
    """An expression that is written as text, the references that an f-string has put into it included."""
    return _MARKED.sub(lambda found: _within(Expression(found[2], int(found[1])), ATOM), text)


def field_name(name: str) -> str:
    """A field's name as a step of a path."""
    if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in _WORDS:
        return name
    if "`" in name:
        raise TypeError(f"{name!r}: JSONata has no way to name a field with a ` in it")
    return f"`{name}`"


def _operand(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, str) and _OPEN in value:
        return _concatenated(value)
    if isinstance(value, str):
        return Expression(_quoted(value))
    if isinstance(value, Mapping):
        parts = ", ".join(f"{_quoted(_key(key))}: {text_of(part)}" for key, part in value.items())
        return Expression(f"{{{parts}}}")
    if isinstance(value, list | tuple):
        return Expression(f"[{', '.join(map(text_of, value))}]")
    plain = template(value)
    if isinstance(plain, Mapping | list | str):
        return _operand(plain)
    negative = isinstance(plain, int | float) and plain < 0
    return Expression(json.dumps(plain), TIMES if negative else ATOM)


def _concatenated(text: str) -> Expression:
    """What an f-string has made: `'text ' & $reference & ' text'`."""
    parts: list[str] = []
    position = 0
    for found in _MARKED.finditer(text):
        if found.start() > position:
            parts.append(_quoted(text[position : found.start()]))
        parts.append(_within(Expression(found[2], int(found[1])), PLUS + 1))
        position = found.end()
    if position < len(text):
        parts.append(_quoted(text[position:]))
    if len(parts) == 1:
        return Expression(f"$string({parts[0]})")
    return Expression(" & ".join(parts), PLUS)


def _binary(one: Any, operator: str, other: Any, level: int) -> Expression:
    associative = operator in ("and", "or", "+", "*", "&")
    left = _within(_operand(one), level + (level == COMPARED))
    right = _within(_operand(other), level if associative and _joined(other, operator) else level + 1)
    return Expression(f"{left} {operator} {right}", level)


def _joined(value: Any, operator: str) -> bool:
    return operator in ("and", "or") and isinstance(value, Expression)


def _within(value: Any, level: int) -> str:
    made = _operand(value)
    return made._text if made._level >= level else f"({made._text})"


def _quoted(text: str) -> str:
    made = json.dumps(text, ensure_ascii=False)
    return made if "'" in text else "'" + made[1:-1].replace('\\"', '"') + "'"


def _key(key: Any) -> str:
    if not isinstance(key, str) or _OPEN in key:
        raise TypeError(f"{key!r}: the name of a field is a text")
    return key


def _plain(value: Any) -> Any:
    """Values of models, dataclasses, enums and dates as JSON."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        raise TypeError(f"{value!r} is no JSON data, and no reference") from None
