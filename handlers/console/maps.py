"""Map runs: how far a distributed map has come, and which execution has one of its items."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..api.errors import ApiError
from ..api.map_runs import describe_map_run
from ..store import Head, Store
from .api import text
from .host import Console, Refusal


def map_run(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`counts` of its items' executions by how they stand, and when it began; `execution` is the one whose map it is."""
    try:
        told = describe_map_run(
            console.runtime, console.store.tenant, {"mapRunArn": text(parameters, "map_run")}
        )
    except ApiError as error:
        raise Refusal(404, error.message) from None
    counts = told["executionCounts"]
    return {
        "execution": told["executionArn"], "status": told["status"], "started": round(told["startDate"] * 1000),
        "stopped": round(told["stopDate"] * 1000) if "stopDate" in told else None, "total": counts["total"],
        "items": told["itemCounts"]["total"], "at_once": told["maxConcurrency"] or None, "redrives": told["redriveCount"],
        "counts": {name: counts[name] for name in ("pending", "running", "succeeded", "failed", "aborted")},
    }  # fmt: skip


def child(store: Store, map_run: str, item: int) -> Head | None:
    """The execution of one item: its name follows from the map run's, the item's number, and how often it was redriven."""
    prefix, _, rest = map_run.partition(":mapRun:")
    machine = rest.partition(":")[0]
    found: Head | None = None
    for redrives in range(_REDRIVES):
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"{map_run} {item} {redrives}")
        head = store.head(f"{prefix}:execution:{machine}:{name}")
        if head is None and redrives:
            break
        found = head or found
    return found


def item_of(store: Store, head: Head) -> int | None:
    """The number of the item that an execution of a map run has."""
    first = store.commits(head.execution, 0, 1)
    parent = ((first[0].snapshot or {}).get("parent") or {}) if first else {}
    return parent.get("index")


_REDRIVES = 100
