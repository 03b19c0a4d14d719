"""Tags of state machines and activities."""

from __future__ import annotations

from typing import Any

from ..runtime import Runtime
from ..store import Conflict, Record, Store
from . import parameters as read
from .errors import ApiError, resource_not_found
from .parameters import Parameters

MAX_TAGS = 50


def read_tags(parameters: Parameters) -> list[dict[str, str]]:
    given = parameters.get("tags") or []
    tags = [{"key": tag.get("key") or "", "value": tag.get("value") or ""} for tag in given]
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTags", f"Too many tags: a resource has {MAX_TAGS} at the most")
    return tags


def tag_resource(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    new = read_tags(parameters)

    def change(tags: list[dict[str, str]]) -> list[dict[str, str]]:
        merged = {tag["key"]: tag for tag in [*tags, *new]}
        if len(merged) > MAX_TAGS:
            raise ApiError("TooManyTags", f"Too many tags: a resource has {MAX_TAGS} at the most")
        return list(merged.values())

    return _change(runtime, tenant, parameters, change)


def untag_resource(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    gone = set(parameters.get("tagKeys") or [])
    return _change(runtime, tenant, parameters, lambda tags: [tag for tag in tags if tag["key"] not in gone])


def list_tags_for_resource(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    record = _resource(runtime.executions(tenant).store, parameters)
    return {"tags": record.value.get("tags", [])}


def _change(runtime: Runtime, tenant: str, parameters: Parameters, change: Any) -> dict[str, Any]:
    store = runtime.executions(tenant).store
    while True:
        record = _resource(store, parameters)
        value = {**record.value, "tags": change(record.value.get("tags", []))}
        try:
            store.put(record.kind, record.key, value, expect=record.version)
        except Conflict:
            continue
        return {}


def _resource(store: Store, parameters: Parameters) -> Record:
    from .activities import KIND as ACTIVITY
    from .state_machines import KIND as MACHINE

    arn = read.arn(parameters, "resourceArn", "stateMachine", "activity")
    record = store.get(ACTIVITY if arn.kind == "activity" else MACHINE, str(arn))
    if record is None:
        raise resource_not_found(f"Resource not found: '{arn}'")
    return record
