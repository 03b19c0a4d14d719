"""A compiled expression, and the way to evaluate it within its limits."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from . import nodes as n
from .errors import JsonataError
from .evaluator import compile_node
from .functions import TailCall, call
from .library import LIBRARIES
from .limits import DEFAULT_LIMITS, Frame, Limits, Run
from .parser import parse
from .values import UNDEFINED, Function, Seq, to_json, unwrap

_MAX_NESTING = 200
_FRAMES_FOR_DEPTH = 12
"""Python frames that one call within a call may take."""


class Expression:
    """One expression, ready to be evaluated from any thread. `ast` has its places in `source`."""

    __slots__ = ("_calls", "_evaluate", "_library", "_refuses_functions", "ast", "source")

    def __init__(self, source: str, dialect: str):
        self.source = source
        self.ast = parse(source)
        self._refuses_functions = dialect == "step-functions"
        self._library: dict[str, Any] = dict(LIBRARIES[dialect])
        try:
            self._evaluate = compile_node(self.ast)
        except RecursionError:
            raise JsonataError("U1001", "the expression is nested too deeply") from None
        # Only an expression with functions of its own can go deeper than it is written.
        self._calls = len(source) > 400 or any(isinstance(node, n.Lambda) for node in n.walk(self.ast))

    def evaluate(
        self,
        bindings: Mapping[str, Any],
        *,
        input: Any = UNDEFINED,
        limits: Limits = DEFAULT_LIMITS,
        now: float | None = None,
        entropy: Callable[[], float] | random.Random | None = None,
    ) -> Any:
        """The expression's value for these variables (names without `$`), or `UNDEFINED`.

        `now` is in milliseconds since the epoch. Raises `JsonataError`: U1001 where a limit is reached.
        """
        run = Run(limits, now, entropy, input)
        # An array as the input is one context item; steps do not take it apart before they are asked to.
        input = Seq([input]) if isinstance(input, list) else input
        outer = Frame(run, Frame(run, None, self._library), dict(bindings))
        if not self._calls:
            return self._run(run, outer, input)
        with _Depth(limits.depth * _FRAMES_FOR_DEPTH):
            return self._run(run, outer, input)

    def _run(self, run: Run, frame: Frame, input: Any) -> Any:
        try:
            value = self._evaluate(input, Frame(run, frame, {}))
            while type(value) is TailCall:
                value = call(run, value.function, value.arguments, value.context)
            value = unwrap(value)
            if isinstance(value, Function) and self._refuses_functions:
                raise JsonataError("U1002", "the result is a function, which is no JSON")
            return to_json(value, _MAX_NESTING)
        except RecursionError:
            raise JsonataError("U1001", "the evaluation is nested too deeply", limit="depth") from None
        except MemoryError:
            raise JsonataError(
                "U1001", "the evaluation takes more memory than there is", limit="size"
            ) from None


@lru_cache(maxsize=1024)
def compile(source: str, dialect: str = "step-functions") -> Expression:
    """Parses an expression. Raises `JsonataError` with an S code and a position where it cannot."""
    return Expression(source, dialect)


class _Depth:
    """Room for deep calls while entered: the interpreter's own limit is raised, and put back by the last to leave.

    Python calls of Python functions take no space on the C stack, so the evaluation's own limit is what counts.
    """

    _lock = threading.Lock()
    _users = 0
    _before = 0

    def __init__(self, frames: int):
        self._frames = frames

    def __enter__(self) -> None:
        with _Depth._lock:
            if _Depth._users == 0:
                _Depth._before = sys.getrecursionlimit()
            _Depth._users += 1
            if sys.getrecursionlimit() < _Depth._before + self._frames:
                sys.setrecursionlimit(_Depth._before + self._frames)

    def __exit__(self, *exc: object) -> None:
        with _Depth._lock:
            _Depth._users -= 1
            if _Depth._users == 0:
                sys.setrecursionlimit(_Depth._before)
