"""Workflow files: read with a bound, told apart (a spec or ASL), checked and compiled."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .problem import WrongRequest

if TYPE_CHECKING:
    from ...statelang.spec import Loaded

MAX_BYTES = 1024 * 1024
"""The largest file that is read: what Step Functions takes as a definition, too."""


@dataclass(slots=True)
class Workflow:
    """A workflow ready to run: its `definition` (ASL), and for a spec the `source_map` and the spec itself."""

    path: Path
    name: str
    definition: dict[str, Any]
    source_map: dict[str, Any] | None = None
    spec: Any = None
    warnings: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where its Python handlers are looked for."""
        return self.path.resolve().parent


@dataclass(slots=True)
class Checked:
    """What came of reading a file: a spec (`loaded`), or an ASL `definition`, with findings on either."""

    path: Path
    loaded: Loaded | None = None
    definition: dict[str, Any] | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(finding["severity"] == "error" for finding in self.findings)


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


def _similar(path: Path) -> str:
    import difflib

    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""


def check(path: Path) -> Checked:
    """Reads the file and finds everything that is wrong with it."""
    from ...statelang import spec

    content = read_bytes(path)
    definition = _asl(content)
    if definition is not None:
        return _check_asl(path, content, definition)
    loaded = spec.load(content, str(path))
    checked = Checked(path, loaded=loaded)
    for diagnostic in loaded.diagnostics:
        checked.findings.append(diagnostic.to_json())
        checked.texts.append(loaded.source.render(diagnostic))
    return checked


def _asl(content: bytes) -> dict[str, Any] | None:
    """The definition, when the file is Amazon States Language, in JSON or in YAML."""
    if len(content) > MAX_BYTES or (b"StartAt" not in content and b"States" not in content):
        return None
    from ...statelang import spec

    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = spec.load_data(content)
    return data if spec.is_asl(data) else None


def _check_asl(path: Path, content: bytes, definition: dict[str, Any]) -> Checked:
    from ...statelang import spec
    from ...statelang.asl import validation

    checked = Checked(path, definition=definition)
    problems = validation.validate(definition)
    source, _ = spec.read_source(content, str(path)) if problems else (None, [])
    for problem in problems:
        where, value = _named(problem.location, definition)
        position = source.position(where, key=isinstance(value, dict | list)) if source else None
        diagnostic = spec.Diagnostic(
            problem.code,
            problem.message,
            where,
            position,
            f"at {problem.location}" if problem.location else None,
            problem.severity.lower(),
            str(path),
        )
        checked.findings.append({**diagnostic.to_json(), "location": problem.location})
        checked.texts.append(spec.render(diagnostic, source.lines if source else []))
    return checked


def _named(location: str, data: Any) -> tuple[tuple[str | int, ...], Any]:
    """What a location such as `/States/Fan out/Branches[0]/StartAt` names, as far as `data` has it: path and value.

    Names stand in it as they are, slashes and all, so that the document itself must tell where each ends.
    """
    path: list[str | int] = []
    while location:
        index = re.match(r"\[(\d+)\]", location)
        if index and isinstance(data, list) and int(index[1]) < len(data):
            path.append(int(index[1]))
            data, location = data[int(index[1])], location[index.end() :]
            continue
        rest = location.removeprefix("/")
        names = [name for name in data if rest.startswith(name)] if isinstance(data, dict) else []
        names = [name for name in names if rest[len(name) :][:1] in ("", "/", "[")]
        if not names:
            break
        name = max(names, key=len)
        path.append(name)
        data, location = data[name], rest[len(name) :]
    return tuple(path), data


def load_workflow(path: Path) -> Workflow:
    """The workflow in the file. Raises `WrongRequest` with every error in it."""
    checked = check(path)
    if not checked.ok:
        count = sum(finding["severity"] == "error" for finding in checked.findings)
        raise WrongRequest(
            f"{path} has {count} error{'s' if count != 1 else ''}\n\n" + "\n\n".join(checked.texts)
        )
    if checked.definition is not None:
        return Workflow(path, _name_of(path), checked.definition, warnings=checked.texts)
    assert checked.loaded is not None
    assert checked.loaded.spec is not None
    from ...statelang.compiler import compile_spec

    compiled = compile_spec(checked.loaded.spec, checked.loaded.source)
    return Workflow(
        path,
        checked.loaded.spec.workflow,
        compiled.definition,
        compiled.source_map,
        checked.loaded.spec,
        checked.texts,
    )


def _name_of(path: Path) -> str:
    """A name for a state machine that has none of its own: the file's, as far as ARNs allow it."""
    stem = path.name.partition(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)[:80] or "workflow"


def read_input(text: str | None) -> str:
    """`--input`: JSON, or `@FILE`. Answers compact JSON text."""
    from ...statelang.asl import dump

    if text is None:
        return "{}"
    source = "--input"
    if text.startswith("@"):
        path = Path(text[1:])
        content = read_bytes(path)
        if len(content) > MAX_BYTES:
            raise WrongRequest(
                f"{path} is larger than {MAX_BYTES} bytes; an execution's input has at most 262144"
            )
        source = str(path)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise WrongRequest(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    try:
        return dump(json.loads(text))
    except json.JSONDecodeError as error:
        raise WrongRequest(
            f"{source}:{error.lineno}:{error.colno}: not JSON: {error.msg}{_hint(text)}"
        ) from None
    except ValueError as error:
        raise WrongRequest(f"{source}: not JSON: {error}") from None
    except RecursionError:
        raise WrongRequest(f"{source}: nested too deeply") from None


def _hint(text: str) -> str:
    return f"; to read a file, write --input @{text}" if Path(text).suffix == ".json" else ""
