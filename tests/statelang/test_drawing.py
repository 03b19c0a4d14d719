"""Pictures of machines: nothing overlaps whatever is drawn, and text stays text."""

from __future__ import annotations

import json
import time
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.statelang.compiler import compile_spec
from stratum.statelang.drawing import Edge, Graph, Look, Node, graph_of, outline_of, plan, svg
from stratum.statelang.drawing.conditions import condition
from stratum.statelang.drawing.placing import Layout, place
from stratum.statelang.drawing.text import clip, width, wrap
from stratum.statelang.spec import load, read_source
from stratum.statelang.spec.edits import shape

EXAMPLES = sorted(
    path for path in (Path(__file__).resolve().parents[2] / "local" / "examples").rglob("*.yaml")
    if "\nsteps:" in path.read_text(encoding="utf-8")
)  # fmt: skip
NAMES = st.text(st.sampled_from("abcXYZ _-./注文🚀<&é\u0301"), min_size=1, max_size=80)


@st.composite
def graphs(draw: st.DrawFn, depth: int = 1) -> Graph:
    count = draw(st.integers(1, 9))
    nodes = [Node(str(number), draw(NAMES), draw(st.sampled_from(["task", "choice", "fail"]))) for number in range(count)]  # fmt: skip
    if depth and draw(st.booleans()):
        nodes[-1].inner = [("branch", draw(graphs(depth - 1))) for _ in range(draw(st.integers(1, 2)))]
    ends = st.integers(0, count - 1)
    edges = [
        Edge(str(draw(ends)), str(draw(ends)), draw(st.sampled_from(["next", "catch"])), draw(st.one_of(st.just(""), NAMES)))
        for _ in range(draw(st.integers(0, 14)))
    ]  # fmt: skip
    return Graph(nodes, edges)


def overlapping(layout: Layout) -> list[Any]:
    boxes = [
        (node.x, node.y, node.x + node.width, node.y + node.height, node.node.label) for node in layout.nodes
    ]
    for edge in layout.edges:
        if edge.label:
            x, y = edge.at
            half = width(edge.label, 11) / 2
            boxes.append((x - half, y - 7, x + half, y + 7, edge.label))
    found = [
        (one, other)
        for one, other in combinations(boxes, 2)
        if one[0] < other[2] - 0.01 and other[0] < one[2] - 0.01 and one[1] < other[3] - 0.01 and other[1] < one[3] - 0.01
    ]  # fmt: skip
    for node in layout.nodes:
        for part in node.inner:
            assert part.x >= 0
            assert part.x + part.layout.width <= node.width + 0.01
            assert part.y + part.layout.height <= node.height + 0.01
            found += overlapping(part.layout)
    for left, top, right, bottom, _ in boxes:
        assert left >= -0.01
        assert top >= -0.01
        assert right <= layout.width + 0.01
        assert bottom <= layout.height + 0.01
    return found


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_nothing_overlaps(graph: Graph) -> None:
    assert overlapping(place(graph, lambda node: node.kind)) == []


@settings(deadline=None, max_examples=40)
@given(graphs())
def test_every_picture_is_well_formed(graph: Graph) -> None:
    ElementTree.fromstring(svg(graph, title=graph.nodes[0].label))


@given(NAMES, st.floats(30, 300), st.integers(1, 4))
def test_lines_are_as_wide_as_there_is_room(name: str, room: float, most: int) -> None:
    lines = wrap(name, 13, room, most)
    assert 1 <= len(lines) <= most
    assert all(width(line, 13) <= room for line in lines)


def test_a_long_name_is_cut_and_whole_in_the_hint() -> None:
    name = "a" * 80
    assert clip(name, 13, 60).endswith("…")
    assert f"<title>{name}</title>" in svg(Graph([Node("n", name, "task")]))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"Condition": "{% $states.input.n\n > 9 %}"}, "$states.input.n > 9"),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 9}, "$.n ≥ 9"),
        ({"Variable": "$.s", "StringEquals": "a"}, "$.s = 'a'"),
        ({"Variable": "$.s", "StringEqualsPath": "$.t"}, "$.s = $.t"),
        ({"Variable": "$.b", "BooleanEquals": False}, "$.b = false"),
        ({"Variable": "$.x", "IsPresent": False}, "$.x is not present"),
        ({"Not": {"Variable": "$.s", "StringMatches": "a*"}}, "not $.s like 'a*'"),
        (
            {"And": [{"Variable": "$.a", "IsNull": True}, {"Or": [{"Variable": "$.b", "NumericLessThan": 2}]}]},
            "$.a is null and ($.b < 2)",
        ),
        ({"Variable": "$.n", "Odd": 1}, "$.n"),
    ],
)  # fmt: skip
def test_conditions_in_few_words(rule: dict[str, Any], text: str) -> None:
    assert condition(rule) == text


SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
input: {n: number}
steps:
  - id: first
    task: m.first
    ensure: [$result > 1]
    retry: {attempts: 3, backoff: linear}
    on_error: [{match: [Odd], next: last}]
  - {id: second, when: $input.n > 1, task: m.second}
  - id: choose
    decision: [{when: $input.n > 2, next: end}, {next: last}]
  - {id: last, wait: 1s}
"""


def test_a_spec_is_drawn_by_step() -> None:
    loaded = load(SPEC)
    assert loaded.spec is not None, loaded.diagnostics
    compiled = compile_spec(loaded.spec, loaded.source)
    graph = graph_of(compiled.definition, compiled.source_map)
    assert [(node.label, node.kind) for node in graph.nodes] == [
        ("", "start"), ("first", "task"), ("second", "task"), ("choose", "decision"), ("last", "wait"), ("", "end"),
    ]  # fmt: skip
    edges = {(edge.start, edge.target, edge.label): (edge.kind, edge.ways) for edge in graph.edges}
    assert edges == {
        ("start", "step first", ""): ("next", [("workflow: check", "Choices[0]")]),
        ("step first", "step last", "Odd"): ("catch", [("first: again", "Choices[1]")]),
        ("step first", "step second", ""): ("next", [("first: check", "Choices[0]")]),
        ("step second", "step choose", "skipped"): ("choice", [("second: when", "Default")]),
        ("step second", "step choose", ""): ("next", [("second", "Next")]),
        ("step choose", "step last", "otherwise"): ("choice", [("choose", "Default")]),
        ("step choose", "end", "$input.n > 2"): ("choice", [("choose", "Choices[0]")]),
        ("step last", "end", ""): ("next", [("last", "Next")]),
    }


def test_states_called_as_the_picture_calls_its_own() -> None:
    states = {"start": {"Type": "Pass", "Next": "end"}, "end": {"Type": "Pass", "End": True}}
    graph = graph_of({"StartAt": "start", "States": states})
    assert [node.id for node in graph.nodes] == ["start", "state start", "state end", "end"]


def test_what_is_within_a_state_is_drawn_within_it() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    each = {**inner, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    states = {
        "P": {"Type": "Parallel", "Branches": [inner, {"StartAt": "J", "States": {"J": {"Type": "Fail"}}}], "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": {**each, "StartAt": "K", "States": {"K": {"Type": "Fail"}}}, "End": True},
    }  # fmt: skip
    graph = graph_of({"StartAt": "P", "States": states})
    within = {
        node.label: [(caption, [n.label for n in part.nodes]) for caption, part in node.inner]
        for node in graph.nodes
    }
    assert within["P"] == [("branch 1", ["", "I", ""]), ("branch 2", ["", "J"])]
    assert within["M"] == [("each item, an execution of its own", ["", "K"])]


def test_markup_in_names_is_text() -> None:
    hostile = '</text><script>alert(1)</script>\x00"'
    states = {hostile: {"Type": "Pass", "End": True}}
    look = Look(caption=lambda node: hostile, hint=lambda node: hostile)
    picture = svg(graph_of({"StartAt": hostile, "States": states}), look, title=hostile)
    assert "<script" not in picture
    ElementTree.fromstring(picture)


def test_two_hundred_states_are_drawn_soon() -> None:
    states: dict[str, Any] = {
        f"s{n}": {"Type": "Task", "Resource": "r", "Next": f"s{n + 1}"} for n in range(200)
    }
    for n in range(0, 190, 5):
        states[f"s{n}"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": f"s{n + 7}"}]
    states["s200"] = {"Type": "Succeed"}
    began = time.process_time()
    picture = svg(graph_of({"StartAt": "s0", "States": states}))
    assert time.process_time() - began < 5
    assert json.dumps(picture).count("data-node") == 201


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "end", "", "$a > 1"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "next", "when", "decision", "on_error", "parallel", "steps", "map", "repeat", "gate", "revise", "to", "match", "task", "fail"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(_JSON)
def test_whatever_is_being_written_is_drawn(steps: Any) -> None:
    """A draft's data may be anything: the editor draws what there is of it, and tells its steps."""
    data = {"steps": steps}
    drawn = plan(outline_of(data))
    source, findings = read_source(json.dumps(data))
    assert findings == []
    told = shape(source)
    assert len(drawn["nodes"]) >= 1
    assert all(step in json.dumps(drawn) for step in told["steps"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_draft_looks_as_what_it_becomes(path: Path) -> None:
    """The steps, and what leads from one to another: as the compiled definition has them."""
    loaded = load(path.read_bytes(), path.name)
    assert loaded.spec is not None
    compiled = compile_spec(loaded.spec, loaded.source)

    def ways(graph: Graph) -> set[tuple[str, str]]:
        own = {(edge.start, edge.target) for edge in graph.edges if edge.start != edge.target}
        return own.union(*(ways(inner) for node in graph.nodes for _, inner in node.inner))

    def names(graph: Graph) -> set[str]:
        return {node.id for node in graph.nodes}.union(
            *(names(inner) for node in graph.nodes for _, inner in node.inner)
        )

    drawn, real = outline_of(loaded.source.data), graph_of(compiled.definition, compiled.source_map)
    assert names(drawn) == names(real)
    assert ways(drawn) <= ways(real) | {(start, "end") for start in names(real)}
