"""`^( … )`, which orders, and `{key: value}`, which groups: over items, or over tuples with the names that they carry."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import nodes as n
from .errors import JsonataError, show
from .evaluator import compile_node
from .limits import Frame
from .tuples import ITEM, Tuple, frame_of
from .values import UNDEFINED, Obj, Seq, is_number


def compile_sort(node: n.Sort) -> Callable[..., Any]:
    terms = [(compile_node(term.expression), term.descending) for term in node.terms]

    def sort(items: Any, frame: Frame, tuples: bool = False) -> Any:
        if items is UNDEFINED:
            return UNDEFINED
        items = items if isinstance(items, list) else [items]
        frame.run.spend(len(items) * max(1, len(items).bit_length()))
        if len(items) < 2:
            return items if tuples else Seq(items)
        keyed = []
        for item in items:
            value, scope = (item[ITEM], frame_of(item, frame)) if tuples else (item, frame)
            keyed.append(([evaluate(value, scope) for evaluate, _ in terms], item))
        keyed.sort(key=functools.cmp_to_key(compare))
        ordered = [item for _, item in keyed]
        return ordered if tuples else Seq(ordered)

    def compare(left: tuple[list[Any], Any], right: tuple[list[Any], Any]) -> int:
        for (_, descending), a, b in zip(terms, left[0], right[0], strict=True):
            if a is UNDEFINED or b is UNDEFINED:
                if a is b:
                    continue
                return 1 if a is UNDEFINED else -1
            for value in (a, b):
                if not (is_number(value) or type(value) is str):
                    raise JsonataError(
                        "T2008", f"^( ) orders numbers or strings, not {show(value)}", node.start
                    )
            if (type(a) is str) is not (type(b) is str):
                raise JsonataError(
                    "T2007",
                    f"^( ) cannot order {show(a)} and {show(b)}: types differ",
                    node.start,
                    value=a,
                    value2=b,
                )
            if a != b:
                return (-1 if a < b else 1) * (-1 if descending else 1)
        return 0

    return sort


def compile_group(pairs: list[tuple[n.Node, n.Node]], at: int) -> Callable[[Any, Frame, bool], Any]:
    """`{key: value, …}` over items or tuples: items of one key are one group."""
    compiled = [(compile_node(key), compile_node(value)) for key, value in pairs]

    def group(items: Any, frame: Frame, tuples: bool) -> Any:
        if not isinstance(items, list):
            single = _single_object(items, frame)
            if single is not None:
                return single
            items = [items]
        elif not items and not tuples:
            items = [UNDEFINED]
        frame.run.spend(len(items))
        groups: dict[str, tuple[int, list[Any]]] = {}
        for item in items:
            value, scope = (item[ITEM], frame_of(item, frame)) if tuples else (item, frame)
            for index, (key, _) in enumerate(compiled):
                name = key(value, scope)
                if name is UNDEFINED:
                    continue
                if type(name) is not str:
                    raise JsonataError(
                        "T1003",
                        f"a key must be a string, not {show(name)}",
                        pairs[index][0].start,
                        value=name,
                    )
                if name not in groups:
                    groups[name] = index, [item]
                elif groups[name][0] != index:
                    raise JsonataError(
                        "D1009",
                        f"more than one key of the object is {name!r}",
                        pairs[index][0].start,
                        value=name,
                    )
                else:
                    groups[name][1].append(item)
        made = Obj()
        for name, (index, members) in groups.items():
            if tuples:
                entry = _reduce(members)
                value = compiled[index][1](entry.pop(ITEM), frame_of(entry, frame))
            else:
                value = compiled[index][1](_together(members), frame)
            if value is not UNDEFINED:
                made[name] = value
        return made

    def _single_object(item: Any, frame: Frame) -> Any:
        """One item, the common case: no groups; None where a key comes twice."""
        made = Obj()
        seen: set[str] = set()
        for index, (key, evaluate) in enumerate(compiled):
            name = key(item, frame)
            if name is UNDEFINED:
                continue
            if type(name) is not str:
                raise JsonataError(
                    "T1003", f"a key must be a string, not {show(name)}", pairs[index][0].start, value=name
                )
            if name in seen:
                raise JsonataError(
                    "D1009", f"more than one key of the object is {name!r}", pairs[index][0].start, value=name
                )
            seen.add(name)
            value = evaluate(item, frame)
            if value is not UNDEFINED:
                made[name] = value
        return made

    return group


def _together(members: list[Any]) -> Any:
    """The items of a group as one value: one item is itself."""
    if len(members) == 1:
        return members[0]
    together = Seq()
    for member in members:
        if isinstance(member, list):
            together.extend(member)
        elif member is not UNDEFINED:
            together.append(member)
    return together


def _reduce(tuples: list[Tuple]) -> Tuple:
    reduced = dict(tuples[0])
    for entry in tuples[1:]:
        for name, value in entry.items():
            before = reduced.get(name, UNDEFINED)
            joined = Seq(before if isinstance(before, list) else [] if before is UNDEFINED else [before])
            joined.extend(value if isinstance(value, list) else [value])
            reduced[name] = joined
    return reduced
