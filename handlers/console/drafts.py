"""A text that is being written: its findings, its graph, what it becomes, how it is edited and how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...statelang import drawing, spec
from ..workflows import MAX_BYTES, Checked, workflow_of
from ..workflows import check as check_text
from .definitions import picture
from .host import Console, Refusal


def check(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of `text`: `findings` as the validator has them, and where there is no error its picture and what it compiles to.

    Of a spec also its `shape` (see `spec.edits.shape`), as long as the YAML loads; with errors in it the picture is of the
    steps as they are written.
    """
    content = content_of(parameters)
    checked = check_text(content, "workflow.yaml")
    told: dict[str, Any] = {"findings": checked.findings, "ok": checked.ok}
    source = checked.loaded.source if checked.loaded is not None else None
    if source is not None and isinstance(source.data, dict) and isinstance(source.data.get("steps"), list):
        from ...statelang.spec.edits import shape

        told["shape"] = shape(source)
        if not checked.ok:
            told |= {
                "plan": drawing.plan(drawing.outline_of(source.data)), "source": checked.text, "language": "yaml",
                "lines": {f"step {id}": step["line"] for id, step in told["shape"]["steps"].items()},
            }  # fmt: skip
    if checked.ok:
        told |= _compiled(checked)
    return told


def edit(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of `text` what an `edit` (as `spec.edits.edit_of` reads it) comes to.

    `changes` are `{"from", "to", "insert"}` of the text, counted as JavaScript counts; `line` and `end_line` are those of the
    new text that are new; `step` is the step that it was about, `notes` what somebody should know, and `shape` that
    of the new text.
    What cannot be done answers `refused`, the reason, and its `line` where it has one.
    """
    from ...statelang.spec.edits import NotEdited, apply, edit_of, shape

    text = content_of(parameters).decode()
    try:
        made = apply(text, edit_of(parameters.get("edit")))
    except NotEdited as refused:
        return {"refused": str(refused), "line": refused.line}
    except ValueError as wrong:
        raise Refusal(400, str(wrong)) from None
    changes: list[dict[str, Any]] = []
    lines: list[int] = []
    units = at = grown = 0
    for change in made.changes:
        units += _units(text[at : change.start])
        end = units + _units(text[change.start : change.end])
        changes.append({"from": units, "to": end, "insert": change.insert})
        begin = change.start + grown
        shown = change.insert.strip("\n")
        begin += len(change.insert) - len(change.insert.lstrip("\n"))
        lines += [made.text.count("\n", 0, begin) + 1, made.text.count("\n", 0, begin + len(shown)) + 1]
        grown += len(change.insert) - (change.end - change.start)
        units, at = end, change.end
    return {
        "changes": changes, "step": made.step, "notes": made.notes,
        "line": min(lines, default=None), "end_line": max(lines, default=None),
        "shape": shape(spec.read_source(made.text)[0]),
    }  # fmt: skip


def _units(text: str) -> int:
    """The length in UTF-16, as JavaScript counts."""
    return len(text) + sum(character > "\uffff" for character in text)


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
