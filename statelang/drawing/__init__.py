"""Pictures of machines: a definition as a graph, laid out in layers, as SVG.

    graph = graph_of(definition, source_map)     # by step with a source map, by state without
    svg(graph, Look(node=..., edge=...))

- `graph`: nodes and edges, with the states and ways that they stand for.
- `outline`: the graph of a spec that is still being written, errors and all.
- `conditions`: choice rules in few words.
- `text`: how wide text will be, and where it breaks.
- `layers`: where nodes stand and edges run: layered, as Sugiyama, Tagawa and Toda describe it.
- `placing`: the layout of a whole graph, with what is within Parallel and Map states.
- `svg`: the picture; colours are classes, so that light and dark follow the page.
- `listing`: the same as text, for terminals.
- `plan`: where everything stands, as JSON, for a page that draws it itself.

Our own layout, as the libraries there are do not lay out graphs within nodes (Parallel, Map) or keep room for
labels: `grandalf` (GPL or EPL, last released in 2023) and `fast-sugiyama` place flat graphs; Graphviz is no wheel.
"""

from .graph import Edge, Graph, Node, graph_of
from .listing import listing
from .outline import outline_of
from .plan import plan
from .svg import STYLE, Look, svg

__all__ = ["STYLE", "Edge", "Graph", "Look", "Node", "graph_of", "listing", "outline_of", "plan", "svg"]
