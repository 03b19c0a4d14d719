"""Payload templates of JSONPath states: data in which a key that ends in `.$` names a path or a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import IntrinsicFailure, InvalidPath, PathNotFound
from .intrinsics import PREFIX, Intrinsic
from .path import Path
from .scope import Scope

Evaluate = Callable[[Scope], Any]


class FieldNotFound(LookupError):
    """The path of a field led nowhere: `field` is its key, such as `value.$`; `call` the call of an intrinsic
    function that the path is an argument of."""

    def __init__(self, path: str, field: str, call: str | None = None):
        super().__init__(path, field)
        self.path = path
        self.field = field
        self.call = call


def parse_query(text: str) -> Path | Intrinsic:
    """A path or a call of an intrinsic function. Raises `InvalidPath`."""
    if text.startswith(PREFIX):
        return Intrinsic.parse(text)
    return Path.parse(text)


def evaluate_query(query: Path | Intrinsic, scope: Scope, field: str) -> Any:
    """The query's value. Raises `FieldNotFound`, which names the path and the field, and `IntrinsicFailure`."""
    if isinstance(query, Path):
        try:
            return query.evaluate(scope)
        except PathNotFound:
            raise FieldNotFound(query.text, field) from None
    try:
        return query.evaluate(scope)
    except PathNotFound:
        for path in query.paths():
            try:
                path.evaluate(scope)
            except PathNotFound:
                raise FieldNotFound(path.text, field, query.text) from None
        raise


class PayloadTemplate:
    """A template; `evaluate` answers the data. `constant` tells that no query is in it."""

    __slots__ = ("_evaluate", "constant", "source")

    def __init__(self, source: Any):
        self.source = source
        compiled = _compile(source)
        self.constant = compiled is None
        self._evaluate: Evaluate = compiled or (lambda scope: source)

    def evaluate(self, scope: Scope) -> Any:
        """Raises `FieldNotFound` and `IntrinsicFailure`."""
        return self._evaluate(scope)


def _compile(source: Any) -> Evaluate | None:
    if isinstance(source, dict):
        parts: list[tuple[str, Evaluate | None, Any]] = []
        for key, value in source.items():
            if key.endswith(".$"):
                if not isinstance(value, str):
                    raise InvalidPath(f"The value for the field '{key}' must be a valid JSONPath")
                parts.append((key[:-2], _query(parse_query(value), key), None))
            else:
                parts.append((key, _compile(value), value))
        if all(part is None for _, part, _ in parts):
            return None
        return lambda scope: {key: value if part is None else part(scope) for key, part, value in parts}
    if isinstance(source, list):
        items = [(_compile(value), value) for value in source]
        if all(part is None for part, _ in items):
            return None
        return lambda scope: [value if part is None else part(scope) for part, value in items]
    return None


def _query(query: Path | Intrinsic, key: str) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        try:
            return evaluate_query(query, scope, key)
        except FieldNotFound:
            if isinstance(query, Path) and query.leads_past_an_array(scope):
                return None
            raise

    return evaluate


__all__ = [
    "FieldNotFound",
    "IntrinsicFailure",
    "PayloadTemplate",
    "evaluate_query",
    "parse_query",
]
