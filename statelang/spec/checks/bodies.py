"""Steps that hold others: parallel, map and repeat."""

from __future__ import annotations

from ..contracts import ANY, Contract
from ..expressions import Path, Scope, contract_of, inside, is_expression, maybe_missing
from ..flow import END
from ..models import MapStep, ParallelStep, RepeatStep, bodies
from .checker import Check, Checker, with_known


def parallel(checker: Checker, step: ParallelStep, path: Path, scope: Scope) -> None:
    for body in bodies(step):
        checker.steps(body.steps, (*path, *body.path), scope)


def map_(checker: Checker, step: MapStep, path: Path, scope: Scope) -> None:
    items = step.map.items
    at = (*path, "map", "items")
    if isinstance(items, list):
        checker.data(items, at, scope)
    else:
        checker.bare(items, at, scope)
        text = inside(items)[0] if is_expression(items) else items.strip()
        found = contract_of(text, scope.known)
        if found is not None and found.kind not in ("array", "any", "union"):
            checker.problem("S304", f"this is {found}, and a map goes through an array", at)
        elif maybe_missing(text, scope.known, scope) and text not in (step.when or ""):
            hint = f"go through none then: `$type({text}) = 'array' ? {text} : []`"
            checker.problem(
                "W902", "this may be missing, and a map goes through an array", at, hint, "warning"
            )
    name = step.map.as_
    if name in checker.ids:
        checker.problem(
            "S206", f"the item cannot be called `{name}`: a step has that id", (*path, "map", "as")
        )
    item = checker.contracts.items.get(step.id, ANY)
    inner = with_known(scope, {name: item, "index": Contract("integer")})
    checker.steps(step.steps, (*path, "steps"), inner)


def repeat(checker: Checker, step: RepeatStep, path: Path, scope: Scope) -> None:
    inner = with_known(scope, {"round": Contract("integer")})
    checker.steps(step.steps, (*path, "steps"), inner)
    end = checker.scope(step.steps, (*path, "steps"), END, inner)
    end = with_known(end, {"result": checker.contracts.rounds.get(step.id, ANY)})
    repeat = step.repeat
    if repeat.until is not None:
        checker.bare(repeat.until, (*path, "repeat", "until"), end)
    if repeat.collect is not None:
        at = (*path, "repeat", "collect")
        checker.bare(repeat.collect.items, (*at, "items"), end)
        if repeat.collect.key is not None:
            item = checker.contracts.items.get(step.id, ANY)
            checker.bare(repeat.collect.key, (*at, "key"), with_known(inner, {"item": item}))
    elif repeat.until is None and repeat.on_max == "error":
        hint = "say `until` when it is done"
        checker.problem(
            "S203", "without `until` every repeat would end in an error", (*path, "repeat", "on_max"), hint
        )


CHECKS: dict[str, Check] = {"parallel": parallel, "map": map_, "repeat": repeat}
