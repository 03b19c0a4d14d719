"""What a test runs: a spec or a definition out of a file, a value, or a template that holds one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

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
        return _of_data(dict(given), state_machine or "workflow", None)
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
    from ...statelang import spec

    try:
        data = json.loads(text)
    except ValueError:
        data = spec.load_data(text)
    if isinstance(data, dict) and spec.is_asl(data):
        return _of_data(data, name or "workflow", None)
    loaded = spec.load(text, "<workflow>")
    return _of_spec(loaded)


def _of_spec(loaded: Any) -> Workflow:
    if not loaded.ok:
        texts = [loaded.source.render(each) for each in loaded.diagnostics if each.severity == "error"]
        raise SetupError(f"the workflow has {len(texts)} errors\n\n" + "\n\n".join(texts))
    from ...statelang.compiler import compile_spec

    compiled = compile_spec(loaded.spec, loaded.source)
    return _made(loaded.spec.workflow, compiled.definition, compiled.source_map, spec=loaded.spec)


def _of_data(data: dict[str, Any], name: str, file: str | None) -> Workflow:
    from ...statelang.asl import validation
    from ...statelang.spec import is_asl

    if not is_asl(data):
        if "steps" in data:
            return _of_text(json.dumps(data), name)
        raise SetupError("this is neither a spec nor a definition: a definition has StartAt and States")
    errors = [problem for problem in validation.validate(data) if problem.severity == "ERROR"]
    if errors:
        texts = [f"{each.code} at {each.location or '/'}: {each.message}" for each in errors]
        raise SetupError(
            f"the definition has {len(texts)} error{'s' if texts[1:] else ''}\n" + "\n".join(texts)
        )
    return _made(name, data, None, file=file)


def _made(name: str, definition: dict[str, Any], source_map: dict[str, Any] | None, **rest: Any) -> Workflow:
    return Workflow(name, definition, dump(definition), states_of(definition), source_map, **rest)
