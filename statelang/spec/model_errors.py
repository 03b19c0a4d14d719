"""What the models refuse, in the words of the language and at the place where it was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from .diagnostics import did_you_mean
from .models import (
    KINDS,
    Branch,
    Budget,
    Check,
    Collect,
    Compensation,
    Defaults,
    ErrorRoute,
    Escalation,
    Gate,
    MapOver,
    Need,
    Repeat,
    Retry,
    Revision,
    Step,
    Until,
)
from .source import Path

Problem = Callable[[str, str, Path, str | None], None]
"""Told of each: code, message, path, suggestion."""

_WITHIN: dict[str, type[BaseModel]] = {
    "retry": Retry, "ensure": Check, "needs": Need, "on_error": ErrorRoute, "decision": Branch, "wait": Until,
    "defaults": Defaults, "compensate": Compensation, "gate": Gate, "revise": Revision, "escalate": Escalation,
    "map": MapOver, "repeat": Repeat, "collect": Collect, "budget": Budget,
}  # fmt: skip
"""The models of what stands under a key."""

_MISSING = {
    "id": "every step has an id, by which others refer to it",
    "stratum": 'the version of the language: `stratum: "1"`',
    "version": "the workflow's own version, such as 1.0.0",
    "workflow": "the workflow's name",
    "next": "where to go on: a step's id, or `end`",
    "steps": "a list of steps, beside the key that says what they are run for",
    "approvers": "who may answer, such as [ops@example.com]",
    "timeout": "how long to wait, such as 24h: nobody waits for ever",
    "intent": "what is to be done, in words",
    "items": "an expression for an array, such as $input.items",
    "max": "how many rounds at the most",
    "to": "a step's id",
}
_PATTERNS = {
    "version": "a version is three numbers, such as 1.4.0",
    "workflow": "a workflow's name has letters, digits, `-` and `_`, at most 80",
}


def tell(error: ValidationError, base: Path, model: type[BaseModel], data: Any, problem: Problem) -> set[str]:
    """Tells every error of a model; answers the keys of `data` that are wrong. `base` is where `data` stands."""
    bad: set[str] = set()
    told: set[Path] = set()
    for found in error.errors(include_url=False):
        if _beside_the_point(found):
            continue
        path = _real(base, found["loc"], data)
        if path in told:
            continue
        told.add(path)
        if len(path) > len(base):
            bad.add(str(path[len(base)]))
        _tell(found, path, base, model, problem)
    return bad


def _real(base: Path, loc: tuple[Any, ...], data: Any) -> Path:
    """The path in the document: pydantic's has the names of union members in it."""
    path = base
    at: Any = data
    for index, part in enumerate(loc):
        if (isinstance(at, dict) and part in at) or (
            isinstance(at, list) and isinstance(part, int) and part < len(at)
        ):
            at = at[part]
        elif index != len(loc) - 1 or not (isinstance(at, dict) and isinstance(part, str)):
            continue
        path = (*path, part)
    return path


def _tell(found: Any, path: Path, base: Path, model: type[BaseModel], problem: Problem) -> None:
    kind, name = found["type"], path[-1] if path else ""
    fields = _fields_at(model, path[len(base) :])
    if kind == "extra_forbidden":
        everywhere = {each for step in KINDS.values() for each in step.model_fields}
        if name in everywhere and issubclass(model, Step) and len(path) == len(base) + 1:
            problem("S208", f"a `{model.kind}` step cannot have `{name}`", path, known(fields))
        else:
            hint = did_you_mean(str(name), fields) or known(fields)
            problem("S201", f"there is no key `{name}` here", path, hint)
    elif kind == "missing":
        problem("S202", f"`{name}` is missing", path[:-1], _MISSING.get(str(name)))
    elif kind == "literal_error":
        expected = str(found["ctx"]["expected"]).replace("'", "`")
        expected = _EITHER.get(str(name), expected)
        problem("S203", f"`{name}` is {expected}, not {shown(found['input'])}", path, None)
    elif kind == "value_error":
        problem("S203", f"{found['ctx']['error']}", path, None)
    elif kind == "string_pattern_mismatch":
        reason = _PATTERNS.get(str(name), found["msg"])
        problem("S203", f"{found['input']!r} cannot be the {name}: {reason}", path, None)
    else:
        of = f"an entry of `{path[-2]}`" if isinstance(name, int) and len(path) > 1 else f"`{name}`"
        problem("S203", f"{of} is {_expected(found)}, not {shown(found['input'])}", path, _hint(found, name))


def _expected(found: Any) -> str:
    """What pydantic wanted, in the words of the language."""
    kind, limits = found["type"], found.get("ctx", {})
    if kind.startswith("model") and (either := _EITHER.keys() & set(found["loc"])):
        return _EITHER[either.pop()]
    for word, expected in _KINDS.items():
        if kind.startswith(word):
            return expected
    for word, expected in _LIMITS.items():
        if kind == word:
            return expected.format(
                *(f"{limit:g}" for limit in limits.values() if isinstance(limit, int | float))
            )
    return found["msg"].replace("Input should be ", "")


_KINDS = {
    "string": "a text", "model": "a mapping", "dict": "a mapping", "list": "a list", "int": "a whole number", "float": "a number",
    "bool": "true or false", "finite": "a number",
}  # fmt: skip
_EITHER = {
    "ensure": "a condition, or a mapping with `that`",
    "needs": "a condition, or a mapping with `that`",
    "revise": "a step's id, or a mapping with `to`",
    "retry": "a mapping, or `none`",
}
_LIMITS = {
    "greater_than_equal": "at least {}",
    "greater_than": "more than {}",
    "less_than_equal": "at most {}",
    "too_short": "a list of at least one",
}


def _hint(found: Any, name: str | int) -> str | None:
    if name == "version":
        return "a version is three numbers, such as 1.4.0"
    value = found["input"]
    if found["type"] == "string_type" and isinstance(value, bool | int | float):
        return f'put it into quotes: "{shown(value)}"'
    return None


def _beside_the_point(found: Any) -> bool:
    """`retry` is a mapping or the word none: only what is nearer to what was written is told."""
    written = found["input"]
    if found["type"] == "literal_error" and isinstance(written, dict):
        return True
    return (
        found["type"] in ("model_type", "dict_type") and "retry" in found["loc"] and isinstance(written, str)
    )


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """The names that are possible where the path leads to."""
    at = model
    for part in path[:-1]:
        if isinstance(part, str) and part in _WITHIN:
            at = _WITHIN[part]
    return [field.alias or name for name, field in at.model_fields.items()]


def known(fields: list[str]) -> str:
    return "possible here: " + ", ".join(fields)


def shown(value: Any) -> str:
    """A value in few words: what it is, or itself where it is short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:60]}…")
    return str(value) if isinstance(value, int | float) else kind_of(value)


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    names = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "a step" if isinstance(value, Step) else type(value).__name__)
