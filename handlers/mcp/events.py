"""An execution's history as an agent reads it: in pages, filtered, without secrets and tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult

from ..api.history import get_execution_history
from ..audit.redaction import Redactor, redactor_for
from ..steps import Steps
from ..times import rfc3339
from ..workflows import source_map
from .kit import Kit
from .results import answer, call, shortened

MAX_SCANNED = 3000


def page(
    kit: Kit, name: str, step: str | None, type: str | None, newest_first: bool, limit: int, cursor: str | None, full: bool
) -> CallToolResult:  # fmt: skip
    desk = kit.host.desk()
    execution = kit.find(name)
    snapshot = desk.executions.load(execution).snapshot
    redactor = redactor_for(desk.items.store, execution, snapshot["definition"])
    mapped = source_map(desk.items.store, snapshot["definition"])
    steps = _steps_of_events(kit, execution, mapped) if step is not None else {}
    found: list[dict[str, Any]] = []
    scanned = 0
    while True:
        parameters: dict[str, Any] = {
            "executionArn": execution,
            "maxResults": limit,
            "reverseOrder": newest_first,
        }
        if cursor is not None:
            parameters["nextToken"] = cursor
        events = get_execution_history(kit.host.runtime, kit.host.tenant, parameters)
        for event in events["events"]:
            if type is not None and type.lower() not in event["type"].lower():
                continue
            if step is not None and steps.get(event["id"]) != step:
                continue
            found.append(_told(event, redactor, 4000 if full else 300))
        scanned += len(events["events"])
        cursor = events.get("nextToken")
        if cursor is None or len(found) >= limit or scanned >= MAX_SCANNED:
            break
    more = call(
        "history", execution=name, cursor=cursor, limit=limit, newest_first=newest_first,
        **({"step": step} if step else {}), **({"type": type} if type else {}),
    ) if cursor is not None else None  # fmt: skip
    return answer(
        snapshot["status"], execution=snapshot["execution"]["name"], events=found, next_cursor=cursor,
        next=more or call("status", execution=snapshot["execution"]["name"]),
        hint="There are more events." if more else "These are all events that were asked for.",
    )  # fmt: skip


def _told(event: dict[str, Any], redactor: Redactor, limit: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": event["id"],
        "at": rfc3339(round(event["timestamp"] * 1000)),
        "type": event["type"],
    }
    for details in event.values():
        if not isinstance(details, dict):
            continue
        for key, value in details.items():
            if key.endswith("Details") or key in ("roleArn", "region", "resourceType"):
                continue
            told[key] = shortened(redactor.hide(readable(value)), limit)
    return told


def readable(value: Any) -> Any:
    """The value with JSON texts as what they say."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return parsed if isinstance(parsed, dict | list) else value
    if isinstance(value, list):
        return [readable(part) for part in value]
    return {key: readable(part) for key, part in value.items()} if isinstance(value, dict) else value


def _steps_of_events(kit: Kit, execution: str, mapped: dict[str, Any] | None) -> Mapping[int, str | None]:
    steps = Steps(mapped)
    for commit in kit.host.desk().items.store.commits(execution):
        steps.feed(commit.events)
    return steps.of_events
