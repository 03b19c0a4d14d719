"""`compile_spec`: the whole machine of a spec, and its source map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..asl import digest_of, dump
from ..spec.checks import contracts_of
from ..spec.contracts import secrets
from ..spec.flow import END
from ..spec.models import ParallelStep, Placed, Spec
from ..spec.outline import outline
from ..spec.source import Source
from . import saga
from .body import Body
from .errors import CONTRACT_VIOLATED
from .machine import Machine, State
from .predicates import violations_expression
from .rewriting import braced
from .spelling import spelled


@dataclass(frozen=True, slots=True)
class Compiled:
    """`definition` has ASL's fields and no others. `source_map` is as `compile_spec` says."""

    definition: dict[str, Any]
    source_map: dict[str, Any]


def compile_spec(spec: Spec, source: Source | None = None) -> Compiled:
    """Compiles a spec that has been checked; the same spec gives the same text.

    The source map: `{"file", "workflow", "version", "digest" (of the definition), "states": {state: {"step",
    "role", "line", "column"}}, "steps": {id: {"kind", "line", "column", "within" (the step around it, and the
    branch, or null), "states": [...], "ways": [{"what", "text", "line", "column", "states": [[state, place], ...],
    "rounds"?}, ...], "violations": variable?}}, "secrets": [path, ...]}`; the ways are `origins`, the paths as
    `spec.contracts.secrets` gives them. States within states are there with the others: their
    names are the whole machine's.
    """
    shape = outline(spec, [])
    machine = Machine(spec, contracts_of(spec, [], shape), shape)
    body = Body(machine, spec.steps, ("steps",), "workflow")
    body.lower()
    comment = f"{spec.workflow} {spec.version}" + (
        f": {spec.description.strip()}" if spec.description else ""
    )
    definition: State = {"Comment": comment, "QueryLanguage": "JSONata"}
    states = _states(body)
    definition["StartAt"] = next(iter(states))
    if spec.timeout is not None and not machine.deadline:
        definition["TimeoutSeconds"] = spec.timeout
    definition["States"] = states
    definition = spelled(definition)
    return Compiled(definition, _source_map(spec, source, machine, definition))


def _states(body: Body) -> State:
    """The states of the workflow's own list, with those that begin and end it."""
    machine, spec = body.machine, body.machine.spec
    if spec.result is not None and _leads(body, body.state("result")):
        _result(body)
    if body.unwinding is not None and _leads(body, body.state("compensate")):
        saga.compensate(body)
    assign: State = {"input": braced("$states.context.Execution.Input")}
    if body.deadline_variable is not None:
        started = "$toMillis($states.context.Execution.StartTime)"
        assign[body.deadline_variable] = braced(f"{started} + {spec.timeout} * 1000")
    first = body.entry(spec.steps[0].id)
    start, checks = body.state("start"), {}
    machine.roles[start] = (None, "start")
    contract = machine.contracts.input
    if contract is not None and contract.kind != "any":
        found = machine.variable("input_violations")
        given = "$states.context.Execution.Input"
        assign[found] = braced(violations_expression(contract, [], given, body.names(spec.steps[0].id)))
        checks = _check_input(body, found, first)
        first = body.state("check")
    return {
        start: {"Type": "Pass", "Assign": {**assign, **body.variables}, "Next": first},
        **checks,
        **body.states,
    }


def _check_input(body: Body, found: str, first: str) -> State:
    """Whatever began the execution, its input is as the steps have been promised."""
    cause = f"$string({{'error': ${found}[0].code, 'violations': ${found}}})"
    check, refused = body.state("check"), body.state("refused")
    body.machine.roles[check] = body.machine.roles[refused] = (None, "start")
    rule = {"Condition": braced(f"$count(${found}) = 0"), "Next": first}
    return {
        check: {"Type": "Choice", "Choices": [rule], "Default": refused},
        refused: {"Type": "Fail", "Error": CONTRACT_VIOLATED, "Cause": braced(cause)},
    }


def _result(body: Body) -> None:
    result = body.machine.spec.result
    output = body.names(END).template(result)
    name = body.state("result")
    if body.guarded(END) and body.may_fail(result, END):
        body.guard(name, None, END, output, lambda value: {}, {"End": True}, "result")
    else:
        body.add(name, None, "result", {"Type": "Succeed", "Output": output})


def _leads(body: Body, target: str) -> bool:
    return any(
        target in (state.get("Next"), state.get("Default"))
        or any(each["Next"] == target for key in ("Choices", "Catch") for each in state.get(key, ()))
        for state in body.states.values()
    )


def _source_map(spec: Spec, source: Source | None, machine: Machine, definition: State) -> dict[str, Any]:
    places: dict[str | None, dict[str, int]] = {}
    steps: dict[str, Any] = {}
    origins = machine.origins
    for id, placed in machine.shape.steps.items():
        places[id] = _place(source, placed.path)
        ways = [
            {
                "what": origin.what, "text": origin.text, **_place(source, (*placed.path, *origin.path)),
                "states": [*map(list, origin.ways)], **({"rounds": origin.rounds} if origin.rounds is not None else {}),
            }
            for origin in origins.steps.get(id, ())
        ]  # fmt: skip
        steps[id] = {
            "kind": placed.step.kind,
            **places[id],
            "within": _within(placed),
            "states": [],
            "ways": ways,
        }
        if id in origins.violations:
            steps[id]["violations"] = origins.violations[id]
    states: dict[str, Any] = {}
    for name in _names(definition):
        step, role = machine.roles[name]
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
        "secrets": [path for name, contract in machine.values for path in secrets(name, contract)],
    }


def _within(placed: Placed) -> dict[str, Any] | None:
    if not placed.within:
        return None
    around = placed.within[-1]
    return {"step": around.id, "branch": placed.path[-2] if isinstance(around, ParallelStep) else None}


def _names(machine: State) -> list[str]:
    """The names of all states, each before those within it."""
    found: list[str] = []
    for name, state in machine["States"].items():
        found.append(name)
        for inner in [
            *state.get("Branches", ()),
            *([state["ItemProcessor"]] if "ItemProcessor" in state else []),
        ]:
            found += _names(inner)
    return found


def _place(source: Source | None, path: tuple[str | int, ...]) -> dict[str, int]:
    position = source.position(path) if source is not None else None
    return {"line": position.line, "column": position.column} if position else {}
