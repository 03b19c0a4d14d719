"""`stratum graph`: a workflow as a picture, alone or with what an execution took of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .compile import write
from .files import load_workflow
from .opening import find_execution, open_store
from .problem import WrongRequest
from .progress import MARKS

if TYPE_CHECKING:
    from ...handlers.console.story import Story, Visit
    from ...handlers.store import Head, Store
    from ...statelang.drawing import Edge, Node

_ON, _OFF = ("running", "waiting", "retrying"), ("skipped", "stopped")
_MERMAID = {
    "done": "fill:#e3f5ea,stroke:#1a7f4b,color:#12221a",
    "failed": "fill:#fdeaea,stroke:#c62f2f,color:#2b1212",
    "on": "fill:#fff4d6,stroke:#9a6700,color:#2b2106",
    "off": "stroke-dasharray:4 3",
}


def graph(options: argparse.Namespace) -> int:
    if (options.file is None) == (options.execution is None):
        raise WrongRequest("give a FILE, or --execution NAME")
    if options.execution is not None:
        return _of_execution(options)
    workflow = load_workflow(Path(options.file))
    _draw(options, workflow.name, workflow.definition, workflow.source_map, workflow.spec, None)
    return 0


def _of_execution(options: argparse.Namespace) -> int:
    from ...handlers.workflows import source_map, spec_text

    store = open_store(options.store, create=False)
    head = find_execution(store, options.execution)
    record = store.get("definition", head.definition)
    if record is None:
        raise WrongRequest(f"the definition of {head.name} is not in the store")
    text = spec_text(store, head.definition)
    spec: Any = None
    if text is not None:
        from ...statelang.spec import load

        spec = load(text, "workflow.yaml").spec
    definition = json.loads(record.value["definition"])
    run = _Run(store, head)
    _draw(options, head.name, definition, source_map(store, head.definition), spec, run)
    return 0


def _draw(
    options: argparse.Namespace, title: str, definition: Any, mapped: Any, spec: Any, run: _Run | None
) -> None:
    from ...statelang import drawing

    if options.format == "mermaid":
        write(_mermaid(definition, spec, run), options.output)
        return
    picture = drawing.graph_of(definition, mapped)
    if options.format == "text":
        write(
            drawing.listing(picture, run.mark, run.note) if run else drawing.listing(picture), options.output
        )
        return
    look = drawing.Look(node=run.node_class, edge=run.edge_class, hint=run.hint) if run else None
    write(drawing.svg(picture, look, title=title), options.output)


def _mermaid(definition: Any, spec: Any, run: _Run | None) -> str:
    from ...statelang import spec as language

    text = language.mermaid(spec) if spec is not None else language.mermaid_of_asl(definition)
    if run is None:
        return text
    ids = {name: f"s{place}" for place, name in enumerate(definition["States"])}
    lines = [f"    classDef {name} {style}" for name, style in _MERMAID.items()]
    for step in run.steps:
        id = f"step_{step}" if spec is not None else ids.get(step)
        if id is not None:
            lines.append(f"    class {id} {run.tone(step)}")
    return text + "\n".join(lines) + "\n"


class _Run:
    """What an execution took of its definition."""

    def __init__(self, store: Store, head: Head):
        from ...handlers.console.stories import story_of

        story: Story = story_of(store, head)
        told = story.feed(store.commits(head.execution))
        self.steps: dict[str, list[Visit]] = {}
        for visit in story.visits.values():
            self.steps.setdefault(visit.step, []).append(visit)
        self._taken = set(told.taken)
        self._last = max((event.at for event in told.events), default=head.started_at)

    def tone(self, step: str) -> str:
        """`done`, `failed`, `on` (it goes on) or `off` (skipped, stopped)."""
        statuses = [visit.status for visit in self.steps[step]]
        if any(status in _ON for status in statuses):
            return "on"
        last = "failed" if self.steps[step][-1].iteration and "failed" in statuses else statuses[-1]
        return "off" if last in _OFF else last

    def _of(self, node: Node) -> str | None:
        step = node.id.partition(" ")[2]
        return step if step in self.steps else None

    def node_class(self, node: Node) -> str:
        step = self._of(node)
        return f"ran-{self.tone(step)}" if step is not None else ""

    def edge_class(self, edge: Edge) -> str:
        first = edge.start == "start" and edge.target.partition(" ")[2] in self.steps
        return "ran" if first or any(f"{state}|{at}" in self._taken for state, at in edge.ways) else ""

    def mark(self, node: Node) -> str:
        step = self._of(node)
        return MARKS[self.steps[step][-1].status] if step is not None else ""

    def note(self, node: Node) -> str:
        step = self._of(node)
        if step is None:
            return ""
        visits = self.steps[step]
        took = sum((visit.end or self._last) - visit.start for visit in visits) / 1000
        parts = [f"{len(visits)} times"] if len(visits) > 1 else []
        parts.append(f"{took:.2f} s")
        if (tries := sum(visit.tries for visit in visits)) > len(visits):
            parts.append(f"{tries} attempts")
        if visits[-1].error:
            parts.append(visits[-1].error)
        return f"({', '.join(parts)})"

    def hint(self, node: Node) -> str:
        return f"{node.label} {self.note(node)}".strip()
