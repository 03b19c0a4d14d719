"""The second stage: the objects that a deployment needs in its bucket of artifacts, each under a key that names its content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..statelang.asl import dump
from .bundle.archive import digest
from .bundle.engine import engine_archive
from .bundle.functions import function_archive
from .plan import WORK, Deployment, Source, bound, logical, placeholder
from .template.functions import Code


@dataclass(frozen=True, slots=True)
class Artifacts:
    """`objects` are contents by key; the rest says which is what."""

    objects: dict[str, bytes]
    code: Code
    workflows: dict[str, str]


def package(deployment: Deployment) -> Artifacts:
    """Raises `NotDownloaded`, `NoHandlers`, `TooLarge`."""
    settings = deployment.settings
    objects: dict[str, bytes] = {}

    def put(kind: str, name: str, content: bytes, ending: str) -> str:
        key = f"{kind}/{name}-{digest(content)}.{ending}"
        objects[key] = content
        return key

    engine = put("code", "engine", engine_archive(settings.python, settings.architecture), "zip")
    mcp = None
    if settings.mcp:
        mcp = put("code", "mcp", engine_archive(settings.python, settings.architecture, mcp=True), "zip")
    folders = {str(each.folder): each.folder for each in deployment.functions}
    functions = {
        name: put(
            "code",
            folder.name or "root",
            function_archive(folder, settings.python, settings.architecture),
            "zip",
        )
        for name, folder in sorted(folders.items())
    }
    workflows: dict[str, str] = {}
    for each in deployment.workflows:
        source = None
        if deployment.settings.target == "step-functions":
            source = put("sources", each.name, source_object(each), "json")
        content = workflow_object(deployment, each, source)
        workflows[each.name] = put("workflows", each.name, content, "json")
    return Artifacts(objects, Code(engine, functions, mcp), workflows)


def workflow_object(deployment: Deployment, workflow: Source, source: str | None = None) -> bytes:
    """What is uploaded of a workflow: its definition, where functions have placeholders; and for the engine what belongs to it.

    On Step Functions the definition's Comment names the artifact with that (`source`): it is what an execution can be asked
    for of the very version that it runs.
    """
    names = {
        name: placeholder(function.logical) for name, function in deployment.functions_of(workflow).items()
    }
    if deployment.settings.target == "step-functions":
        names[WORK] = placeholder(logical(WORK))
    definition = bound(workflow.definition, names)
    if deployment.settings.target == "step-functions":
        comment = f"{definition.get('Comment') or ''} (compiled from {source})".strip()
        return dump({**definition, "Comment": comment}).encode()
    return _json({**_about(workflow), "definition": definition})


def source_object(workflow: Source) -> bytes:
    """What belongs to a definition beside itself: the map from its states to the spec's steps, what is secret, and the spec."""
    return _json(_about(workflow))


def _about(workflow: Source) -> dict[str, Any]:
    return {
        "name": workflow.name, "version": workflow.version, "source_map": workflow.source_map, "text": workflow.text,
        "spec": workflow.spec,
    }  # fmt: skip


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
