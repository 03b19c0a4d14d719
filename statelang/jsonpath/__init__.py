"""JSONPath as Amazon States Language uses it: paths, reference paths, payload templates, intrinsic functions, conditions.

    Path.parse("$.items[?(@.price < 10)].name").evaluate(scope)
    PayloadTemplate({"total.$": "States.MathAdd($.a, $.b)"}).evaluate(scope)

Everything is read once and evaluated many times against a `Scope`; data goes in and comes out as plain JSON
values, which are never changed. What cannot be read raises `InvalidPath`.
"""

from .choice import ChoicePathInvalid, prepare_condition
from .errors import IntrinsicFailure, InvalidPath, PathNotFound, ResultPathMismatch
from .intrinsics import Intrinsic
from .path import Path
from .reference import parse_reference, put
from .scope import Scope
from .templates import FieldNotFound, PayloadTemplate, evaluate_query, parse_query

__all__ = [
    "ChoicePathInvalid",
    "FieldNotFound",
    "Intrinsic",
    "IntrinsicFailure",
    "InvalidPath",
    "Path",
    "PathNotFound",
    "PayloadTemplate",
    "ResultPathMismatch",
    "Scope",
    "evaluate_query",
    "parse_query",
    "parse_reference",
    "prepare_condition",
    "put",
]
