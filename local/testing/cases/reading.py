"""Test files: read, checked against their workflows, and everything that is wrong told with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ....statelang.jsonata import JsonataError, compile
from ....statelang.spec import Diagnostic, Position, Source, read_source
from ....statelang.spec.diagnostics import did_you_mean
from ...cli.files import MAX_BYTES, read_bytes
from ...cli.problem import WrongRequest
from ..problem import SetupError, named
from ..targets import called_task, mocked_task
from ..workflows import Workflow, load
from .finding import workflow_beside
from .models import Case, CaseFile, Expectation, Limits, Mock, Model, Setting, StepExpectation, Thrown

Place = tuple[str | int, ...]
CODES = {
    "T201": "unknown key",
    "T202": "a key is missing",
    "T203": "a value has the wrong type or form",
    "T204": "two cases have the same name",
    "T301": "the workflow cannot be loaded",
    "T302": "a name of nothing in the workflow",
    "T303": "a file that cannot be read",
    "T304": "an expression that does not parse",
}
"""Beside the codes S1xx, which are about the file and its YAML."""


@dataclass(frozen=True, slots=True)
class ReadCase:
    """A case with what the file says for all of them put in. `line` is where it stands."""

    case: Case
    workflow: Workflow
    input: Any
    mocks: Mapping[str, Mock]
    tasks: Mapping[str, str]
    mock_config: Path | None
    test_case: str | None
    all_mocks_used: bool
    express: bool | None
    now: datetime | None
    line: int


@dataclass(slots=True)
class ReadFile:
    """What came of a test file: its cases, or what is wrong with it."""

    path: Path
    source: Source
    cases: list[ReadCase] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.diagnostics

    def texts(self) -> list[str]:
        return [self.source.render(each) for each in self.diagnostics]


def read(path: Path) -> ReadFile:
    """Reads a test file and checks it. Raises `WrongRequest` where there is no such file."""
    source, findings = read_source(read_bytes(path), str(path))
    if source.data is None:
        return ReadFile(path, source, diagnostics=[_of_file(finding) for finding in findings])
    reader = _Reader(path, source, findings)
    reader.read()
    diagnostics = sorted(reader.findings, key=_order)
    return ReadFile(path, source, reader.cases if not diagnostics else [], diagnostics)


def _of_file(finding: Diagnostic) -> Diagnostic:
    """What is said of a spec that cannot be read, of a test file."""
    if finding.code != "S105":
        return finding
    start = Position(1, 1, 1, 2)
    text = finding.message.replace("a spec is", "a test file is")
    return replace(
        finding,
        message=text,
        position=finding.position or start,
        suggestion='it begins with `stratum_test: "1"`',
    )


def _order(finding: Diagnostic) -> tuple[int, int]:
    return (finding.position.line, finding.position.column) if finding.position else (0, 0)


class _Reader:
    def __init__(self, path: Path, source: Source, findings: list[Diagnostic]):
        self.path = path
        self.source = source
        self.findings = findings
        self.cases: list[ReadCase] = []
        self._workflows: dict[Place, Workflow | None] = {}

    def problem(
        self, code: str, message: str, place: Place, way_on: str | None = None, *, key: bool = False
    ) -> None:
        position = self.source.position(place, key=key)
        self.findings.append(Diagnostic(code, message, place, position, way_on, file=self.source.name))

    def read(self) -> None:
        data = self.source.data
        if not isinstance(data, dict):
            self.problem("T203", "a test file is a mapping", (), 'it begins with `stratum_test: "1"`')
            return
        try:
            file = CaseFile.model_validate(data)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                self._tell(found)
            return
        names: dict[str, int] = {}
        for index, case in enumerate(file.cases):
            place = ("cases", index)
            if case.name in names:
                first = self.source.position(("cases", names[case.name], "name"))
                way_on = f"it is on line {first.line} already" if first else None
                self.problem("T204", f"there are two cases '{case.name}'", (*place, "name"), way_on)
            names.setdefault(case.name, index)
            self._case(file, case, place)

    # -- one case ----------------------------------------------------------------------------------------

    def _case(self, file: CaseFile, case: Case, place: Place) -> None:
        before = len(self.findings)
        workflow = self._workflow(file, case, place)
        input = self._input(file, case, place)
        now = self._now(file, case, place)
        config = self._mock_config(file, case, place)
        for index, name in enumerate(case.real):
            if name not in file.mocks:
                way_on = named(name, file.mocks)
                self.problem("T302", f"the file mocks no '{name}'", (*place, "real", index), way_on)
        for index, expression in enumerate(case.expect.that):
            self._expression(expression, (*place, "expect", "that", index))
        if workflow is not None:
            self._names(workflow, file, ())
            self._names(workflow, case, place)
            self._expected_names(workflow, case.expect, (*place, "expect"))
        if len(self.findings) > before or workflow is None:
            return
        mocks = {name: mock for name, mock in file.mocks.items() if name not in case.real} | case.mocks
        position = self.source.position(place)
        self.cases.append(
            ReadCase(
                case,
                workflow,
                input,
                mocks,
                {**file.tasks, **case.tasks},
                config,
                _either(case, file, "test_case"),
                bool(_either(case, file, "all_mocks_used")),
                _either(case, file, "express"),
                now,
                position.line if position else 1,
            )
        )

    def _workflow(self, file: CaseFile, case: Case, place: Place) -> Workflow | None:
        own = any(name in case.model_fields_set for name in ("workflow", "state_machine", "substitutions"))
        known = (*place, "workflow") if own else ("workflow",)
        if known not in self._workflows:
            self._workflows[known] = self._load(file, case, known if own and case.workflow else ("workflow",))
        return self._workflows[known]

    def _load(self, file: CaseFile, case: Case, place: Place) -> Workflow | None:
        name = _either(case, file, "workflow") or workflow_beside(self.path)
        if name is None:
            way_on = "workflow: the file beside this one with the spec, the definition or the template"
            self.problem("T202", "`workflow` is missing", (), way_on)
            return None
        substitutions = {**file.substitutions, **case.substitutions}
        try:
            return load(
                name,
                [self.path.parent],
                state_machine=_either(case, file, "state_machine"),
                substitutions=substitutions,
            )
        except SetupError as error:
            self.problem("T301", f"the workflow cannot be loaded: {error}", place)
            return None

    def _input(self, file: CaseFile, case: Case, place: Place) -> Any:
        for setting, at in ((case, place), (file, ())):
            given = {"input", "input_file"} & setting.model_fields_set
            if len(given) == 2:
                self.problem("T203", "either `input` or `input_file`", (*at, "input_file"), key=True)
                return None
            if "input" in given:
                return setting.input
            if setting.input_file is not None:
                return self._json(setting.input_file, (*at, "input_file"))
        return {}

    def _json(self, name: str, place: Place) -> Any:
        path = self.path.parent / name
        try:
            content = read_bytes(path)
            if len(content) > MAX_BYTES:
                self.problem("T303", f"{path} is larger than {MAX_BYTES} bytes", place)
                return None
            return json.loads(content)
        except WrongRequest as problem:
            self.problem("T303", str(problem), place)
        except (ValueError, RecursionError) as error:
            self.problem("T303", f"{path} is not JSON: {error}", place)
        return None

    def _mock_config(self, file: CaseFile, case: Case, place: Place) -> Path | None:
        config = _either(case, file, "mock_config")
        if _either(case, file, "test_case") is not None and config is None:
            self.problem(
                "T202", "`test_case` goes with `mock_config`, the file that it is in", (*place, "test_case")
            )
        return None if config is None else self.path.parent / config

    def _now(self, file: CaseFile, case: Case, place: Place) -> datetime | None:
        text = _either(case, file, "now")
        if text is None:
            return None
        at = (*place, "now") if case.now is not None else ("now",)
        try:
            now = datetime.fromisoformat(text)
        except ValueError:
            self.problem("T203", f"{text!r} is no timestamp", at, "such as 2026-03-01T09:00:00Z")
            return None
        if now.tzinfo is None:
            self.problem("T203", "a timestamp has its zone", at, f"such as {text}Z")
            return None
        return now

    def _expression(self, text: str, place: Place) -> None:
        try:
            compile(text)
        except JsonataError as error:
            start = error.position or 0
            end = start + len(error.token or " ")
            # A single expression need not be in a list.
            at = place if place in self.source.nodes else place[:-1]
            position = self.source.expression_position(at, start, end)
            message = f"the expression does not parse: {error.message}"
            self.findings.append(Diagnostic("T304", message, at, position, file=self.source.name))

    def _names(self, workflow: Workflow, setting: Setting, place: Place) -> None:
        for kind, find in (("mocks", mocked_task), ("tasks", called_task)):
            for name in getattr(setting, kind):
                at = (*place, kind, name)
                if any(finding.path == at for finding in self.findings):
                    continue  # told for another case
                try:
                    find(workflow, name)
                except SetupError as error:
                    text, _, way_on = str(error).removeprefix(f"{kind}: ").partition("; ")
                    self.problem("T302", text, at, way_on or None, key=True)

    def _expected_names(self, workflow: Workflow, expect: Expectation, place: Place) -> None:
        for index, name in enumerate(expect.path or ()):
            if name not in workflow.names():
                way_on = named(name, workflow.names())
                self.problem("T302", f"{workflow.name} has no '{name}'", (*place, "path", index), way_on)
        known = {*workflow.names(), *workflow.states}
        for name in expect.steps:
            if name not in known:
                way_on = named(name, workflow.names())
                self.problem(
                    "T302", f"{workflow.name} has no '{name}'", (*place, "steps", name), way_on, key=True
                )

    # -- pydantic's findings in our words ----------------------------------------------------------------

    def _tell(self, found: Any) -> None:
        place = self._real(found["loc"])
        kind, name = found["type"], found["loc"][-1]
        fields = _fields_at(found["loc"][:-1])
        if kind == "extra_forbidden":
            way_on = did_you_mean(str(name), fields) or f"possible here: {', '.join(fields)}"
            self.problem("T201", f"there is no key `{name}` here", place, way_on, key=True)
        elif kind == "missing":
            self.problem("T202", f"`{name}` is missing", place)
        elif kind == "value_error":
            self.problem("T203", str(found["ctx"]["error"]), place)
        elif kind == "literal_error":
            wanted = str(found["ctx"]["expected"]).replace("'", "`")
            self.problem("T203", f"`{name}` is {wanted}, not {found['input']!r}", place)
        else:
            told = (
                found["msg"]
                .removeprefix("Input ")
                .replace(" or instance of Mock", "")
                .replace("a valid ", "a ")
            )
            told = (
                told.replace("dictionary", "mapping")
                .replace("a string", "a text")
                .replace("a integer", "an integer")
            )
            self.problem("T203", f"`{name}` {told}, not {_kind_of(found['input'])}", place)

    def _real(self, loc: tuple[Any, ...]) -> Place:
        """The place in the document: pydantic's has names in it that a short form leaves out."""
        place: Place = ()
        at: Any = self.source.data
        for index, part in enumerate(loc):
            there = (isinstance(at, dict) and part in at) or (
                isinstance(at, list) and isinstance(part, int) and part < len(at)
            )
            if there:
                at = at[part]
                place = (*place, part)
            elif (
                index == len(loc) - 1
                and isinstance(at, dict)
                and isinstance(part, str)
                and part in self._keys(place)
            ):
                place = (*place, part)
        return place

    def _keys(self, place: Place) -> set[str]:
        return {str(path[-1]) for path in self.source.keys if path[:-1] == place}


_MODELS: dict[str, type[Model]] = {
    "cases": Case, "expect": Expectation, "steps": StepExpectation, "mocks": Mock, "sequence": Mock, "iterations": Mock,
    "then": Mock, "throw": Thrown, "duration": Limits,
}  # fmt: skip


def _fields_at(loc: tuple[Any, ...]) -> list[str]:
    """The names that are possible there, as they are written."""
    model: type[Model] = CaseFile
    for part in loc:
        if isinstance(part, str) and part in _MODELS:
            model = _MODELS[part]
    return [field.alias or name for name, field in model.model_fields.items()]


def _either(case: Case, file: CaseFile, name: str) -> Any:
    return getattr(case, name) if name in case.model_fields_set else getattr(file, name)


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    kinds = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), type(value).__name__)
