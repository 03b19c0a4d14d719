"""How two snapshots of one execution differ: what a commit stores instead of the whole."""

from __future__ import annotations

from typing import Any

Changes = dict[str, Any]


def apply_changes(snapshot: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """The snapshot after `changes`; the one given stays as it is."""
    after = {**snapshot, **changes["set"]}
    for part in ("frames", "variables"):
        if changes[part]:
            merged = {**snapshot[part], **changes[part]}
            after[part] = {key: value for key, value in merged.items() if value is not None}
    return after
