"""A graph as text, for terminals: every node in a line, where it leads to, and what is within it below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .graph import END, START, Graph, Node


def _plain(node: Node) -> str:
    return ""


def listing(graph: Graph, mark: Callable[[Node], str] = _plain, note: Callable[[Node], str] = _plain) -> str:
    """`mark` stands before a node's name (a character, say), `note` after all else."""
    return "\n".join(_lines(graph, mark, note, "")) + "\n"


def _lines(
    graph: Graph, mark: Callable[[Node], str], note: Callable[[Node], str], margin: str
) -> Iterator[str]:
    names = {node.id: "end" if node.kind == END else node.label for node in graph.nodes}
    order = [node.id for node in graph.nodes]
    marks = any(mark(node) for node in graph.nodes)
    for place, node in enumerate(graph.nodes):
        if node.kind in (START, END):
            continue
        ways: list[str] = []
        for edge in graph.edges:
            if edge.start == node.id:
                # Where nothing else is said, it goes on below.
                below = place + 1 < len(order) and order[place + 1] == edge.target
                target = "↓" if below and not edge.label else names[edge.target]
                ways.append(f"{_shown(edge.label)} → {target}" if edge.label else f"→ {target}")
        before = f"{mark(node) or ' '} " if marks else ""
        parts = [f"{margin}{before}{_shown(node.label)}", node.kind, "; ".join(ways), note(node)]
        yield "  ".join(part for part in parts if part)
        for caption, inner in node.inner:
            yield f"{margin}  {'  ' if marks else ''}{_shown(caption)}:"
            yield from _lines(inner, mark, note, f"{margin}    ")


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))
