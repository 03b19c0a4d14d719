"""Which workflow variables the states of a definition refer to (DescribeStateMachine's `variableReferences`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import jsonata
from ..jsonpath import Intrinsic, InvalidPath, Path, parse_query
from .templates import is_expression

_INNER = ("Branches", "ItemProcessor", "Iterator")


def references_of(definition: dict[str, Any], language: str = "JSONPath") -> dict[str, list[str]]:
    """The variables by state, those of nested states too; states that refer to none are left out."""
    language = definition.get("QueryLanguage", language)
    found: dict[str, list[str]] = {}
    for name, state in definition.get("States", {}).items():
        own = state.get("QueryLanguage", language)
        names = set(_expressions(state) if own == "JSONata" else _queries(state))
        if names:
            found[name] = sorted(names)
        inner = [*state.get("Branches", []), *(state[key] for key in _INNER[1:] if key in state)]
        for machine in inner:
            found |= references_of(machine, language)
    return found


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, str) and is_expression(value):
        compiled = jsonata.compile(value[2:-2].strip())
        yield from (
            reference.name for reference in jsonata.free_variables(compiled.ast) if reference.name != "states"
        )
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _INNER:
                yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)


def _queries(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in (*_INNER, "Result"):
                yield from _queries(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _queries(item, key)
    elif (
        isinstance(value, str) and (key.endswith((".$", "Path")) or key == "Variable") and key != "ResultPath"
    ):
        try:
            query = parse_query(value)
        except InvalidPath:
            return
        paths = query.paths() if isinstance(query, Intrinsic) else [query]
        yield from (path.root for path in paths if isinstance(path, Path) and path.root not in ("$", "$$"))
