"""An execution as text, for whoever reads why a test failed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .results import Result

_CAUSE = 400
"""Characters of a cause that are shown."""
_MOST = 60
"""Visits that are shown; of a longer path the last ones."""


def describe(result: Result) -> str:
    """How it ended, and step by step how it came to that."""
    lines = [f"{result.execution.split(':', 6)[-1]}: {outcome(result)}"]
    entries = result._entries
    if len(entries) > _MOST:
        lines.append(f"  … {len(entries) - _MOST} before")
        entries = entries[-_MOST:]
    width = max((len(name) for name, _ in entries), default=0)
    for name, visit in entries:
        text = f"  {name:<{width}}  {visit.status:<9}"
        if visit.attempts > 1:
            text += f"  {visit.attempts} attempts"
        if visit.errors:
            text += f"  {', '.join(visit.errors)}"
        if visit.iteration is not None:
            text += f"  iteration {visit.iteration}"
        if visit.duration:
            text += f"  {visit.duration}"
        lines.append(text.rstrip())
    return "\n".join(lines)


def outcome(result: Result) -> str:
    """The status, with the error and what is said of it, and how long it took."""
    text = result.status
    if result.error:
        text += f", {result.error}"
    if message := message_of(result.cause):
        text += f": {message}"
    if result.duration > timedelta():
        text += f" (after {result.duration})"
    return text


def message_of(cause: str | None) -> str:
    """What a cause says to people: of Lambda's error document the message, of our own the violations."""
    if not cause:
        return ""
    try:
        document = json.loads(cause)
    except (ValueError, RecursionError):
        document = None
    told = document.get("errorMessage") if isinstance(document, dict) else None
    violations = document.get("violations") if isinstance(document, dict) else None
    if isinstance(violations, list) and violations:
        told = "; ".join(_violation(each) for each in violations)
    text = told if isinstance(told, str) else cause
    return text if len(text) <= _CAUSE else f"{text[:_CAUSE]}…"


def _violation(found: object) -> str:
    if not isinstance(found, dict):
        return str(found)
    path, message = found.get("path"), found.get("message") or found.get("that") or ""
    return f"{path} {message}" if path else str(message)
