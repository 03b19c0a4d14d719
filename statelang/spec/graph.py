"""Workflows as Mermaid flowcharts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..asl.machine import transitions
from .flow import END, Edge, Path
from .models import AgentStep, AnyStep, DecisionStep, FailStep, GateStep, Spec, SucceedStep, bodies
from .outline import Outline, outline

_SHAPES: dict[type, tuple[str, str]] = {
    DecisionStep: ("{{", "}}"),
    SucceedStep: ("([", "])"),
    FailStep: ("([", "])"),
    GateStep: ("[/", "/]"),
    AgentStep: ("[[", "]]"),
}
_LABELS = {"done": "", "skipped": "|skipped|", "error": "|error|", "revised": "|revise|"}


def mermaid(spec: Spec) -> str:
    """The steps of a spec and where they lead; a step that holds others is a frame around them."""
    shape = outline(spec, [])
    lines = ["flowchart TD", f"    start([{_text(spec.workflow)}]) --> {_id(spec.steps[0].id)}"]
    lines += _list(spec.steps, ("steps",), shape, "    ", "done")
    return "\n".join(lines) + "\n"


def _list(steps: Sequence[AnyStep], path: Path, shape: Outline, margin: str, end: str) -> Iterator[str]:
    for index, step in enumerate(steps):
        within = bodies(step)
        if not within:
            opening, closing = _SHAPES.get(type(step), ("[", "]"))
            yield f"{margin}{_id(step.id)}{opening}{_text(step.id)}{closing}"
            continue
        yield f"{margin}subgraph {_id(step.id)} [{_text(f'{step.id}: {step.kind}')}]"
        for body in within:
            inner = f"{_id(step.id)}__{body.name}"
            yield f"{margin}    subgraph {inner} [{_text(body.name)}]"
            at = (*path, index, *body.path)
            yield from _list(body.steps, at, shape, f"{margin}        ", f"{inner}__end")
            yield f"{margin}    end"
        yield f"{margin}end"
    flow = shape.flows[path]
    edges = [*flow.edges, *flow.back]
    ends = [edge for edge in edges if edge.target == END]
    # What a branch, an item or a round comes to after its last step needs no picture.
    shown = end == "done" or len(ends) > 1
    for edge in edges:
        if edge.target != END or shown:
            yield f"{margin}{_arrow(edge, steps, end)}"
    if ends and shown:
        yield f"{margin}{end}([end])"


def _arrow(edge: Edge, steps: Sequence[AnyStep], end: str) -> str:
    label = _LABELS.get(edge.how, "")
    if edge.how == "chosen":
        step = next(step for step in steps if step.id == edge.start)
        assert isinstance(step, DecisionStep)
        when = step.decision[int(edge.path[-2])].when
        label = f"|{_text(when)}|" if when else "|otherwise|"
    arrow = "-->" if edge.how in ("done", "chosen") else "-.->"
    return f"{_id(edge.start)} {arrow}{label} {end if edge.target == END else _id(edge.target)}"


def mermaid_of_asl(definition: dict[str, Any]) -> str:
    """The states of a definition and where they lead."""
    names = {name: f"s{index}" for index, name in enumerate(definition["States"])}
    lines = ["flowchart TD", f"    start([start]) --> {names[definition['StartAt']]}"]
    for name, state in definition["States"].items():
        opening, closing = (
            ("{{", "}}")
            if state.get("Type") == "Choice"
            else ("([", "])")
            if state.get("Type") in ("Succeed", "Fail")
            else ("[", "]")
        )
        lines.append(f"    {names[name]}{opening}{_text(name)}{closing}")
        for place, target in transitions(state):
            arrow = "-.->" if place.startswith("Catch") else "-->"
            lines.append(f"    {names[name]} {arrow} {names[target]}")
    return "\n".join(lines) + "\n"


def _id(step: str) -> str:
    return f"step_{step}"  # `end` and others are Mermaid's own words


def _text(text: str) -> str:
    return '"' + text.replace('"', "#quot;").replace("\n", " ") + '"'
