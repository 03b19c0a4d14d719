"""A whole template, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plan import ARTIFACTS, Deployment
from . import engine, queues, step_functions
from .functions import Code
from .parts import Parts
from .release import Live

VERSION = "2010-09-09"


def template(
    deployment: Deployment, code: Code, packages: Mapping[str, str], live: Live | None = None
) -> dict[str, Any]:
    """The template of a deployment; `packages` are the keys of its workflows, `live` what is there at present."""
    parts = Parts()
    parts.parameters[ARTIFACTS] = {
        "Type": "String", "Description": "The bucket with the archives and workflows that the template names",
        "AllowedPattern": "[a-z0-9.-]{3,63}",
    }  # fmt: skip
    target = engine if deployment.settings.target == "engine" else step_functions
    target.add(parts, deployment, code, packages, live or Live())
    queues.refuse_plain_http(parts)
    names = ", ".join(each.name for each in deployment.workflows) or "no workflows"
    made = {
        "AWSTemplateFormatVersion": VERSION,
        "Description": f"Stratum, stage {deployment.settings.stage}, on {deployment.settings.target}: {names}"[
            :1024
        ],
        "Metadata": {"Stratum": {"Target": deployment.settings.target, "Stage": deployment.settings.stage}},
        "Parameters": parts.parameters,
        "Conditions": parts.conditions,
        "Resources": parts.resources,
        "Outputs": parts.outputs,
    }
    return {key: value for key, value in made.items() if value}
