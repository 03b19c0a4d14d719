"""The workflows that a workflow runs as its children: found by their names in its folder, and deployed with it.

A spec is found by the name in it (`workflow: child`), a definition by its file's (`child.asl.json`); a workflow that was
built in Python brings those that it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .files import MAX_BYTES, WorkflowFile, load_built, load_workflow, read_bytes
from .problem import WrongRequest

if TYPE_CHECKING:
    from ...statelang.spec.models import WorkflowStep

_SPECS = (".yaml", ".yml")
_DEFINITIONS = (".asl.json", ".asl.yaml", ".asl.yml")
_MAX_FILES = 500


@dataclass(slots=True)
class Children:
    """`found` has each after those that it runs itself; `missing` are the steps that name one which is in no file."""

    found: list[WorkflowFile] = field(default_factory=list)
    missing: list[tuple[WorkflowFile, WorkflowStep]] = field(default_factory=list)


def children_of(workflow: WorkflowFile) -> Children:
    """Raises `WrongRequest` for a child with errors in it, and for workflows that would run each other without end."""
    made = Children()
    _look(workflow, (workflow.name,), made, {workflow.name})
    return made


def named(step: WorkflowStep) -> str | None:
    """The name of the workflow that the step runs; None where it says an ARN, or an alias of what is published."""
    return None if ":" in step.workflow else step.workflow


def _look(workflow: WorkflowFile, above: tuple[str, ...], made: Children, seen: set[str]) -> None:
    for step in _steps(workflow):
        name = named(step)
        if name in above:
            way = " runs ".join([*above[above.index(name) :], name])
            raise WrongRequest(
                f"{workflow.path}: the step `{step.id}` would run workflows without end: {way}; "
                "`repeat` runs steps again, and `map` runs them for every item"
            )
        if name is None or name in seen:
            continue
        child = _find(workflow, name)
        if child is None:
            made.missing.append((workflow, step))
            continue
        seen.add(name)
        _look(child, (*above, name), made, seen)
        made.found.append(child)


def _steps(workflow: WorkflowFile) -> Iterator[WorkflowStep]:
    if workflow.spec is None:
        return
    from ...statelang.spec.models import WorkflowStep, walk

    for placed in walk(workflow.spec.steps):
        if isinstance(placed.step, WorkflowStep):
            yield placed.step


def _find(workflow: WorkflowFile, name: str) -> WorkflowFile | None:
    if name in workflow.children:
        return load_built(workflow.children[name])
    paths = [path for path in _candidates(workflow.path.resolve().parent) if _is(path, name)]
    if len(paths) > 1 and (own := [path for path in paths if path.name.partition(".")[0] == name]):
        paths = own[:1]
    if len(paths) > 1:
        files = ", ".join(path.name for path in paths)
        raise WrongRequest(f"{workflow.path} runs the workflow `{name}`, and several files are one: {files}")
    return load_workflow(paths[0]) if paths else None


def _candidates(folder: Path) -> list[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith((*_SPECS, *_DEFINITIONS)))
    except OSError:
        return []
    return paths[:_MAX_FILES]


def _is(path: Path, name: str) -> bool:
    if path.name.endswith(_DEFINITIONS):
        return path.name.partition(".asl.")[0] == name
    try:
        content = read_bytes(path)
    except WrongRequest:
        return False
    said = rf"""^workflow:[ \t]*(["']?){re.escape(name)}\1[ \t]*(?:#.*)?\r?$"""
    text = content[:MAX_BYTES].decode("utf-8-sig", "replace")
    return re.search(said, text, re.MULTILINE) is not None and not re.search(
        r"^stratum_test:", text, re.MULTILINE
    )


def not_found(workflow: WorkflowFile, step: WorkflowStep) -> str:
    """What is said where a child is neither in a file nor deployed."""
    place = (workflow.source_map or {"steps": {}})["steps"].get(step.id, {})
    at = f":{place['line']}:{place['column']}" if "line" in place else ""
    return (
        f"{workflow.path}{at}: the step `{step.id}` runs the workflow `{step.workflow}`, which no file in "
        f"{workflow.path.resolve().parent} is, and which is not deployed; put its spec there (`workflow: {step.workflow}`)"
    )
