"""Paths: steps over items, filters, order, grouping, and the bindings that `@`, `#` and `%` carry along.

A path works on a sequence. Where one of its steps binds a name, it works on a stream of *tuples* from there on:
each holds the item under `@` and the names bound on the way to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import nodes as n
from .evaluator import compile_node, kept, lookup
from .functions import Evaluate
from .grouping import compile_sort
from .limits import Frame
from .tuples import ITEM, Tuple, frame_of
from .values import UNDEFINED, ConsArr, Seq, is_number, truth, unwrap


def compile_path(node: n.Node) -> Evaluate:
    """The closure of a path, or of a single step such as a field or `*`."""
    if not isinstance(node, n.Path):
        return _step_value(node)
    chain = _field_chain(node)
    if chain is not None:
        return chain
    if len(node.steps) == 1 and not node.steps[0].stages and not node.tuples:
        only = node.steps[0]
        if not only.binds:
            return _single(node)
        if only.focus and not only.index and not only.ancestors and not isinstance(only.expression, n.Field):
            # With no step after it nobody can ask for the name that it binds, and no name makes a path of it.
            return compile_node(only.expression)
    stream, tuples = compile_stream(node)
    keep = node.keep
    if tuples:
        if node.tuples:
            return stream  # a path around this one takes the tuples

        def untupled(item: Any, frame: Frame) -> Any:
            items = Seq(entry[ITEM] for entry in stream(item, frame))
            return kept(items) if keep else unwrap(items)

        return untupled
    if keep:
        return lambda item, frame: kept(stream(item, frame))
    return lambda item, frame: unwrap(stream(item, frame))


def _single(node: n.Path) -> Evaluate:
    step = compile_stream(node)[0]
    if node.keep:
        return lambda item, frame: kept(step(item, frame))
    return lambda item, frame: unwrap(step(item, frame))


def _field_chain(node: n.Path) -> Evaluate | None:
    """`$x.a.b` or `a.b`, the common case: no list, no call for a step while there are objects."""
    steps = node.steps
    if node.keep or node.tuples or any(step.stages or step.binds for step in steps):
        return None
    first = steps[0].expression
    if not (isinstance(first, n.Field) or (isinstance(first, n.Variable) and len(steps) > 1)):
        return None
    rest = steps if isinstance(first, n.Field) else steps[1:]
    if not all(isinstance(step.expression, n.Field) for step in rest):
        return None
    names = tuple(step.expression.name for step in rest)  # pyright: ignore[reportAttributeAccessIssue]
    count = len(names)

    def follow(value: Any, frame: Frame) -> Any:
        for index, name in enumerate(names):
            if isinstance(value, dict):
                value = value.get(name, UNDEFINED)
                if value is UNDEFINED:
                    return UNDEFINED
            elif isinstance(value, list):
                for each in names[index:]:
                    value = field_of(value, each, frame)
                    if value is UNDEFINED or (isinstance(value, list) and not value and index < count - 1):
                        return UNDEFINED
                    index += 1
                return unwrap(value)
            else:
                return UNDEFINED
        return unwrap(value)

    if isinstance(first, n.Variable):
        start = compile_node(first)
        return lambda item, frame: follow(start(item, frame), frame)
    return follow


def field_of(value: Any, name: str, frame: Frame) -> Any:
    """A field of an object, or of every object in an array: then a sequence."""
    if isinstance(value, dict):
        return value.get(name, UNDEFINED)
    if not isinstance(value, list):
        return UNDEFINED
    frame.run.spend(len(value))
    found = Seq()
    for each in value:
        if isinstance(each, dict):
            if name in each:
                part = each[name]
                if isinstance(part, list) and type(part) is not ConsArr:
                    found.extend(part)
                else:
                    found.append(part)
        elif isinstance(each, list):
            part = field_of(each, name, frame)
            if isinstance(part, list):
                found.extend(part)
            elif part is not UNDEFINED:
                found.append(part)
    return found if len(found) != 1 else found[0] if not isinstance(found[0], list) else found


def _step_value(node: n.Node) -> Evaluate:
    """What one step answers for one item, before the path flattens it."""
    if isinstance(node, n.Field):
        name = node.name

        def field(item: Any, frame: Frame) -> Any:
            if isinstance(item, dict):
                return item.get(name, UNDEFINED)
            return unwrap(field_of(item, name, frame))

        return field
    if isinstance(node, n.Wildcard):
        return _wildcard
    if isinstance(node, n.Descendants):
        return _descendants
    if isinstance(node, n.Parent):
        label = node.label
        return lambda item, frame: lookup(frame, label)
    return compile_node(node)


def _wildcard(item: Any, frame: Frame) -> Any:
    found = Seq()
    item = unwrap(item)
    values = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    frame.run.spend(len(values))
    for value in values:
        if isinstance(value, list):
            _flatten(value, found)
        else:
            found.append(value)
    return unwrap(found)


def _flatten(value: Any, into: list[Any]) -> None:
    for each in value:
        if isinstance(each, list):
            _flatten(each, into)
        else:
            into.append(each)


def _descendants(item: Any, frame: Frame) -> Any:
    found = Seq()
    if item is UNDEFINED:
        return UNDEFINED
    stack = [item]
    while stack:
        each = stack.pop()
        frame.run.spend(1)
        if isinstance(each, list):
            stack.extend(reversed(each))
        else:
            found.append(each)
            if isinstance(each, dict):
                stack.extend(reversed(each.values()))
    return unwrap(found)


# -- streams -------------------------------------------------------------------------------------------------

Stream = Callable[[Any, Frame], Any]


def compile_stream(node: n.Node) -> tuple[Stream, bool]:
    """What a path (or any other base of a grouping) answers before it is unwrapped, and whether it is tuples."""
    if not isinstance(node, n.Path):
        return compile_node(node), False
    steps = node.steps
    binding = [step.binds or _hands_on(step.expression) for step in steps]
    if any(binding):
        return _tuple_stream(node, binding.index(True)), True
    compiled = [_plain_step(step, index == 0, index == len(steps) - 1) for index, step in enumerate(steps)]
    first_is_variable = isinstance(steps[0].expression, n.Variable)
    keep = node.keep

    def stream(item: Any, frame: Frame) -> Any:
        sequence = item if isinstance(item, list) and not first_is_variable else Seq([item])
        for each in compiled:
            sequence = each(sequence, frame)
            if sequence is UNDEFINED or (isinstance(sequence, list) and not sequence):
                break
        return kept(sequence) if keep else sequence

    return stream, False


def _hands_on(expression: n.Node) -> bool:
    return isinstance(expression, n.Path | n.Block) and expression.tuples


def _plain_step(step: n.Step, first: bool, last: bool) -> Stream:
    expression = step.expression
    if isinstance(expression, n.Sort):
        sort, filters = compile_sort(expression), compile_filters(step.stages)

        def ordered(sequence: Any, frame: Frame) -> Any:
            value = sort(sequence, frame)
            for each in filters:
                value = each(value, frame)
            return value

        return ordered
    evaluate, filters = _step_value(expression), compile_filters(step.stages)
    if first and isinstance(expression, n.Array) and expression.cons:
        # An array at the head of a path is made once, of the path's whole input.
        def constructed(sequence: Any, frame: Frame) -> Any:
            value = evaluate(sequence, frame)
            for each in filters:
                value = each(value, frame)
            return value

        return constructed

    def mapped(sequence: Any, frame: Frame) -> Any:
        frame.run.spend(len(sequence))
        results: list[Any] = []
        for item in sequence:
            value = evaluate(item, frame)
            for each in filters:
                value = each(value, frame)
            if value is not UNDEFINED and not (type(value) is Seq and not value):
                results.append(value)
        if last and len(results) == 1 and isinstance(results[0], list) and not isinstance(results[0], Seq):
            return results[0]
        flat = Seq()
        for value in results:
            if isinstance(value, list) and type(value) is not ConsArr:
                flat.extend(value)
            else:
                flat.append(value)
        return flat

    return mapped


def _tuple_stream(node: n.Path, first_binding: int) -> Stream:
    plain = [_plain_step(step, index == 0, False) for index, step in enumerate(node.steps[:first_binding])]
    bound = [_tuple_step(step) for step in node.steps[first_binding:]]
    first_is_variable = isinstance(node.steps[0].expression, n.Variable)

    def stream(item: Any, frame: Frame) -> list[Tuple]:
        sequence = item if isinstance(item, list) and not first_is_variable else Seq([item])
        for each in plain:
            sequence = each(sequence, frame)
            if sequence is UNDEFINED or not sequence:
                return []
        tuples: list[Tuple] = [{ITEM: value} for value in sequence]
        for step in bound:
            tuples = step(tuples, frame)
            if not tuples:
                break
        return tuples

    return stream


def _tuple_step(step: n.Step) -> Callable[[list[Tuple], Frame], list[Tuple]]:
    stages = [
        (stage.name, None) if isinstance(stage, n.Index) else ("", _tuple_filter(stage.predicate))  # pyright: ignore[reportAttributeAccessIssue]
        for stage in step.stages
    ]

    def staged(tuples: list[Tuple], frame: Frame) -> list[Tuple]:
        for name, keep in stages:
            if keep is None:
                tuples = [{**entry, name: index} for index, entry in enumerate(tuples)]
            else:
                tuples = keep(tuples, frame)
        return tuples

    if isinstance(step.expression, n.Sort):
        sort, index = compile_sort(step.expression), step.index

        def ordered(tuples: list[Tuple], frame: Frame) -> list[Tuple]:
            made = sort(tuples, frame, True)
            if index is not None:
                made = [{**entry, index: position} for position, entry in enumerate(made)]
            return staged(made, frame)

        return ordered
    evaluate = _step_value(step.expression)
    handed_on = _hands_on(step.expression)
    focus, index, labels = step.focus, step.index, step.ancestors

    def mapped(tuples: list[Tuple], frame: Frame) -> list[Tuple]:
        frame.run.spend(len(tuples))
        made: list[Tuple] = []
        for entry in tuples:
            value = evaluate(entry[ITEM], frame_of(entry, frame))
            if value is UNDEFINED:
                continue
            values = value if isinstance(value, list) else [value]
            frame.run.spend(len(values))
            for position, each in enumerate(values):
                further = dict(entry)
                if handed_on and isinstance(each, dict) and ITEM in each:
                    further.update(each)
                elif focus is not None:
                    further[focus] = each
                else:
                    further[ITEM] = each
                if index is not None:
                    further[index] = position
                for label in labels:
                    further[label] = entry[ITEM]
                made.append(further)
        return staged(made, frame)

    return mapped


# -- filters -------------------------------------------------------------------------------------------------


def compile_filters(stages: list[n.Node]) -> list[Callable[[Any, Frame], Any]]:
    return [_filter(stage.predicate) for stage in stages if isinstance(stage, n.Filter)]


def _filter(predicate: n.Node) -> Callable[[Any, Frame], Any]:
    if isinstance(predicate, n.Number):
        place = math.floor(predicate.value)

        def at(value: Any, frame: Frame) -> Any:
            if value is UNDEFINED:
                return UNDEFINED
            items = value if isinstance(value, list) else [value]
            index = place + len(items) if place < 0 else place
            if not 0 <= index < len(items):
                return Seq()
            item = items[index]
            return item if isinstance(item, list) else Seq([item])

        return at
    evaluate = compile_node(predicate)

    def choose(value: Any, frame: Frame) -> Any:
        if value is UNDEFINED:
            return UNDEFINED
        items = value if isinstance(value, list) else [value]
        frame.run.spend(len(items))
        size = len(items)
        chosen = Seq()
        for index, item in enumerate(items):
            if _chosen(evaluate(item, frame), index, size):
                chosen.append(item)
        return chosen

    return choose


def _chosen(answer: Any, index: int, size: int) -> bool:
    """Whether a predicate's answer takes the item: as a condition, a position, or several positions."""
    if answer is True or answer is False:
        return answer
    if is_number(answer):
        place = math.floor(answer)
        return (place + size if place < 0 else place) == index
    if isinstance(answer, list) and answer and all(map(is_number, answer)):
        for each in answer:
            place = math.floor(each)
            if (place + size if place < 0 else place) == index:
                return True
        return False
    return truth(answer)


def _tuple_filter(predicate: n.Node) -> Callable[[list[Tuple], Frame], list[Tuple]]:
    evaluate = compile_node(predicate)

    def choose(tuples: list[Tuple], frame: Frame) -> list[Tuple]:
        frame.run.spend(len(tuples))
        size = len(tuples)
        return [
            entry
            for index, entry in enumerate(tuples)
            if _chosen(evaluate(entry[ITEM], frame_of(entry, frame)), index, size)
        ]

    return choose
