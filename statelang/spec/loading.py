"""From the text of a spec to its model, with everything that is wrong with it found on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field, ValidationError

from .diagnostics import Diagnostic
from .handlers import HandlersOf, no_handlers
from .model_errors import kind_of, tell
from .models import Spec
from .reading import StepReader
from .schema_files import ReadSchema, embedded
from .source import Source, is_asl, read_source


@dataclass(slots=True)
class Loaded:
    """`spec` is there when the structure is right; `diagnostics` are in the order of the file."""

    source: Source
    spec: Spec | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.spec is not None and not any(each.severity == "error" for each in self.diagnostics)


def load(
    text: str | bytes,
    name: str = "<spec>",
    *,
    schemas: ReadSchema | None = None,
    handlers: HandlersOf = no_handlers,
) -> Loaded:
    """Reads and checks a spec. Never raises for a bad one: what is wrong is in `diagnostics`, all at once.

    `schemas` gives the JSON Schema files that the spec names, `handlers` what is known of its handlers.
    """
    source, findings = read_source(text, name)
    if source.data is None:
        return Loaded(source, None, findings)
    return load_source(source, findings, schemas=schemas, handlers=handlers)


def load_source(
    source: Source,
    findings: Sequence[Diagnostic] = (),
    *,
    schemas: ReadSchema | None = None,
    handlers: HandlersOf = no_handlers,
) -> Loaded:
    """Checks a spec whose data is there; `findings` are those that were made on the way to it."""
    findings = list(findings)
    refused = bool(findings)
    reader = StepReader(findings)
    spec = _read(source.data, reader, schemas)
    if spec is not None:
        from .checks import check

        findings = findings + check(spec, reader.broken, handlers)
    found = sorted((_placed(source, finding) for finding in findings), key=_order)
    return Loaded(source, None if refused or reader.refused else spec, found)


def check_together(loaded: Sequence[Loaded]) -> None:
    """Adds what is wrong between specs that are right by themselves: what child workflows are given and give, and
    workflows that come round to themselves."""
    from .checks.together import check_together

    named = {each.spec.workflow: each for each in loaded if each.spec is not None and each.ok}
    found = check_together({name: each.spec for name, each in named.items() if each.spec is not None})
    for name, each in named.items():
        more = [_placed(each.source, finding) for finding in found[name]]
        each.diagnostics = sorted([*each.diagnostics, *more], key=_order)


def _order(finding: Diagnostic) -> tuple[int, int, str]:
    place = finding.position
    return (place.line, place.column, finding.code) if place else (1 << 30, 0, finding.code)


def _placed(source: Source, finding: Diagnostic) -> Diagnostic:
    """The finding with its place in the file."""
    if finding.position is not None:
        return replace(finding, file=source.name)
    span = finding.path[-1] if finding.path else None
    if isinstance(span, str) and span.startswith("@"):  # characters of an expression: "@12-17"
        path = finding.path[:-1]
        start, _, end = span[1:].partition("-")
        place = source.expression_position(path, int(start), int(end))
        return replace(finding, path=path, position=place, file=source.name)
    key = finding.code in ("S201", "S208", "S204") and bool(finding.path)
    return replace(finding, position=source.position(finding.path, key=key), file=source.name)


class _Header(Spec):
    """Everything but the steps, which are read one by one."""

    steps: list[Any] = Field(default_factory=list)


def _read(data: Any, reader: StepReader, schemas: ReadSchema | None) -> Spec | None:
    if not isinstance(data, dict):
        reader.problem(
            "S105", f"a spec is a mapping, not {kind_of(data)}", (), 'it begins with `stratum: "1"`'
        )
        return None
    if "stratum_test" in data:
        how = "`stratum test` runs them, and `stratum validate` checks a file that is called NAME.test.yaml"
        reader.problem("S105", "these are test cases, not a spec", ("stratum_test",), how)
        return None
    if is_asl(data):
        reader.problem("S105", "this is Amazon States Language, not a spec", ())
        return None
    steps = reader.steps(data["steps"], ("steps",)) if "steps" in data else []
    header = {key: value for key, value in data.items() if key != "steps"}
    if "types" in header:
        header["types"] = embedded(header["types"], schemas, reader.findings)
    if "steps" not in data:
        reader.problem("S202", "`steps` is missing", (), "a workflow is a list of steps under `steps:`")
    known = dict(header)
    for _ in range(len(header) + 2):
        try:
            checked = _Header.model_validate(known)
            break
        except ValidationError as error:
            for key in tell(error, (), _Header, header, reader.problem):
                known.pop(key, None)
            # What is wrong or missing is filled in, so that the steps can be checked all the same.
            known = {"stratum": "1", "workflow": "workflow", "version": "0.0.0", **known}
    else:
        return None  # what is wrong could not be set aside: it has been told
    if not steps:
        return None
    fields = {name: getattr(checked, name) for name in Spec.model_fields if name != "steps"}
    return Spec.model_construct(**fields, steps=steps)
