"""How a new version takes over: the parameter `Shift` says which share it has, from 0 to 1.

An update of the stack publishes the new versions and gives them the first share; further ones only change the parameter. Each
is watched by CloudFormation itself (rollback triggers): when an alarm goes off, it rolls the whole stack back, whether or not
anybody is still there who had asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .parts import NO_VALUE, Parts, Value, att, if_, ref

SHIFT, PERCENT, REST = "Shift", "ShiftPercent", "RestPercent"
_WHOLE = "ShiftedWhole"


@dataclass(frozen=True, slots=True)
class Live:
    """What is deployed at present: versions of functions by their names on Lambda, and by the names of their resources which
    of them the stack has; ARNs of state machines' versions by workflow, likewise."""

    functions: Mapping[str, str] = field(default_factory=dict)
    machines: Mapping[str, str] = field(default_factory=dict)
    resources: frozenset[str] = frozenset()


def share(parts: Parts) -> Value:
    """The share that new versions have."""
    parts.parameters[SHIFT] = {
        "Type": "Number", "Default": 1, "MinValue": 0, "MaxValue": 1,
        "Description": "The share of calls and executions that the new versions have",
    }  # fmt: skip
    return ref(SHIFT)


def _by_shift(parts: Parts) -> None:
    parts.conditions[_WHOLE] = {"Fn::Equals": [share(parts), "1"]}


def alias_versions(parts: Parts, version: str, before: str | None) -> dict[str, Value]:
    """The versions that an alias of a function leads to: `version` is a resource, `before` a number."""
    if before is None:
        return {"FunctionVersion": att(version, "Version")}
    _by_shift(parts)
    weights = {
        "AdditionalVersionWeights": [
            {"FunctionVersion": att(version, "Version"), "FunctionWeight": ref(SHIFT)}
        ]
    }
    return {
        "FunctionVersion": if_(_WHOLE, att(version, "Version"), before),
        "RoutingConfig": if_(_WHOLE, NO_VALUE, weights),
    }


def machine_routing(parts: Parts, version: str, before: str | None) -> Value:
    """The routing of a state machine's alias. `Shift` is a share, and this wants percent, of both: two more parameters."""
    whole = [{"StateMachineVersionArn": ref(version), "Weight": 100}]
    if before is None:
        return whole
    _by_shift(parts)
    for name, default, text in (
        (PERCENT, 100, "The percent of executions that new versions have, while they take over"),
        (REST, 0, "The percent that the versions before have, until then"),
    ):
        parts.parameters[name] = {
            "Type": "Number", "Default": default, "MinValue": 0, "MaxValue": 100, "Description": text,
        }  # fmt: skip
    shares = [
        {"StateMachineVersionArn": ref(version), "Weight": ref(PERCENT)},
        {"StateMachineVersionArn": before, "Weight": ref(REST)},
    ]
    return if_(_WHOLE, whole, shares)


def parameters(shift: float) -> dict[str, str]:
    """The values of a template's parameters that give new versions that share."""
    percent = round(shift * 100)
    return {SHIFT: "1" if percent == 100 else f"{shift:g}", PERCENT: str(percent), REST: str(100 - percent)}
