"""What is reported: every workflow with its numbers, and the lines of its file where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...statelang.asl import digest_of, dump
from ...statelang.coverage import (
    COUNTED,
    KINDS,
    Coverage,
    Part,
    parts_of_definition,
    parts_of_spec,
    share,
    total,
)
from .record import FORMAT, Record, Recorded


@dataclass(slots=True)
class Covered:
    """One workflow. `title` is what it is called by in reports; `lines` are those of its file, none without one."""

    title: str
    recorded: Recorded
    coverage: Coverage
    lines: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        taken, offered = self.coverage.counts
        return {
            "title": self.title, "percent": round(self.coverage.percent, 2), "taken": taken, "offered": offered,
            "kinds": {kind: dict(zip(("taken", "offered"), self.coverage.of([kind]), strict=True)) for kind in KINDS},
            "missing": [_told(part) for part in self.coverage.missing],
            "parts": [{**_told(part), "hits": part.hits(self.coverage.hits)} for part in self.coverage.parts],
            **self.recorded.to_json(),
        }  # fmt: skip


def _told(part: Part) -> dict[str, Any]:
    return {"name": part.key, "owner": part.owner, "kind": part.kind, "label": part.label, "line": part.line}


@dataclass(slots=True)
class Report:
    workflows: list[Covered]
    counted: Sequence[str]

    @property
    def counts(self) -> tuple[int, int]:
        found = total(each.coverage for each in self.workflows)
        return int(found["taken"]), int(found["offered"])

    @property
    def percent(self) -> float:
        return share(*self.counts)

    def to_json(self) -> dict[str, Any]:
        """A record that can be merged (`Record.merge`), with the numbers beside it."""
        taken, offered = self.counts
        return {
            "format": FORMAT, "counted": list(self.counted), "taken": taken, "offered": offered,
            "percent": round(self.percent, 2), "workflows": [each.to_json() for each in self.workflows],
        }  # fmt: skip


def report(record: Record, counted: Sequence[str] = COUNTED, root: Path | None = None) -> Report:
    """The report of a record, whose files are as seen from `root` (default: the current folder)."""
    root = root or Path.cwd()
    made: list[Covered] = []
    for workflow in record.workflows:
        source = _read(workflow, root)
        if workflow.source_map is not None:
            parts = parts_of_spec(workflow.source_map)
        else:
            parts = parts_of_definition(workflow.definition, _lines_in(source, workflow.definition))
        coverage = Coverage(workflow.name, parts, workflow.taken.hits, counted)
        made.append(Covered("", workflow, coverage, source.lines if source is not None else []))
    files = [each.recorded.file for each in made]
    for each in made:
        file, name = each.recorded.file, each.recorded.name
        if file is None:
            each.title = name
        else:
            digest = digest_of(dump(each.recorded.definition))[:7]
            each.title = f"{file} ({name}, {digest})" if files.count(file) > 1 else file
    return Report(made, counted)


def _read(workflow: Recorded, root: Path) -> Any:
    """The source of the workflow's file, None where there is none (any more)."""
    from ...statelang.spec import read_source

    if workflow.file is None:
        return None
    try:
        content = (root / workflow.file).read_bytes()
    except OSError:
        return None
    source, _ = read_source(content, workflow.file)
    return source


def _lines_in(source: Any, definition: dict[str, Any]) -> Callable[[tuple[str | int, ...]], int | None]:
    """Where parts of the definition stand in its file, if the file is the definition and no template around it."""
    data = getattr(source, "data", None)
    same = isinstance(data, dict) and data.get("States", {}).keys() == definition["States"].keys()

    def line(path: tuple[str | int, ...]) -> int | None:
        position = source.position(path, key=isinstance(path[-1], str)) if same else None
        return position.line if position is not None else None

    return line
