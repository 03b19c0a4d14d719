"""From the text of a spec to its model, with everything that is wrong with it found on the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from .diagnostics import Diagnostic, did_you_mean
from .models import KINDS, LATER, Defaults, Spec, Step
from .schema_files import ReadSchema, embedded
from .source import Path, Source, is_asl, read_source

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
RESERVED = {"states", "input", "result", "error", "context", "attempt", "violations", "end"}


@dataclass(slots=True)
class Loaded:
    """`spec` is there when the structure is right; `diagnostics` are in the order of the file."""

    source: Source
    spec: Spec | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.spec is not None and not any(each.severity == "error" for each in self.diagnostics)


def load(text: str | bytes, name: str = "<spec>", *, schemas: ReadSchema | None = None) -> Loaded:
    """Reads and checks a spec. Never raises for a bad one: what is wrong is in `diagnostics`, all at once.

    `schemas` gives the JSON Schema files that the spec names.
    """
    source, findings = read_source(text, name)
    if source.data is None:
        return Loaded(source, None, findings)
    return load_source(source, findings, schemas=schemas)


def load_source(
    source: Source, findings: Sequence[Diagnostic] = (), *, schemas: ReadSchema | None = None
) -> Loaded:
    """Checks a spec whose data is there; `findings` are those that were made on the way to it."""
    findings = list(findings)
    reader = _Reader(source, findings, schemas)
    spec = reader.spec()
    if spec is not None:
        from .checks import check

        findings = findings + check(spec, reader.broken)
    return Loaded(
        source, spec if not reader.refused else None, sorted(map(reader.placed, findings), key=_order)
    )


def _order(finding: Diagnostic) -> tuple[int, int, str]:
    place = finding.position
    return (place.line, place.column, finding.code) if place else (1 << 30, 0, finding.code)


class _Reader:
    def __init__(self, source: Source, findings: list[Diagnostic], schemas: ReadSchema | None = None):
        self.source = source
        self.schemas = schemas
        self.findings = findings
        self.refused = bool(findings)
        self.broken: list[str] = []  # the ids of steps that could not be read

    def placed(self, finding: Diagnostic) -> Diagnostic:
        """The finding with its place in the file."""
        if finding.position is not None:
            return replace(finding, file=self.source.name)
        span = finding.path[-1] if finding.path else None
        if isinstance(span, str) and span.startswith("@"):  # characters of an expression: "@12-17"
            path = finding.path[:-1]
            start, _, end = span[1:].partition("-")
            place = self.source.expression_position(path, int(start), int(end))
            return replace(finding, path=path, position=place, file=self.source.name)
        key = finding.code in ("S201", "S208", "S204") and bool(finding.path)
        return replace(finding, position=self.source.position(finding.path, key=key), file=self.source.name)

    def problem(self, code: str, message: str, path: Path, suggestion: str | None = None) -> None:
        self.refused = True
        self.findings.append(Diagnostic(code, message, path, None, suggestion))

    def spec(self) -> Spec | None:
        data = self.source.data
        if not isinstance(data, dict):
            self.problem(
                "S105", f"a spec is a mapping, not {_kind_of(data)}", (), 'it begins with `stratum: "1"`'
            )
            return None
        if is_asl(data):
            self.problem("S105", "this is Amazon States Language, not a spec", ())
            return None
        steps = data.get("steps")
        made: list[Step] = []
        if "steps" in data and not (isinstance(steps, list) and steps):
            self.problem("S203", "`steps` is a list of at least one step", ("steps",))
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            read = self.step(step, ("steps", index))
            if read is not None:
                made.append(read)
        whole = {step.id for step in made}
        for step in steps if isinstance(steps, list) else []:
            if not isinstance(step, dict) or str(step.get("id", "")) not in whole:
                self.broken.append(str(step.get("id", "")) if isinstance(step, dict) else "")
        header = {key: value for key, value in data.items() if key != "steps"}
        if "types" in header:
            header["types"] = embedded(header["types"], self.schemas, self.findings)
        if "steps" not in data:
            self.problem("S202", "`steps` is missing", (), "a workflow is a list of steps under `steps:`")
        known = dict(header)
        for _ in range(len(header) + 2):
            try:
                checked = _Header.model_validate(known)
                break
            except ValidationError as error:
                for key in self.pydantic(error, (), _Header, header):
                    known.pop(key, None)
                # What is wrong or missing is filled in, so that the steps can be checked all the same.
                known = {"stratum": "1", "workflow": "workflow", "version": "0.0.0", **known}
        else:
            return None  # what is wrong could not be set aside: it has been told
        if not made:
            return None
        fields = {name: getattr(checked, name) for name in Spec.model_fields if name != "steps"}
        return Spec.model_construct(**fields, steps=made)

    def step(self, data: Any, path: Path) -> Step | None:
        if not isinstance(data, dict):
            self.problem(
                "S203",
                f"a step is a mapping, not {_kind_of(data)}",
                path,
                "such as {id: hello, task: module.function}",
            )
            return None
        kinds = [key for key in data if key in KINDS or key in LATER]
        later = [key for key in kinds if key in LATER]
        if later:
            self.problem("S205", f"steps of the kind `{later[0]}` are not supported yet", (*path, later[0]))
            return None
        if len(kinds) > 1:
            self.problem(
                "S204",
                f"a step has one kind, and here are {' and '.join(f'`{kind}`' for kind in kinds)}",
                (*path, kinds[1]),
            )
            return None
        if not kinds:
            self._no_kind(data, path)
            return None
        model = KINDS[kinds[0]]
        rest = dict(data)
        if "compensate" in rest:
            self.problem("S205", "`compensate` is not supported yet", (*path, "compensate"))
            del rest["compensate"]
        if "id" in rest and not self._good_id(rest["id"], (*path, "id")):
            return None
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            bad = self.pydantic(error, path, model, rest)
            for key in bad:
                rest.pop(key, None)
            try:
                return model.model_validate(rest) if "id" in rest else None
            except ValidationError:
                return None

    def _no_kind(self, data: dict[str, Any], path: Path) -> None:
        known = {name for model in KINDS.values() for name in model.model_fields}
        for key in data:
            if key not in known and (hint := did_you_mean(key, [*KINDS, *LATER])):
                self.problem("S201", f"there is no kind of step `{key}`", (*path, key), hint)
                return
        kinds = ", ".join(f"`{kind}`" for kind in KINDS)
        self.problem("S204", f"a step needs a kind: one of {kinds}", path)

    def _good_id(self, id: Any, path: Path) -> bool:
        if not isinstance(id, str) or not _ID.fullmatch(id):
            way_on = "letters, digits and `_`, a letter first, at most 60: it is the name of a variable"
            self.problem("S206", f"{id!r} cannot be a step's id", path, way_on)
            return False
        from ..jsonata.library import LIBRARY

        if id in RESERVED or id in LIBRARY:
            why = "a function's name" if id in LIBRARY else "taken"
            self.problem(
                "S206", f"`{id}` cannot be a step's id: ${id} is {why}", path, f"call it `{id}_step`, say"
            )
            return False
        return True

    def pydantic(
        self, error: ValidationError, base: Path, model: type[BaseModel], data: dict[str, Any]
    ) -> set[str]:
        """Tells every error of a model in our words; answers the keys of `data` that are wrong."""
        bad: set[str] = set()
        told: set[Path] = set()
        for found in error.errors(include_url=False):
            if _beside_the_point(found):
                continue
            path = self._real(base, found["loc"], data)
            if path in told:
                continue
            told.add(path)
            if len(path) > len(base):
                bad.add(str(path[len(base)]))
            self._tell(found, path, base, model)
        return bad

    def _real(self, base: Path, loc: tuple[Any, ...], data: Any) -> Path:
        """The path in the document: pydantic's has the names of union members in it."""
        path = base
        at: Any = data
        for index, part in enumerate(loc):
            if (isinstance(at, dict) and part in at) or (
                isinstance(at, list) and isinstance(part, int) and part < len(at)
            ):
                at = at[part]
            elif index != len(loc) - 1 or not (isinstance(at, dict) and isinstance(part, str)):
                continue
            path = (*path, part)
        return path

    def _tell(self, found: Any, path: Path, base: Path, model: type[BaseModel]) -> None:
        kind, name = found["type"], path[-1] if path else ""
        fields = _fields_at(model, path[len(base) :])
        if kind == "extra_forbidden":
            everywhere = {each for step in KINDS.values() for each in step.model_fields}
            if name in everywhere and issubclass(model, Step) and len(path) == len(base) + 1:
                self.problem("S208", f"a `{model.kind}` step cannot have `{name}`", path, _known(fields))
            else:
                hint = did_you_mean(str(name), fields) or _known(fields)
                self.problem("S201", f"there is no key `{name}` here", path, hint)
        elif kind == "missing":
            self.problem("S202", f"`{name}` is missing", path[:-1], _MISSING.get(str(name)))
        elif kind == "literal_error":
            expected = str(found["ctx"]["expected"]).replace("'", "`")
            self.problem("S203", f"`{name}` is {expected}, not {found['input']!r}", path)
        elif kind == "value_error":
            self.problem("S203", f"{found['ctx']['error']}", path)
        elif kind == "string_pattern_mismatch":
            self.problem(
                "S203",
                f"{found['input']!r} cannot be the {name}: {_PATTERNS.get(str(name), found['msg'])}",
                path,
            )
        else:
            told = found["msg"].replace("Input should be", "it should be").replace("a valid string", "a text")
            hint = f'put it into quotes, as in {name}: "{found["input"]}"' if kind == "string_type" else None
            hint = "a version is three numbers, such as 1.4.0" if name == "version" else hint
            self.problem("S203", f"`{name}` is not right: {told}, not {_kind_of(found['input'])}", path, hint)


def _beside_the_point(found: Any) -> bool:
    """`retry` is a mapping or the word none: only what is nearer to what was written is told."""
    written = found["input"]
    if found["type"] == "literal_error" and isinstance(written, dict):
        return True
    return (
        found["type"] in ("model_type", "dict_type") and "retry" in found["loc"] and isinstance(written, str)
    )


class _Header(Spec):
    """Everything but the steps, which are read one by one."""

    steps: list[Any] = Field(default_factory=list)


_MISSING = {
    "id": "every step has an id, by which others refer to it",
    "stratum": 'the version of the language: `stratum: "1"`',
    "version": "the workflow's own version, such as 1.0.0",
    "workflow": "the workflow's name",
    "next": "where to go on: a step's id, or `end`",
}
_PATTERNS = {
    "version": "a version is three numbers, such as 1.4.0",
    "workflow": "a workflow's name has letters, digits, `-` and `_`, at most 80",
}


def _fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The names that are possible where the path leads to."""
    from .models import Branch, Check, ErrorRoute, Need, Retry, Until

    inner: dict[str, type[BaseModel]] = {
        "retry": Retry, "ensure": Check, "needs": Need, "on_error": ErrorRoute, "decision": Branch, "wait": Until,
        "defaults": Defaults,
    }  # fmt: skip
    at = model
    for part in path[:-1]:
        if isinstance(part, str) and part in inner:
            at = inner[part]
    return [name for name in at.model_fields if name != "steps" or at is Spec]


def _known(fields: list[str]) -> str:
    return "possible here: " + ", ".join(fields)


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)
