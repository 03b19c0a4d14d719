"""The expressions of a spec, checked against what is in scope where they stand."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .. import jsonata
from ..jsonata import nodes as n
from .contracts import ANY, Contract
from .diagnostics import Diagnostic, did_you_mean

Path = tuple[str | int, ...]


class Known(Protocol):
    """The contracts of variables, by name."""

    def get(self, name: str, /) -> Contract | None: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can see. `known` are the contracts by variable; `must` and `may` the steps that have run."""

    known: Mapping[str, Contract]
    steps: frozenset[str]
    must: frozenset[str]
    may: frozenset[str]
    elsewhere: Mapping[str, str]
    """Variables that exist, but not here, and why."""
    there: frozenset[str] = frozenset()
    """Steps that a condition around the expression has found to have run."""


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 4 and value.startswith("{%") and value.endswith("%}")


def inside(value: str) -> tuple[str, int]:
    """The expression within `{% … %}`, and at which character of the string it begins."""
    text = value[2:-2]
    return text.strip(), 2 + len(text) - len(text.lstrip())


def halves(value: Any, path: Path) -> Iterator[Diagnostic]:
    """Texts in data that have an expression in them, and are none: only a whole text is one."""
    if isinstance(value, str):
        if not is_expression(value) and "{%" in value and "%}" in value:
            made = _whole(value)
            hint = (
                f"write {made}"
                if made is not None
                else "a whole text is an expression: {% 'Hello, ' & $input.name %}"
            )
            message = "an expression within a text stays as it is written"
            yield Diagnostic("S508", message, path, None, hint)
        elif not is_expression(value) and (value.startswith("{%") or value.endswith("%}")):
            what = "end with `%}`" if value.startswith("{%") else "begin with `{%`"
            yield Diagnostic("S508", f"an expression has to {what}", path, None, "such as {% $input.name %}")
    elif isinstance(value, dict):
        for key, part in value.items():
            if is_expression(key):
                yield Diagnostic("S508", "a key is no expression: it stays as it is written", (*path, key))
            elif key.endswith(".$") and isinstance(part, str):
                hint = f'write {key.removesuffix(".$")}: "{{% $input.name %}}"'
                message = f"`{key}` is JSONPath's way in Amazon States Language; a spec has JSONata"
                yield Diagnostic("S508", message, (*path, key), None, hint)
            yield from halves(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from halves(part, (*path, index))


def _whole(text: str) -> str | None:
    """The text with expressions in it as one expression."""
    parts: list[str] = []
    while "{%" in text and "%}" in text:
        before, _, rest = text.partition("{%")
        inner, closed, text = rest.partition("%}")
        if not closed or "'" in before:
            return None
        parts += [f"'{before}'"] if before else []
        parts.append(inner.strip())
    if "'" in text or len(parts) > 4:
        return None
    parts += [f"'{text}'"] if text else []
    return "{% " + " & ".join(parts) + " %}"


def templates(value: Any, path: Path) -> Iterator[tuple[str, Path, int]]:
    """Every expression in data: its text, the path of its string, and where in the string it begins."""
    if is_expression(value):
        text, offset = inside(value)
        yield text, path, offset
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from templates(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from templates(part, (*path, index))


_OTHERS = re.compile(r"\{\{\s*\$?(\w+)(?:[.\[][^{}]*)?\}\}|\$\{\s*\$?(\w+)(?:[.\[][^{}]*)?\}")
_BARE = re.compile(r"\s*\$(\w+)(?:\.\w+|\[-?\d+\])*\s*")


def lookalikes(value: Any, path: Path, names: Container[str]) -> Iterator[Diagnostic]:
    """Texts in data that would be expressions elsewhere, of what there is here: `{{ $a.n }}`, `${a.n}`, `$a.n`."""
    if isinstance(value, str) and not is_expression(value):
        found = _BARE.fullmatch(value) or _OTHERS.search(value)
        if found and next(filter(None, found.groups()), "") in names:
            message = "this text stays as it is written: an expression stands in `{% … %}`"
            inner = found[0].strip(" ${}").strip()
            hint = f'did you mean "{{% ${inner} %}}"?' if found[0].strip() == value.strip() else None
            yield Diagnostic("W905", message, path, None, hint, "warning")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from lookalikes(part, (*path, key), names)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from lookalikes(part, (*path, index), names)


_ELSEWHERE = (("==", "`=` compares, not `==`"), ("&&", "write `and`"), ("||", "write `or`"), ("?.", "`.` alone does"), ("!", "write `$not(…)`"))  # fmt: skip
"""Operators of other languages, and what JSONata has in their place."""


def check_expression(text: str, path: Path, offset: int, scope: Scope) -> list[Diagnostic]:
    """What is wrong with one expression."""

    def finding(code: str, message: str, start: int, end: int, suggestion: str | None = None) -> Diagnostic:
        return Diagnostic(
            code, message, (*path, f"@{start + offset}-{max(end, start + 1) + offset}"), None, suggestion
        )

    try:
        tree = jsonata.compile(text).ast
    except jsonata.JsonataError as error:
        at = min(error.position or 0, max(0, len(text) - 1))
        hint = next(
            (
                told
                for sign, told in _ELSEWHERE
                if (sign in text and sign != "!") or sign == text[at : at + 1]
            ),
            None,
        )
        message = f"the expression does not parse: {error.message}"
        return [finding("S501", message, at, at + len(error.token or " "), hint)]
    found = [_context(use, scope, finding) for use in jsonata.uses_context(tree)]
    narrowed = _narrowings(tree, scope.there)
    for reference in jsonata.free_variables(tree):
        problem = _reference(reference, scope, narrowed, finding)
        if problem is not None:
            found.append(problem)
    return found


def _context(use: jsonata.ContextUse, scope: Scope, finding: Any) -> Diagnostic:
    hint = "expressions begin with a variable: `$input`, or a step by its id, such as `$charge`"
    if not use.text.startswith(("$", "*", "%")):
        source = scope.known.get("input", ANY)
        if use.text in (source.fields or {}):
            hint = f"did you mean `$input.{use.text}`?"
        elif use.text in scope.known:
            hint = f"did you mean `${use.text}`?"
    return finding("S504", f"`{use.text}` has nothing to be looked up in", use.start, use.end, hint)


def _reference(
    reference: jsonata.Reference, scope: Scope, narrowed: dict[int, frozenset[str]], finding: Any
) -> Diagnostic | None:
    name, start, end = reference.name, reference.start, reference.end
    if name == "states":
        message = "`$states` is Amazon States Language's; a spec has names of its own"
        hint = "`$input` is the workflow's input, `$result` a task's answer, `$context` the context object"
        return finding("S503", message, start, end, hint)
    if name in scope.steps and name not in scope.known:
        hint = "decisions, waits, and steps that end a list have none"
        return finding("S502", f"the step `{name}` has no result", start, end, hint)
    if name not in scope.known:
        if name in scope.elsewhere:
            return finding("S507", f"`${name}` is not known here: {scope.elsewhere[name]}", start, end)
        if name == "eval":
            hint = "`$parse` reads JSON"
            return finding("S502", "Step Functions has no `$eval`", start, end, hint)
        if reference.builtin:
            return None
        from ..jsonata.library import LIBRARY

        hint = did_you_mean(name, [*scope.known, *LIBRARY], "${}")
        return finding("S502", f"there is no variable `${name}`", start, end, hint)
    if name in scope.steps and name not in scope.may:
        hint = f"`${name}` is there for steps that `{name}` leads to"
        return finding("S505", f"the step `{name}` cannot have run before this one", start, end, hint)
    if name in scope.steps and reference.path and name not in scope.must | narrowed.get(start, frozenset()):
        field = reference.path[0]
        message = f"`{name}` may not have run, and then it is null and has no `{field.name}`"
        chain = ".".join(part.name for part in reference.path)
        hint = f"guard it: `${name} != null ? ${name}.{chain} : …`"
        return finding("S506", message, start, reference.path[-1].end, hint)
    return _fields(reference, scope.known[name], finding)


def _fields(reference: jsonata.Reference, contract: Contract, finding: Any) -> Diagnostic | None:
    at: Contract | None = contract
    place = f"${reference.name}"
    for segment in reference.path:
        while at is not None and at.kind == "array":
            at = at.items
        if at is not None and at.choices and _lacking(at, segment.name):
            hint = did_you_mean(segment.name, [name for each in at.choices for name in each.fields or ()])
            message = f"`{place}` is {at}: none of these has a field `{segment.name}`"
            return finding("S305", message, segment.start, segment.end, hint)
        if at is None or at.kind in ("any", "union"):
            return None
        if at.kind == "object" and at.fields is None and at.additional is None:
            return None
        if segment.name not in (at.fields or {}) and at.additional is not None:
            at = at.additional
            place += f".{segment.name}"
            continue
        if at.fields is None or segment.name not in at.fields:
            what = at.name or (f"`{place}`" if at.fields is not None else f"`{place}` is {_one(at.kind)}: it")
            message = f"{what} has no field `{segment.name}`"
            hint = did_you_mean(segment.name, at.fields or ()) or (
                f"it has {', '.join(f'`{name}`' for name in at.fields)}" if at.fields else None
            )
            return finding("S305", message, segment.start, segment.end, hint)
        at = at.fields[segment.name]
        place += f".{segment.name}"
    return None


def _lacking(union: Contract, name: str) -> bool:
    """Whether every choice is an object whose fields are known, and none has that one."""
    return all(
        each.fields is not None and each.additional is None and name not in each.fields
        for each in union.choices
    )


def _one(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


def contract_of(text: str, known: Known) -> Contract | None:
    """The contract of what an expression comes to; None where it cannot be told."""
    try:
        return _contract(jsonata.compile(text).ast, known)
    except jsonata.JsonataError:
        return None


_RESULTS = {
    "string": "string join substring substringBefore substringAfter uppercase lowercase trim pad replace now fromMillis uuid type"
    " base64encode base64decode encodeUrl encodeUrlComponent formatNumber formatInteger",
    "number": "number count sum max min average length abs floor ceil round power sqrt millis toMillis random",
    "boolean": "exists not boolean contains",
    "array": "split shuffle range partition",
    "object": "merge",
}
_CALLS = {name: Contract(kind) for kind, names in _RESULTS.items() for name in names.split()}
"""What functions come to, where they come to something."""
_OPERATORS = {
    **dict.fromkeys(("+", "-", "*", "/", "%"), Contract("number")),
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "and", "or", "in"), Contract("boolean")),
    "&": Contract("string"),
}


def _contract(tree: n.Node, known: Known) -> Contract | None:
    if isinstance(tree, n.Variable):
        return known.get(tree.name)
    if isinstance(tree, n.Path):
        return _path_contract(tree, known)
    if isinstance(tree, n.Binary):
        return _OPERATORS.get(tree.operator)
    if isinstance(tree, n.String):
        return Contract("string")
    if isinstance(tree, n.Number):
        return Contract("number")
    if isinstance(tree, n.Constant):
        return Contract("null" if tree.value is None else "boolean")
    if isinstance(tree, n.Call) and isinstance(tree.function, n.Variable):
        return _CALLS.get(tree.function.name) if known.get(tree.function.name) is None else None
    if isinstance(tree, n.Block) and len(tree.expressions) == 1:
        return _contract(tree.expressions[0], known)
    return None


def _path_contract(tree: n.Path, known: Known) -> Contract | None:
    if any(step.stages or step.binds for step in tree.steps) or tree.keep:
        return None
    first, *rest = [step.expression for step in tree.steps]
    if not isinstance(first, n.Variable):
        return None
    at = known.get(first.name)
    optional = at is not None and at.optional
    for each in rest:
        if at is None or not isinstance(each, n.Field) or at.fields is None:
            return None
        at = at.fields.get(each.name)
        optional |= at is not None and at.optional
    return replace(at, optional=True) if at is not None and optional and not at.optional else at


def maybe_missing(text: str, known: Known, scope: Scope) -> bool:
    """Whether the expression is a variable, or fields of one, that may be null: optional, or of a step that may not
    have run. A condition around it that tells otherwise is in the scope."""
    try:
        tree = jsonata.compile(text).ast
    except jsonata.JsonataError:
        return False
    variable = tree.steps[0].expression if isinstance(tree, n.Path) else tree
    if not isinstance(variable, n.Variable):
        return False
    if variable.name in scope.steps and variable.name not in scope.must | scope.there:
        return isinstance(tree, n.Variable)  # fields of it are S506
    found = _contract(tree, known)
    return found is not None and found.optional and variable.name not in scope.there


# -- what conditions tell ------------------------------------------------------------------------------------


def _narrowings(tree: n.Node, there: frozenset[str]) -> dict[int, frozenset[str]]:
    """For every variable, by its place: the names that are known not to be null there."""
    found: dict[int, frozenset[str]] = {}
    _narrow(tree, there, found)
    return found


def _narrow(node: n.Node, there: frozenset[str], found: dict[int, frozenset[str]]) -> None:
    if isinstance(node, n.Variable):
        found[node.start] = there
    elif isinstance(node, n.Condition):
        _narrow(node.test, there, found)
        _narrow(node.then, there | when_true(node.test), found)
        if node.otherwise is not None:
            _narrow(node.otherwise, there | when_false(node.test), found)
    elif isinstance(node, n.Binary) and node.operator in ("and", "or"):
        _narrow(node.left, there, found)
        told = when_true(node.left) if node.operator == "and" else when_false(node.left)
        _narrow(node.right, there | told, found)
    elif isinstance(node, n.Call) and _exists(node):
        for name in when_true(node):
            there |= {name}
        for child in node.children():
            _narrow(child, there, found)
    else:
        for child in node.children():
            _narrow(child, there, found)


def conditions(text: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """The variables that are not null where the condition holds, and where it does not."""
    if text is None:
        return frozenset(), frozenset()
    try:
        tree = jsonata.compile(inside(text)[0] if is_expression(text) else text.strip()).ast
    except jsonata.JsonataError:
        return frozenset(), frozenset()
    return when_true(tree), when_false(tree)


def when_true(node: n.Node) -> frozenset[str]:
    """The variables that are not null where the condition holds."""
    node = _plain(node)
    if isinstance(node, n.Binary):
        if node.operator == "and":
            return when_true(node.left) | when_true(node.right)
        if node.operator == "!=":
            return _compared_with_null(node)
        if node.operator in ("=", "<", "<=", ">", ">=") and not _compared_with_null(node):
            return when_true(node.left) if isinstance(node.left, n.Path) else frozenset()
    if isinstance(node, n.Variable):
        return frozenset((node.name,))
    if isinstance(node, n.Path) and isinstance(node.steps[0].expression, n.Variable):
        return frozenset((node.steps[0].expression.name,))
    if isinstance(node, n.Call):
        if _exists(node):
            return when_true(node.arguments[0])
        if isinstance(node.function, n.Variable) and node.function.name == "not" and len(node.arguments) == 1:
            return when_false(node.arguments[0])
    return frozenset()


def when_false(node: n.Node) -> frozenset[str]:
    """The variables that are not null where the condition does not hold."""
    node = _plain(node)
    if isinstance(node, n.Binary):
        if node.operator == "or":
            return when_false(node.left) | when_false(node.right)
        if node.operator == "=":
            return _compared_with_null(node)
    if (
        isinstance(node, n.Call)
        and isinstance(node.function, n.Variable)
        and node.function.name == "not"
        and len(node.arguments) == 1
    ):
        return when_true(node.arguments[0])
    return frozenset()


def _plain(node: n.Node) -> n.Node:
    while isinstance(node, n.Block) and len(node.expressions) == 1:
        node = node.expressions[0]
    return node


def _exists(node: n.Call) -> bool:
    return (
        isinstance(node.function, n.Variable) and node.function.name == "exists" and len(node.arguments) == 1
    )


def _compared_with_null(node: n.Binary) -> frozenset[str]:
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(other, n.Constant) and other.value is None and isinstance(one, n.Variable):
            return frozenset((one.name,))
    return frozenset()
