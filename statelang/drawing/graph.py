"""A machine as a graph: by state, or with a source map by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..asl.machine import transitions
from .conditions import condition

Way = tuple[str, str]
"""A state and a place in it: `Next`, or as `engine.ways` has them."""

START, END, HIDDEN = "start", "end", ""


@dataclass(slots=True)
class Node:
    """A step or a state; `kind` is the step's kind or the state's type in lower case, or `start` and `end`.

    `states` are those that it stands for; `inner` what is within a Parallel or Map, with a caption each.
    """

    id: str
    label: str
    kind: str
    states: tuple[str, ...] = ()
    inner: list[tuple[str, Graph]] = field(default_factory=list)


@dataclass(slots=True)
class Edge:
    """From one node to another. `kind` is `next`, `choice` or `catch`; `ways` are the ways that lead along it."""

    start: str
    target: str
    kind: str
    label: str = ""
    ways: list[Way] = field(default_factory=list)


@dataclass(slots=True)
class Graph:
    """What one machine is drawn from: a whole one, a branch, or an item processor."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


def graph_of(definition: Mapping[str, Any], source_map: Mapping[str, Any] | None = None) -> Graph:
    """The graph of a definition that the validator finds no error in. A source map makes it one of steps."""
    return _Building(source_map).graph(definition)


class _Building:
    def __init__(self, source_map: Mapping[str, Any] | None):
        self._map = source_map
        self._states: Mapping[str, Any] = {} if source_map is None else source_map["states"]
        self._steps: Mapping[str, Any] = {} if source_map is None else source_map["steps"]
        self._said = {
            (state, place): (way["what"], way["text"])
            for step in self._steps.values()
            for way in step.get("ways", ())
            for state, place in way["states"]
            if way["what"] in _TELLING
        }

    def graph(self, machine: Mapping[str, Any]) -> Graph:
        graph = Graph([Node(START, "", START)])
        states = machine["States"]
        nodes: dict[str, Node] = {}
        for name, state in states.items():
            id = self._node_of(name)
            if id in (START, HIDDEN):
                continue
            node = nodes.get(id)
            if node is None:
                node = nodes[id] = Node(id, *self._title(id, name, state))
            node.states = (*node.states, name)
            node.inner += [*self._inner(state)]
        ends = nodes.pop(END, None)
        graph.nodes += nodes.values()
        for edge in self._edges(machine):
            ends = Node(END, "", END) if edge.target == END and ends is None else ends
            _join(graph.edges, edge)
        if ends is not None:
            ends.label, ends.kind = "", END
            graph.nodes.append(ends)
        return graph

    def _node_of(self, state: str) -> str:
        """The id of the node that a state belongs to. Those of states and steps begin with a word, so that none is START,
        END or HIDDEN."""
        if self._map is None:
            return f"state {state}"
        mapped = self._states.get(state)
        if mapped is None:
            return f"state {state}"
        role = mapped["role"]
        if mapped["step"] is not None:
            # What undoes a step is none of its way: an arrow from nearly everywhere would lead there.
            return HIDDEN if role == "compensate" else f"step {mapped['step']}"
        return START if role in ("start", "check") else END if role in _ENDS else HIDDEN

    def _title(self, id: str, state: str, body: Mapping[str, Any]) -> tuple[str, str]:
        what, _, name = id.partition(" ")
        if what == "step":
            return name, str(self._steps.get(name, {}).get("kind", body["Type"].lower()))
        return state, body["Type"].lower()

    def _inner(self, state: Mapping[str, Any]) -> Iterator[tuple[str, Graph]]:
        for index, branch in enumerate(state.get("Branches", ())):
            if not self._computes(branch):
                yield self._named(branch) or f"branch {index + 1}", self.graph(branch)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                mode = state[key].get("ProcessorConfig", {}).get("Mode", "INLINE")
                yield (
                    "each item" if mode == "INLINE" else "each item, an execution of its own",
                    self.graph(state[key]),
                )

    def _computes(self, branch: Mapping[str, Any]) -> bool:
        """Whether the branch is only there to compute something that may fail: it has nothing to be drawn."""
        roles = [self._states.get(name, {}).get("role") for name in branch["States"]]
        return self._map is not None and roles in (["computed"], ["waits"])

    def _named(self, branch: Mapping[str, Any]) -> str | None:
        """The name that a spec gives the branch."""
        for name in branch["States"]:
            step = self._steps.get(self._states.get(name, {}).get("step") or "", {})
            if (within := step.get("within")) is not None:
                around = self._steps.get(within["step"], {}).get("kind")
                return "each round" if around == "repeat" else within["branch"]
        return None

    def _edges(self, machine: Mapping[str, Any]) -> Iterator[Edge]:
        first = self._node_of(machine["StartAt"])
        if first != START:
            yield Edge(START, first, "next")
        for name, state in machine["States"].items():
            start = self._node_of(name)
            if start == HIDDEN:
                continue
            for place, target in transitions(state):
                at = place.removesuffix("/Next")
                goal = self._node_of(target)
                if goal in (START, HIDDEN):
                    continue
                if (
                    goal == start
                    and self._map is not None
                    and self._said.get((name, at), ("",))[0] != "again"
                ):
                    continue  # what goes on within a step (its retries, its checks), and how a list begins and ends
                kind = "next" if at == "Next" else "catch" if at.startswith("Catch") else "choice"
                yield self._edge(start, goal, kind, name, at, state)
            if state.get("End") or (state["Type"] == "Succeed" and start == END):
                if start != END:
                    yield Edge(start, END, "next", ways=[(name, "Next")])

    def _edge(self, start: str, goal: str, kind: str, state: str, at: str, body: Mapping[str, Any]) -> Edge:
        said = self._said.get((state, at))
        label = ""
        if start == START:
            kind = "next"
        elif said is not None:
            what, text = said
            kind = "catch" if what in ("on_error", "not ready") else kind
            label = _WORDS.get(what, what) if what not in ("branch", "on_error") else " ".join(text.split())
        elif self._map is not None:
            kind = "next" if kind == "choice" else kind  # a check that found nothing leads on
        elif kind == "choice":
            label = "otherwise" if at == "Default" else condition(body["Choices"][_index(at)])
        elif kind == "catch":
            label = ", ".join(body["Catch"][_index(at)]["ErrorEquals"])
        return Edge(start, goal, kind, label, [(state, at)])


_TELLING = ("skipped", "branch", "on_error", "not ready", "again", "approve", "revise", "silence")
"""What leads away from a step otherwise than to the next one, and so is said at the arrow."""
_WORDS = {"silence": "no answer"}
_ENDS = ("result", "end", "done")


def _index(place: str) -> int:
    return int(place[place.index("[") + 1 : -1])


def _join(edges: list[Edge], edge: Edge) -> None:
    """Adds the edge, or its ways to one that looks the same."""
    for other in edges:
        if (other.start, other.target, other.kind, other.label) == (
            edge.start,
            edge.target,
            edge.kind,
            edge.label,
        ):
            other.ways += edge.ways
            return
    edges.append(edge)
