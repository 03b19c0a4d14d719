"""A spec that is being written as a graph: of its data alone, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .graph import END, START, Edge, Graph, Node

_CALLS = ("map", "repeat", "parallel", "decision", "task", "workflow", "gate", "agent", "wait", "set", "succeed", "fail")  # fmt: skip
_CAPTIONS = {"map": "each item", "repeat": "each round"}


def outline_of(data: Any) -> Graph:
    """The steps as they are written. What has no id is left out, and so is a way to a step that is not there."""
    return _list(data.get("steps") if isinstance(data, Mapping) else None)


def _list(steps: Any) -> Graph:
    graph = Graph([Node(START, "", START)])
    known = [each for each in steps if _id(each)] if isinstance(steps, list) else []
    ids = {_id(step): f"step {_id(step)}" for step in known} | {END: END}
    ends = False
    for step in known:
        kind = next((kind for kind in _CALLS if kind in step), "step")
        graph.nodes.append(Node(ids[_id(step)], _id(step), kind, (), [*_inner(step, kind)]))
    before: list[str] = [START]
    for index, step in enumerate(known):
        here = ids[_id(step)]
        graph.edges += [Edge(each, here, "next") for each in before]
        below = ids[_id(known[index + 1])] if index + 1 < len(known) else END
        before = []
        for target, kind, label in _ways(step, below, ids):
            if target == END:
                ends = True
            if target == below and kind == "next" and not label and target != END:
                before = [here]
            else:
                graph.edges.append(Edge(here, target, kind, label))
    if ends:
        graph.nodes.append(Node(END, "", END))
    return graph


def _ways(step: Mapping[str, Any], below: str, ids: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Where it leads: the node, the kind of edge, and what is said at it."""
    onward = ids.get(step["next"]) if isinstance(step.get("next"), str) else below
    if "decision" in step:
        for branch in _mappings(step["decision"]):
            if (target := ids.get(str(branch.get("next")))) is not None:
                yield target, "choice", _text(branch.get("when")) or "otherwise"
    elif onward is not None and not {"succeed", "fail"} & step.keys():
        yield onward, "next", ""
    if "when" in step and onward is not None:
        yield onward, "choice", "skipped"
    for route in _mappings(step.get("on_error")):
        if (target := ids.get(str(route.get("next")))) is not None:
            match = route.get("match")
            errors = ", ".join(map(str, match)) if isinstance(match, list) else "every error"
            yield target, "catch", errors
    gate = step.get("gate")
    revise = gate.get("revise") if isinstance(gate, Mapping) else None
    back = revise.get("to") if isinstance(revise, Mapping) else revise
    if isinstance(back, str) and back in ids:
        yield ids[back], "choice", "revise"


def _inner(step: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Graph]]:
    if kind == "parallel" and isinstance(step["parallel"], Mapping):
        for name, steps in step["parallel"].items():
            yield str(name), _list(steps)
    elif kind in _CAPTIONS:
        yield _CAPTIONS[kind], _list(step.get("steps"))


def _id(step: Any) -> str:
    id = step.get("id") if isinstance(step, Mapping) else None
    return id if isinstance(id, str) else ""


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
