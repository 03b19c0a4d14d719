"""The picture of a graph as SVG. What it looks like is a matter of classes, which `STYLE` gives colours in light and dark.

Text of users goes into text nodes and attributes, escaped; nothing of it is ever markup, and there is no script.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from .graph import END, START, Edge, Graph, Node
from .layers import Point
from .placing import LINE, PAD_Y, POINTED, SMALL, Layout, PlacedEdge, PlacedNode, place
from .text import width as text_width

MARGIN = 14.0
_FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"

_LIGHT = (
    "--node:#ffffff;--line:#8a94a3;--ink:#1b2430;--soft:#5b6675;--ground:#fbfcfd;--part:#f3f5f8;"
    "--full:#1a7f4b;--full-fill:#e3f5ea;--some:#9a6700;--some-fill:#fff4d6;--none:#c62f2f;--none-fill:#fdeaea"
)
_DARK = (
    "--node:#1d232c;--line:#7c8796;--ink:#e8edf3;--soft:#a3adba;--ground:#14181e;--part:#191f27;"
    "--full:#4cc38a;--full-fill:#15301f;--some:#e0b341;--some-fill:#352a0d;--none:#ff7b72;--none-fill:#3b1a1c"
)

STYLE = f"""
.machine{{{_LIGHT};font-family:{_FONT}}}
@media (prefers-color-scheme: dark){{.machine{{{_DARK}}}}}
.machine .node>rect,.machine .node>path{{fill:var(--node);stroke:var(--line);stroke-width:1.3}}
.machine .node>text{{fill:var(--ink);font-size:13px;font-weight:600;text-anchor:middle}}
.machine .node>text.caption{{fill:var(--soft);font-size:11px;font-weight:400}}
.machine .node>text.part{{fill:var(--soft);font-size:11px;font-weight:400}}
.machine .mark circle{{fill:var(--soft);stroke:none}}
.machine .mark circle.ring{{fill:none;stroke:var(--soft);stroke-width:1.5}}
.machine .edge path{{fill:none;stroke:var(--line);stroke-width:1.4}}
.machine .edge path.head{{fill:var(--line);stroke:none}}
.machine .edge.catch path.run{{stroke-dasharray:5 4}}
.machine .edge text{{fill:var(--soft);font-size:11px;text-anchor:middle}}
.machine .edge rect{{fill:var(--ground);stroke:none}}
.machine .node .edge rect{{fill:var(--part)}}
.machine .node.tone-full>rect,.machine .node.tone-full>path{{fill:var(--full-fill);stroke:var(--full);stroke-width:1.6}}
.machine .node.tone-some>rect,.machine .node.tone-some>path{{fill:var(--some-fill);stroke:var(--some);stroke-width:1.6}}
.machine .node.tone-none>rect,.machine .node.tone-none>path{{fill:var(--none-fill);stroke:var(--none);stroke-width:1.6;stroke-dasharray:6 3}}
.machine .node.open>rect{{fill:var(--part)}}
.machine .edge.tone-full path{{stroke:var(--full)}}
.machine .edge.tone-full path.head{{fill:var(--full)}}
.machine .edge.tone-none path{{stroke:var(--none)}}
.machine .edge.tone-none path.head{{fill:var(--none)}}
.machine .edge.tone-none text{{fill:var(--none)}}
.machine .node.ran-done>rect,.machine .node.ran-done>path{{fill:var(--full-fill);stroke:var(--full)}}
.machine .node.ran-failed>rect,.machine .node.ran-failed>path{{fill:var(--none-fill);stroke:var(--none);stroke-width:2}}
.machine .node.ran-on>rect,.machine .node.ran-on>path{{fill:var(--some-fill);stroke:var(--some);stroke-width:2}}
.machine .node.ran-off>rect,.machine .node.ran-off>path{{stroke-dasharray:4 3}}
.machine .edge.ran path{{stroke:var(--ink);stroke-width:2}}
.machine .edge.ran path.head{{fill:var(--ink)}}
""".strip()
"""Tones: `full`, `some` and `none` (of what can be taken); `ran-done`, `ran-failed`, `ran-on` and `ran-off` are of nodes
that an execution came to, `ran` of edges that it took; any other class is free for other pictures. A page may give
`.machine` other colours through the same variables."""


def _plain_node(node: Node) -> str:
    return ""


def _plain_edge(edge: Edge) -> str:
    return ""


def _kind(node: Node) -> str:
    return node.kind


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture says beside the graph itself: classes (`tone-full`, …), a caption and a tooltip."""

    node: Callable[[Node], str] = _plain_node
    edge: Callable[[Edge], str] = _plain_edge
    caption: Callable[[Node], str] = _kind
    hint: Callable[[Node], str] = _plain_node


def svg(graph: Graph, look: Look | None = None, *, title: str = "", style: bool = True) -> str:
    """The picture. With `style` it stands alone, as a file; without, the page that it is put into has `STYLE`."""
    look = look or Look()
    layout = place(graph, look.caption)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="machine" role="img" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" aria-label={_quoted(title or "workflow")}>'
    ]
    if style:
        parts.append(f"<style>{STYLE}</style>")
        parts.append(f'<rect width="{width:.0f}" height="{height:.0f}" style="fill:var(--ground)"/>')
    parts += _draw(layout, look, MARGIN, MARGIN)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _draw(layout: Layout, look: Look, x: float, y: float) -> list[str]:
    made = [f'<g transform="translate({x:.1f} {y:.1f})">']
    for edge in layout.edges:
        made += _edge(edge, look)
    for node in layout.nodes:
        made += _node(node, look)
    for edge in layout.edges:
        made += _label(edge, look)
    return [*made, "</g>"]


# -- nodes -------------------------------------------------------------------------------------------------


def _node(placed: PlacedNode, look: Look) -> list[str]:
    node = placed.node
    if node.kind in (START, END):
        return [_mark(placed)]
    classes = " ".join(word for word in ("node", "open" if placed.inner else "", look.node(node)) if word)
    made = [
        f'<g class="{classes}" data-node={_quoted(node.id)} transform="translate({placed.x:.1f} {placed.y:.1f})">'
    ]
    hint = look.hint(node) or node.label
    made.append(f"<title>{_text(hint)}</title>")
    made.append(_shape(placed))
    middle = placed.width / 2
    baseline = PAD_Y + 12
    for line in placed.title:
        made.append(f'<text x="{middle:.1f}" y="{baseline:.1f}">{_text(line)}</text>')
        baseline += LINE
    if placed.caption:
        made.append(
            f'<text class="caption" x="{middle:.1f}" y="{baseline - 2:.1f}">{_text(placed.caption)}</text>'
        )
    for part in placed.inner:
        centre = part.x + part.layout.width / 2
        made.append(f'<text class="part" x="{centre:.1f}" y="{part.y - 7:.1f}">{_text(part.caption)}</text>')
        made += _draw(part.layout, look, part.x, part.y)
    return [*made, "</g>"]


def _shape(placed: PlacedNode) -> str:
    width, height = placed.width, placed.height
    if placed.node.kind in POINTED:
        cut = min(12.0, height / 2)
        corners = [
            (cut, 0),
            (width - cut, 0),
            (width, height / 2),
            (width - cut, height),
            (cut, height),
            (0, height / 2),
        ]
        return f'<path class="shape" d="M{" L".join(f"{a:.1f} {b:.1f}" for a, b in corners)} Z"/>'
    round = height / 2 if placed.node.kind in ("succeed", "fail") and len(placed.title) == 1 else 7
    return f'<rect width="{width:.1f}" height="{height:.1f}" rx="{round:.1f}"/>'


def _mark(placed: PlacedNode) -> str:
    x, y = placed.x + placed.width / 2, placed.y + placed.height / 2
    ring = f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="8"/>' if placed.node.kind == END else ""
    radius = 5 if placed.node.kind == END else 7
    return f'<g class="mark"><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>{ring}</g>'


# -- edges -------------------------------------------------------------------------------------------------


def _edge(placed: PlacedEdge, look: Look) -> list[str]:
    edge = placed.edge
    classes = " ".join(word for word in ("edge", edge.kind, look.edge(edge)) if word)
    path, head = route(placed)
    hint = f"<title>{_text(edge.label)}</title>" if edge.label else ""
    return [f'<g class="{classes}">{hint}<path class="run" d="{path}"/><path class="head" d="{head}"/></g>']


def route(placed: PlacedEdge) -> tuple[str, str]:
    """The paths (SVG's `d`) of an edge's line, and of the head of its arrow."""
    points = placed.points
    if placed.edge.start != placed.edge.target:
        return _run(points)
    (x, first), (_, last) = points
    path = f"M{x:.1f} {first:.1f} C{x + 24:.1f} {first - 8:.1f} {x + 24:.1f} {last + 8:.1f} {x + 7:.1f} {last:.1f}"
    return path, f"M{x:.1f} {last:.1f} l8 -4.2 l0 8.4 Z"


def _run(points: list[Point]) -> tuple[str, str]:
    """A smooth curve through the points, and the head of the arrow at its end."""
    down = points[-1][1] >= points[-2][1]
    x, y = points[-1]
    ends = [*points[:-1], (x, y - 7 if down else y + 7)]
    path = f"M{ends[0][0]:.1f} {ends[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(ends):
        if abs(x1 - x2) < 0.05:
            path += f" L{x2:.1f} {y2:.1f}"
        else:
            half = (y1 + y2) / 2
            path += f" C{x1:.1f} {half:.1f} {x2:.1f} {half:.1f} {x2:.1f} {y2:.1f}"
    return path, f"M{x:.1f} {y:.1f} l-4.2 {-8 if down else 8} l8.4 0 Z"


def _label(placed: PlacedEdge, look: Look) -> list[str]:
    if not placed.label:
        return []
    x, y = placed.at
    room = text_width(placed.label, SMALL) + 8
    classes = " ".join(word for word in ("edge", look.edge(placed.edge)) if word)
    return [
        f'<g class="{classes}"><rect x="{x - room / 2:.1f}" y="{y - 8:.1f}" width="{room:.1f}" height="16" rx="3"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}">{_text(placed.label)}</text><title>{_text(placed.edge.label)}</title></g>'
    ]


def _text(text: str) -> str:
    return escape("".join(c if c.isprintable() or c in " \n" else "�" for c in text))


def _quoted(text: str) -> str:
    return quoteattr("".join(c if c.isprintable() else " " for c in text))
