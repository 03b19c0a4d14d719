"""Executions that another one waits for: the children of distributed maps, and nested executions (`.sync`).

A child's start message names its parent: `{"execution", "frame", "task", "kind": "map" | "sync" | "sync:2", "index"?,
"map_run"?}`. When it has ended, its parent is told with the same messages as for any other task. Being told twice,
or late, changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..statelang.engine import messages
from ..statelang.engine.messages import Message

if TYPE_CHECKING:
    from .executions import Executions
    from .runtime import Body, Runtime


REQUESTER = "requester"
"""Records of who has started an execution through us that AWS runs, by its ARN: AWS only tells CloudTrail."""


def ended(snapshot: Mapping[str, Any]) -> Message:
    """The message for the parent of an execution that has ended so."""
    parent, status = snapshot["parent"], snapshot["status"]
    if parent["kind"] == "map":
        fields = {key: snapshot[key] for key in ("output", "error", "cause") if snapshot.get(key) is not None}
        return messages.child_finished(parent["frame"], parent["task"], parent["index"], status, **fields)
    described = description(
        snapshot, parsed=parent["kind"] == "sync:2", redrive=parent.get("credentials", False)
    )
    text = json.dumps(described, separators=(",", ":"), ensure_ascii=False)
    if status == "SUCCEEDED":
        return messages.task_succeeded(parent["frame"], parent["task"], text)
    return messages.task_failed(parent["frame"], parent["task"], "States.TaskFailed", text)


def description(snapshot: Mapping[str, Any], *, parsed: bool, redrive: bool) -> dict[str, Any]:
    """An execution as `states:startExecution.sync` gives it; `parsed` (`.sync:2`): input and output as JSON.

    AWS's answers have the fields on redrive where the task has `Credentials`, and not where it has none.
    """
    execution = snapshot["execution"]

    def data(text: str) -> Any:
        return json.loads(text) if parsed else text

    fields: dict[str, Any] = {
        "Cause": snapshot.get("cause"),
        "Error": snapshot.get("error"),
        "ExecutionArn": execution["id"],
        "Input": data(execution["input"]),
        "InputDetails": {"Included": True},
        "Name": execution["name"],
    }
    if snapshot.get("output") is not None:
        fields["Output"] = data(snapshot["output"])
        fields["OutputDetails"] = {"Included": True}
    if redrive:
        status = snapshot["status"]
        fields["RedriveCount"] = snapshot.get("redrives", 0)
        fields["RedriveStatus"] = "NOT_REDRIVABLE" if status == "SUCCEEDED" else "REDRIVABLE"
        if status == "SUCCEEDED":
            fields["RedriveStatusReason"] = f"Execution is {status} and cannot be redriven"
    fields |= {
        "StartDate": execution["started"],
        "StateMachineArn": snapshot["state_machine"]["id"],
        "Status": snapshot["status"],
        "StopDate": snapshot.get("stopped"),
    }
    return {key: value for key, value in fields.items() if value is not None}


def requester_of(executions: Executions, execution: str) -> dict[str, str] | None:
    """Who has started an execution, or the one that it is a part of; None where nobody has said."""
    at: str | None = execution
    while at is not None:
        try:
            snapshot = executions.load(at).snapshot
        except LookupError:
            # Of an execution that Step Functions runs the table has it.
            asked = executions.store.get(REQUESTER, at)
            return None if asked is None else asked.value
        if snapshot.get("requester") is not None:
            return snapshot["requester"]
        at = snapshot.get("parent", {}).get("execution")
    return None


def start_child(runtime: Runtime, tenant: str, execution: str, command: Mapping[str, Any]) -> list[Body]:
    """Starts the child execution of a distributed map that `command` names, once.

    Answers what its parent is to be told when it had ended before.
    """
    executions = runtime.executions(tenant)
    parent = {
        "execution": execution, "frame": command["frame"], "task": command["task"], "kind": "map",
        "index": command["index"], "map_run": command["map_run"],
    }  # fmt: skip
    start = messages.start(
        command["execution"], command["state_machine"], command["input"], role_arn=command["role"],
        type=command["execution_type"] if command["execution_type"] == "EXPRESS" else None, parent=parent,
    )  # fmt: skip
    if command.get("logging"):
        start["logging"] = command["logging"]
    if command.get("test_case"):
        start |= {
            "test_case": command["test_case"],
            "state_machine_name": command["state_machine"].split(":")[-1].partition("/")[0],
        }
    if executions.start(start, executions.define(command["definition"])) is not None:
        return []
    snapshot = executions.load(command["execution"]).snapshot
    if snapshot["status"] == "RUNNING":
        return []
    return [{"tenant": tenant, "execution": execution, "message": ended(snapshot)}]


def stop_children(runtime: Runtime, tenant: str, map_run: str) -> list[Body]:
    """The messages that stop every child of a map run that is still running."""
    store = runtime.executions(tenant).store
    stops: list[Body] = []
    token: str | None = None
    while True:
        page = store.heads(state_machine=map_run, status="RUNNING", limit=1000, token=token)
        stops += [
            {"tenant": tenant, "execution": head.execution, "message": messages.stop()} for head in page.items
        ]
        if page.token is None:
            return stops
        token = page.token
