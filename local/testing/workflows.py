"""What a test runs: a spec or a definition out of a file, a value, or a template that holds one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...handlers import workflows
from ...statelang.asl import dump
from ..cli import files
from ..cli.problem import WrongRequest
from .definitions import State, states_of
from .problem import SetupError


@dataclass(frozen=True, slots=True)
class Workflow:
    """`definition` is ASL and `text` the same as JSON; a spec has its `source_map`. `folders` are where its handlers
    are looked for; `functions` are handlers that a template names, as `path:attribute`, by the function's name."""

    name: str
    definition: dict[str, Any]
    text: str
    states: dict[str, State]
    source_map: dict[str, Any] | None = None
    file: str | None = None
    folders: tuple[Path, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)
    type: str = "STANDARD"
    spec: Any = None

    def step_of(self, state: str) -> str | None:
        """The step that a state belongs to; None in plain ASL, and for the states around the steps of a spec."""
        if self.source_map is None:
            return None
        return self.source_map["states"].get(state, {}).get("step")

    def role_of(self, state: str) -> str:
        return (self.source_map or {"states": {}})["states"].get(state, {}).get("role", "")

    def working_state(self, step: str) -> str | None:
        """The state that does the work of a step: for a spec, the one of its name or the first of its own."""
        if self.source_map is None:
            return None
        states = self.source_map["steps"].get(step, {}).get("states", [])
        if step in states:
            return step
        return next((state for state in states if self.role_of(state) == "task"), None)

    def names(self) -> list[str]:
        """What tests call the parts of the workflow by: its steps, or its states."""
        return list(self.states if self.source_map is None else self.source_map["steps"])


Given = str | Path | Mapping[str, Any] | Workflow


def load(
    given: Given,
    folders: Sequence[Path] = (),
    *,
    state_machine: str | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> Workflow:
    """The workflow. Relative paths are looked for in `folders`, the first first. Raises `SetupError` with every
    error that is in it."""
    if isinstance(given, Workflow):
        return given
    if isinstance(given, Mapping):
        return _of_data(given, state_machine)
    if isinstance(given, str) and ("\n" in given or given.lstrip().startswith("{")):
        return _of_text(given, state_machine)
    if not isinstance(given, str | Path):
        raise SetupError(f"a workflow is a file, a definition or its text, not {type(given).__name__}")
    path = _find(Path(given), folders)
    return _of_file(path, path.stat().st_mtime_ns, path.stat().st_size)


def _find(path: Path, folders: Sequence[Path]) -> Path:
    places = [path] if path.is_absolute() else [folder / path for folder in folders] or [path]
    for place in places:
        if place.is_file():
            return place
    for place in places:
        if place.exists():
            return place  # a folder: reading it says what is in it
    looked = ", ".join(dict.fromkeys(str(place.parent) for place in places))
    try:
        files.read_bytes(places[0])
    except WrongRequest as problem:
        hint = str(problem).partition("; ")[2]
        raise SetupError(
            f"there is no file {path.name} in {looked}" + (f"; {hint}" if hint else "")
        ) from None
    return places[0]


@lru_cache(maxsize=256)
def _of_file(path: Path, changed: int, size: int) -> Workflow:
    try:
        loaded = files.load_workflow(path)
    except WrongRequest as problem:
        raise SetupError(str(problem)) from None
    return _made(
        loaded.name, loaded.definition, loaded.source_map, file=str(path.resolve()), folders=(loaded.folder,),
        spec=loaded.spec,
    )  # fmt: skip


def _of_text(text: str, name: str | None) -> Workflow:
    return _checked(text.encode(), "the workflow", name)


def _of_data(data: Mapping[str, Any], name: str | None) -> Workflow:
    try:
        text = json.dumps(data, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SetupError(f"the workflow cannot be JSON: {error}") from None
    return _checked(text.encode(), "the workflow", name)


def _checked(content: bytes, origin: str, name: str | None) -> Workflow:
    try:
        found = workflows.workflow_of(workflows.check(content, origin))
    except workflows.InvalidWorkflow as error:
        raise SetupError(str(error)) from None
    return _made(
        name or (found.name if found.spec else "workflow"),
        found.definition,
        found.source_map,
        spec=found.spec,
    )


def _made(name: str, definition: dict[str, Any], source_map: dict[str, Any] | None, **rest: Any) -> Workflow:
    return Workflow(name, definition, dump(definition), states_of(definition), source_map, **rest)
