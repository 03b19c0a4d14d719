"""A text that is being written: its findings, its graph, what it becomes, and how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...statelang import drawing, spec
from ..workflows import MAX_BYTES, Checked, workflow_of
from ..workflows import check as check_text
from .definitions import picture
from .host import Console, Refusal


def check(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of `text`: `findings` as the validator has them, and where there is no error its picture and what it compiles to."""
    content = content_of(parameters)
    checked = check_text(content, "workflow.yaml")
    told: dict[str, Any] = {"findings": checked.findings, "ok": checked.ok}
    if checked.ok:
        told |= _compiled(checked)
    return told


def content_of(parameters: Mapping[str, Any]) -> bytes:
    written = parameters.get("text")
    if not isinstance(written, str):
        raise Refusal(400, "`text` is the text of a spec or a definition")
    content = written.encode("utf-8", "replace")
    if len(content) > MAX_BYTES:
        raise Refusal(413, f"a workflow has {MAX_BYTES} bytes at the most")
    return content


def _compiled(checked: Checked) -> dict[str, Any]:
    workflow = workflow_of(checked)
    told = picture(workflow.definition, workflow.source_map, checked.text)
    graph = drawing.graph_of(workflow.definition, workflow.source_map)
    mermaid = (
        spec.mermaid(workflow.spec) if workflow.spec is not None else spec.mermaid_of_asl(workflow.definition)
    )
    return {
        **told,
        "workflow": workflow.name,
        "mermaid": mermaid,
        "svg": drawing.svg(graph, title=workflow.name),
    }


def try_out(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Runs the text on a virtual clock, with what stands for its tasks; see the host for what it takes."""
    if console.try_out is None:
        raise Refusal(404, "drafts are not run here")
    return console.try_out(parameters)
