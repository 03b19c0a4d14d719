"""A definition as its page shows it: the graph, the source, and the line of every step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...statelang import drawing
from ..store import Store
from ..workflows import source_map, spec_text
from .api import text
from .host import Console, Refusal


def definition(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of the definition with that digest. It never changes."""
    digest = text(parameters, "digest")
    return {"digest": digest, **described(console.store, digest)}


def described(store: Store, digest: str) -> dict[str, Any]:
    """Raises `Refusal` where there is no such definition."""
    record = store.get("definition", digest)
    if record is None:
        raise Refusal(404, f"there is no definition {digest[:80]}")
    body = json.loads(record.value["definition"])
    return picture(body, source_map(store, digest), spec_text(store, digest))


def picture(body: Mapping[str, Any], mapped: Mapping[str, Any] | None, source: str | None) -> dict[str, Any]:
    """`{"plan", "source", "language", "lines", "asl", "version"}`; `lines` are by the ids of the graph's nodes."""
    asl = json.dumps(body, indent=2, ensure_ascii=False)
    graph = drawing.graph_of(body, mapped)
    lines: dict[str, int] = {}
    if source is not None and mapped is not None:
        for state in mapped["states"].values():
            if state.get("step") is not None and "line" in state:
                lines.setdefault(f"step {state['step']}", state["line"])
    else:
        lines = {f"state {name}": line for name, line in _lines(body, asl)}
    return {
        "plan": drawing.plan(graph), "source": source if source is not None and mapped is not None else asl,
        "language": "yaml" if source is not None and mapped is not None else "json", "lines": lines, "asl": asl,
        "version": (mapped or {}).get("version"), "workflow": (mapped or {}).get("workflow"),
        "steps": {name: {key: step[key] for key in ("kind", "within") if key in step}
                  for name, step in (mapped or {}).get("steps", {}).items()},
    }  # fmt: skip


def _lines(body: Mapping[str, Any], asl: str) -> Iterator[tuple[str, int]]:
    """Where every state begins in the text that `json.dumps` made: by what `"Name": {` looks like at its depth."""
    lines = asl.split("\n")
    wanted = _depths(body, 1)
    at: dict[tuple[str, int], int] = {}
    for number, line in enumerate(lines, 1):
        stripped = line.lstrip(" ")
        if stripped.endswith(": {") and stripped.startswith('"'):
            at.setdefault((stripped[:-3], (len(line) - len(stripped)) // 2), number)
    for name, depth in wanted:
        found = at.get((json.dumps(name, ensure_ascii=False), depth))
        if found is not None:
            yield name, found


def _depths(machine: Mapping[str, Any], depth: int) -> Iterator[tuple[str, int]]:
    """Every state's name with the depth of its key."""
    for name, state in machine["States"].items():
        yield name, depth + 1
        for branch in state.get("Branches", ()):
            yield from _depths(branch, depth + 4)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _depths(state[key], depth + 3)
