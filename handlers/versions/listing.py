"""What there is of a workflow: its versions with what leads to them and what runs on them, and how two of them differ."""

from __future__ import annotations

import json
from typing import Any

from ...statelang.versions import differences
from ..runtime import Runtime
from ..store import Store
from . import publishing, routing
from .publishing import NoSuchVersion, Published
from .running import UNPUBLISHED, running


class NotComparable(ValueError):
    """One is a spec and the other is not."""


def listed(runtime: Runtime, tenant: str, workflow: str) -> list[dict[str, Any]]:
    """The versions of a workflow, newest first, each as `Published.to_json` without its spec, with `running` (how many
    executions are on it) and `aliases` (with their weights); executions of nothing published last. Raises `NoSuchVersion`.
    """
    store = runtime.executions(tenant).store
    found = publishing.versions(store, workflow)
    if not found:
        publishing.find(store, workflow, "latest")
    counts = running(store, workflow, found[0].machine)
    aliases = routing.list_aliases(runtime, tenant, workflow)
    told: list[dict[str, Any]] = []
    for each in reversed(found):
        leading = {
            alias.name: alias.routing[each.version] for alias in aliases if alias.routing.get(each.version)
        }
        made = {key: value for key, value in each.to_json().items() if key != "spec"}
        told.append({**made, "running": counts[each.version], "aliases": leading})
    if counts[UNPUBLISHED]:
        told.append(
            {"workflow": workflow, "version": UNPUBLISHED, "running": counts[UNPUBLISHED], "aliases": {}}
        )
    return told


def find(runtime: Runtime, tenant: str, workflow: str, name: str) -> Published:
    """The version that a number or an alias names now; of an alias that leads to two, the one that more is started on.

    Raises `NoSuchVersion`.
    """
    store = runtime.executions(tenant).store
    try:
        return publishing.find(store, workflow, name)
    except NoSuchVersion:
        found = routing.describe(runtime, tenant, workflow, name)
        if found is None or not found.routing:
            raise
        return publishing.find(store, workflow, max(found.routing, key=lambda each: found.routing[each]))


def content(store: Store, published: Published) -> dict[str, Any]:
    """A version's spec as data, or its definition where it was plain ASL."""
    if published.spec is not None:
        return published.spec
    record = store.get("definition", published.definition)
    assert record is not None
    return json.loads(record.value["definition"])


def compared(old: dict[str, Any], new: dict[str, Any]) -> tuple[list[str], list[str]]:
    """How two contents (`content`) differ, in words, and what of it breaks the old contract. Raises `NotComparable`."""
    if ("States" in old) != ("States" in new):
        raise NotComparable("one is a spec and the other is plain ASL: compile the spec first")
    return differences(old, new), [] if "States" in old else publishing.broken(old, new)
