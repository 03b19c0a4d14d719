"""What the executions in a store took: of `stratum run`, of `stratum up --data`, of a deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...handlers.store import Head, Store
from ...handlers.workflows import source_map
from ..runs import RUN
from .files import seen_from
from .record import Record


def add_executions(record: Record, store: Store, root: Path) -> int:
    """Adds every execution of the store, as far as each has come; answers how many there were."""
    count = 0
    token = None
    while True:
        page = store.heads(limit=500, token=token)
        for head in page.items:
            count += _add(record, store, head, root)
        token = page.token
        if token is None:
            return count


def _add(record: Record, store: Store, head: Head, root: Path) -> bool:
    log = store.commits(head.execution)
    if not log:
        return False
    first = log[0].snapshot or {}
    is_part = "map_run" in (first.get("parent") or {})
    execution, whole = head.execution, first
    while "map_run" in (parent := whole.get("parent") or {}):
        execution = parent["execution"]
        commits = store.commits(execution, 0, 1)
        whole = (commits[0].snapshot or {}) if commits else {}
    digest = whole.get("definition")
    kept = store.get("definition", digest) if digest is not None else None
    if digest is None or kept is None:
        return False
    definition: dict[str, Any] = json.loads(kept.value["definition"])
    mapped = source_map(store, digest)
    run = store.get(RUN, execution)
    places = [run.value["file"] if run is not None else None, (mapped or {}).get("file")]
    file = next((seen_from(root, place) for place in places if place and Path(place).is_file()), None)
    workflow = record.offer(whole["state_machine"]["name"], definition, mapped, file)
    events = [event for commit in log for event in commit.events]
    record.add(workflow, events, [way for commit in log for way in commit.ways], part=is_part)
    return not is_part
