"""`|pattern|update, delete|`: a function that answers a changed copy of what it is given."""

from __future__ import annotations

from typing import Any

from . import nodes as n
from .errors import JsonataError, show
from .evaluator import compile_node
from .functions import Evaluate
from .limits import Frame, Run
from .values import UNDEFINED, Arr, Function, Obj


class _Transformer(Function):
    __slots__ = ("arity", "delete", "frame", "name", "pattern", "update")

    def __init__(self, pattern: Evaluate, update: Evaluate, delete: Evaluate | None, frame: Frame):
        self.arity = 1
        self.name = ""
        self.pattern = pattern
        self.update = update
        self.delete = delete
        self.frame = frame

    def once(self, run: Run, arguments: list[Any], context: Any) -> Any:
        given = arguments[0] if arguments else UNDEFINED
        if given is UNDEFINED:
            return UNDEFINED
        if not isinstance(given, list | dict):
            raise JsonataError(
                "T0410", f"a transform takes an object or an array, not {show(given)}", value=given
            )
        copy = _copy(given, run, run.limits.depth)
        matched = self.pattern(copy, self.frame)
        for match in matched if isinstance(matched, list) else [] if matched is UNDEFINED else [matched]:
            self._change(match, run)
        return copy

    def _change(self, match: Any, run: Run) -> None:
        run.spend(1)
        update = self.update(match, self.frame)
        if update is not UNDEFINED:
            if not isinstance(update, dict):
                raise JsonataError("T2011", f"the update must be an object, not {show(update)}", value=update)
            if isinstance(match, dict):
                match.update(update)
        if self.delete is None:
            return
        deleted = self.delete(match, self.frame)
        if deleted is UNDEFINED:
            return
        names = deleted if isinstance(deleted, list) else [deleted]
        if not all(type(name) is str for name in names):
            raise JsonataError("T2012", f"what is deleted must be names, not {show(deleted)}", value=deleted)
        if isinstance(match, dict):
            for name in names:
                match.pop(name, None)


def compile_transform(node: n.Transform) -> Evaluate:
    pattern, update = compile_node(node.pattern), compile_node(node.update)
    delete = compile_node(node.delete) if node.delete is not None else None
    return lambda item, frame: _Transformer(pattern, update, delete, frame)


def _copy(value: Any, run: Run, depth: int) -> Any:
    run.spend(1)
    if depth <= 0:
        raise JsonataError("U1001", "the value is nested too deeply")
    if isinstance(value, dict):
        return Obj({key: _copy(part, run, depth - 1) for key, part in value.items()})
    if isinstance(value, list):
        return Arr(_copy(part, run, depth - 1) for part in value)
    return value
