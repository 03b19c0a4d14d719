"""Tokens to a syntax tree, by operator precedence."""

from __future__ import annotations

from . import nodes as n
from .ancestry import resolve_parents
from .errors import JsonataError
from .lexer import Lexer
from .signatures import parse_signature

# Deeper nesting than this is refused: nothing that a person writes comes near, and each level costs stack.
MAX_NESTING = 250
# So long may a chain such as `a + b + …` or `f(x)(y)…` be.
MAX_CHAIN = 2_000

_POWER = {
    ":=": 10, "?": 20, "or": 25, "and": 30,
    "=": 40, "!=": 40, "<": 40, "<=": 40, ">": 40, ">=": 40, "in": 40, "~>": 40, "^": 40,
    "+": 50, "-": 50, "&": 50, "*": 60, "/": 60, "%": 60,
    "{": 70, ".": 75, "[": 80, "(": 80, "@": 80, "#": 80,
}  # fmt: skip
_BINARY = frozenset(("+", "-", "*", "/", "%", "&", "=", "!=", "<", "<=", ">", ">=", "in", "and", "or"))
_OPERAND_ENDS = frozenset((")", "]", "}", "name", "variable", "string", "number", "constant", "regex"))


def parse(source: str) -> n.Node:
    """The syntax tree of an expression; raises `JsonataError` with an ``S`` code and a position."""
    parser = _Parser(source)
    lexer = parser.lexer
    lexer.next(operand=True)
    if lexer.kind == "end":
        raise JsonataError("S0207", "the expression is empty", 0)
    tree = parser.expression(0)
    if lexer.kind != "end":
        raise JsonataError(
            "S0201",
            f"{lexer.text!r} cannot stand here: the expression ends before it",
            lexer.start,
            token=lexer.text,
        )
    if parser.refused is not None:
        raise parser.refused
    if parser.has_parent:
        resolve_parents(tree)
    return tree


class _Parser:
    __slots__ = ("depth", "has_parent", "lexer", "refused", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.lexer = Lexer(source)
        self.depth = 0
        self.has_parent = False
        self.refused: JsonataError | None = None

    def advance(self, expected: str, *, operand: bool) -> None:
        lexer = self.lexer
        if lexer.kind != expected:
            if lexer.kind == "end":
                raise JsonataError(
                    "S0203",
                    f"{expected!r} is missing at the end of the expression",
                    lexer.start,
                    value=expected,
                )
            raise JsonataError(
                "S0202",
                f"{expected!r} is expected here, not {lexer.text!r}",
                lexer.start,
                token=lexer.text,
                value=expected,
            )
        lexer.next(operand=operand)

    def expression(self, power: int) -> n.Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise JsonataError(
                "U1001", f"the expression is nested deeper than {MAX_NESTING} levels", self.lexer.start
            )
        left = self.operand()
        lexer, powers, chain = self.lexer, _POWER, 0
        while True:
            kind = lexer.kind
            if kind == "!" or kind == "~":
                raise JsonataError("S0204", f"{kind!r} is not an operator", lexer.start, token=kind)
            if power >= powers.get(kind, 0):
                break
            chain += 1
            if chain > MAX_CHAIN:
                raise JsonataError(
                    "U1001", f"the expression chains more than {MAX_CHAIN} operators", lexer.start
                )
            left = self.infix(kind, left)
        self.depth -= 1
        return left

    # What an operand may begin with.

    def operand(self) -> n.Node:
        lexer = self.lexer
        kind, start, end, value = lexer.kind, lexer.start, lexer.end, lexer.value
        if kind in _OPERAND_ENDS and kind not in ")]}":
            lexer.next(operand=False)
            if kind == "name":
                return n.Path(start, end, [n.Step(start, end, n.Field(start, end, str(value)))])
            if kind == "variable":
                return n.Variable(start, end, str(value))
            if kind == "string":
                return n.String(start, end, str(value))
            if kind == "number":
                return n.Number(start, end, value)  # type: ignore[arg-type]
            if kind == "constant":
                return n.Constant(start, end, value)  # type: ignore[arg-type]
            pattern, flags = value  # type: ignore[misc]
            return n.Regex(start, end, pattern, flags)
        if kind == "(":
            return self.block(start)
        if kind == "[":
            return self.array(start)
        if kind == "{":
            lexer.next(operand=True)
            pairs = self.pairs()
            return n.Object(start, lexer.last_end, pairs)
        if kind == "-":
            lexer.next(operand=True)
            operand = self.expression(70)
            if type(operand) is n.Number:
                return n.Number(start, operand.end, -operand.value)
            return n.Negate(start, operand.end, operand)
        if kind in ("and", "or", "in"):
            lexer.next(operand=False)
            return n.Path(start, end, [n.Step(start, end, n.Field(start, end, kind))])
        if kind in ("*", "**", "%"):
            lexer.next(operand=False)
            if kind == "%":
                self.has_parent = True
                return n.Parent(start, end)
            return n.Wildcard(start, end) if kind == "*" else n.Descendants(start, end)
        if kind == "|":
            return self.transform(start)
        if kind == "end":
            raise JsonataError("S0207", "the expression ends where a value is expected", start)
        if kind in ("!", "~"):
            raise JsonataError("S0204", f"{kind!r} is not an operator", start, token=kind)
        raise JsonataError("S0211", f"{kind!r} cannot begin a value", start, token=kind)

    def block(self, start: int) -> n.Node:
        lexer, expressions = self.lexer, []
        lexer.next(operand=True)
        while lexer.kind != ")":
            expressions.append(self.expression(0))
            if lexer.kind != ";":
                break
            lexer.next(operand=True)
        self.advance(")", operand=False)
        cons = any(_is_cons(each) for each in expressions)
        return n.Block(start, lexer.last_end, expressions, cons)

    def array(self, start: int) -> n.Node:
        lexer, items = self.lexer, []
        lexer.next(operand=True)
        if lexer.kind != "]":
            while True:
                item = self.expression(0)
                if lexer.kind == "..":
                    lexer.next(operand=True)
                    last = self.expression(0)
                    item = n.Range(item.start, last.end, item, last)
                items.append(item)
                if lexer.kind != ",":
                    break
                lexer.next(operand=True)
        self.advance("]", operand=False)
        return n.Array(start, lexer.last_end, items)

    def pairs(self) -> list[tuple[n.Node, n.Node]]:
        """The rest of ``{key: value, …}`` after its brace."""
        lexer, pairs = self.lexer, []
        if lexer.kind != "}":
            while True:
                key = self.expression(0)
                self.advance(":", operand=True)
                pairs.append((key, self.expression(0)))
                if lexer.kind != ",":
                    break
                lexer.next(operand=True)
        self.advance("}", operand=False)
        return pairs

    def transform(self, start: int) -> n.Node:
        lexer = self.lexer
        lexer.next(operand=True)
        pattern = self.expression(0)
        self.advance("|", operand=True)
        update = self.expression(0)
        delete = None
        if lexer.kind == ",":
            lexer.next(operand=True)
            delete = self.expression(0)
        self.advance("|", operand=False)
        return n.Transform(start, lexer.last_end, pattern, update, delete)

    # What may follow an operand.

    def infix(self, kind: str, left: n.Node) -> n.Node:
        lexer = self.lexer
        at = lexer.start
        if kind == ".":
            lexer.next(operand=True)
            return self.path(left, self.expression(75), at)
        if kind in _BINARY:
            lexer.next(operand=True)
            right = self.expression(_POWER[kind])
            return n.Binary(left.start, right.end, kind, left, right, at)
        if kind == "(":
            return self.call(left)
        if kind == "[":
            lexer.next(operand=True)
            if lexer.kind == "]":
                lexer.next(operand=False)
                return self.keep(left)
            predicate = self.expression(0)
            self.advance("]", operand=False)
            return self.filter(left, predicate, at)
        if kind == "{":
            lexer.next(operand=True)
            pairs = self.pairs()
            if type(left) is n.Group:
                raise JsonataError("S0210", "a step can have only one grouping { }", at, token="{")
            return n.Group(left.start, lexer.last_end, left, pairs)
        if kind == "~>":
            lexer.next(operand=True)
            right = self.expression(40)
            return n.Apply(left.start, right.end, left, right, at)
        if kind == "?":
            lexer.next(operand=True)
            then = self.expression(0)
            otherwise = None
            if lexer.kind == ":":
                lexer.next(operand=True)
                otherwise = self.expression(0)
            return n.Condition(left.start, (otherwise or then).end, left, then, otherwise)
        if kind == ":=":
            if type(left) is not n.Variable:
                raise JsonataError(
                    "S0212", "the left side of := must be a variable", left.start, token=self.text(left)
                )
            lexer.next(operand=True)
            value = self.expression(9)
            return n.Bind(left.start, value.end, left, value)
        if kind == "^":
            return self.sort(left)
        return self.binding(kind, left, at)

    def text(self, node: n.Node) -> str:
        return self.source[node.start : node.end][:60]

    def path(self, left: n.Node, right: n.Node, at: int) -> n.Node:
        """``left.right`` as one flat path."""
        group = left if type(left) is n.Group else None
        base = group.base if group else left
        if type(base) is n.Path:
            path = base
        else:
            path = n.Path(base.start, base.end, [n.Step(base.start, base.end, self.step_of(base))])
            path.keep = type(base) is n.Filtered and base.keep
            if group:
                group.base = path
        tail = right.base if type(right) is n.Group and group is None else right
        if type(tail) is n.Path:
            path.steps.extend(tail.steps)
            path.keep = path.keep or tail.keep
        elif type(tail) is n.Filtered:
            path.steps.append(n.Step(tail.start, tail.end, self.step_of(tail.base), tail.filters))
            path.keep = path.keep or tail.keep
        else:
            path.steps.append(n.Step(tail.start, tail.end, self.step_of(tail)))
        path.end = tail.end
        first, last = path.steps[0].expression, path.steps[-1].expression
        for each in (first, last):
            if type(each) is n.Array:
                each.cons = True
        if group:
            group.end = right.end
            return group
        if type(right) is n.Group:
            return n.Group(left.start, right.end, path, right.pairs)
        return path

    def step_of(self, node: n.Node) -> n.Node:
        """A node as a step: a string is a field name, other literals are no step."""
        kind = type(node)
        if kind is n.String:
            return n.Field(node.start, node.end, node.value)  # type: ignore[attr-defined]
        if kind is n.Number or kind is n.Constant:
            text = self.text(node)
            # Kept until the end: what does not parse at all is the better reason.
            self.refused = self.refused or JsonataError(
                "S0213", f"{text} cannot be a step of a path", node.start, value=text
            )
        return node

    def keep(self, left: n.Node) -> n.Node:
        """``left[]``"""
        target = left.base if type(left) is n.Group else left
        end = self.lexer.last_end
        if type(target) is n.Path or type(target) is n.Filtered:
            target.keep = True
            left.end = end
            return left
        if target is not left:
            return left
        return n.Filtered(left.start, end, left, [], True)

    def filter(self, left: n.Node, predicate: n.Node, at: int) -> n.Node:
        end = self.lexer.last_end
        stage = n.Filter(at, end, predicate)
        base = left.base if type(left) is n.Group else left
        if type(base) is n.Path:
            step = base.steps[-1]
            step.stages.append(stage)
            step.end = base.end = end
        elif left is not base:
            raise JsonataError("S0209", "a filter cannot follow a grouping { }", at, token="[")
        elif type(base) is n.Filtered:
            base.filters.append(stage)
        else:
            return n.Filtered(left.start, end, left, [stage])
        left.end = end
        return left

    def call(self, left: n.Node) -> n.Node:
        lexer, arguments = self.lexer, []
        lexer.next(operand=True)
        if lexer.kind != ")":
            while True:
                if lexer.kind == "?":
                    arguments.append(n.Placeholder(lexer.start, lexer.end))
                    lexer.next(operand=False)
                else:
                    arguments.append(self.expression(0))
                if lexer.kind != ",":
                    break
                lexer.next(operand=True)
        lambda_here = (
            type(left) is n.Path and len(left.steps) == 1 and not left.steps[0].stages and not left.keep
            and type(left.steps[0].expression) is n.Field and left.steps[0].expression.name in ("function", "λ")
        )  # fmt: skip
        self.advance(")", operand=lambda_here)
        if lambda_here:
            return self.function(left, arguments)
        return n.Call(left.start, lexer.last_end, left, arguments)

    def function(self, left: n.Node, parameters: list[n.Node]) -> n.Node:
        lexer = self.lexer
        for each in parameters:
            if type(each) is not n.Variable:
                text = self.text(each)
                raise JsonataError(
                    "S0208", f"a parameter must be a variable, not {text!r}", each.start, value=text
                )
        signature, signature_at = None, lexer.start
        if lexer.kind == "<":
            signature = self.signature()
            parse_signature(signature)  # refused here, where its place is known
        self.advance("{", operand=True)
        body = self.expression(0)
        self.advance("}", operand=False)
        return n.Lambda(left.start, lexer.last_end, parameters, body, signature, signature_at)  # type: ignore[arg-type]

    def signature(self) -> str:
        lexer, source = self.lexer, self.source
        depth, position = 0, lexer.start
        while position < len(source) and source[position] != "{":
            depth += {"<": 1, ">": -1}.get(source[position], 0)
            position += 1
            if depth == 0:
                break
        text = source[lexer.start : position]
        lexer.position = lexer.end = position
        lexer.next(operand=False)
        return "".join(text.split())

    def sort(self, left: n.Node) -> n.Node:
        lexer, at = self.lexer, self.lexer.start
        lexer.next(operand=True)
        self.advance("(", operand=True)
        terms = []
        while True:
            start, descending = lexer.start, lexer.kind == ">"
            if lexer.kind in ("<", ">"):
                lexer.next(operand=True)
            expression = self.expression(0)
            terms.append(n.SortTerm(start, expression.end, expression, descending))
            if lexer.kind != ",":
                break
            lexer.next(operand=True)
        self.advance(")", operand=False)
        path = self.as_path(left)
        path.steps.append(n.Step(at, lexer.last_end, n.Sort(at, lexer.last_end, terms)))
        path.end = left.end = lexer.last_end
        return left if type(left) is n.Group else path

    def as_path(self, left: n.Node) -> n.Path:
        base = left.base if type(left) is n.Group else left
        if type(base) is n.Path:
            return base
        if type(base) is n.Filtered:
            path = n.Path(
                base.start,
                base.end,
                [n.Step(base.start, base.end, self.step_of(base.base), base.filters)],
                base.keep,
            )
        else:
            path = n.Path(base.start, base.end, [n.Step(base.start, base.end, base)])
        if type(left) is n.Group:
            left.base = path
        return path

    def binding(self, kind: str, left: n.Node, at: int) -> n.Node:
        """``left@$name`` or ``left#$name``"""
        lexer = self.lexer
        lexer.next(operand=True)
        if lexer.kind != "variable":
            what = "end of the expression" if lexer.kind == "end" else repr(lexer.value)
            raise JsonataError(
                "S0214", f"{kind} must be followed by a variable, not by {what}", lexer.start, token=kind
            )
        name = str(lexer.value)
        lexer.next(operand=False)
        path = self.as_path(left)
        step = path.steps[-1]
        if kind == "@":
            if step.stages:
                raise JsonataError("S0215", "@ must come before the filters of its step", at, token="@")
            if type(step.expression) is n.Sort:
                raise JsonataError("S0216", "@ must come before the ^( ) of its step", at, token="@")
            step.focus = name
        elif step.stages:
            step.stages.append(n.Index(at, lexer.last_end, name))
        else:
            step.index = name
        step.end = path.end = left.end = lexer.last_end
        return left if type(left) is n.Group else path


def _is_cons(node: n.Node) -> bool:
    if type(node) is n.Path:
        node = node.steps[0].expression
    return (type(node) is n.Array or type(node) is n.Block) and node.cons
