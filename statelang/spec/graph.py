"""Workflows as Mermaid flowcharts."""

from __future__ import annotations

from typing import Any

from ..asl.machine import transitions
from .flow import END, build
from .models import DecisionStep, FailStep, Spec, SucceedStep


def mermaid(spec: Spec) -> str:
    """The steps of a spec and where they lead."""
    lines = ["flowchart TD", f"    start([{_text(spec.workflow)}]) --> {_id(spec.steps[0].id)}"]
    ends = False
    for step in spec.steps:
        opening, closing = (
            ("{{", "}}")
            if isinstance(step, DecisionStep)
            else ("([", "])")
            if isinstance(step, SucceedStep | FailStep)
            else ("[", "]")
        )
        lines.append(f"    {_id(step.id)}{opening}{_text(step.id)}{closing}")
    for edge in build(spec, []).edges:
        label = {"done": "", "chosen": "", "skipped": "|skipped|", "error": "|error|"}[edge.how]
        if edge.how == "chosen":
            step = next(step for step in spec.steps if step.id == edge.start)
            assert isinstance(step, DecisionStep)
            when = step.decision[int(edge.path[3])].when
            label = f"|{_text(when)}|" if when else "|otherwise|"
        arrow = "-.->" if edge.how in ("skipped", "error") else "-->"
        ends |= edge.target == END
        lines.append(
            f"    {_id(edge.start)} {arrow}{label} {'done' if edge.target == END else _id(edge.target)}"
        )
    if ends:
        lines.append("    done([end])")
    return "\n".join(lines) + "\n"


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
