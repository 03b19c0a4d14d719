"""A graph's layout as JSON: for a page that draws it itself, and so can mark it, select in it and change it live."""

from __future__ import annotations

from typing import Any

from .graph import Graph
from .placing import SMALL, Layout, PlacedEdge, PlacedNode, place
from .svg import route
from .text import width as text_width


def plan(graph: Graph) -> dict[str, Any]:
    """`{"width", "height", "nodes", "edges"}`, in pixels.

    A node is `{"id", "label", "kind", "x", "y", "width", "height", "title", "caption", "states", "inner"}`: `title` its
    lines of text, `inner` what is within it, as `{"caption", "x", "y", "plan"}` from its corner. An edge is `{"start",
    "target", "kind", "label", "full", "at", "room", "line", "head", "ways"}`: `label` is the text `full` cut to fit, `at`
    where its middle is and `room` how wide it is; `line` and `head` are paths as SVG writes them.
    """
    return _layout(place(graph, lambda node: node.kind))


def _layout(layout: Layout) -> dict[str, Any]:
    return {
        "width": round(layout.width, 1), "height": round(layout.height, 1),
        "nodes": [_node(node) for node in layout.nodes], "edges": [_edge(edge) for edge in layout.edges],
    }  # fmt: skip


def _node(placed: PlacedNode) -> dict[str, Any]:
    node = placed.node
    inner = [
        {
            "caption": part.caption,
            "x": round(part.x, 1),
            "y": round(part.y, 1),
            "plan": _layout(part.layout),
        }
        for part in placed.inner
    ]
    return {
        "id": node.id, "label": node.label, "kind": node.kind, "x": round(placed.x, 1), "y": round(placed.y, 1),
        "width": round(placed.width, 1), "height": round(placed.height, 1), "title": placed.title,
        "caption": placed.caption, "states": list(node.states), "inner": inner,
    }  # fmt: skip


def _edge(placed: PlacedEdge) -> dict[str, Any]:
    edge = placed.edge
    line, head = route(placed)
    return {
        "start": edge.start, "target": edge.target, "kind": edge.kind, "label": placed.label, "full": edge.label,
        "at": [round(each, 1) for each in placed.at],
        "room": round(text_width(placed.label, SMALL) + 8, 1) if placed.label else 0, "line": line, "head": head,
        "ways": [list(way) for way in edge.ways],
    }  # fmt: skip
