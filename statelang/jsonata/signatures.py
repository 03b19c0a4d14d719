"""Function signatures such as `<s-nn?:s>`: which arguments a function takes, and which it takes from the context.

Every argument is written as one letter for its type, and the signature is a pattern over these letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .errors import JsonataError, show
from .values import UNDEFINED, Arr, Function, unwrap

_SIMPLE = {
    "s": "[sm]",
    "n": "[nm]",
    "b": "[bm]",
    "l": "[lm]",
    "o": "[om]",
    "a": "[asnblfom]",
    "f": "f",
    "j": "[asnblom]",
    "x": "[asnblfom]",
}
_NAMES = {
    "s": "a string",
    "n": "a number",
    "b": "a boolean",
    "l": "null",
    "o": "an object",
    "a": "an array",
    "f": "a function",
}
_PLURALS = {letter: f"{name.split()[-1]}s" for letter, name in _NAMES.items() if letter != "l"}


@dataclass(slots=True)
class Parameter:
    type: str
    pattern: str
    items: str | None = None
    context: str | None = None


def letter(value: Any) -> str:
    """The type of a value, as signatures write it: `m` is for one that is missing."""
    kind = type(value)
    if kind is str:
        return "s"
    if kind is int or kind is float:
        return "n"
    if kind is bool:
        return "b"
    if value is None:
        return "l"
    if value is UNDEFINED:
        return "m"
    if isinstance(value, list):
        return "a"
    if isinstance(value, Function):
        return "f"
    return "o"


class Signature:
    """A parsed signature; `apply` checks arguments and completes them."""

    __slots__ = ("fast", "parameters", "pattern", "text")

    def __init__(self, text: str, parameters: list[Parameter]):
        self.text = text
        self.parameters = parameters
        self.pattern = re.compile("".join(f"({parameter.pattern})" for parameter in parameters))
        # Most calls give each parameter exactly one argument of its type: that needs no pattern.
        plain = {"s": "s", "n": "n", "b": "b", "o": "o", "x": "snblfoam", "j": "snbloam", "f": "f", "a": "a"}
        self.fast = [
            frozenset(plain[parameter.type])
            if parameter.type in plain and parameter.items is None
            else frozenset()
            for parameter in parameters
        ]

    def apply(self, arguments: list[Any], context: Any, name: str) -> list[Any]:
        """The arguments that the function gets. Raises T0410, T0411 or T0412."""
        if len(arguments) == len(self.fast):
            for index, allowed in enumerate(self.fast):
                if letter(arguments[index]) not in allowed:
                    break
            else:
                return arguments
        found = self.pattern.fullmatch("".join(map(letter, arguments)))
        if found is None:
            raise self._mismatch(arguments, name)
        complete: list[Any] = []
        at = 0
        for index, parameter in enumerate(self.parameters):
            letters = found.group(index + 1)
            if letters:
                for each in letters:
                    argument = arguments[at]
                    at += 1
                    if parameter.type == "a" and each != "m":
                        argument = self._array(parameter, argument, each, letters, at, name)
                    complete.append(argument)
            elif parameter.context is not None:
                context = unwrap(context)
                if not re.fullmatch(parameter.context, letter(context)):
                    what = f"argument {at + 1} of ${name} is missing, and the context is {show(context)}"
                    raise JsonataError("T0411", what, token=name, value=context, index=at + 1)
                complete.append(context)
            else:
                complete.append(arguments[at] if at < len(arguments) else UNDEFINED)
                at += 1
        return complete

    def _array(self, parameter: Parameter, argument: Any, each: str, letters: str, at: int, name: str) -> Any:
        items = parameter.items
        if items is not None:
            if each == "a":
                wrong = bool(argument) and any(letter(item) != items[0] for item in argument)
            else:
                wrong = letters != items
            if wrong:
                what = f"argument {at} of ${name} must be an array of {_PLURALS.get(items[0], items)}"
                type = _PLURALS.get(items[0], items)
                raise JsonataError("T0412", what, token=name, value=argument, index=at, type=type)
        return argument if each == "a" else Arr([argument])

    def _mismatch(self, arguments: list[Any], name: str) -> JsonataError:
        """The first argument with which no beginning of the signature goes."""
        letters = "".join(map(letter, arguments))
        patterns = [parameter.pattern for parameter in self.parameters]
        good = 0
        for count in range(1, len(letters) + 1):
            prefix = "".join(f"(?:{pattern})" for pattern in patterns)
            optional = any(
                re.fullmatch("".join(f"(?:{pattern})" for pattern in patterns[:used]), letters[:count])
                for used in range(len(patterns) + 1)
            )
            if not (optional or re.fullmatch(prefix, letters[:count])):
                break
            good = count
        if good < len(arguments):
            what = f"argument {good + 1} of ${name} cannot be {show(arguments[good])}: its signature is {self.text}"
            return JsonataError("T0410", what, token=name, value=arguments[good], index=good + 1)
        return JsonataError(
            "T0410", f"${name} needs more arguments: its signature is {self.text}", token=name, index=good + 1
        )


@lru_cache(maxsize=512)
def parse_signature(text: str) -> Signature:
    """Parses `<…>`. Raises S0401 for a type with items that can have none, S0402 for a choice of such types."""
    parameters: list[Parameter] = []
    position = 1
    while position < len(text):
        symbol = text[position]
        if symbol in ":>":
            break
        if symbol in _SIMPLE:
            parameters.append(Parameter(symbol, _SIMPLE[symbol]))
        elif symbol == "-" and parameters:
            last = parameters[-1]
            last.context = last.pattern
            last.pattern += "?"
        elif symbol in "?+" and parameters:
            parameters[-1].pattern += symbol
        elif symbol == "(":
            end = text.find(")", position)
            choice = text[position + 1 : end]
            if "<" in choice:
                raise JsonataError(
                    "S0402", f"a choice of types cannot have types with items: {choice}", token=text
                )
            letters = "".join(
                "asnblo" if each == "j" else "asnblfo" if each == "x" else each for each in choice
            )
            parameters.append(Parameter(f"({choice})", f"[{re.escape(letters)}m]"))
            position = end
        elif symbol == "<" and parameters:
            if parameters[-1].type not in "af":
                raise JsonataError("S0401", f"{parameters[-1].type!r} cannot have types of items", token=text)
            end = _closing(text, position)
            parameters[-1].items = text[position + 1 : end]
            position = end
        position += 1
    return Signature(text, parameters)


def _closing(text: str, position: int) -> int:
    depth = 0
    while position < len(text):
        depth += {"<": 1, ">": -1}.get(text[position], 0)
        if depth == 0:
            return position
        position += 1
    return position
