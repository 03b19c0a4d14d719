"""ValidateStateMachineDefinition."""

from __future__ import annotations

from typing import Any

from ...statelang.asl import InvalidDefinition, Problem
from ...statelang.asl.machine import check, parse_definition
from ..runtime import Runtime
from . import parameters as read
from .parameters import Parameters

MAX_DIAGNOSTICS = 100


def validate_state_machine_definition(
    runtime: Runtime, tenant: str, parameters: Parameters
) -> dict[str, Any]:
    """Every finding; warnings only where they are asked for (`severity`)."""
    text = read.text(parameters, "definition")
    type = read.optional_text(parameters, "type") or "STANDARD"
    severity = read.optional_text(parameters, "severity") or "ERROR"
    limit = parameters.get("maxResults") or MAX_DIAGNOSTICS
    try:
        problems = check(parse_definition(text), type=type)
    except InvalidDefinition as error:
        problems = error.problems
    errors = [problem for problem in problems if problem.severity == "ERROR"]
    shown = errors if severity == "ERROR" else [*errors, *(p for p in problems if p.severity != "ERROR")]
    return {
        "result": "FAIL" if errors else "OK",
        "diagnostics": [_diagnostic(problem) for problem in shown[:limit]],
        "truncated": len(shown) > limit,
    }


def _diagnostic(problem: Problem) -> dict[str, str]:
    diagnostic = {"severity": problem.severity, "code": problem.code, "message": problem.message}
    if problem.location:
        diagnostic["location"] = problem.location
    return diagnostic
