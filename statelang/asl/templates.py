"""Payload templates of JSONata states: data in which every string `{% … %}` is an expression.

A template is compiled once, when its definition is loaded, into a function of the scope. Which variables
and which fields of `$states` an expression reads is known from its syntax tree, so evaluating it parses no
data that it does not look at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .. import jsonata
from ..jsonata.type_names import type_name
from .json_text import Json, dump

STATES_FIELDS = frozenset({"input", "result", "errorOutput", "context"})


class EvaluationFailed(Exception):
    """A query failed: `States.QueryEvaluationError`. `location` is the field, such as `Assign/total`."""

    error = "States.QueryEvaluationError"

    def __init__(self, message: str, location: str | None):
        super().__init__(message)
        self.message = message
        self.location = location


class Scope(Protocol):
    """What a state's expressions and paths can see: `$states` or `$`, the variables in scope, the time and
    entropy of the turn."""

    @property
    def now(self) -> float:
        """The time of the turn, in milliseconds since the epoch: what `$millis()` answers."""
        ...

    def draw(self) -> float:
        """A number from 0 up to 1, of the turn's entropy."""
        ...

    def variable(self, name: str) -> Json | None: ...

    def states(self, fields: frozenset[str]) -> dict[str, Any]: ...

    @property
    def root(self) -> Any:
        """What `$` stands for in JSONPath."""
        ...

    def context(self) -> Any:
        """The context object."""
        ...

    def lookup(self, name: str) -> Any:
        """The variable's value. Raises `jsonpath.PathNotFound`."""
        ...


class Expression:
    """One JSONata expression of a definition, with what it reads found out beforehand."""

    __slots__ = ("_compiled", "field", "fields", "source", "variables")

    def __init__(self, source: str, field: str):
        self.source = source
        self.field = field
        self._compiled = jsonata.compile(source)
        fields: set[str] | None = set()
        names: set[str] = set()
        for reference in jsonata.free_variables(self._compiled.ast):
            if reference.name == "states":
                first = reference.path[0].name if reference.path else None
                if first is None:
                    fields = None
                elif fields is not None:
                    fields.add(first)
            else:
                names.add(reference.name)
        self.fields = STATES_FIELDS if fields is None else frozenset(fields)
        self.variables = tuple(sorted(names))

    def __call__(self, scope: Scope) -> Any:
        bindings: dict[str, Any] = {}
        if self.fields:
            bindings["states"] = scope.states(self.fields)
        for name in self.variables:
            value = scope.variable(name)
            if value is not None:
                bindings[name] = value.value
        try:
            value = self._compiled.evaluate(bindings, now=scope.now, entropy=scope.draw)
        except jsonata.JsonataError as error:
            if error.code == "U1002":
                raise self.failed("returned an unsupported result type.") from None
            text = jsonata.reference_text(error)
            # A limit that was met has no code.
            what = f": {text}" if error.code.startswith("U") else f". {error.code}: {text}"
            raise self.failed(f"threw an error during evaluation{what}") from None
        if value is jsonata.UNDEFINED:
            raise self.failed("returned nothing (undefined).")
        return value

    def failed(self, what: str) -> EvaluationFailed:
        return EvaluationFailed(
            f"The JSONata expression '{self.source}' specified for the field '{self.field}' {what}",
            self.field,
        )


Evaluate = Callable[[Scope], Any]


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4


class Template:
    """A compiled template. `constant` tells that no expression is in it; `evaluate` answers the data.

    Raises `jsonata.JsonataError` when an expression does not parse (`at`: the field it stands in).
    """

    __slots__ = ("_evaluate", "constant", "field", "source")

    def __init__(self, source: Any, field: str, report: Callable[[str, jsonata.JsonataError], None]):
        self.source = source
        self.field = field
        compiled = _compile(source, field, report)
        self.constant = compiled is None
        self._evaluate: Evaluate = compiled or (lambda scope: source)

    def evaluate(self, scope: Scope) -> Any:
        return self._evaluate(scope)

    def evaluate_as(self, scope: Scope, kind: type | tuple[type, ...], expected: str) -> Any:
        """The template's value, which must be of `kind`; `expected` names it in the error."""
        value = self._evaluate(scope)
        if isinstance(value, kind) and not (isinstance(value, bool) and expected != "boolean"):
            return value
        was = type_name(value)
        if isinstance(self.source, str) and is_expression(self.source):
            where = (
                f"The JSONata expression '{self.source[2:-2].strip()}' specified for the field '{self.field}'"
            )
        else:
            where = f"The value specified for the field '{self.field}'"
        raise EvaluationFailed(
            f"{where} returned an unexpected result type. Expected '{expected}', but was '{was}' for value: {dump(value)}",
            self.field,
        )


def _compile(source: Any, field: str, report: Callable[[str, jsonata.JsonataError], None]) -> Evaluate | None:
    """A function of the scope, or None when nothing in `source` is an expression."""
    if isinstance(source, str):
        if not is_expression(source):
            return None
        try:
            return Expression(source[2:-2].strip(), field)
        except jsonata.JsonataError as error:
            report(field, error)
            return None
    if isinstance(source, dict):
        parts = {key: _compile(value, f"{field}/{key}", report) for key, value in source.items()}
        dynamic = [(key, part) for key, part in parts.items() if part is not None]
        if not dynamic:
            return None

        def make_object(scope: Scope) -> dict[str, Any]:
            made = dict(source)
            for key, part in dynamic:
                made[key] = part(scope)
            return made

        return make_object
    if isinstance(source, list):
        items = [_compile(value, f"{field}[{index}]", report) for index, value in enumerate(source)]
        if not any(items):
            return None
        pairs = list(zip(source, items, strict=True))
        return lambda scope: [value if part is None else part(scope) for value, part in pairs]
    return None
