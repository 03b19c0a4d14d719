"""Workflow files: called as seen from a folder, and found where no test ran them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...handlers.workflows import MAX_BYTES
from ..cli.files import load_workflow
from ..cli.problem import WrongRequest
from .record import Record

_SUFFIXES = (".yaml", ".yml", ".json")
_PASSED_BY = {"node_modules", "__pycache__", "build", "dist", "cdk.out", "site-packages"}


def seen_from(root: Path, file: str | Path) -> str:
    """The file's name relative to `root` where it is below it, with `/` on every system: the same wherever it was run."""
    try:
        path = os.path.relpath(file, root)
    except ValueError:
        return str(file)  # on another drive
    return str(Path(file).resolve()) if path.startswith("..") else Path(path).as_posix()


def offer_all(record: Record, path: Path, root: Path) -> list[str]:
    """Makes every spec and definition in the file, or below the folder, known to the record; answers what is wrong
    with those that are broken."""
    problems: list[str] = []
    for file in _workflow_files(path):
        try:
            workflow = load_workflow(file)
        except WrongRequest as problem:
            first = str(problem).partition("\n")[0]
            problems.append(f"{seen_from(root, file)} is left out: {first}")
            continue
        record.offer(workflow.name, workflow.definition, workflow.source_map, seen_from(root, file))
    return problems


def _workflow_files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, inner, files in os.walk(path):
        inner[:] = sorted(name for name in inner if name not in _PASSED_BY and not name.startswith(".") and not (Path(folder, name, "pyvenv.cfg")).exists())  # fmt: skip
        for name in sorted(files):
            if name.endswith(_SUFFIXES) and _is_meant(file := Path(folder, name)):
                yield file


def _is_meant(file: Path) -> bool:
    """Whether the file is a spec or a definition, by a look at its words: most YAML and JSON is neither."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return False
        content = file.read_bytes()
    except OSError:
        return False
    if b"stratum:" in content and b"steps:" in content and b"workflow:" in content:
        return True
    if not (b"StartAt" in content and b"States" in content):
        return False
    from ...statelang import spec

    return spec.is_asl(spec.load_data(content))
