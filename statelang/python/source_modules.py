"""Modules as their source has them: which names they have, and what those stand for. Nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ReadModule = Callable[[str], str | None]
"""The text of a module by its dotted name; None where it is not to be had."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(slots=True)
class Module:
    name: str
    tree: ast.Module
    names: dict[str, ast.AST]
    open: bool
    """Whether it may have names that cannot be seen: `from x import *`, a `__getattr__`."""


class Modules:
    """Reads modules as they are asked for."""

    def __init__(self, read: ReadModule):
        self._read = read
        self._modules: dict[str, Module | None] = {}
        self.problems: dict[str, str] = {}
        """Modules that do not parse, and why."""

    def get(self, name: str) -> Module | None:
        if name not in self._modules:
            text = self._read(name)
            self._modules[name] = None if text is None else self._parsed(name, text)
        return self._modules[name]

    def _parsed(self, name: str, text: str) -> Module | None:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, SystemError) as error:
            self.problems[name] = f"{type(error).__name__}: {error}"
            return None
        names: dict[str, ast.AST] = {}
        open = False
        for node in _statements(tree.body):
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                names[node.name] = node
                open |= node.name == "__getattr__"
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    open |= alias.name == "*"
                    names[alias.asname or alias.name.partition(".")[0]] = node
            elif isinstance(node, ast.Assign):
                names |= {
                    each.id: node
                    for target in node.targets
                    for each in ast.walk(target)
                    if isinstance(each, ast.Name)
                }
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names[node.target.id] = node
            elif isinstance(node, ast.Call | ast.Expr) and "globals" in ast.dump(node):
                open = True
        return Module(name, tree, names, open)


def whole_name(module: Module, node: ast.AST) -> str | None:
    """What a name or an attribute stands for, by its whole name; None where that is not to be seen."""
    if isinstance(node, ast.Attribute):
        left = whole_name(module, node.value)
        return None if left is None else f"{left}.{node.attr}"
    if not isinstance(node, ast.Name):
        return None
    found = module.names.get(node.id)
    if isinstance(found, ast.ImportFrom):
        origin = imported_from(module, found, node.id)
        return None if origin is None else ".".join(origin)
    if isinstance(found, ast.Import):
        alias = next(each for each in found.names if node.id in (each.asname, each.name.partition(".")[0]))
        return alias.name if alias.asname else node.id
    if found is not None:
        return f"{module.name}.{node.id}"
    return None if module.open else f"builtins.{node.id}"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module's top, those in `if` and `try` as well."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With):
                yield from _statements(getattr(node, part, []))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _statements(handler.body)


def imported_from(module: Module, node: ast.ImportFrom, name: str) -> tuple[str, str] | None:
    """Module and name of what was imported under that name."""
    alias = next((each for each in node.names if (each.asname or each.name) == name), None)
    if alias is None:
        return None
    if not node.level:
        return node.module or "", alias.name
    package = module.name.split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])]), alias.name
