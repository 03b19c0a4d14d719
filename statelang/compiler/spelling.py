"""How data is spelled in a definition, so that strict validators take what Step Functions takes.

asl-validator knows texts of one line, no empty ones, and as `Output` or `Arguments` an object or an expression; in a list
it knows no list. What is otherwise becomes an expression for the very same value.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .. import jsonata
from ..spec.expressions import inside, is_expression
from .machine import State
from .rewriting import boxed, braced, computed, quoted

_DATA = ("Output", "Arguments", "Assign", "ItemSelector")
_BREAKS = {"\n": "\\n", "\r": "\\r", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What ends a line for a validator, and how it is written in a string of JSONata."""
_BREAK = re.compile("[" + "".join(_BREAKS) + "]")
_PIECES = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>`[^`]*`)|(?P<comment>/\*.*?\*/)|(?P<space>[\r\n]+)""",
    re.DOTALL,
)


def spelled(machine: State) -> State:
    """The machine, each of its data spelled so."""
    states = {name: _fields(state) for name, state in machine["States"].items()}
    return {**_fields({key: part for key, part in machine.items() if key != "States"}), "States": states}


def _fields(value: State) -> State:
    """A state, or a part of one that has fields of its own."""
    made: State = {}
    for key, part in value.items():
        if key in _DATA:
            made[key] = _data(part, whole=True)
        elif key == "Branches":
            made[key] = [spelled(branch) for branch in part]
        elif key == "ItemProcessor":
            made[key] = spelled(part)
        elif key in ("Choices", "Catch", "Retry"):
            made[key] = [_fields(each) for each in part]
        elif isinstance(part, str) and key != "Comment":
            made[key] = _text(part)
        else:
            made[key] = part
    return made


def _data(value: Any, *, whole: bool = False, listed: bool = False) -> Any:
    """`whole`: all of a field; `listed`: an item of a list."""
    if isinstance(value, dict):
        return {key: _data(part) for key, part in value.items()}
    if isinstance(value, list) and not whole and not listed:
        return [_data(part, listed=True) for part in value]
    if isinstance(value, str) and (not whole or is_expression(value)):
        return _text(value)
    return braced(one_line(_expression(value))) if whole or (listed and isinstance(value, list)) else value


def _text(value: str) -> str:
    if is_expression(value):
        return braced(one_line(inside(value)[0]))
    return braced(one_line(quoted(value))) if not value or _BREAK.search(value) else value


def _expression(value: Any) -> str:
    """Data as one expression, which fails where one of its expressions comes to nothing, as data does."""
    if is_expression(value):
        return (
            f"($_d := ({inside(value)[0]}); $exists($_d) ? $_d : $error('an expression has come to nothing'))"
        )
    if not computed(value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {_expression(part)}" for key, part in value.items()) + "}"
    # An array that is an item of another would be poured into it, so every item comes in an array of its own.
    made = "[]"
    for part in value:
        item = _expression(part)
        if is_expression(part):
            made = f"$append({made}, {boxed(item)})"
        else:
            made = f"$append({made}, [{f'[{item}]' if isinstance(part, list) and computed(part) else item}])"
    return made


def one_line(expression: str) -> str:
    """The same expression without a break of a line."""
    if not _BREAK.search(expression):
        return expression
    made = _PIECES.sub(_piece, expression)
    try:
        jsonata.compile(made)
    except jsonata.JsonataError:  # such as a quote in a regular expression: it stays as it was written
        return expression
    return made


def _piece(found: re.Match[str]) -> str:
    text = found.group()
    if found["string"]:
        return _BREAK.sub(lambda each: _BREAKS[each.group()], text)
    return text if found["name"] else " "
