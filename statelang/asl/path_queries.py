"""The computed fields of JSONPath states, with errors in Step Functions' words."""

from __future__ import annotations

from typing import Any

from ..jsonpath import (
    FieldNotFound,
    Intrinsic,
    IntrinsicFailure,
    Path,
    PathNotFound,
    PayloadTemplate,
    evaluate_query,
)
from .json_text import dump
from .templates import EvaluationFailed, Scope


class PathFailed(EvaluationFailed):
    """A path led nowhere, or to what cannot be used: `States.Runtime`, which is neither retried nor caught."""

    error = "States.Runtime"

    def __init__(self, message: str):
        super().__init__(message, None)


class IntrinsicFailed(PathFailed):
    """An intrinsic function could not be applied."""

    error = "States.IntrinsicFailure"


class PathQuery:
    """A field that is a path or an intrinsic function, such as `SecondsPath` or `CausePath`."""

    __slots__ = ("field", "query")

    def __init__(self, query: Path | Intrinsic, field: str):
        self.query = query
        self.field = field

    @property
    def text(self) -> str:
        return self.query.text

    def evaluate(self, scope: Scope) -> Any:
        try:
            return evaluate_query(self.query, scope, self.field)
        except FieldNotFound as missing:
            raise not_found(missing, scope) from None
        except IntrinsicFailure as failure:
            raise IntrinsicFailed(str(failure)) from None


class DataPath:
    """`InputPath` and `OutputPath`: a path to the data itself."""

    __slots__ = ("field", "path")

    def __init__(self, path: Path, field: str):
        self.path = path
        self.field = field

    def evaluate(self, scope: Scope) -> Any:
        try:
            return self.path.evaluate(scope)
        except PathNotFound as missing:
            raise PathFailed(f"Invalid path '{self.path.text}' : {missing}") from None


class PathTemplate:
    """A payload template: `Parameters`, `ResultSelector`, `ItemSelector`, `Assign`, …"""

    __slots__ = ("field", "template")

    def __init__(self, source: Any, field: str):
        self.template = PayloadTemplate(source)
        self.field = field

    def evaluate(self, scope: Scope) -> Any:
        try:
            return self.template.evaluate(scope)
        except FieldNotFound as missing:
            raise not_found(missing, scope) from None
        except IntrinsicFailure as failure:
            raise IntrinsicFailed(str(failure)) from None


def not_found(missing: FieldNotFound, scope: Scope) -> PathFailed:
    if missing.call is not None:
        path = missing.path.replace("$$", "$", 1)
        return PathFailed(
            f"The function '{missing.call}' had the following error: The JsonPath argument for the field '{path}' could not be found in the input '{dump(scope.root)}'"
        )
    return PathFailed(
        f"The JSONPath '{missing.path}' specified for the field '{missing.field}' could not be found in the input '{dump(scope.root)}'"
    )
