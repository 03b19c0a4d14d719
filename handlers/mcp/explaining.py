"""A workflow explained: what each step does, who does it, what is checked, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..workflows import Workflow
from .results import shortened

_DOES = {
    "task": "code", "agent": "an agent", "gate": "a person", "workflow": "another workflow", "wait": "time",
}  # fmt: skip
_KINDS = (
    "task",
    "agent",
    "gate",
    "decision",
    "parallel",
    "map",
    "repeat",
    "workflow",
    "wait",
    "set",
    "fail",
    "succeed",
)
_SHOWN = ("intent", "when", "needs", "output", "ensure", "retry", "attempts", "budget", "timeout", "heartbeat", "on_error",
          "compensate", "next", "because")  # fmt: skip


def explained(workflow: Workflow) -> dict[str, Any]:
    """`{"input", "output", "steps", "graph"}`; the graph is a Mermaid flowchart. Of plain ASL, its states are the steps."""
    from ...statelang import spec

    if workflow.spec is None:
        states = [
            {"step": name, "kind": state["Type"], "does": state.get("Resource"), "next": state.get("Next")}
            for name, state in workflow.definition.get("States", {}).items()
        ]
        steps = [{key: value for key, value in each.items() if value is not None} for each in states]
        return {"steps": steps, "graph": spec.mermaid_of_asl(workflow.definition)}
    told = workflow.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    lines = (workflow.source_map or {}).get("steps", {})
    return {
        "description": told.get("description"), "input": told.get("input"), "output": told.get("output", told.get("result")),
        "steps": list(_steps(told.get("steps", []), lines, "")), "graph": spec.mermaid(workflow.spec),
    }  # fmt: skip


def _steps(body: list[dict[str, Any]], lines: dict[str, Any], within: str) -> Iterator[dict[str, Any]]:
    for step in body:
        kind = next((kind for kind in _KINDS if kind in step), "step")
        told: dict[str, Any] = {"step": step.get("id"), "kind": kind}
        if within:
            told["within"] = within
        if (line := lines.get(str(step.get("id")), {}).get("line")) is not None:
            told["line"] = line
        if kind in _DOES:
            told["done_by"] = _DOES[kind]
        told[kind if kind != "step" else "does"] = shortened(_without_steps(step.get(kind)), 400)
        told |= {name: shortened(step[name], 400) for name in _SHOWN if name in step and name != kind}
        yield told
        here = f"{within}/{step.get('id')}" if within else str(step.get("id"))
        yield from _steps(step.get("steps") or [], lines, here)
        if kind == "parallel":
            for name, branch in step["parallel"].items():
                yield from _steps(branch, lines, f"{here}/{name}")


def _without_steps(value: Any) -> Any:
    """A parallel's branches by their names: their steps come after it."""
    if isinstance(value, dict) and value and all(isinstance(part, list) for part in value.values()):
        return list(value)
    return value
