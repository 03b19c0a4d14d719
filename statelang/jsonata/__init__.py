"""JSONata 2.0.6, as Amazon States Language uses it: ours, so that every evaluation is bounded.

    expression = compile("$sum(items.(price * qty))")
    expression.evaluate({}, input={"items": [...]})

An expression is parsed and turned into closures once. Evaluating it touches no clock and no process: the time
and the entropy are given, and the cost is counted (`Limits`). In goes plain JSON data, which is never changed; out
comes plain JSON data, or `UNDEFINED`.

Two dialects: "step-functions" (the default) has the functions that AWS adds and refuses `$eval`; "jsonata" is
the language as its own suite tests it.
"""

from .errors import JsonataError
from .expression import Expression, compile
from .limits import DEFAULT_LIMITS, Limits
from .nodes import Node, walk
from .reference_texts import reference_text
from .references import ContextUse, Reference, Segment, free_variables, uses_context
from .values import UNDEFINED

__all__ = [
    "DEFAULT_LIMITS",
    "UNDEFINED",
    "ContextUse",
    "Expression",
    "JsonataError",
    "Limits",
    "Node",
    "Reference",
    "Segment",
    "compile",
    "free_variables",
    "reference_text",
    "uses_context",
    "walk",
]
