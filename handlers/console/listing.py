"""Executions in a list: filtered, searched, in pages, the newest first."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..arns import parse_arn
from ..audit.search import Query, search
from ..store import Head, Store
from ..workflows import source_map
from .api import number, optional
from .host import Console, Refusal
from .maps import child, item_of
from .work import counts

_PAGE = 50
_MOST = 500
_SECONDS = 0.1
"""Seconds that one answer may look for; whoever asks goes on with its token."""
_NEXT = 250
"""How many are read at a time where few fit the filter."""
_LOOKED = 20_000
"""Heads that one page looks at, at the most: what does not fit the filter is passed over."""
STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def about(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Who is here, what may be done, and how much waits."""
    who = console.who
    return {
        "who": None if who is None else who.to_json(),
        "actions": who is not None,
        "try": console.try_out is not None,
        "place": console.place,
        "now": console.runtime.clock(),
        "waiting": counts(console),
    }


def executions(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`{"items", "token", "lookedAt", "paused"}`; `paused` says that there is time and not a full page between this and the next.

    Filters: `status`, `workflow`, `name` (a part), `since` and `until` (milliseconds), `map_run` (the children of one, of
    which `item` is the number of one); `text`, `step` and `error` are looked for in logs, which takes longer.
    """
    status = optional(parameters, "status")
    if status is not None and status not in STATUSES:
        raise Refusal(400, f"`status` is one of {', '.join(STATUSES)}")
    limit = max(1, number(parameters, "limit", _PAGE, _MOST))
    token = optional(parameters, "token")
    query = Query(
        workflow=optional(parameters, "workflow"), status=status, name=optional(parameters, "name"),
        step=optional(parameters, "step"), error=optional(parameters, "error"), text=optional(parameters, "text"),
        since=number(parameters, "since", 0, 2**53) or None, until=number(parameters, "until", 0, 2**53) or None,
    )  # fmt: skip
    map_run = optional(parameters, "map_run")
    versions = console.versions
    if query.reads:
        found = search(
            console.store,
            query,
            limit=limit,
            token=token,
            seconds=_SECONDS,
            within=optional(parameters, "map_run"),
        )
        items = [
            {**row(console.store, each.head, versions), "found": [_brief(entry) for entry in each.entries]}
            for each in found.found
        ]
        paused = found.token is not None and len(items) < limit
        return {"items": items, "token": found.token, "lookedAt": found.looked_at, "paused": paused}
    item = optional(parameters, "item")
    if map_run is not None and item is not None:
        one = child(console.store, map_run, number(parameters, "item", 0, 2**53))
        heads, token, looked_at = [] if one is None else [one], None, 1
    elif map_run is not None and status is None:
        heads, token, looked_at = _failed_first(console.store, query, map_run, limit, token)
    else:
        heads, token, looked_at = _heads(console.store, query, map_run, limit, token)
    items = [row(console.store, head, versions) for head in heads]
    if map_run is not None:
        for told, head in zip(items, heads, strict=True):
            told["item"] = item_of(console.store, head)
    paused = token is not None and len(items) < limit
    return {"items": items, "token": token, "lookedAt": looked_at, "paused": paused}


def _heads(
    store: Store, query: Query, map_run: str | None, limit: int, token: str | None
) -> tuple[list[Head], str | None, int]:
    found: list[Head] = []
    looked_at = 0
    deadline = time.monotonic() + _SECONDS
    machine = map_run or _machine(store, query.workflow)
    while True:
        # A page's token is that of its last one, so that all that is found in one is given: it may be more than asked for.
        size = limit if not looked_at else max(limit, _NEXT)
        page = store.heads(
            state_machine=machine, status=query.status, limit=size, token=token, children=map_run is not None
        )
        token = page.token
        for head in page.items:
            looked_at += 1
            if query.since is not None and head.started_at < query.since:
                return found, None, looked_at
            if _fits(query, head):
                found.append(head)
        late = time.monotonic() >= deadline
        if token is None or len(found) >= limit or looked_at >= _LOOKED or late:
            return found, token, looked_at


def _failed_first(
    store: Store, query: Query, map_run: str, limit: int, token: str | None
) -> tuple[list[Head], str | None, int]:
    """The items of a map: those that failed, and then all others. The token says which of the two it goes on with."""
    part, _, following = (token or "failed:").partition(":")
    found: list[Head] = []
    looked_at = 0
    if part == "failed":
        failed = replace(query, status="FAILED")
        found, more, looked_at = _heads(store, failed, map_run, limit, following or None)
        if more is not None or len(found) >= limit:
            return found, f"failed:{more}" if more is not None else "others:", looked_at
        following = ""
    heads, more, looked = _heads(store, query, map_run, limit, following or None)
    found += [head for head in heads if head.status != "FAILED"]
    return found, None if more is None else f"others:{more}", looked_at + looked


def _fits(query: Query, head: Head) -> bool:
    return (
        query.workflow in (None, workflow_of(head))
        and (query.name is None or query.name.casefold() in head.name.casefold())
        and (query.until is None or head.started_at <= query.until)
    )


def _machine(store: Store, workflow: str | None) -> str | None:
    """The ARN of the state machine of that name, where there is exactly one: by it a store finds faster."""
    if workflow is None:
        return None
    found = [
        record.key
        for record in store.records("state-machine", limit=1000).items
        if record.value["name"] == workflow
    ]
    return found[0] if len(found) == 1 else None


def workflow_of(head: Head) -> str:
    """The name of what the execution runs: its state machine's, also for the children of a map."""
    if "workflow" in head.fields:
        return head.workflow
    found = parse_arn(head.state_machine)
    name = found.rest if found is not None else head.state_machine.rpartition(":")[2]
    return re.split(r"[/:]", name)[0]


def row(store: Store, head: Head, versions: dict[str, str | None]) -> dict[str, Any]:
    """An execution at a glance; `versions` are those of definitions that were looked up before."""
    if head.definition not in versions:
        versions[head.definition] = (source_map(store, head.definition) or {}).get("version")
    told = {
        "execution": head.execution, "name": head.name, "workflow": workflow_of(head), "status": head.status,
        "started": head.started_at, "stopped": head.stopped_at, "version": versions[head.definition],
        "forked": head.fields.get("forked_from"),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _brief(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("what", "step", "state", "event", "iteration") if name in entry}
