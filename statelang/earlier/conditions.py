"""Conditions in Python's syntax as JSONata: what the earlier Stratum had in `ensure`, `skip_if` and `exit_criterion`.

    translate("len(result.items) > 0 and result.score >= 0.7", names)
    # $count($result.items) > 0 and $result.score >= 0.7

`names` says what a Python name stands for: its JSONata, and its contract where that is known, by which `len`, `in` and
truth are told apart for text and arrays. Nothing is evaluated; what has no counterpart raises `Untranslatable`.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .. import jsonata
from ..spec.contracts import Contract

MAX_CHARACTERS = 4000
_SIMPLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = ("and", "or", "in")
_ON_DISK = {
    name: f"`{name}` looks at the disk of the agent's machine, which no expression can: have the agent return what proves it"
    for name in ("file_exists", "file_contains")
}
_GONE = {
    **_ON_DISK,
    "no_file_conflicts": "`no_file_conflicts` has no counterpart: check the result in a task of your own",
}

# How tightly an operator binds, as JSONata's parser has it.
_CHOICE, _OR, _AND, _COMPARED, _JOINED, _ADDED, _MULTIPLIED, _ATOM = 20, 25, 30, 40, 50, 50, 60, 90


class Untranslatable(ValueError):
    """A condition, or a part of it, that has no counterpart: for people."""


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of JSONata, how tightly its outermost operator binds, and its contract where that is known."""

    text: str
    binds: int = _ATOM
    contract: Contract | None = None

    def within(self, binds: int) -> str:
        return self.text if self.binds > binds else f"({self.text})"

    @property
    def kind(self) -> str | None:
        if self.contract is None or self.contract.optional or self.contract.kind in ("any", "union"):
            return None
        return "string" if self.contract.kind == "date-time" else self.contract.kind


_BOOLEAN, _NUMBER, _STRING, _ARRAY = (Contract(kind) for kind in ("boolean", "number", "string", "array"))
Names = Mapping[str, Term]


def translate(condition: str, names: Names, *, negated: bool = False) -> str:
    """The condition as JSONata that is true or not; `negated` for one that holds where the condition does not.

    Raises `Untranslatable`.
    """
    term = _Translator(names).truth(_parsed(condition))
    if negated:
        term = _not(term)
    return _checked(term.text)


def conjuncts(condition: str) -> list[str]:
    """The parts of a condition that are joined by `and`: each can be a condition of its own."""
    try:
        tree = _parsed(condition)
    except Untranslatable:
        return [condition]
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        return [ast.unparse(value) for value in tree.values]
    return [condition]


def text_of(value: str) -> str:
    """A string as JSONata writes it."""
    if "'" not in value and "\\" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=not value.isprintable())


def field_of(base: str, name: str) -> str:
    plain = _SIMPLE_NAME.fullmatch(name) and name not in _WORDS
    if not plain and "`" in name:
        return f"$lookup({base}, {text_of(name)})"
    return f"{base}.{name}" if plain else f"{base}.`{name}`"


def _parsed(condition: str) -> ast.expr:
    if len(condition) > MAX_CHARACTERS:
        raise Untranslatable(f"it has more than {MAX_CHARACTERS} characters")
    if "__" in condition:
        raise Untranslatable("it has `__` in it, which was never allowed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the condition's own style, such as `x is 1`
            return ast.parse(condition.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise Untranslatable(f"it is not a Python expression: {reason}") from None
    except (RecursionError, MemoryError):
        raise Untranslatable("it is nested too deeply") from None


def _checked(text: str) -> str:
    try:
        jsonata.compile(text)
    except jsonata.JsonataError as error:
        raise Untranslatable(f"what would come of it is no JSONata: {error.message}") from None
    return text


def _not(term: Term) -> Term:
    """JSONata's own `$not` leaves what is not there as it is, which is neither true nor false."""
    negation = re.fullmatch(r"\$not\((.*)\)", term.text)
    if negation and _balanced(negation[1]):
        return Term(negation[1], _CHOICE, _BOOLEAN)
    if term.contract is _BOOLEAN:
        return Term(f"$not({term.text})", contract=_BOOLEAN)
    return Term(f"{term.within(_CHOICE)} ? false : true", _CHOICE, _BOOLEAN)


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


class _Translator:
    def __init__(self, names: Names):
        self.names = names

    # -- truth -------------------------------------------------------------------------------------------

    def truth(self, node: ast.expr) -> Term:
        """The node where only its truth counts."""
        if isinstance(node, ast.BoolOp):
            word, binds = ("and", _AND) if isinstance(node.op, ast.And) else ("or", _OR)
            parts = [self.truth(value) for value in node.values]
            return Term(f" {word} ".join(part.within(binds - 1) for part in parts), binds, _BOOLEAN)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _not(self.truth(node.operand))
        term = self.value(node)
        if term.kind == "boolean":
            return term
        if term.kind == "array":
            return Term(f"$count({term.text}) > 0", _COMPARED, _BOOLEAN)
        if term.kind == "string":
            return Term(f"{term.within(_COMPARED)} != ''", _COMPARED, _BOOLEAN)
        return Term(f"$boolean({term.text})", contract=_BOOLEAN)

    # -- values ------------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Term:
        try:
            make: Callable[[ast.expr], Term] = getattr(self, f"_{type(node).__name__.lower()}")
        except AttributeError:
            raise Untranslatable(f"`{_source(node)}` has no counterpart in JSONata") from None
        try:
            return make(node)
        except RecursionError:
            raise Untranslatable("it is nested too deeply") from None

    def _constant(self, node: ast.Constant) -> Term:
        value = node.value
        if value is None:
            return Term("null", contract=Contract("null"))
        if isinstance(value, bool):
            return Term("true" if value else "false", contract=_BOOLEAN)
        if isinstance(value, int | float) and abs(value) < 1e15:
            return Term(json.dumps(value), contract=_NUMBER)
        if isinstance(value, str):
            return Term(text_of(value), contract=_STRING)
        raise Untranslatable(f"`{_source(node)}` is no value that JSON has")

    def _name(self, node: ast.Name) -> Term:
        if node.id in self.names:
            return self.names[node.id]
        raise Untranslatable(f"there is nothing that `{node.id}` stands for")

    def _attribute(self, node: ast.Attribute) -> Term:
        return self._field(self.value(node.value), node.attr)

    def _field(self, base: Term, name: str) -> Term:
        contract = base.contract
        inner = contract.fields.get(name) if contract is not None and contract.fields is not None else None
        return Term(field_of(base.within(_ATOM - 1), name), contract=inner)

    def _subscript(self, node: ast.Subscript) -> Term:
        base = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._slice(base, node.slice, node)
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return self._field(base, node.slice.value)
        at = self.value(node.slice)
        if at.kind == "string":
            return Term(f"$lookup({base.text}, {at.text})")
        if base.kind == "string":
            raise Untranslatable(f"`{_source(node)}`: a character of a text by its place")
        inner = base.contract.items if base.contract is not None else None
        whole = base.text if "[" not in base.text and base.binds == _ATOM else f"({base.text})"
        return Term(f"{whole}[{at.text}]", contract=inner)

    def _slice(self, base: Term, part: ast.Slice, node: ast.expr) -> Term:
        start = 0 if part.lower is None else _whole_number(part.lower)
        end = None if part.upper is None else _whole_number(part.upper)
        if base.kind != "string" or part.step is not None or start is None or start < 0:
            raise Untranslatable(f"`{_source(node)}`: only the beginning of a text can be cut out")
        if part.upper is not None and (end is None or end < 0):
            raise Untranslatable(f"`{_source(node)}`: only the beginning of a text can be cut out")
        length = "" if end is None else f", {max(0, end - start)}"
        return Term(f"$substring({base.text}, {start}{length})", contract=_STRING)

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Term:
        return Term(f"[{', '.join(self.value(each).text for each in node.elts)}]", contract=_ARRAY)

    _tuple = _set = _list

    def _dict(self, node: ast.Dict) -> Term:
        pairs = []
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                raise Untranslatable(f"`{_source(node)}`: an object's keys are texts")
            pairs.append(f"{json.dumps(key.value)}: {self.value(value).text}")
        return Term("{" + ", ".join(pairs) + "}", contract=Contract("object"))

    def _ifexp(self, node: ast.IfExp) -> Term:
        test, then, other = self.truth(node.test), self.value(node.body), self.value(node.orelse)
        contract = then.contract if then.contract == other.contract else None
        text = f"{test.within(_CHOICE)} ? {then.within(_CHOICE)} : {other.within(_CHOICE)}"
        return Term(text, _CHOICE, contract)

    def _boolop(self, node: ast.BoolOp) -> Term:
        """`a or b` as a value is one of the two."""
        term = self.value(node.values[0])
        for each in node.values[1:]:
            other, test = self.value(each), self.truth(node.values[0]) if term.contract else None
            condition = test.within(_CHOICE) if test is not None else f"$boolean({term.text})"
            first, second = (term, other) if isinstance(node.op, ast.Or) else (other, term)
            contract = term.contract if term.contract == other.contract else None
            term = Term(
                f"{condition} ? {first.within(_CHOICE)} : {second.within(_CHOICE)}", _CHOICE, contract
            )
        return term

    def _unaryop(self, node: ast.UnaryOp) -> Term:
        if isinstance(node.op, ast.Not):
            return self.truth(node)
        term = self.value(node.operand)
        if isinstance(node.op, ast.USub):
            text = f"-{term.text}" if isinstance(node.operand, ast.Constant) else f"0 - {term.within(_ADDED)}"
            return Term(text, _ATOM if isinstance(node.operand, ast.Constant) else _ADDED, _NUMBER)
        if isinstance(node.op, ast.UAdd):
            return term
        raise Untranslatable(f"`{_source(node)}`: JSONata has no operators on bits")

    def _binop(self, node: ast.BinOp) -> Term:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add):
            return self._sum(left, right, node)
        plain = {ast.Sub: ("-", _ADDED), ast.Mult: ("*", _MULTIPLIED), ast.Div: ("/", _MULTIPLIED)}
        if type(node.op) in plain and "string" not in (left.kind, right.kind):
            sign, binds = plain[type(node.op)]
            return Term(f"{left.within(binds - 1)} {sign} {right.within(binds)}", binds, _NUMBER)
        if isinstance(node.op, ast.FloorDiv):
            return Term(
                f"$floor({left.within(_MULTIPLIED - 1)} / {right.within(_MULTIPLIED)})", contract=_NUMBER
            )
        if isinstance(node.op, ast.Mod) and left.kind != "string":
            a, b = left.within(_MULTIPLIED - 1), right.within(_MULTIPLIED)
            return Term(f"{a} - {b} * $floor({a} / {b})", _ADDED, _NUMBER)
        if isinstance(node.op, ast.Pow):
            return Term(f"$power({left.text}, {right.text})", contract=_NUMBER)
        raise Untranslatable(f"`{_source(node)}` has no counterpart in JSONata")

    def _sum(self, left: Term, right: Term, node: ast.expr) -> Term:
        kinds = {left.kind, right.kind}
        if "string" in kinds:
            return Term(f"{left.within(_JOINED - 1)} & {right.within(_JOINED)}", _JOINED, _STRING)
        if "array" in kinds:
            return Term(f"$append({left.text}, {right.text})", contract=_ARRAY)
        if kinds & {"number", "integer"}:
            return Term(f"{left.within(_ADDED - 1)} + {right.within(_ADDED)}", _ADDED, _NUMBER)
        raise Untranslatable(f"`{_source(node)}`: whether these are texts, numbers or lists is not known")

    # -- comparisons -------------------------------------------------------------------------------------

    def _compare(self, node: ast.Compare) -> Term:
        operands = [node.left, *node.comparators]
        parts = [
            self._compared(operands[index], operator, operands[index + 1])
            for index, operator in enumerate(node.ops)
        ]
        if len(parts) == 1:
            return parts[0]
        return Term(" and ".join(part.within(_AND) for part in parts), _AND, _BOOLEAN)

    def _compared(self, one: ast.expr, operator: ast.cmpop, other: ast.expr) -> Term:
        left, right = self.value(one), self.value(other)
        if isinstance(operator, ast.In | ast.NotIn):
            found = self._in(left, right)
            return _not(found) if isinstance(operator, ast.NotIn) else found
        signs = {
            ast.Eq: "=", ast.NotEq: "!=", ast.Is: "=", ast.IsNot: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
            ast.GtE: ">=",
        }  # fmt: skip
        sign = signs[type(operator)]
        return Term(f"{left.within(_COMPARED)} {sign} {right.within(_COMPARED)}", _COMPARED, _BOOLEAN)

    def _in(self, left: Term, right: Term) -> Term:
        among = Term(f"{left.within(_COMPARED)} in {right.within(_COMPARED)}", _COMPARED, _BOOLEAN)
        if right.kind == "array":
            return among
        contains = f"$contains({right.text}, {left.text})"
        if right.kind == "string":
            return Term(contains, contract=_BOOLEAN)
        if right.kind == "object":
            return Term(f"$exists($lookup({right.text}, {left.text}))", contract=_BOOLEAN)
        if left.kind not in (None, "string"):
            return among
        return Term(f"$type({right.text}) = 'string' ? {contains} : {among.text}", _CHOICE, _BOOLEAN)

    # -- calls -------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Term:
        if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
            raise Untranslatable(f"`{_source(node)}`: arguments by name")
        if isinstance(node.func, ast.Attribute):
            return self._method(self.value(node.func.value), node.func.attr, node)
        if not isinstance(node.func, ast.Name):
            raise Untranslatable(f"`{_source(node)}` has no counterpart in JSONata")
        name, arguments = node.func.id, node.args
        if name in _GONE:
            raise Untranslatable(_GONE[name])
        if name in ("all", "any") and len(arguments) == 1:
            return self._quantified(name, arguments[0])
        if name == "isinstance" and len(arguments) == 2:
            return self._isinstance(node)
        if name in ("max", "min", "sum"):
            values = [self.value(each) for each in arguments]
            inside = values[0].text if len(values) == 1 else f"[{', '.join(each.text for each in values)}]"
            return Term(f"${name}({inside})", contract=_NUMBER)
        if len(arguments) == 1:
            if name == "bool":
                return self.truth(arguments[0])
            made = self._of_one(name, self.value(arguments[0]))
            if made is not None:
                return made
        raise Untranslatable(f"there is no function `{name}` for `{_source(node)}`")

    def _of_one(self, name: str, value: Term) -> Term | None:
        if name == "len":
            return _length(value)
        if name == "int":
            return Term(f"$number({value.text}) - $number({value.text}) % 1", _ADDED, _NUMBER)
        if name in ("list", "tuple"):
            return value
        simple = {"float": ("number", _NUMBER), "str": ("string", _STRING), "abs": ("abs", _NUMBER), "round": ("round", _NUMBER),
                  "sorted": ("sort", _ARRAY), "set": ("distinct", _ARRAY)}  # fmt: skip
        if name in simple:
            function, contract = simple[name]
            return Term(f"${function}({value.text})", contract=contract)
        return None

    def _method(self, base: Term, name: str, node: ast.Call) -> Term:
        arguments = [self.value(each) for each in node.args]
        texts = [each.text for each in arguments]
        if name in ("lower", "upper") and not arguments:
            return Term(f"${name}case({base.text})", contract=_STRING)
        if name == "strip" and not arguments:
            return Term(f"$replace({base.text}, /^\\s+|\\s+$/, '')", contract=_STRING)
        if name == "startswith" and len(arguments) == 1 and arguments[0].kind == "string":
            length = _length_of(node.args[0], arguments[0])
            return Term(f"$substring({base.text}, 0, {length}) = {texts[0]}", _COMPARED, _BOOLEAN)
        if name == "endswith" and len(arguments) == 1 and arguments[0].kind == "string":
            length = _length_of(node.args[0], arguments[0])
            return Term(f"$substring({base.text}, 0 - {length}) = {texts[0]}", _COMPARED, _BOOLEAN)
        if name == "get" and len(arguments) == 1 and arguments[0].kind == "string":
            found = self._entry(base, node.args[0], texts[0])
            return Term(f"$exists({found}) ? {found} : null", _CHOICE)
        if name == "get" and len(arguments) == 2 and arguments[0].kind == "string":
            found = self._entry(base, node.args[0], texts[0])
            return Term(f"$exists({found}) ? {found} : {arguments[1].within(_CHOICE)}", _CHOICE)
        if name == "keys" and not arguments:
            return Term(f"$keys({base.text})", contract=_ARRAY)
        if name == "split" and len(arguments) == 1:
            return Term(f"$split({base.text}, {texts[0]})", contract=_ARRAY)
        if name == "replace" and len(arguments) == 2:
            return Term(f"$replace({base.text}, {', '.join(texts)})", contract=_STRING)
        if name == "join" and len(arguments) == 1:
            return Term(f"$join({texts[0]}, {base.text})", contract=_STRING)
        raise Untranslatable(f"`{_source(node)}`: the method `{name}` has no counterpart in JSONata")

    def _entry(self, base: Term, key: ast.expr, text: str) -> str:
        if isinstance(key, ast.Constant):
            return field_of(base.within(_ATOM - 1), str(key.value))
        return f"$lookup({base.text}, {text})"

    def _isinstance(self, node: ast.Call) -> Term:
        kinds = {
            "str": "string",
            "list": "array",
            "dict": "object",
            "bool": "boolean",
            "int": "number",
            "float": "number",
        }
        wanted = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
        names = [each.id if isinstance(each, ast.Name) else "" for each in wanted]
        if not all(name in kinds for name in names):
            raise Untranslatable(f"`{_source(node)}` has no counterpart in JSONata")
        value = self.value(node.args[0])
        found = list(dict.fromkeys(kinds[name] for name in names))
        if len(found) == 1:
            return Term(f"$type({value.text}) = '{found[0]}'", _COMPARED, _BOOLEAN)
        return Term(f"$type({value.text}) in [{', '.join(map(text_of, found))}]", _COMPARED, _BOOLEAN)

    # -- comprehensions ----------------------------------------------------------------------------------

    def _quantified(self, name: str, argument: ast.expr) -> Term:
        if not isinstance(argument, ast.GeneratorExp | ast.ListComp):
            items, condition = self.value(argument), Term("$each", contract=None)
            test = Term(f"$boolean({condition.text})", contract=_BOOLEAN)
            return self._counted(name, items.text, "each", test)
        items, variable, inner = self._source_of(argument)
        return self._counted(name, items, variable, inner.truth(argument.elt))

    def _counted(self, name: str, items: str, variable: str, test: Term) -> Term:
        told = _not(test) if name == "all" else test
        sign = "= 0" if name == "all" else "> 0"
        text = f"$count($filter({items}, function(${variable}) {{ {told.text} }})) {sign}"
        return Term(text, _COMPARED, _BOOLEAN)

    def _listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> Term:
        items, variable, inner = self._source_of(node)
        made = inner.value(node.elt)
        if made.text == f"${variable}":
            return Term(f"[{items}]", contract=_ARRAY)
        return Term(f"[$map({items}, function(${variable}) {{ {made.text} }})]", contract=_ARRAY)

    _generatorexp = _listcomp

    def _source_of(self, node: ast.ListComp | ast.GeneratorExp) -> tuple[str, str, _Translator]:
        """What a comprehension goes through, filtered; the variable; and the translator of what is said of it."""
        if len(node.generators) != 1 or node.generators[0].is_async:
            raise Untranslatable(f"`{_source(node)}`: one `for` in another")
        generator = node.generators[0]
        if not isinstance(generator.target, ast.Name):
            raise Untranslatable(f"`{_source(node)}`: an item is one name")
        items = self.value(generator.iter)
        # A name of its own: `count` would hide the function that counts.
        variable = f"{generator.target.id}_"
        contract = items.contract.items if items.contract is not None else None
        inner = _Translator({**self.names, generator.target.id: Term(f"${variable}", contract=contract)})
        text = items.text
        for condition in generator.ifs:
            text = f"$filter({text}, function(${variable}) {{ {inner.truth(condition).text} }})"
        return text, variable, inner

    def _joinedstr(self, node: ast.JoinedStr) -> Term:
        parts: list[str] = []
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                if each.format_spec is not None or each.conversion != -1:
                    raise Untranslatable(f"`{_source(node)}`: formats of numbers")
                parts.append(self.value(each.value).within(_JOINED))
            else:
                parts.append(self.value(each).text)
        return Term(" & ".join(["''", *parts] if len(parts) < 2 else parts), _JOINED, _STRING)


def _length(value: Term) -> Term:
    if value.kind == "string":
        return Term(f"$length({value.text})", contract=_NUMBER)
    if value.kind == "array":
        return Term(f"$count({value.text})", contract=_NUMBER)
    if value.kind == "object":
        return Term(f"$count($keys({value.text}))", contract=_NUMBER)
    text = f"$type({value.text}) = 'string' ? $length({value.text}) : $count({value.text})"
    return Term(text, _CHOICE, _NUMBER)


def _length_of(node: ast.expr, term: Term) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return str(len(node.value))
    return f"$length({term.text})"


def _whole_number(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _whole_number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def _source(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "…"
