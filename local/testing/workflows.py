"""What a test runs: a spec or a definition out of a file, a value, or a template that holds one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ...handlers import workflows
from ...statelang.asl import dump
from ..cli import files, python_files
from ..cli.problem import WrongRequest
from .aws import ACCOUNT
from .definitions import State, bare, states_of
from .problem import SetupError
from .templates import Template, TemplateFunction, is_template, read_template


@dataclass(frozen=True, slots=True)
class Workflow:
    """`definition` is ASL and `text` the same as JSON; a spec has its `source_map`. `folders` are where its handlers
    are looked for; `functions` are those that come with it, in its template or as Python, by their bare names; `beside`
    are the state machines of its template that it may start."""

    name: str
    definition: dict[str, Any]
    text: str
    states: dict[str, State]
    source_map: dict[str, Any] | None = None
    file: str | None = None
    folders: tuple[Path, ...] = ()
    functions: Mapping[str, TemplateFunction | Callable[..., Any]] = field(default_factory=dict)
    express: bool = False
    beside: tuple[Workflow, ...] = ()
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
        """What tests call the parts of the workflow by: its steps with what takes their work back, or its states."""
        if self.source_map is None:
            return list(self.states)
        return [
            *self.source_map["steps"],
            *(each for each in self.states if self.role_of(each) == "compensate"),
        ]


if TYPE_CHECKING:
    from ...statelang.python.workflow import Workflow as Builder

    Given = str | Path | Mapping[str, Any] | Workflow | Builder


def load(
    given: Given,
    folders: Sequence[Path] = (),
    *,
    region: str = "us-east-1",
    state_machine: str | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> Workflow:
    """The workflow. Relative paths are looked for in `folders`, the first first. Of a template `state_machine` says
    which is meant; in a definition it is the name. `substitutions` are put in for `${name}`. Raises `SetupError` with
    every error that is in it."""
    if isinstance(given, Workflow):
        return given
    asked = _Asked(region, state_machine, tuple((substitutions or {}).items()))
    if _is_builder(given):
        return _of_builder(given)
    if isinstance(given, Mapping):
        if is_template(given):
            return _of_template(given, asked, None)
        try:
            content = json.dumps(given, indent=2, ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise SetupError(f"the workflow cannot be JSON: {error}") from None
        return _of_content(content, asked, None)
    if isinstance(given, str) and ("\n" in given or given.lstrip().startswith("{")):
        return _of_content(given.encode(), asked, None)
    if not isinstance(given, str | Path):
        raise SetupError(f"a workflow is a file, a definition or its text, not {type(given).__name__}")
    if python_files.is_python(Path(given)):
        return _of_python(str(given), folders)
    path = _find(Path(given), folders)
    there = path.stat()
    return _with_children(_of_file(path, asked, there.st_mtime_ns, there.st_size), path)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What else was said of the workflow that is asked for."""

    region: str
    state_machine: str | None = None
    substitutions: tuple[tuple[str, str], ...] = ()


def _find(path: Path, folders: Sequence[Path]) -> Path:
    places = [path] if path.is_absolute() else [folder / path for folder in folders] or [path]
    try:
        for place in places:
            if place.is_file():
                return place
        for place in places:
            if place.exists():
                return place  # a folder: reading it says what is in it
    except (OSError, ValueError) as error:  # no path at all
        raise SetupError(f"there is no file '{str(path)[:100]}': {error.args[-1]}") from None
    looked = ", ".join(dict.fromkeys(str(place.parent) for place in places))
    try:
        files.read_bytes(places[0])
    except WrongRequest as problem:
        hint = str(problem).partition("; ")[2]
        raise SetupError(
            f"there is no file {path.name} in {looked}" + (f"; {hint}" if hint else "")
        ) from None
    return places[0]


def _of_python(given: str, folders: Sequence[Path]) -> Workflow:
    """A workflow that is built in Python: `flow.py`, `flow.py:orders` or `package.flow:orders`."""
    file = re.sub(r"(?<=\.py):\w+$", "", given)
    if file.endswith(".py"):
        given = f"{_find(Path(file), folders)}{given[len(file) :]}"
    try:
        loaded = files.load_workflow(Path(given))
    except WrongRequest as problem:
        raise SetupError(str(problem)) from None
    return _with_children(_of_loaded(loaded), loaded)


def _is_builder(given: Any) -> TypeGuard[Builder]:
    """Whether it is a workflow that was built, without importing what builds them."""
    return type(given).__name__ == "Workflow" and type(given).__module__.endswith("statelang.python.workflow")


def _of_builder(given: Builder) -> Workflow:
    """A workflow that is built in Python, as its builder."""
    try:
        loaded = files.load_built(given)
    except workflows.InvalidWorkflow as error:
        raise SetupError(str(error)) from None
    return _with_children(_of_loaded(loaded), loaded)


def _with_children(workflow: Workflow, source: files.WorkflowFile | Path) -> Workflow:
    """The workflow with those that it runs. What is in no file may be mocked."""
    if workflow.spec is None or workflow.beside or not _starts(workflow.text):
        return workflow
    from ..cli.children import children_of

    if isinstance(source, Path):
        source = files.WorkflowFile(
            str(source), workflow.name, workflow.definition, spec=workflow.spec, path=source
        )
    try:
        return replace(workflow, beside=tuple(map(_of_loaded, children_of(source).found)))
    except WrongRequest as problem:
        raise SetupError(str(problem)) from None


def _of_loaded(loaded: files.WorkflowFile) -> Workflow:
    return Workflow(
        loaded.name, loaded.definition, dump(loaded.definition), states_of(loaded.definition), loaded.source_map,
        str(loaded.path.resolve()), (loaded.folder,),
        {bare(name): function for name, function in loaded.functions.items()}, spec=loaded.spec,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _of_file(path: Path, asked: _Asked, changed: int, size: int) -> Workflow:
    try:
        content = files.read_bytes(path)
    except WrongRequest as problem:
        raise SetupError(str(problem)) from None
    return _of_content(content, asked, path)


def _of_content(content: bytes, asked: _Asked, path: Path | None) -> Workflow:
    if b"Resources" in content:
        data = read_template(content, str(path or "the template"))
        if is_template(data):
            return _of_template(data, asked, path)
    return _checked(content, asked, path)


def _of_template(data: Any, asked: _Asked, path: Path | None) -> Workflow:
    folder = path.resolve().parent if path is not None else None
    template = Template(data, folder=folder, region=asked.region, substitutions=dict(asked.substitutions))
    functions = template.functions()
    found = [template.machine(asked.state_machine)]
    others = [
        template.machine(id)
        for id in template.machines()
        if id != found[0].id and _starts(found[0].definition)
    ]
    made: list[Workflow] = []
    for machine in found + others:
        named = _Asked(asked.region, machine.name, asked.substitutions)
        workflow = _checked(
            machine.definition.encode(), named, machine.file or path, f"'{machine.id}' of the template"
        )
        folders = (folder,) if folder is not None else ()
        made.append(replace(workflow, folders=folders, functions=functions, express=machine.express))
    return replace(made[0], beside=tuple(made[1:]))


def _starts(definition: str) -> bool:
    """Whether it starts other state machines, which then have to be there."""
    return ":states:startExecution" in definition or "aws-sdk:sfn" in definition


def _checked(content: bytes, asked: _Asked, path: Path | None, origin: str | None = None) -> Workflow:
    content = _substituted(content, asked)
    origin = origin or str(path or "the workflow")
    try:
        if path is not None and origin == str(path):
            found = workflows.workflow_of(files.check_content(content, path))
        else:
            found = workflows.workflow_of(workflows.check(content, origin))
    except workflows.InvalidWorkflow as error:
        text = str(error)
        if left := sorted(set(re.findall(r"\$\{([^{}]+)\}", content.decode("utf-8", "replace")))):
            text += f"\n\nplaceholders that nothing was put in for: {', '.join(left)}; substitutions={{…}} gives them"
        raise SetupError(text) from None
    name = asked.state_machine or (found.name if found.spec or path is not None else "workflow")
    return Workflow(
        name, found.definition, dump(found.definition), states_of(found.definition), found.source_map,
        str(path.resolve()) if path is not None else None, (path.resolve().parent,) if path is not None else (),
        spec=found.spec,
    )  # fmt: skip


def _substituted(content: bytes, asked: _Asked) -> bytes:
    """A definition with its placeholders filled in, as SAM and CloudFormation write them. A resource that is nothing
    but a placeholder is taken for a Lambda function of that name."""
    if b"${" not in content:
        return content
    text = content.decode("utf-8", "surrogateescape")
    for name, value in (
        *asked.substitutions, ("AWS::Partition", "aws"), ("AWS::Region", asked.region), ("AWS::AccountId", ACCOUNT),
    ):  # fmt: skip
        text = text.replace("${" + name + "}", json.dumps(str(value), ensure_ascii=False)[1:-1])
    function = f"arn:aws:lambda:{asked.region}:{ACCOUNT}:function:"
    text = re.sub(
        r'("?Resource"?\s*:\s*["\']?)\$\{([A-Za-z0-9_]+)\}(?=["\']?\s*[,\n}])', rf"\g<1>{function}\2", text
    )
    return text.encode("utf-8", "surrogateescape")
