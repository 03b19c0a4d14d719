"""`$eval`: JSONata's own, and its refusal in Step Functions."""

from __future__ import annotations

from typing import Any

from .errors import JsonataError
from .limits import Frame, Run
from .values import UNDEFINED, Seq


def eval_(run: Run, context: Any, source: Any, focus: Any = UNDEFINED) -> Any:
    if source is UNDEFINED:
        return UNDEFINED
    from .evaluator import compile_node
    from .library import LIBRARIES
    from .parser import parse

    run.spend(len(source))
    try:
        evaluate = compile_node(parse(source))
    except JsonataError as error:
        raise JsonataError(
            "D3120", f"$eval was given what does not parse: {error}", value=error.code
        ) from None
    run.enter()
    try:
        item = context if focus is UNDEFINED else focus
        item = Seq([item]) if isinstance(item, list) and not isinstance(item, Seq) else item
        return evaluate(item, Frame(run, Frame(run, None, dict(LIBRARIES["jsonata"])), {}))
    except JsonataError as error:
        if error.code.startswith("U"):
            raise
        raise JsonataError("D3121", f"what $eval was given failed: {error}", value=error.code) from None
    finally:
        run.depth += 1


def no_eval(run: Run, context: Any, *arguments: Any) -> Any:
    raise JsonataError("T1006", "$eval is not supported in Step Functions")
