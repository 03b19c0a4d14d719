"""Workflows out of text: told apart (a spec or ASL), checked, compiled, and put where executions can be started.

What belongs to a definition beside itself is kept under its digest: the map from its states to the spec's steps, and
the text that it came from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..statelang.spec.diagnostics import InvalidWorkflow

if TYPE_CHECKING:
    from ..statelang.spec import Loaded
    from ..statelang.spec.handlers import HandlersOf
    from ..statelang.spec.schema_files import ReadSchema
    from .runtime import Runtime
    from .store import Store

MAX_BYTES = 1024 * 1024
"""The largest text that is read: what Step Functions takes as a definition, too."""
SOURCE_MAP = "source-map"
"""Records of source maps, by the digest of the definition that they belong to."""
SPEC = "spec-text"
"""Records of the texts of specs, by the digest of the definition that each was compiled to."""
ROLE = "arn:aws:iam::123456789012:role/stratum-local"
"""The role of state machines that are deployed here: nothing checks it."""


@dataclass(slots=True)
class Checked:
    """What came of a text: a spec (`loaded`), or an ASL `definition`, with findings on either."""

    origin: str
    loaded: Loaded | None = None
    definition: dict[str, Any] | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    text: str | None = None

    @property
    def ok(self) -> bool:
        return not any(finding["severity"] == "error" for finding in self.findings)


@dataclass(slots=True)
class Workflow:
    """A workflow ready to run: its `definition` (ASL), and for a spec the `source_map` and the spec itself."""

    origin: str
    name: str
    definition: dict[str, Any]
    source_map: dict[str, Any] | None = None
    spec: Any = None
    warnings: list[str] = field(default_factory=list)
    text: str | None = None


class DeploymentRefused(ValueError):
    """The front door would not take the definition; the message is its own."""


def check(
    content: bytes, origin: str, *, schemas: ReadSchema | None = None, handlers: HandlersOf | None = None
) -> Checked:
    """Finds everything that is wrong with the text; `origin` is what findings call it, such as a file's path.

    `schemas` reads the JSON Schema files that a spec names, `handlers` says what is known of its handlers.
    """
    from ..statelang import spec
    from ..statelang.spec.handlers import no_handlers

    definition = _asl(content)
    if definition is not None:
        return _check_asl(content, origin, definition)
    loaded = spec.load(content, origin, schemas=schemas, handlers=handlers or no_handlers)
    checked = checked_spec(loaded, origin)
    checked.text = content.decode("utf-8-sig", "replace")
    return checked


def checked_spec(loaded: Loaded, origin: str) -> Checked:
    """What was found in a spec, as text and as JSON."""
    made = Checked(origin, loaded=loaded)
    for diagnostic in loaded.diagnostics:
        made.findings.append(diagnostic.to_json())
        made.texts.append(loaded.source.render(diagnostic))
    return made


def check_together(checked: Sequence[Checked]) -> list[Checked]:
    """The same, with what is wrong between specs that are right by themselves."""
    from ..statelang.spec.loading import check_together

    check_together([each.loaded for each in checked if each.loaded is not None])
    return [each if each.loaded is None else checked_spec(each.loaded, each.origin) for each in checked]


def workflow_of(checked: Checked) -> Workflow:
    """The workflow of a text that was checked. Raises `InvalidWorkflow` with every error in it."""
    if not checked.ok:
        raise InvalidWorkflow(checked.origin, checked.findings, checked.texts)
    if checked.definition is not None:
        return Workflow(checked.origin, _name_of(checked.origin), checked.definition, warnings=checked.texts)
    assert checked.loaded is not None
    assert checked.loaded.spec is not None
    from ..statelang.compiler import compile_spec

    spec = checked.loaded.spec
    compiled = compile_spec(spec, checked.loaded.source)
    return Workflow(
        checked.origin,
        spec.workflow,
        compiled.definition,
        compiled.source_map,
        spec,
        checked.texts,
        checked.text,
    )


def input_violations(workflow: Workflow, input: str) -> list[str]:
    """In what the input (JSON text) is not as the workflow's contract wants it, as lines of `path: message`."""
    if workflow.spec is None or workflow.spec.input is None:
        return []
    from ..statelang.spec import contracts_of, violations

    contract = contracts_of(workflow.spec, []).input
    found = violations(contract, json.loads(input)) if contract is not None else []
    return [f"{violation.path}: {violation.message}" for violation in found]


def deploy(runtime: Runtime, tenant: str, workflow: Workflow) -> str:
    """Creates the state machine, or gives an earlier one this definition; answers its ARN.

    Raises `DeploymentRefused`.
    """
    from ..statelang.asl import digest_of, dump
    from .api.errors import ApiError
    from .api.front_door import call

    definition = dump(workflow.definition)
    try:
        request = {"name": workflow.name, "definition": definition, "roleArn": ROLE}
        machine = call(runtime, "CreateStateMachine", request, tenant)["stateMachineArn"]
    except ApiError as error:
        if error.type != "StateMachineAlreadyExists":
            raise DeploymentRefused(error.message) from None
        machine = error.message.partition("'")[2].rstrip("'")
        call(runtime, "UpdateStateMachine", {"stateMachineArn": machine, "definition": definition}, tenant)
    if workflow.source_map is not None:
        store = runtime.executions(tenant).store
        store.put(SOURCE_MAP, digest_of(definition), workflow.source_map)
        if workflow.text is not None:
            store.put(SPEC, digest_of(definition), {"text": workflow.text})
    return machine


def source_map(store: Store, definition: str) -> dict[str, Any] | None:
    """The source map of the definition of that digest; None for one that was ASL to begin with."""
    record = store.get(SOURCE_MAP, definition)
    return None if record is None else record.value


def spec_text(store: Store, definition: str) -> str | None:
    """The text of the spec that the definition of that digest was compiled from, where it came from one."""
    record = store.get(SPEC, definition)
    return None if record is None else record.value["text"]


def _asl(content: bytes) -> dict[str, Any] | None:
    """The definition, when the text is Amazon States Language, in JSON or in YAML."""
    if len(content) > MAX_BYTES or (b"StartAt" not in content and b"States" not in content):
        return None
    from ..statelang import spec

    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = spec.load_data(content)
    return data if spec.is_asl(data) else None


def _check_asl(content: bytes, origin: str, definition: dict[str, Any]) -> Checked:
    from ..statelang import spec
    from ..statelang.asl import validation

    checked = Checked(origin, definition=definition)
    problems = validation.validate(definition)
    source, _ = spec.read_source(content, origin) if problems else (None, [])
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
            origin,
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


def _name_of(origin: str) -> str:
    """A name for a state machine that has none of its own: the file's, as far as ARNs allow it."""
    stem = re.split(r"[/\\]", origin)[-1].partition(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)[:80] or "workflow"
