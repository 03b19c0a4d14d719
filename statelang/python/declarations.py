"""What the source of a module declares: handlers and the types of their annotations, without running any of it.

    declared = Declarations(read).handler("orders", "charge")
    declared.event, declared.result      # JSON Schema, as pydantic would make it of the imported module

Names are followed through the module and those that it imports, as far as `read` has their text. What the source
alone does not tell (a base class of somebody else's, a type that is computed) is in `unknown`, and is any there.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from .names import CONTEXT, EVENT
from .schemas import standing_alone
from .source_modules import FUNCTIONS, Module, Modules, ReadModule, imported_from, whole_name
from .source_types import Schema, SourceTypes, Unknown


@dataclass(slots=True)
class Declared:
    """A handler as its module's source has it. `there` is None where the source cannot tell whether it is; `names` are
    the functions that are. `event` and `result` are None where nothing is said of them."""

    there: bool | None
    names: list[str] = field(default_factory=list)
    line: int = 0
    event: Schema | None = None
    result: Schema | None = None
    unknown: list[str] = field(default_factory=list)


class Declarations:
    """Reads modules as they are asked for."""

    def __init__(self, read: ReadModule):
        self.modules = Modules(read)

    def handler(self, module: str, name: str) -> Declared | None:
        """The handler; None where there is no such module, or it does not parse: `modules.problems` tells."""
        try:
            return self._handler(module, name)
        except RecursionError:  # names or classes that lead back to themselves
            return Declared(None)

    def _handler(self, module: str, name: str) -> Declared | None:
        found = self.modules.get(module)
        if found is None:
            return None
        functions = [each for each, node in found.names.items() if isinstance(node, FUNCTIONS)]
        if name not in found.names:
            return Declared(None if found.open else False, functions)
        node = found.names[name]
        if isinstance(node, ast.ImportFrom):
            origin = imported_from(found, node, name)
            if origin is not None and self.modules.get(origin[0]) is not None:
                return self._handler(*origin)
        made = Declared(True, functions, getattr(node, "lineno", 0))
        if isinstance(node, FUNCTIONS):
            _Handler(self.modules, found, node, made).read()
        elif not isinstance(node, ast.ClassDef):
            made.unknown.append(f"{name} is not a function in {module}")
        return made


class _Handler:
    """Reads one function."""

    def __init__(self, modules: Modules, module: Module, node: Any, made: Declared):
        self.reader = SourceTypes(modules)
        self.module = module
        self.node = node
        self.made = made

    def read(self) -> None:
        typed = False
        for decorator in self.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if whole_name(self.module, called) not in (
                "stratum.task",
                "stratum.handlers.task_function.task",
            ):
                self.made.unknown.append(f"what the decorator of {self.node.name} makes of it")
                return
            typed = True
        arguments = self.node.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        self.made.result = self.schema(self.node.returns)
        if not typed:
            self.made.event = self.schema(parameters[0].annotation) if parameters else None
        elif any(each.arg == EVENT for each in parameters):
            self.made.event = self.schema(next(each for each in parameters if each.arg == EVENT).annotation)
        elif arguments.vararg is None and not arguments.posonlyargs:
            self.made.event = self.fields([each for each in parameters if each.arg != CONTEXT])
        for part in ("event", "result"):
            if (schema := getattr(self.made, part)) is not None:
                setattr(self.made, part, standing_alone(schema, self.reader.definitions))

    def fields(self, parameters: list[ast.arg]) -> Schema:
        arguments = self.node.args
        given = {each.arg for each in arguments.args[len(arguments.args) - len(arguments.defaults) :]}
        given |= {
            each.arg
            for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if value is not None
        }
        properties = {each.arg: self.schema(each.annotation) or {} for each in parameters}
        made: Schema = {
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name not in given],
        }
        return {**made, "additionalProperties": True} if arguments.kwarg is not None else made

    def schema(self, annotation: ast.expr | None) -> Schema | None:
        if annotation is None:
            return None
        try:
            return self.reader.schema(self.module, annotation) or None
        except Unknown as reason:
            self.made.unknown.append(str(reason))
            return None
