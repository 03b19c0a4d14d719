"""Workflow files and inputs, as the commands are given them: read with a bound."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...handlers import workflows
from ...handlers.workflows import MAX_BYTES, Checked, Workflow
from ..handler_types import HandlerTypes
from . import python_files
from .problem import WrongRequest

if TYPE_CHECKING:
    from ...statelang.python.workflow import Workflow as Built


@dataclass(slots=True)
class WorkflowFile(Workflow):
    """A workflow out of the file at `path`."""

    path: Path = Path()
    root: Path | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Handlers that a workflow in Python was given as functions, by name."""
    children: Mapping[str, Built] = field(default_factory=dict)
    """Workflows in Python that a workflow in Python runs, by name."""

    @property
    def folder(self) -> Path:
        """Where its Python handlers are looked for."""
        return self.root or self.path.resolve().parent


def read_bytes(path: Path) -> bytes:
    """The file, up to one byte more than `MAX_BYTES`. Raises `WrongRequest` for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise WrongRequest(f"there is no file {path}{_similar(path)}") from None
    except IsADirectoryError:
        specs = sorted(entry.name for entry in path.glob("*.yaml"))
        way_on = f"; it holds {', '.join(specs)}" if specs else ""
        raise WrongRequest(f"{path} is a folder, not a file{way_on}") from None
    except OSError as error:
        raise WrongRequest(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise WrongRequest(f"{str(path)!r} cannot be a file: {error}") from None


def _similar(path: Path) -> str:
    import difflib

    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""


def check(path: Path, *, imports: bool = False) -> Checked:
    """Reads the file and finds everything that is wrong with it, the types of the handlers beside it included.

    With `imports`, handlers are imported (in a process of their own) where their source does not tell their types.
    """
    if python_files.is_python(path):
        return _check_built(python_files.build(path), imports=imports)
    content = read_bytes(path)
    handlers = HandlerTypes(path.parent, imports=imports)
    return workflows.check(content, str(path), schemas=schemas(path.parent), handlers=handlers)


def check_content(content: bytes, path: Path) -> Checked:
    """Finds everything that is wrong with what was read from the file; other handlers may stand for its own."""
    return workflows.check(content, str(path), schemas=schemas(path.parent))


def _check_built(built: python_files.Built, *, imports: bool = False) -> Checked:
    def read(file: str) -> str:
        try:
            return read_bytes(Path(file)).decode("utf-8-sig", errors="replace")
        except WrongRequest:
            return ""

    loaded = built.workflow.load(
        str(built.path),
        read,
        schemas=schemas(built.path.parent),
        handlers=HandlerTypes(built.folder, imports=imports),
    )
    return workflows.checked_spec(loaded, str(built.path))


def schemas(folder: Path) -> Callable[[str], Any]:
    """Reads the JSON Schema files that a spec in the folder names."""
    from ...statelang import spec
    from ...statelang.spec.schema_files import SchemaUnreadable

    def read(name: str) -> Any:
        try:
            content = read_bytes(folder / name)
        except WrongRequest as problem:
            raise SchemaUnreadable(str(problem)) from None
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            data = spec.load_data(content)
        if data is None:
            raise SchemaUnreadable(f"{folder / name} is neither JSON nor YAML")
        return data

    return read


def load_workflow(path: Path, *, imports: bool = False) -> WorkflowFile:
    """The workflow in the file. Raises `WrongRequest` with every error in it."""
    try:
        return load(path, imports=imports)
    except workflows.InvalidWorkflow as error:
        raise WrongRequest(str(error)) from None


def load(path: Path, *, imports: bool = False) -> WorkflowFile:
    """The workflow in the file. Raises `WrongRequest` where none can be read, `InvalidWorkflow` for one with errors."""
    if python_files.is_python(path):
        built = python_files.build(path)
        return _file(_check_built(built, imports=imports), built.path, built)
    return _file(check(path, imports=imports), path, None)


def load_text(text: str, name: str, folder: Path) -> WorkflowFile:
    """The workflow in the text, as if it stood in a file of the folder. Raises `InvalidWorkflow`."""
    content = text.encode("utf-8", "replace")
    return _file(workflows.check(content, name, schemas=schemas(folder)), folder / name, None)


def load_built(workflow: Built) -> WorkflowFile:
    """A workflow that was built in this process. Raises `InvalidWorkflow`."""
    path = Path(workflow.file)
    built = python_files.Built(workflow, path, python_files.importable(path.absolute())[0])
    return _file(_check_built(built), path, built)


def _file(checked: Checked, path: Path, built: python_files.Built | None) -> WorkflowFile:
    found = workflows.workflow_of(checked)
    return WorkflowFile(
        found.origin, found.name, found.definition, found.source_map, found.spec, found.warnings, found.text, path,
        None if built is None else built.folder, {} if built is None else built.workflow.functions,
        {} if built is None else built.workflow.children,
    )  # fmt: skip


def read_input(text: str | None, option: str = "--input") -> str:
    """What an option takes as JSON, or as `@FILE`. Answers compact JSON text."""
    from ...statelang.asl import dump

    if text is None:
        return "{}"
    source = option
    if text.startswith("@"):
        path = Path(text[1:])
        content = read_bytes(path)
        if len(content) > MAX_BYTES:
            raise WrongRequest(f"{path} is larger than {MAX_BYTES} bytes; data has at most 262144")
        source = str(path)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise WrongRequest(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    try:
        return dump(json.loads(text))
    except json.JSONDecodeError as error:
        raise WrongRequest(
            f"{source}:{error.lineno}:{error.colno}: not JSON: {error.msg}{_hint(text, option)}"
        ) from None
    except ValueError as error:
        raise WrongRequest(f"{source}: not JSON: {error}") from None
    except RecursionError:
        raise WrongRequest(f"{source}: nested too deeply") from None


def _hint(text: str, option: str) -> str:
    return f"; to read a file, write {option} @{text}" if Path(text).suffix == ".json" else ""
