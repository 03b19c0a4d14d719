"""Where in a Python file the parts of a workflow stand, for diagnostics and for source maps.

The place of a call is known from the frame that made it (`frames`). With the file's text, what stands inside the call
has places too: the argument that a finding is about, down to the characters of an expression that is written as text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from ..spec.diagnostics import Position
from ..spec.source import Path, Source


class PythonSource(Source):
    """A workflow's file. `calls` are the places of the calls that made what is at a path of the document."""

    __slots__ = ("_calls", "_nodes")

    def __init__(self, name: str, data: Any, calls: dict[Path, Position], text: str):
        super().__init__(name, text, data, text.split("\n") if text else [])
        self._calls = calls
        self._nodes = dict(_call_nodes(text))

    def position(self, path: Path, *, key: bool = False) -> Position | None:
        call, rest = self._call(path)
        if call is None:
            return None
        node = self._nodes.get(_extent(call))
        if node is not None and rest:
            found = _inside(node, rest, key)
            if found is not node:
                return self._shown(_place(found))
        shown = self._shown(call)
        # A call of several lines is meant where it begins.
        return (
            shown
            if shown.line == shown.end_line
            else Position(shown.line, shown.column, shown.line, shown.column + 1)
        )

    def expression_position(self, path: Path, start: int, end: int) -> Position | None:
        call, rest = self._call(path)
        node = self._nodes.get(_extent(call)) if call is not None else None
        found = _inside(node, rest, False) if node is not None else None
        if not isinstance(found, ast.Constant) or not isinstance(found.value, str):
            return self.position(path)
        place = _place(found)
        line = self.lines[place.line - 1].encode()[place.column - 1 :].decode(errors="replace")
        quote = line.find(found.value[:end])
        if place.line != place.end_line or quote < 0:
            return self._shown(place)
        shown = self._shown(place)
        at = shown.column + quote
        return Position(shown.line, at + start, shown.line, at + end)

    def _call(self, path: Path) -> tuple[Position | None, Path]:
        for length in range(len(path), -1, -1):
            if path[:length] in self._calls:
                return self._calls[path[:length]], path[length:]
        return None, path

    def _shown(self, place: Position) -> Position:
        """The place with columns in characters, as they are shown."""

        def column(line: int, bytes: int) -> int:
            if not 0 < line <= len(self.lines):
                return bytes
            return len(self.lines[line - 1].encode()[: bytes - 1].decode(errors="replace")) + 1

        return Position(
            place.line,
            column(place.line, place.column),
            place.end_line,
            column(place.end_line, place.end_column),
        )


def _call_nodes(text: str) -> Iterator[tuple[tuple[int, int, int, int], ast.Call]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, SystemError):
        return  # the last: Python 3.11 can stumble over parsing on several threads
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield _extent(_place(node)), node


def _extent(place: Position) -> tuple[int, int, int, int]:
    return place.line, place.column, place.end_line, place.end_column


def _place(node: Any) -> Position:
    return Position(node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1)


_ORDER: dict[str, tuple[str, ...]] = {
    "Workflow": ("workflow",), "task": ("id", "task"), "wait": ("id", "wait"), "set": ("id", "set"), "fail": ("id", "fail"),
    "succeed": ("id", "succeed"), "decision": ("id",), "workflow": ("id", "workflow"), "agent": ("id", "agent"),
    "map": ("id", "items"), "parallel": ("id",), "repeat": ("id",), "gate": ("id",), "returns": ("result",),
}  # fmt: skip
"""What the positional arguments of the builder's calls are in a spec."""


def _inside(call: ast.Call, path: Path, key: bool) -> Any:
    """What in the call stands for the rest of the path, which is not empty: as far as it is written there."""
    function = call.func
    method = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    first, *rest = path
    if method == first == "decision" and rest:
        return _branch(call, *rest)
    if method == first and rest:  # the fields of `gate:` and `map:` are arguments of the call itself
        first, *rest = rest
    found: Any = call
    order = _ORDER.get(method, ())
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg.removesuffix("_") == first:
            if key and not rest:
                line, column = keyword.lineno, keyword.col_offset
                end = column + len(keyword.arg)
                return ast.Name(
                    keyword.arg, lineno=line, col_offset=column, end_lineno=line, end_col_offset=end
                )
            found = keyword.value
    if found is call and first in order and order.index(str(first)) < len(call.args):
        found = call.args[order.index(str(first))]
    return found if found is call else _deeper(found, rest)


def _branch(call: ast.Call, index: str | int, *rest: str | int) -> Any:
    branches = call.args[1:]
    if isinstance(index, int) and index < len(branches):
        branch = branches[index]
        if isinstance(branch, ast.Tuple) and len(branch.elts) == 2 and rest and rest[0] in ("when", "next"):
            return branch.elts[0 if rest[0] == "when" else 1]
        return branch
    otherwise = [keyword.value for keyword in call.keywords if keyword.arg == "otherwise"]
    return otherwise[0] if otherwise and rest == ("next",) else call


def _deeper(node: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        inner = None
        if isinstance(node, ast.Dict):
            inner = next(
                (
                    value
                    for name, value in zip(node.keys, node.values, strict=True)
                    if isinstance(name, ast.Constant) and name.value == part
                ),
                None,
            )
        elif isinstance(node, ast.List | ast.Tuple) and isinstance(part, int) and part < len(node.elts):
            inner = node.elts[part]
        elif isinstance(node, ast.Call):
            inner = next((keyword.value for keyword in node.keywords if keyword.arg == part), None)
        elif part in (0, "that") and not isinstance(node, ast.List | ast.Tuple | ast.Dict):
            inner = node  # one condition stands for a list of one
        if inner is None:
            return node
        node = inner
    return node
