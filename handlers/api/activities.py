"""Activities: work for processes that ask for it (GetActivityTask)."""

from __future__ import annotations

from typing import Any

from ...statelang.engine import messages
from ..arns import StatesArn
from ..integrations.activities import take
from ..runtime import Runtime
from ..store import Conflict, InvalidToken, Store
from . import parameters as read
from . import tags
from .errors import ApiError, invalid_token
from .parameters import Parameters
from .settings import AWS_OWNED, encrypted

KIND = "activity"
LONG_POLL = 60.0
"""Seconds that GetActivityTask waits for a task."""


def create_activity(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    name = read.name(parameters)
    arn = str(StatesArn(runtime.region, runtime.account, "activity", name))
    store = runtime.executions(tenant).store
    value = {"name": name, "created": runtime.clock(), "tags": tags.read_tags(parameters)}
    if (encryption := parameters.get("encryptionConfiguration")) is not None:
        value["encryption"] = encrypted(encryption)
    try:
        store.put(KIND, arn, value, expect=0)
    except Conflict:
        known = store.get(KIND, arn)
        value = value if known is None else known.value
    return {"activityArn": arn, "creationDate": value["created"] / 1000}


def describe_activity(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = str(read.arn(parameters, "activityArn", "activity"))
    value = _find(runtime.executions(tenant).store, arn)
    return {
        "activityArn": arn,
        "name": value["name"],
        "creationDate": value["created"] / 1000,
        "encryptionConfiguration": value.get("encryption") or AWS_OWNED,
    }


def list_activities(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    store = runtime.executions(tenant).store
    prefix = str(StatesArn(runtime.region, runtime.account, "activity", ""))
    try:
        page = store.records(
            KIND, prefix, limit=read.page_size(parameters), token=read.page_token(parameters)
        )
    except InvalidToken:
        raise invalid_token() from None
    answer: dict[str, Any] = {
        "activities": [
            {
                "activityArn": record.key,
                "name": record.value["name"],
                "creationDate": record.value["created"] / 1000,
            }
            for record in page.items
        ]
    }
    if page.token:
        answer["nextToken"] = page.token
    return answer


def delete_activity(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = str(read.arn(parameters, "activityArn", "activity"))
    runtime.executions(tenant).store.delete(KIND, arn)
    return {}


def get_activity_task(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Waits for a task of the activity; an answer without a token says that none came."""
    arn = str(read.arn(parameters, "activityArn", "activity"))
    worker = read.optional_text(parameters, "workerName")
    executions = runtime.executions(tenant)
    _find(executions.store, arn)
    found: dict[str, Any] = {}

    def look() -> bool:
        record = take(executions.store, arn)
        if record is None:
            return False
        task = record.value
        started = messages.activity_started(task["frame"], task["task"], worker)
        executions.advance({task["execution"]: [started]})
        snapshot = executions.load(task["execution"]).snapshot
        frame = snapshot["frames"].get(task["frame"])
        # A task that has timed out since, or whose execution was stopped, is nobody's work.
        waits = frame is not None and frame["phase"] == "task" and frame["task"]["id"] == task["task"]
        if snapshot["status"] != "RUNNING" or not waits:
            return look()
        found.update(taskToken=task["token"], input=task["input"])
        return True

    runtime.until(look, LONG_POLL)
    return found


def _find(store: Store, arn: str) -> dict[str, Any]:
    record = store.get(KIND, arn)
    if record is None:
        raise ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    return record.value
