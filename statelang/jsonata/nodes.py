"""The syntax tree: one class for each kind of expression, with its place in the source.

``start`` and ``end`` are offsets in the source, ``end`` exclusive. Names are without ``$``; the context ``$`` is a
`Variable` with the name ``""``, the root ``$$`` one with the name ``"$"``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any


@cache
def _parts(kind: type[Node]) -> tuple[str, ...]:
    """The fields that nodes may be in."""
    return tuple(each.name for each in fields(kind) if each.name not in ("start", "end"))


@dataclass(slots=True, eq=False)
class Node:
    """A piece of syntax."""

    start: int
    end: int

    @property
    def kind(self) -> str:
        return type(self).__name__

    def children(self) -> Iterator[Node]:
        """The nodes right below this one, in source order."""
        for name in _parts(type(self)):
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif type(value) is list:
                for item in value:
                    if isinstance(item, Node):
                        yield item
                    elif type(item) is tuple:
                        yield from (part for part in item if isinstance(part, Node))


@dataclass(slots=True, eq=False)
class String(Node):
    value: str


@dataclass(slots=True, eq=False)
class Number(Node):
    value: int | float


@dataclass(slots=True, eq=False)
class Constant(Node):
    """``true``, ``false`` or ``null``."""

    value: bool | None


@dataclass(slots=True, eq=False)
class Regex(Node):
    pattern: str
    flags: str


@dataclass(slots=True, eq=False)
class Field(Node):
    """A field name as a step of a path."""

    name: str


@dataclass(slots=True, eq=False)
class Variable(Node):
    name: str


@dataclass(slots=True, eq=False)
class Wildcard(Node):
    """``*``"""


@dataclass(slots=True, eq=False)
class Descendants(Node):
    """``**``"""


@dataclass(slots=True, eq=False)
class Parent(Node):
    """``%``; ``label`` names the step that it refers to."""

    label: str = ""


@dataclass(slots=True, eq=False)
class Range(Node):
    """``from..to``, an item of an array constructor."""

    first: Node
    last: Node


@dataclass(slots=True, eq=False)
class Array(Node):
    items: list[Node]
    cons: bool = False


@dataclass(slots=True, eq=False)
class Object(Node):
    pairs: list[tuple[Node, Node]]


@dataclass(slots=True, eq=False)
class Negate(Node):
    operand: Node


@dataclass(slots=True, eq=False)
class Binary(Node):
    """``+ - * / % & = != < <= > >= in and or``; ``operator_at`` is where the operator stands."""

    operator: str
    left: Node
    right: Node
    operator_at: int


@dataclass(slots=True, eq=False)
class Apply(Node):
    """``left ~> right``"""

    left: Node
    right: Node
    operator_at: int


@dataclass(slots=True, eq=False)
class Condition(Node):
    test: Node
    then: Node
    otherwise: Node | None


@dataclass(slots=True, eq=False)
class Bind(Node):
    """``$name := value``"""

    target: Variable
    value: Node


@dataclass(slots=True, eq=False)
class Block(Node):
    """``( … ; … )``"""

    expressions: list[Node]
    cons: bool = False
    tuples: bool = False


@dataclass(slots=True, eq=False)
class Lambda(Node):
    parameters: list[Variable]
    body: Node
    signature: str | None
    signature_at: int


@dataclass(slots=True, eq=False)
class Placeholder(Node):
    """``?`` as an argument: what makes a call a partial application."""


@dataclass(slots=True, eq=False)
class Call(Node):
    """A call, or a partial application where an argument is a `Placeholder`."""

    function: Node
    arguments: list[Node]

    @property
    def partial(self) -> bool:
        return any(type(argument) is Placeholder for argument in self.arguments)


@dataclass(slots=True, eq=False)
class Transform(Node):
    """``|pattern|update, delete|``"""

    pattern: Node
    update: Node
    delete: Node | None


@dataclass(slots=True, eq=False)
class Filter(Node):
    """``[predicate]`` after a step or value."""

    predicate: Node


@dataclass(slots=True, eq=False)
class Index(Node):
    """``#$name`` after filters: the position is counted there."""

    name: str


@dataclass(slots=True, eq=False)
class Filtered(Node):
    """A value that is no path, with its filters; ``keep`` says that there was a ``[]``."""

    base: Node
    filters: list[Node]
    keep: bool = False


@dataclass(slots=True, eq=False)
class SortTerm(Node):
    expression: Node
    descending: bool


@dataclass(slots=True, eq=False)
class Sort(Node):
    """``^( … )`` as a step of a path."""

    terms: list[SortTerm]


@dataclass(slots=True, eq=False)
class Step(Node):
    """One step of a path: what is evaluated for each item, then filters in order.

    ``focus`` is the name of ``@$name``, ``index`` of ``#$name``, ``ancestors`` the labels of `Parent` nodes.
    """

    expression: Node
    stages: list[Node] = field(default_factory=list)
    focus: str | None = None
    index: str | None = None
    ancestors: list[str] = field(default_factory=list)

    @property
    def binds(self) -> bool:
        return bool(self.focus or self.index or self.ancestors) or any(type(s) is Index for s in self.stages)


@dataclass(slots=True, eq=False)
class Path(Node):
    """``a.b[0].c``; ``keep`` says that there was a ``[]``, ``tuples`` that it hands its bindings on."""

    steps: list[Step]
    keep: bool = False
    tuples: bool = False


@dataclass(slots=True, eq=False)
class Group(Node):
    """``base{key: value}``"""

    base: Node
    pairs: list[tuple[Node, Node]]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in source order."""
    stack: list[Node] = [node]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(reversed(list(item.children())))


def names_of(value: Any) -> str:
    return type(value).__name__
