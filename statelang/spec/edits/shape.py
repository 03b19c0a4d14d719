"""A spec's steps as an editor shows them: the lists, and where each step says that it leads."""

from __future__ import annotations

from typing import Any

from ..source import Source
from .steps import KINDS, Found, goes_on, lists, steps


def shape(source: Source) -> dict[str, Any]:
    """`{"lists", "steps"}` of a text that loads, whatever else is wrong with it.

    A list is `{"of", "branch", "steps"}`: the step that holds it (None for the workflow's), its branch, and the ids. A
    step by its id is `{"kind", "line", "list", "fails", "ways"}`: `list` is the list's index, `fails` whether it may have an
    `on_error`, and a way `{"way", "index", "label", "to"}` as an edit `connect` takes it.
    """
    listed = [*lists(source.data)]
    found = [*steps(source.data)]
    index = {path: number for number, (path, _) in enumerate(listed)}
    ids = {step.path: step.id for step in found}
    told_lists: list[dict[str, Any]] = []
    for path, _ in listed:
        holder = path[:-1] if path[-1] == "steps" else path[:-2]
        told_lists.append(
            {
                "of": ids.get(holder),
                "branch": None if path[-1] == "steps" else path[-1],
                "steps": [step.id for step in found if step.list == path],
            }
        )
    told: dict[str, Any] = {}
    for step in found:
        place = source.position((*step.path, "id"))
        kind = next((kind for kind in KINDS if kind in step.data), None)
        told[step.id] = {
            "kind": kind, "line": place.line if place else None, "list": index[step.list], "ways": _ways(step),
            "fails": kind in ("task", "parallel", "map", "repeat", "workflow", "gate", "agent"),
        }  # fmt: skip
    return {"lists": told_lists, "steps": told}


def _ways(step: Found) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if goes_on(step.data):
        made.append({"way": "next", "index": None, "label": "then", "to": _text(step.data.get("next"))})
    for number, branch in enumerate(_entries(step.data.get("decision"))):
        label = f"when {_text(branch['when'])}" if "when" in branch else "otherwise"
        made.append({"way": "branch", "index": number, "label": label, "to": _text(branch.get("next"))})
    for number, route in enumerate(_entries(step.data.get("on_error"))):
        match = route.get("match")
        label = f"on {', '.join(map(str, match))}" if isinstance(match, list) else "on every error"
        made.append({"way": "error", "index": number, "label": label, "to": _text(route.get("next"))})
    gate = step.data.get("gate")
    if isinstance(gate, dict):
        revise = gate.get("revise")
        to = revise.get("to") if isinstance(revise, dict) else revise
        made.append({"way": "revise", "index": None, "label": "revised from", "to": _text(to)})
    return made


def _entries(value: Any) -> list[dict[str, Any]]:
    return [each if isinstance(each, dict) else {} for each in value] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
