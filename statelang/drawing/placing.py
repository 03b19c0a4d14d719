"""The layout of a graph: how large its nodes are, where everything stands, and what is within nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import text
from .graph import END, START, Edge, Graph, Node
from .layers import Box, Line, Point, arrange

TITLE, SMALL = 13.0, 11.0
"""Font sizes, in pixels."""
LINE = 17.0
PAD_X, PAD_Y = 14.0, 9.0
POINTED = ("choice", "decision")
"""Kinds of nodes that are drawn with pointed sides."""
_LABEL_ROOM, _TITLE_ROOM = 190.0, 210.0
_INNER_PAD = 16.0
_LOOP = 30.0

Caption = Callable[[Node], str]


@dataclass(slots=True)
class PlacedNode:
    """`x` and `y` are of its upper left corner; `title` and `caption` are its lines of text."""

    node: Node
    width: float
    height: float
    title: list[str] = field(default_factory=list)
    caption: str = ""
    inner: list[PlacedPart] = field(default_factory=list)
    loops: list[PlacedEdge] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class PlacedPart:
    """What is within a node, at (`x`, `y`) from its corner."""

    caption: str
    layout: Layout
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class PlacedEdge:
    """`label` is its text and `at` where the middle of that is."""

    edge: Edge
    points: list[Point]
    label: str = ""
    at: Point = (0.0, 0.0)


@dataclass(slots=True)
class Layout:
    width: float
    height: float
    nodes: list[PlacedNode]
    edges: list[PlacedEdge]


def place(graph: Graph, caption: Caption) -> Layout:
    """Lays the graph out; `caption` says what stands in small letters below a node's name."""
    nodes = [_sized(node, caption) for node in graph.nodes]
    at = {node.id: number for number, node in enumerate(graph.nodes)}
    boxes = [Box(node.width, node.height) for node in nodes]
    lines: list[Line] = []
    placed: list[PlacedEdge] = []
    for edge in graph.edges:
        label = text.clip(edge.label, SMALL, _LABEL_ROOM)
        line = Line(at[edge.start], at[edge.target])
        if label:
            line.label_width, line.label_height = text.width(label, SMALL) + 12, LINE + 2
        made = PlacedEdge(edge, line.points, label)
        if line.start == line.target:
            node, box = nodes[line.start], boxes[line.start]
            node.loops.append(made)
            box.width = max(box.width, node.width + 2 * (_LOOP + line.label_width))
            box.height = node.height = max(node.height, len(node.loops) * (LINE + 4) + 8)
        lines.append(line)
        placed.append(made)
    width, height = arrange(boxes, lines)
    for node, box in zip(nodes, boxes, strict=True):
        node.x, node.y = box.x - node.width / 2, box.y
    for line, made in zip(lines, placed, strict=True):
        made.points, made.at = line.points, line.label
        if line.start == line.target:
            _loop(nodes[line.start], made, line.label_width)
    return Layout(width, height, nodes, placed)


def _sized(node: Node, caption: Caption) -> PlacedNode:
    if node.kind == START:
        return PlacedNode(node, 14, 14)
    if node.kind == END:
        return PlacedNode(node, 18, 18)
    title = text.wrap(node.label, TITLE, _TITLE_ROOM, 3)
    below = text.clip(caption(node), SMALL, _TITLE_ROOM)
    widest = max([text.width(line, TITLE) * 1.06 for line in title] + [text.width(below, SMALL)])
    width = max(76.0, widest + 2 * PAD_X + (14 if node.kind in POINTED else 0))
    height = 2 * PAD_Y + LINE * len(title) + (14 if below else 0)
    made = PlacedNode(node, width, height, title, below)
    if node.inner:
        _open(made, caption)
    return made


def _open(made: PlacedNode, caption: Caption) -> None:
    """Makes room for what is within the node, side by side below its name."""
    head = made.height
    x, tallest = _INNER_PAD, 0.0
    for words, graph in made.node.inner:
        layout = place(graph, caption)
        room = max(layout.width, text.width(words, SMALL))
        made.inner.append(PlacedPart(words, layout, x + (room - layout.width) / 2, head + LINE))
        x += room + _INNER_PAD * 1.5
        tallest = max(tallest, layout.height)
    wide = x - _INNER_PAD * 0.5
    if wide < made.width:
        for part in made.inner:
            part.x += (made.width - wide) / 2
    made.width = max(made.width, wide)
    made.height = head + LINE + tallest + _INNER_PAD


def _loop(node: PlacedNode, made: PlacedEdge, label: float) -> None:
    """An edge that leads back to its own node: round its right side."""
    down = (node.loops.index(made) - (len(node.loops) - 1) / 2) * (LINE + 4)
    right, middle = node.x + node.width, node.y + node.height / 2 + down
    made.points = [(right, middle - 9), (right, middle + 9)]
    made.at = (right + _LOOP - 4 + label / 2, middle)
