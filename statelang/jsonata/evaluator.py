"""The syntax tree to closures: each node becomes a function of the context item and the scope.

Whatever is known beforehand is decided when the closure is made: constant operands, plain chains of fields,
which calls are in tail position. What a closure answers is never a sequence of one or none (`unwrap`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import nodes as n
from .errors import JsonataError, show
from .functions import HOLE, Composed, Evaluate, Lambda, Partial, TailCall, call
from .limits import Frame
from .signatures import parse_signature
from .values import UNDEFINED, Arr, ConsArr, Function, KeptSeq, Seq, is_number, truth, unwrap


def compile_node(node: n.Node, tail: bool = False) -> Evaluate:
    """The closure of a node; in `tail` position it may answer a `TailCall`."""
    if tail:
        maker = _TAIL.get(type(node))
        if maker is not None:
            return maker(node)
    return _MAKERS[type(node)](node)


def compile_all(nodes: list[n.Node]) -> list[Evaluate]:
    return [compile_node(node) for node in nodes]


# -- values and variables ------------------------------------------------------------------------------------


def _constant(value: Any) -> Evaluate:
    return lambda item, frame: value


def _variable(node: n.Variable) -> Evaluate:
    name = node.name
    if name == "":
        return _context
    if name == "$":
        return lambda item, frame: frame.run.root
    return lambda item, frame: lookup(frame, name)


def _context(item: Any, frame: Frame) -> Any:
    return unwrap(item) if type(item) is Seq else item


def lookup(frame: Frame | None, name: str) -> Any:
    """The variable, from the scope outwards."""
    while frame is not None:
        variables = frame.variables
        if name in variables:
            return variables[name]
        frame = frame.outer
    return UNDEFINED


def _bind(node: n.Bind) -> Evaluate:
    name, value = node.target.name, compile_node(node.value)

    def bind(item: Any, frame: Frame) -> Any:
        bound = value(item, frame)
        if type(bound) is Lambda and not bound.name:
            bound.name = name
        frame.variables[name] = bound
        return bound

    return bind


def _regex(node: n.Regex) -> Evaluate:
    from .regexes import RegexFunction

    made = RegexFunction(node.pattern, node.flags, node.start)
    return lambda item, frame: made


def _negate(node: n.Negate) -> Evaluate:
    from .operators import negate_of

    return negate_of(node)


def _binary(node: n.Binary) -> Evaluate:
    from .operators import binary_of

    return binary_of(node)


# -- constructors --------------------------------------------------------------------------------------------


def _array(node: n.Array) -> Evaluate:
    items = [(type(each) is n.Array, compile_node(each)) for each in node.items]
    kind = ConsArr if node.cons else Arr

    def array(item: Any, frame: Frame) -> Any:
        made = kind()
        for whole, each in items:
            value = each(item, frame)
            if value is UNDEFINED:
                continue
            if isinstance(value, list) and not whole:
                frame.run.room(len(made) + len(value))
                made.extend(value)
            else:
                made.append(value)
        return made

    return array


def _range(node: n.Range) -> Evaluate:
    first, last = compile_node(node.first), compile_node(node.last)

    def make_range(item: Any, frame: Frame) -> Any:
        low, high = first(item, frame), last(item, frame)
        for code, side, value in (("T2003", "left", low), ("T2004", "right", high)):
            if value is not UNDEFINED and not (is_number(value) and value == int(value)):
                raise JsonataError(
                    code, f"the {side} side of .. must be an integer, not {show(value)}", node.start
                )
        if low is UNDEFINED or high is UNDEFINED or low > high:
            return UNDEFINED
        size = int(high) - int(low) + 1
        if size > 10_000_000:
            raise JsonataError(
                "D2014", f"a range of {size} items is more than ten million", node.start, value=size
            )
        frame.run.room(size)
        return Seq(range(int(low), int(high) + 1))

    return make_range


def _object(node: n.Object) -> Evaluate:
    from .grouping import compile_group

    group = compile_group(node.pairs, node.start)
    return lambda item, frame: group(item, frame, False)


def _group(node: n.Group) -> Evaluate:
    from .grouping import compile_group
    from .paths import compile_stream

    base, tuples = compile_stream(node.base)
    group = compile_group(node.pairs, node.start)
    return lambda item, frame: group(base(item, frame), frame, tuples)


# -- flow ----------------------------------------------------------------------------------------------------


def _condition(node: n.Condition, tail: bool = False) -> Evaluate:
    test, then = compile_node(node.test), compile_node(node.then, tail)
    otherwise = compile_node(node.otherwise, tail) if node.otherwise is not None else _constant(UNDEFINED)

    def condition(item: Any, frame: Frame) -> Any:
        tested = test(item, frame)
        return then(item, frame) if tested is True or truth(tested) else otherwise(item, frame)

    return condition


def _block(node: n.Block, tail: bool = False) -> Evaluate:
    if not node.expressions:
        return _constant(UNDEFINED)
    last = compile_node(node.expressions[-1], tail)
    if len(node.expressions) == 1 and not any(type(each) is n.Bind for each in n.walk(node)):
        return last  # nothing in it could be bound in a scope of its own
    rest = compile_all(node.expressions[:-1])

    def block(item: Any, frame: Frame) -> Any:
        inner = Frame(frame.run, frame, {})
        for each in rest:
            each(item, inner)
        return last(item, inner)

    return block


def _lambda(node: n.Lambda) -> Evaluate:
    names = tuple(parameter.name for parameter in node.parameters)
    body = compile_node(node.body, tail=True)
    signature = parse_signature(node.signature) if node.signature else None
    return lambda item, frame: Lambda(names, body, signature, frame, item)


def _callee(node: n.Call) -> Evaluate:
    function = node.function
    path = function if type(function) is n.Path else None
    name = path.steps[0].expression if path and len(path.steps) == 1 and not path.steps[0].stages else None
    callee = compile_node(function)
    label = f"${function.name}" if isinstance(function, n.Variable) else "this"

    def checked(item: Any, frame: Frame) -> Any:
        value = callee(item, frame)
        if isinstance(value, Function):
            return value
        if value is UNDEFINED and type(name) is n.Field and isinstance(lookup(frame, name.name), Function):
            what = f"{name.name} is no function: did you mean ${name.name}?"
            raise JsonataError("T1005", what, node.start, token=name.name)
        what = f"{label} is called, but is {'undefined' if value is UNDEFINED else show(value)}, no function"
        raise JsonataError("T1006", what, node.start, token=label, value=value)

    return checked


def _call(node: n.Call, tail: bool = False) -> Evaluate:
    if node.partial:
        return _partial(node)
    callee, arguments = _callee(node), compile_all(node.arguments)

    if tail:
        return lambda item, frame: TailCall(
            callee(item, frame), [each(item, frame) for each in arguments], item
        )

    def make_call(item: Any, frame: Frame) -> Any:
        values = []
        for each in arguments:
            values.append(each(item, frame))
        return call(frame.run, callee(item, frame), values, item)

    return make_call


def _partial(node: n.Call) -> Evaluate:
    callee = compile_node(node.function)
    function = node.function
    arguments = [None if type(each) is n.Placeholder else compile_node(each) for each in node.arguments]

    def partial(item: Any, frame: Frame) -> Any:
        value = callee(item, frame)
        if not isinstance(value, Function):
            path = function if type(function) is n.Path else None
            field = path.steps[0].expression if path else None
            if (
                value is UNDEFINED
                and type(field) is n.Field
                and isinstance(lookup(frame, field.name), Function)
            ):
                what = f"{field.name} is no function: did you mean ${field.name}?"
                raise JsonataError("T1007", what, node.start, token=field.name)
            raise JsonataError("T1008", f"{show(value)} is partially applied, but is no function", node.start)
        return Partial(value, [HOLE if each is None else each(item, frame) for each in arguments])

    return partial


def _apply(node: n.Apply) -> Evaluate:
    left = compile_node(node.left)
    right = node.right
    if isinstance(right, n.Filtered) and isinstance(right.base, n.Call) and right.keep and not right.filters:
        applied = _apply(n.Apply(node.start, node.end, node.left, right.base, node.operator_at))
        return lambda item, frame: kept(applied(item, frame))
    if isinstance(right, n.Call) and not right.partial:
        callee, arguments = _callee(right), compile_all(right.arguments)

        def apply_call(item: Any, frame: Frame) -> Any:
            values = [left(item, frame), *[each(item, frame) for each in arguments]]
            return call(frame.run, callee(item, frame), values, item)

        return apply_call
    function = compile_node(right)

    def apply(item: Any, frame: Frame) -> Any:
        first, second = left(item, frame), function(item, frame)
        if not isinstance(second, Function):
            what = f"the right side of ~> must be a function, not {show(second)}"
            raise JsonataError("T2006", what, node.operator_at, token="~>", value=second)
        if isinstance(first, Function):
            return Composed(first, second)
        return call(frame.run, second, [first], UNDEFINED)

    return apply


def _transform(node: n.Transform) -> Evaluate:
    from .transforms import compile_transform

    return compile_transform(node)


def _filtered(node: n.Filtered) -> Evaluate:
    from .paths import compile_filters, compile_path

    if isinstance(node.base, n.Block) and node.base.tuples:
        # Its filters read what the path within hands on: then they are stages of a step.
        step = n.Step(node.start, node.end, node.base, node.filters)
        return compile_path(n.Path(node.start, node.end, [step], node.keep))
    base, filters = compile_node(node.base), compile_filters(node.filters)
    keep = node.keep

    def filtered(item: Any, frame: Frame) -> Any:
        value = base(item, frame)
        for each in filters:
            value = each(value, frame)
        if keep:
            return kept(value)
        return unwrap(value)

    return filtered


def kept(value: Any) -> Any:
    """What `[]` makes of a value that is about to be the result."""
    if value is UNDEFINED or (type(value) is Seq and not value):
        return UNDEFINED
    if type(value) is ConsArr:
        return KeptSeq([value])
    if type(value) is Seq:
        return KeptSeq(value)
    return value if isinstance(value, list) else KeptSeq([value])


def _path(node: n.Node) -> Evaluate:
    from .paths import compile_path

    return compile_path(node)


_TAIL: dict[type, Callable[[Any], Evaluate]] = {
    n.Call: lambda node: _call(node, tail=True),
    n.Condition: lambda node: _condition(node, tail=True),
    n.Block: lambda node: _block(node, tail=True),
}
_MAKERS: dict[type, Callable[[Any], Evaluate]] = {
    n.String: lambda node: _constant(node.value),
    n.Number: lambda node: _constant(node.value),
    n.Constant: lambda node: _constant(node.value),
    n.Regex: _regex,
    n.Variable: _variable,
    n.Field: _path,
    n.Wildcard: _path,
    n.Descendants: _path,
    n.Parent: _path,
    n.Path: _path,
    n.Filtered: _filtered,
    n.Group: _group,
    n.Array: _array,
    n.Range: _range,
    n.Object: _object,
    n.Negate: _negate,
    n.Binary: _binary,
    n.Apply: _apply,
    n.Condition: _condition,
    n.Bind: _bind,
    n.Block: _block,
    n.Lambda: _lambda,
    n.Call: _call,
    n.Transform: _transform,
}
