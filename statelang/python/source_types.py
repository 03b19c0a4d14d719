"""Annotations in the source of a module as JSON Schema, as pydantic makes it of the imported module."""

from __future__ import annotations

import ast
from typing import Any

from .source_modules import FUNCTIONS, Module, Modules, imported_from, whole_name

Schema = dict[str, Any]


class Unknown(Exception):
    """The source does not tell."""


_SCALARS = {
    "builtins.str": {"type": "string"}, "builtins.int": {"type": "integer"}, "builtins.float": {"type": "number"},
    "builtins.bool": {"type": "boolean"}, "builtins.object": {}, "typing.Any": {}, "builtins.dict": {"type": "object"},
    "builtins.list": {"type": "array"}, "builtins.set": {"type": "array", "uniqueItems": True},
    "typing.Dict": {"type": "object"}, "typing.List": {"type": "array"}, "datetime.datetime": {"type": "string", "format": "date-time"},
    "datetime.date": {"type": "string", "format": "date"}, "datetime.time": {"type": "string", "format": "time"},
    "uuid.UUID": {"type": "string", "format": "uuid"}, "pathlib.Path": {"type": "string", "format": "path"},
}  # fmt: skip
_ARRAYS = {
    "builtins.list": {}, "typing.List": {}, "typing.Sequence": {}, "collections.abc.Sequence": {},
    "builtins.set": {"uniqueItems": True}, "typing.Set": {"uniqueItems": True}, "builtins.frozenset": {"uniqueItems": True},
}  # fmt: skip
_MAPS = ("builtins.dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping")
_DATACLASS = ("dataclasses.dataclass", "pydantic.dataclasses.dataclass")
_TYPED_DICT = ("typing.TypedDict", "typing_extensions.TypedDict")
_ENUMS = ("enum.Enum", "enum.StrEnum", "enum.IntEnum")
_LIMITS = {
    "ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "multiple_of": "multipleOf",
    "min_length": "minLength", "max_length": "maxLength", "pattern": "pattern",
}  # fmt: skip
_ASIDE = (
    "default", "default_factory", "title", "description", "examples", "repr", "frozen", "deprecated", "kw_only", "compare",
    "hash", "metadata", "init_var", "exclude", "json_schema_extra",
)  # fmt: skip
"""Arguments of `Field` and `field` that say nothing of the value."""
_OWN_SCHEMA = (
    "__get_pydantic_core_schema__",
    "__get_pydantic_json_schema__",
    "model_json_schema",
    "__class_getitem__",
)


class SourceTypes:
    """Annotations as JSON Schema, as pydantic makes it."""

    def __init__(self, modules: Modules):
        self._modules = modules
        self.definitions: dict[str, Schema] = {}
        self._classes: dict[tuple[str, str], str] = {}

    def schema(self, module: Module, node: ast.expr) -> Schema:
        """Raises `Unknown`."""
        if isinstance(node, ast.Constant) and node.value is None:
            return {"type": "null"}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return self.schema(module, ast.parse(node.value, mode="eval").body)
            except SyntaxError:
                raise Unknown(f"{node.value!r} is no annotation") from None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.union(module, [node.left, node.right])
        if isinstance(node, ast.Subscript):
            return self.subscript(module, node)
        name = whole_name(module, node)
        if name in _SCALARS:
            return dict(_SCALARS[name])
        return self.defined(name, node)

    def union(self, module: Module, parts: list[ast.expr]) -> Schema:
        made: list[Schema] = []
        for part in parts:
            schema = self.schema(module, part)
            made += schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
        return made[0] if len(made) == 1 else {"anyOf": made}

    def subscript(self, module: Module, node: ast.Subscript) -> Schema:
        name = whole_name(module, node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        bare = (name or "").replace("typing_extensions.", "typing.")
        if name in _ARRAYS and len(parts) == 1:
            return {"type": "array", "items": self.schema(module, parts[0]), **_ARRAYS[name]}
        if name in _MAPS and len(parts) == 2:
            return {"type": "object", "additionalProperties": self.schema(module, parts[1])}
        if bare == "typing.Optional":
            return self.union(module, [*parts, ast.Constant(None)])
        if bare == "typing.Union":
            return self.union(module, list(parts))
        if bare == "typing.Literal":
            return self.literal(parts)
        if bare in ("typing.Required", "typing.NotRequired", "typing.ReadOnly"):
            return self.schema(module, parts[0])
        if bare == "typing.Annotated":
            schema = self.schema(module, parts[0])
            for each in parts[1:]:
                schema = self.limited(module, schema, each)
            return schema
        if name in ("builtins.tuple", "typing.Tuple") and len(parts) == 2 and _is_dots(parts[1]):
            return {"type": "array", "items": self.schema(module, parts[0])}
        raise Unknown(f"the type {ast.unparse(node)}")

    def literal(self, parts: list[ast.expr]) -> Schema:
        values: list[Any] = []
        for part in parts:
            if not isinstance(part, ast.Constant) or not isinstance(part.value, str | int | None):
                raise Unknown(f"the literal {ast.unparse(part)}")
            values.append(part.value)
        return {"const": values[0]} if len(values) == 1 else {"enum": values}

    def limited(self, module: Module, schema: Schema, node: ast.expr) -> Schema:
        """The schema with what `Field(ge=1)` in an `Annotated` says."""
        if isinstance(node, ast.Constant):
            return schema  # words for people
        name = whole_name(module, node.func) if isinstance(node, ast.Call) else None
        if (
            not isinstance(node, ast.Call)
            or name is None
            or node.args
            or name not in ("pydantic.Field", "pydantic.fields.Field")
        ):
            raise Unknown(f"what {ast.unparse(node)} says of a type")
        made = dict(schema)
        for keyword in node.keywords:
            if keyword.arg in _LIMITS and isinstance(keyword.value, ast.Constant):
                word = _LIMITS[keyword.arg]
                if word.endswith("Length") and made.get("type") == "array":
                    word = word.replace("Length", "Items")
                if "anyOf" in made or "$ref" in made:
                    raise Unknown(f"what {ast.unparse(node)} says of a choice")
                made[word] = keyword.value.value
            elif keyword.arg not in _ASIDE:
                raise Unknown(f"what {ast.unparse(node)} says of a type")
        return made

    # -- classes and aliases -------------------------------------------------------------------------------

    def defined(self, name: str | None, node: ast.expr) -> Schema:
        """A class or an alias, by its whole name."""
        module, _, attribute = (name or "").rpartition(".")
        found = self._modules.get(module) if module and module != "builtins" else None
        definition = found.names.get(attribute) if found is not None else None
        if found is None or definition is None:
            raise Unknown(f"the type {ast.unparse(node)}")
        if isinstance(definition, ast.ImportFrom):
            origin = imported_from(found, definition, attribute)
            return self.defined(None if origin is None else ".".join(origin), node)
        if isinstance(definition, ast.Assign) and len(definition.targets) == 1:
            return self.schema(found, definition.value)
        if isinstance(definition, ast.ClassDef):
            return self.of_class(found, definition)
        raise Unknown(f"the type {ast.unparse(node)}")

    def of_class(self, module: Module, node: ast.ClassDef) -> Schema:
        key = (module.name, node.name)
        if key not in self._classes:
            name = (
                node.name
                if node.name not in self.definitions
                else f"{module.name.replace('.', '_')}_{node.name}"
            )
            self._classes[key] = name
            self.definitions[name] = {}
            try:
                self.definitions[name] = self.enum(module, node) or self.record(module, node)
            except Unknown:
                del self._classes[key], self.definitions[name]
                raise
        return {"$ref": f"#/$defs/{self._classes[key]}"}

    def enum(self, module: Module, node: ast.ClassDef) -> Schema | None:
        bases = [whole_name(module, base) for base in node.bases]
        if not any(base in _ENUMS for base in bases):
            return None
        values: list[Any] = []
        for each in node.body:
            if isinstance(each, ast.Assign):
                if not isinstance(each.value, ast.Constant):
                    raise Unknown(f"the values of {node.name}")
                values.append(each.value.value)
        return {"enum": values}

    def record(self, module: Module, node: ast.ClassDef) -> Schema:
        fields, required, extra = self.members(module, node)
        made: Schema = {"type": "object", "properties": fields}
        if required:
            made["required"] = required
        return made if extra is None else {**made, "additionalProperties": extra}

    def members(self, module: Module, node: ast.ClassDef) -> tuple[dict[str, Schema], list[str], bool | None]:
        kind, fields, required, extra = self.inherited(module, node)
        total = not any(each.arg == "total" and _constant(each.value) is False for each in node.keywords)
        for each in node.body:
            if isinstance(each, FUNCTIONS):
                if each.name in _OWN_SCHEMA:
                    raise Unknown(f"the schema that {node.name} makes itself")
            elif isinstance(each, ast.Assign) and kind == "model" and _targets(each) == ["model_config"]:
                extra = self.extra(node, each.value)
            elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                self.member(module, kind, each, each.target.id, total, fields, required)
        return fields, required, extra

    def inherited(
        self, module: Module, node: ast.ClassDef
    ) -> tuple[str, dict[str, Schema], list[str], bool | None]:
        """What kind of class it is, and what its bases have."""
        kind, fields, required, extra = "", dict[str, Schema](), list[str](), None
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if whole_name(module, called) not in _DATACLASS:
                raise Unknown(f"what the decorator of {node.name} makes of it")
            kind = "dataclass"
        for base in node.bases:
            name = whole_name(module, base)
            if name in _TYPED_DICT:
                kind = "dict"
            elif name in ("pydantic.BaseModel", "pydantic.main.BaseModel"):
                kind = "model"
            else:
                above, _, attribute = (name or "").rpartition(".")
                found = self._modules.get(above) if above and above != "builtins" else None
                definition = found.names.get(attribute) if found is not None else None
                if found is None or not isinstance(definition, ast.ClassDef):
                    raise Unknown(f"the base {ast.unparse(base)} of {node.name}")
                inherited = self.members(found, definition)
                kind = kind or self.inherited(found, definition)[0]
                fields |= inherited[0]
                required += [each for each in inherited[1] if each not in required]
                extra = inherited[2] if inherited[2] is not None else extra
        if not kind:
            raise Unknown(f"the class {node.name}")
        return kind, fields, required, extra

    def extra(self, node: ast.ClassDef, config: ast.expr) -> bool | None:
        if not isinstance(config, ast.Call) or config.args:
            raise Unknown(f"the configuration of {node.name}")
        for each in config.keywords:
            if each.arg == "extra":
                return {"forbid": False, "allow": True}.get(str(_constant(each.value)))
            if each.arg in ("alias_generator", "json_schema_extra", None):
                raise Unknown(f"the configuration of {node.name}")
        return None

    def member(
        self, module: Module, kind: str, node: ast.AnnAssign, name: str, total: bool, fields: dict[str, Schema], required: list[str]
    ) -> None:  # fmt: skip
        outer = (
            whole_name(module, node.annotation.value) if isinstance(node.annotation, ast.Subscript) else None
        )
        outer = (outer or "").replace("typing_extensions.", "typing.")
        if outer == "typing.ClassVar" or (kind == "model" and name.startswith("_")):
            return
        schema = self.schema(module, node.annotation)
        needed = total
        if kind == "dict":
            needed = outer == "typing.Required" or (total and outer != "typing.NotRequired")
        elif node.value is not None:
            schema, needed = self.default(module, schema, node.value)
        fields[name] = schema
        if name in required:
            required.remove(name)
        if needed:
            required.append(name)

    def default(self, module: Module, schema: Schema, value: ast.expr) -> tuple[Schema, bool]:
        """What `= value` says: the schema, and whether the field is still needed."""
        name = whole_name(module, value.func) if isinstance(value, ast.Call) else None
        if not isinstance(value, ast.Call) or name not in (
            "pydantic.Field",
            "pydantic.fields.Field",
            "dataclasses.field",
        ):
            return schema, False
        named = {each.arg for each in value.keywords}
        if named & {"alias", "validation_alias", "serialization_alias", "init", None}:
            raise Unknown(f"what {ast.unparse(value)} says of a field")
        first = value.args[0] if value.args else None
        needed = (first is None or _is_dots(first)) and not named & {"default", "default_factory"}
        if name != "dataclasses.field":
            limits = [each for each in value.keywords if each.arg not in ("default", "default_factory")]
            schema = self.limited(module, schema, ast.Call(value.func, [], limits))
        return schema, needed


def _targets(node: ast.Assign) -> list[str]:
    return [each.id for each in node.targets if isinstance(each, ast.Name)]


def _constant(node: ast.expr) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
