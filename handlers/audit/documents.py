"""A trail for people: as text for a terminal, and as Markdown for a file. As JSON it is `Trail.to_json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..times import rfc3339
from .redaction import Redactor, learn
from .trail import Trail

SHORT = 160
"""Characters of a value that are shown in one line."""
_MEANS = {
    "entered": "is begun", "left": "is done", "scheduled": "is asked for", "answered": "has answered", "failed": "failed",
    "timed out": "timed out", "retried": "will be tried again", "violated": "was not as its contract or `ensure` says",
}  # fmt: skip


def redacted(trail: Trail, redactor: Redactor) -> dict[str, Any]:
    """The trail as JSON, without its secrets."""
    if redactor:
        learn(redactor, trail.entries)
    return redactor.hide(trail.to_json())


def text(told: dict[str, Any], *, whole: bool = False) -> str:
    """`told` is what `redacted` gives; `whole` shows values at their full length."""
    lines = [f"{name + ':':<12}{value}" for name, value in _about(told)]
    lines.append("")
    for entry in told["entries"]:
        head = f"{rfc3339(entry['at'])}  {_subject(entry)}: {_means(entry)}"
        lines.append(head + (f"  [{_who(entry['who'])}]" if entry.get("who") else ""))
        lines += [f"    {name}: {_shown(value, whole)}" for name, value in _data(entry)]
    return "\n".join(lines) + "\n"


def markdown(told: dict[str, Any], *, whole: bool = False) -> str:
    lines = [f"# Audit of {_escaped(told['name'])}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in _about(told)]
    lines += ["", "| time | what | who | data | commit | event |", "|---|---|---|---|---|---|"]
    for entry in told["entries"]:
        data = "<br>".join(f"{name}: {_cell(_shown(value, whole))}" for name, value in _data(entry))
        who = _who(entry["who"]) if entry.get("who") else ""
        lines.append(
            f"| {rfc3339(entry['at'])} | {_cell(f'{_subject(entry)}: {_means(entry)}')} | {_cell(who)} | {data} "
            f"| {entry.get('seq', '')} | {entry.get('event', '')} |"
        )
    return "\n".join(lines) + "\n"


def one_line(entry: dict[str, Any]) -> str:
    """An entry in a line: what happened, and the value that says most."""
    told = next(
        (f" ({_shown(value, False)})" for name, value in _data(entry) if name in ("error", "violations")), ""
    )
    return f"{_subject(entry)}: {_means(entry)}{told}"


def _about(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "execution", told["execution"]
    yield "workflow", told["workflow"] + (f" {told['version']}" if told.get("version") else "")
    yield "definition", f"sha256 {told['definition']}"
    yield "status", told["status"]
    yield (
        "started",
        rfc3339(told["started"]) + (f" by {_who(told['requester'])}" if told.get("requester") else ""),
    )
    if told.get("stopped") is not None:
        yield "stopped", rfc3339(told["stopped"])
    if told.get("forked"):
        origin = told["forked"]
        yield origin["how"] + " of", f"{origin['execution']} before event {origin['event']}"
    if told["digest"]:
        yield "log", f"{told['commits']} commits, the last with digest {told['digest']}"
    else:
        yield "history", f"{told['commits']} events, kept by Step Functions without digests"


def _subject(entry: dict[str, Any]) -> str:
    name = entry.get("step") or entry.get("state") or "execution"
    if entry.get("step") and entry.get("state") not in (None, entry["step"]):
        name += f" ({entry['state']})"
    if entry.get("iteration") is not None:
        name += f" #{entry['iteration']}"
    if entry.get("attempt", 1) > 1:
        name += f", attempt {entry['attempt']}"
    return name


def _means(entry: dict[str, Any]) -> str:
    what: str = entry["what"]
    return _MEANS.get(what, what)


def _data(entry: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    data = entry.get("data", {})
    for name, value in data.items():
        # A state's output is most often what was assigned from it.
        if name != "output" or "assigned" not in data or value not in data["assigned"].values():
            yield name, value


def _shown(value: Any, whole: bool) -> str:
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    told = told.replace("\n", "\\n")
    return told if whole or len(told) <= SHORT else f"{told[:SHORT]}… ({len(told)} characters)"


def _who(who: dict[str, str]) -> str:
    name = str(who.get("agent") or who.get("user") or who["via"])
    on = f"@{who['host']}" if who.get("host") and not who.get("agent") else ""
    at = f" at {who['terminal']}" if who.get("terminal") else ""
    return f"{name}{on} via {who['via']}{at}" if name != who["via"] else name


def _cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|").replace("\n", " ")


def _escaped(text: str) -> str:
    """Text that Markdown and its HTML leave as it is."""
    for mark, stands in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("`", "&#96;"),
        ("[", "&#91;"),
        ("*", "&#42;"),
    ):
        text = text.replace(mark, stands)
    return text
