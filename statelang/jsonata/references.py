"""What an expression reads from outside: its free variables, and the places where it needs an input document."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from . import nodes as n


@dataclass(frozen=True, slots=True)
class Segment:
    """A field name that follows a variable; offsets in the source, `end` exclusive."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable that the expression does not bind itself; `start` and `end` cover `$name`."""

    name: str
    start: int
    end: int
    path: tuple[Segment, ...] = ()
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class ContextUse:
    """A field name, `$`, `$$` or the like where no context is set: it would need an input document."""

    start: int
    end: int
    text: str


def free_variables(tree: n.Node) -> list[Reference]:
    """Every reference to a variable that is not bound where it stands, in source order."""
    return [*_walked(tree)[0]]


def uses_context(tree: n.Node) -> list[ContextUse]:
    """Where the expression reads the input document, in source order; inside a path or filter it may."""
    return [*_walked(tree)[1]]


@lru_cache(maxsize=1024)
def _walked(tree: n.Node) -> tuple[list[Reference], list[ContextUse]]:
    """Trees do not change, and are asked about by the checks, the compiler and the validator."""
    walker = _Walker()
    walker.visit(tree, frozenset(), False)
    references = sorted(walker.references, key=lambda reference: reference.start)
    return references, sorted(walker.contexts, key=lambda use: use.start)


class _Walker:
    """Carries the names bound on the way down, and whether a path has set a context."""

    def __init__(self) -> None:
        self.references: list[Reference] = []
        self.contexts: list[ContextUse] = []

    def visit(self, node: n.Node, bound: frozenset[str], inside: bool) -> None:
        if isinstance(node, n.Variable):
            self.variable(node, bound, inside, ())
        elif isinstance(node, n.Field):
            if not inside:
                self.contexts.append(ContextUse(node.start, node.end, node.name))
        elif isinstance(node, n.Wildcard | n.Descendants | n.Parent):
            if not inside:
                text = (
                    "*" if isinstance(node, n.Wildcard) else "**" if isinstance(node, n.Descendants) else "%"
                )
                self.contexts.append(ContextUse(node.start, node.end, text))
        elif isinstance(node, n.Path):
            self.path(node, bound, inside)
        elif isinstance(node, n.Filtered):
            self.visit(node.base, bound, inside)
            for stage in node.filters:
                self.visit(stage, bound, True)
        elif isinstance(node, n.Group):
            self.visit(node.base, bound, inside)
            names = bound | _bindings(node.base)
            for pair in node.pairs:
                for each in pair:
                    self.visit(each, names, True)
        elif isinstance(node, n.Block):
            for each in node.expressions:
                self.visit(each, bound, inside)
                bound = bound | _assigned(each)
        elif isinstance(node, n.Bind):
            # A function may call itself by the name that it is about to get.
            own = frozenset((node.target.name,)) if isinstance(node.value, n.Lambda) else frozenset()
            self.visit(node.value, bound | own, inside)
        elif isinstance(node, n.Lambda):
            self.visit(node.body, bound | {parameter.name for parameter in node.parameters}, inside)
        elif isinstance(node, n.Transform):
            for child in node.children():
                self.visit(child, bound, True)
        else:
            for child in node.children():
                self.visit(child, bound, inside)
                bound = bound | _assigned(child)

    def variable(
        self, node: n.Variable, bound: frozenset[str], inside: bool, path: tuple[Segment, ...]
    ) -> None:
        if node.name == "$" or (node.name == "" and not inside):
            self.contexts.append(ContextUse(node.start, node.end, f"${node.name}"))
        elif node.name and node.name not in bound:
            from .library import LIBRARY

            builtin = node.name in LIBRARY
            self.references.append(Reference(node.name, node.start, node.end, path, builtin))

    def path(self, node: n.Path, bound: frozenset[str], inside: bool) -> None:
        for index, step in enumerate(node.steps):
            expression = step.expression
            if isinstance(expression, n.Variable) and not step.focus:
                self.variable(expression, bound, inside or index > 0, _segments(node.steps, index))
            elif isinstance(expression, n.Sort):
                for term in expression.terms:
                    self.visit(term.expression, bound, True)
            else:
                self.visit(expression, bound, inside or index > 0)
            bound = bound | _step_names(step)
            for stage in step.stages:
                self.visit(stage, bound, True)


def _segments(steps: list[n.Step], index: int) -> tuple[Segment, ...]:
    found: list[Segment] = []
    if steps[index].stages:
        return ()
    for step in steps[index + 1 :]:
        if not isinstance(step.expression, n.Field):
            break
        found.append(Segment(step.expression.name, step.expression.start, step.expression.end))
        if step.stages or step.focus:
            break
    return tuple(found)


def _step_names(step: n.Step) -> frozenset[str]:
    names = {name for name in (step.focus, step.index) if name}
    names.update(stage.name for stage in step.stages if isinstance(stage, n.Index))
    return frozenset(names)


def _bindings(node: n.Node) -> frozenset[str]:
    if isinstance(node, n.Path):
        return frozenset().union(*map(_step_names, node.steps))
    return frozenset()


def _assigned(node: n.Node) -> frozenset[str]:
    """The names that a node binds in the scope that it stands in."""
    found: set[str] = set()
    todo = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, n.Block | n.Lambda):
            continue
        if isinstance(node, n.Bind):
            found.add(node.target.name)
            todo.append(node.value)
        else:
            todo += node.children()
    return frozenset(found)
