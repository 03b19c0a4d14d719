"""Executions: started, stopped, described, listed."""

from __future__ import annotations

import uuid
from typing import Any

from ...statelang.engine import messages
from ..arns import execution_arn
from ..executions import ExecutionNotFound, Executions, Loaded
from ..runtime import Runtime
from ..store import InvalidToken
from . import parameters as read
from .errors import ApiError, execution_does_not_exist, validation
from .parameters import Parameters
from .state_machines import state_machine

STATUSES = ("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING")
_INCLUDED = {"included": True}


def start_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Idempotent: the same name and input while that execution runs answers with it again."""
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    name = read.name(parameters) if parameters.get("name") is not None else str(uuid.uuid4())
    input = read.execution_input(parameters)
    executions = runtime.executions(tenant)
    machine = state_machine(executions.store, arn).value
    execution = execution_arn(arn, name)
    message = messages.start(
        execution, arn, input, role_arn=machine["role"], state_machine_name=machine["name"]
    )
    loaded = executions.start(message, machine["definition"])
    if loaded is None:
        loaded = executions.load(execution)
        if loaded.snapshot["status"] != "RUNNING" or loaded.snapshot["execution"]["input"] != input:
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{execution}'")
    return {"executionArn": execution, "startDate": loaded.snapshot["execution"]["started"] / 1000}


def stop_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Stopping an execution that has ended changes nothing and answers when it ended."""
    executions = runtime.executions(tenant)
    loaded = find(executions, parameters)
    stop = messages.stop(read.optional_text(parameters, "error"), read.optional_text(parameters, "cause"))
    failures = executions.advance({loaded.execution: [stop]})
    for failure in failures.values():
        raise failure
    return {"stopDate": executions.load(loaded.execution).snapshot["stopped"] / 1000}


def describe_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    loaded = find(runtime.executions(tenant), parameters)
    snapshot = loaded.snapshot
    execution, status = snapshot["execution"], snapshot["status"]
    answer: dict[str, Any] = {
        "executionArn": execution["id"],
        "stateMachineArn": snapshot["state_machine"]["id"],
        "name": execution["name"],
        "status": status,
        "startDate": execution["started"] / 1000,
        "input": execution["input"],
        "inputDetails": _INCLUDED,
        "redriveCount": snapshot.get("redrives", 0),
    }
    if status in ("RUNNING", "SUCCEEDED"):
        answer["redriveStatus"] = "NOT_REDRIVABLE"
        answer["redriveStatusReason"] = f"Execution is {status} and cannot be redriven"
    else:
        answer["redriveStatus"] = "REDRIVABLE"
    if "stopped" in snapshot:
        answer["stopDate"] = snapshot["stopped"] / 1000
    for key in ("output", "error", "cause"):
        if snapshot.get(key) is not None:
            answer[key] = snapshot[key]
    if "output" in answer:
        answer["outputDetails"] = _INCLUDED
    return answer


def list_executions(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Newest first."""
    limit = read.page_size(parameters)
    status = read.optional_text(parameters, "statusFilter")
    if status is not None and status not in STATUSES:
        raise validation(
            status, "statusFilter", f"Member must satisfy enum value set: [{', '.join(STATUSES)}]"
        )
    token = read.optional_text(parameters, "nextToken")
    if token is not None and len(token) > 3096:
        raise validation(token, "nextToken", "Member must have length less than or equal to 3096")
    if parameters.get("stateMachineArn") is None:
        raise ApiError("ValidationException", "Must specify a state machine ARN or a map run ARN")
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    store = runtime.executions(tenant).store
    state_machine(store, arn)
    try:
        page = store.heads(state_machine=arn, status=status, limit=limit, token=token)
    except InvalidToken:
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from None
    executions: list[dict[str, Any]] = []
    for head in page.items:
        item: dict[str, Any] = {
            "executionArn": head.execution,
            "stateMachineArn": head.state_machine,
            "name": head.name,
            "status": head.status,
            "startDate": head.started_at / 1000,
            "redriveCount": 0,
        }
        if head.stopped_at is not None:
            item["stopDate"] = head.stopped_at / 1000
        executions.append(item)
    answer: dict[str, Any] = {"executions": executions}
    if page.token:
        answer["nextToken"] = page.token
    return answer


def find(executions: Executions, parameters: Parameters) -> Loaded:
    """The execution that the request names. Raises `InvalidArn` or `ExecutionDoesNotExist`."""
    arn = str(read.arn(parameters, "executionArn", "execution"))
    try:
        return executions.load(arn)
    except ExecutionNotFound:
        raise execution_does_not_exist(arn) from None
