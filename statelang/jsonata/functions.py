"""Function values, and the one way to call them.

Calls are plain Python calls of methods: they take no space on the C stack, so that the depth of an evaluation is
bounded by its own limit alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import JsonataError, show
from .limits import Frame, Run
from .signatures import Signature
from .values import UNDEFINED, Function, unwrap

Evaluate = Callable[[Any, Frame], Any]


class TailCall:
    """A call in the last place of a function's body: made when the function has returned."""

    __slots__ = ("arguments", "context", "function")

    def __init__(self, function: Any, arguments: list[Any], context: Any):
        self.function = function
        self.arguments = arguments
        self.context = context


class Lambda(Function):
    """A function of the expression itself, with the scope and the context in which it was made."""

    __slots__ = ("arity", "body", "context", "frame", "name", "names", "signature", "thunk")

    def __init__(
        self, names: tuple[str, ...], body: Evaluate, signature: Signature | None, frame: Frame, context: Any
    ):
        self.names = names
        self.arity = len(names)
        self.body = body
        self.signature = signature
        self.frame = frame
        self.context = context
        self.name = ""

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        """Runs the body; the answer may be a tail call that is still to be made."""
        if self.signature is not None:
            arguments = self.signature.apply(arguments, context, self.name or "function")
        names = self.names
        variables: dict[str, Any] = {}
        given = len(arguments)
        for index, name in enumerate(names):
            variables[name] = arguments[index] if index < given else UNDEFINED
        return self.body(self.context, Frame(run, self.frame, variables))


class Native(Function):
    """A function of the library: `code(run, context, *arguments)`."""

    __slots__ = ("arity", "code", "name", "signature")

    def __init__(self, name: str, code: Callable[..., Any], signature: Signature | None, arity: int):
        self.name = name
        self.code = code
        self.signature = signature
        self.arity = arity

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        if self.signature is not None:
            arguments = self.signature.apply(arguments, context, self.name)
        return self.code(run, context, *arguments)


class Partial(Function):
    """A function with some of its arguments given; the holes take those of the call, in order."""

    __slots__ = ("arity", "function", "given", "name")

    def __init__(self, function: Any, given: list[Any]):
        self.function = function
        self.given = given
        self.arity = sum(1 for argument in given if argument is HOLE)
        self.name = ""

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        rest = iter(arguments)
        filled = [next(rest, UNDEFINED) if argument is HOLE else argument for argument in self.given]
        return TailCall(self.function, filled, context)


class Composed(Function):
    """`first ~> second`"""

    __slots__ = ("arity", "first", "name", "second")

    def __init__(self, first: Any, second: Any):
        self.first = first
        self.second = second
        self.arity = 1
        self.name = ""

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        return TailCall(self.second, [call(run, self.first, arguments, context)], context)


class Hole:
    __slots__ = ()


HOLE = Hole()


def call(run: Run, function: Any, arguments: list[Any], context: Any = UNDEFINED) -> Any:
    """What the function answers. Raises T1006 for a value that is none."""
    if not isinstance(function, Function):
        raise JsonataError("T1006", f"{show(function)} is called, but is no function", value=function)
    run.enter()
    answer = function.once(run, arguments, context)  # pyright: ignore[reportAttributeAccessIssue]
    while type(answer) is TailCall:
        run.spend(1)
        if not isinstance(answer.function, Function):
            raise JsonataError("T1006", f"{show(answer.function)} is called, but is no function")
        answer = answer.function.once(run, answer.arguments, answer.context)  # pyright: ignore[reportAttributeAccessIssue]
    run.depth += 1
    return unwrap(answer)


def callback_arguments(function: Any, *available: Any) -> list[Any]:
    """As many of the arguments of a callback as the function takes: item, position, whole."""
    return list(available[: max(1, function.arity)])
