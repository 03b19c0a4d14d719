"""The graph of a workflow in the colours of what was taken of it."""

from __future__ import annotations

from ...statelang.coverage import times
from ...statelang.drawing import Edge, Graph, Look, Node, graph_of, svg
from .report import Covered

FULL, SOME, NONE = "tone-full", "tone-some", "tone-none"


def picture(covered: Covered) -> str:
    """The graph as SVG, to stand in a page that has the drawing's style."""
    recorded = covered.recorded
    graph = graph_of(recorded.definition, recorded.source_map)
    return svg(graph, _look(covered, graph), title=covered.title, style=False)


def tone(covered: Covered, owner: str) -> str:
    """The class of a step or state: taken with every way that counts, with some of them, or not at all."""
    coverage = covered.coverage
    entered = any(
        part.hits(coverage.hits) for part in coverage.parts if part.owner == owner and part.kind == "steps"
    )
    taken, offered = coverage.counts_of(owner)
    return NONE if not entered else FULL if taken == offered else SOME


def _look(covered: Covered, graph: Graph) -> Look:
    coverage, hits = covered.coverage, covered.coverage.hits
    named = {node.id: node for node in _all(graph)}

    def of_node(node: Node) -> str:
        return tone(covered, node.label)

    def of_edge(edge: Edge) -> str:
        if edge.ways:
            return FULL if any(times(hits, state, place) for state, place in edge.ways) else NONE
        target = named.get(edge.target)
        return FULL if target is not None and of_node(target) != NONE else NONE

    def caption(node: Node) -> str:
        taken, offered = coverage.counts_of(node.label)
        if not offered or of_node(node) == NONE:
            return node.kind
        return f"{node.kind} · {taken}/{offered} ways"

    def hint(node: Node) -> str:
        missing = [part.label for part in coverage.missing if part.owner == node.label and part.label]
        if of_node(node) == NONE:
            return f"{node.label}: never ran"
        return "\n".join([node.label, *(f"not taken: {label}" for label in missing)])

    return Look(of_node, of_edge, caption, hint)


def _all(graph: Graph) -> list[Node]:
    found = list(graph.nodes)
    for node in graph.nodes:
        for _, inner in node.inner:
            found += _all(inner)
    return found
