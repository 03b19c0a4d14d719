"""`compile_spec`: the whole machine of a spec, and its source map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..asl import digest_of, dump
from ..spec.checks import contracts_of
from ..spec.contracts import secrets
from ..spec.models import Spec
from ..spec.source import Source
from .lowering import Lowering


@dataclass(frozen=True, slots=True)
class Compiled:
    """`definition` has ASL's fields and no others. `source_map` is as `compile_spec` says."""

    definition: dict[str, Any]
    source_map: dict[str, Any]


def compile_spec(spec: Spec, source: Source | None = None) -> Compiled:
    """Compiles a spec that has been checked; the same spec gives the same text.

    The source map: `{"file", "workflow", "version", "digest" (of the definition), "states": {state: {"step",
    "role", "line", "column"}}, "steps": {id: {"kind", "line", "column", "states": [...], "ways": [{"what", "text",
    "line", "column", "states": [[state, place], ...]}, ...], "violations": variable?}}, "secrets": [path, ...]}`; the ways are `origins`, the paths as
    `spec.contracts.secrets` gives them.
    """
    lowering = Lowering(spec, contracts_of(spec, []))
    lowering.run()
    first = lowering.entries[spec.steps[0].id]
    assign = {"input": "{% $states.context.Execution.Input %}", **lowering.variables}
    start = {"Type": "Pass", "Assign": assign, "Next": first}
    states = {"workflow: start": start, **lowering.states}
    comment = f"{spec.workflow} {spec.version}" + (
        f": {spec.description.strip()}" if spec.description else ""
    )
    definition: dict[str, Any] = {
        "Comment": comment,
        "QueryLanguage": "JSONata",
        "StartAt": "workflow: start",
    }
    if spec.timeout is not None:
        definition["TimeoutSeconds"] = spec.timeout
    definition["States"] = states
    return Compiled(definition, _source_map(spec, source, lowering, definition))


def _source_map(
    spec: Spec, source: Source | None, lowering: Lowering, definition: dict[str, Any]
) -> dict[str, Any]:
    places: dict[str | None, dict[str, int]] = {}
    steps: dict[str, Any] = {}
    for index, step in enumerate(spec.steps):
        places[step.id] = _place(source, ("steps", index))
        ways = [
            {"what": origin.what, "text": origin.text, **_place(source, ("steps", index, *origin.path)), "states": [*map(list, origin.ways)]}
            for origin in lowering.origins.steps.get(step.id, ())
        ]  # fmt: skip
        steps[step.id] = {"kind": step.kind, **places[step.id], "states": [], "ways": ways}
        if step.id in lowering.origins.violations:
            steps[step.id]["violations"] = lowering.origins.violations[step.id]
    states: dict[str, Any] = {}
    for name in definition["States"]:
        step, role = lowering.roles.get(name, (None, "start"))
        states[name] = {"step": step, "role": role, **places.get(step, {})}
        if step is not None:
            steps[step]["states"].append(name)
    return {
        "file": source.name if source is not None else None,
        "workflow": spec.workflow,
        "version": spec.version,
        "digest": digest_of(dump(definition)),
        "states": states,
        "steps": steps,
        "secrets": [path for name, contract in lowering.known.items() for path in secrets(name, contract)],
    }


def _place(source: Source | None, path: tuple[str | int, ...]) -> dict[str, int]:
    position = source.position(path) if source is not None else None
    return {"line": position.line, "column": position.column} if position else {}
