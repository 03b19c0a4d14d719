"""Executions: started, stopped, redriven, described, listed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from ...statelang.engine import HISTORY_LIMIT, messages
from ..arns import StatesArn, parse_arn
from ..executions import Executions
from ..loading import ExecutionNotFound, Loaded
from ..runtime import Runtime
from ..store import InvalidToken, Record, Store
from ..tenancy.limits import TooManyExecutions, TooManyStarts
from . import aliases
from . import parameters as read
from .errors import ApiError, execution_does_not_exist, invalid_arn, invalid_token
from .parameters import Parameters
from .state_machines import find as find_state_machine
from .state_machines import state_machine

T = TypeVar("T")
_INCLUDED = {"included": True}
_DAY = 24 * 60 * 60 * 1000
_LIFETIME = 365 * _DAY
_REDRIVABLE_FOR = 14 * _DAY
_BY_MAP_RUN = "Execution can only be redriven by its Map Run"


def start_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Idempotent: the same name and input while that execution runs answers with it again."""
    started = begin(runtime, tenant, parameters)
    return {"executionArn": started["executionArn"], "startDate": started["startDate"]}


def begin(
    runtime: Runtime,
    tenant: str,
    parameters: Parameters,
    *,
    parent: dict[str, Any] | None = None,
    before: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Starts an execution that `parent` waits for; `before` is told its ARN before it begins.

    Answers `executionArn` and `startDate` and, when it had been started by the same parent before, `known`: its
    snapshot.
    """
    arn, _, case = read.text(parameters, "stateMachineArn").partition("#")
    parsed = read.arn({"stateMachineArn": arn}, "stateMachineArn", "stateMachine")
    name = read.name(parameters) if parameters.get("name") is not None else str(uuid.uuid4())
    input = read.execution_input(parameters)
    executions = runtime.executions(tenant)
    machine, version, alias = resolve(executions.store, str(parsed), runtime.clock())
    value = machine.value
    base = StatesArn(parsed.region, parsed.account, "stateMachine", value["name"], parsed.partition)
    express = value["type"] == "EXPRESS"
    kind, rest = (
        ("express", f"{value['name']}:{name}:{uuid.uuid4()}")
        if express
        else ("execution", f"{value['name']}:{name}")
    )
    execution = str(StatesArn(parsed.region, parsed.account, kind, rest, parsed.partition))
    message = messages.start(
        execution, str(base), input, role_arn=value["role"], state_machine_name=value["name"],
        type="EXPRESS" if express else None, parent=parent, version=version, alias=alias,
    )  # fmt: skip
    if case:
        if runtime.mocks is None or not runtime.mocks.has(value["name"], case):
            raise ApiError(
                "ValidationException",
                f"There is no test case '{case}' of the state machine '{value['name']}' in the mock configuration.",
            )
        message["test_case"] = case
    if parent is None and runtime.requester is not None:
        message["requester"] = runtime.requester
    if (logging := value.get("logging")) and logging["level"] != "OFF":
        message["logging"] = logging
    message["revision"] = value.get("revision")
    message["updated"] = value.get("updated", value["created"])
    fields = {key: text for key, text in (("version", version), ("alias", alias)) if text is not None}
    if before is not None and executions.store.head(execution) is None:
        before(execution)
    loaded = admitted(
        executions,
        lambda: executions.start(message, value["definition"], fields),
        lambda: executions.store.head(execution) is not None,
    )
    known = None
    if loaded is None:
        loaded = executions.load(execution)
        snapshot = loaded.snapshot
        if parent is not None and snapshot.get("parent") == parent:
            known = snapshot
        elif snapshot["status"] != "RUNNING" or snapshot["execution"]["input"] != input:
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{execution}'")
    started = loaded.snapshot["execution"]["started"] / 1000
    return {"executionArn": execution, "startDate": started, "known": known}


def admitted(executions: Executions, start: Callable[[], T | None], known: Callable[[], bool]) -> T | None:
    """What `start` answers, within the tenant's limits. Raises `ThrottlingException` and `ExecutionLimitExceeded`."""
    try:
        return executions.limiter.admit(start, known=known)
    except TooManyStarts as error:
        raise ApiError("ThrottlingException", f"Rate exceeded: {error}") from None
    except TooManyExecutions as error:
        message = f"The maximum number of running executions has been reached: {error}"
        raise ApiError("ExecutionLimitExceeded", message) from None


def resolve(store: Store, arn: str, now: int) -> tuple[Record, str | None, str | None]:
    """The state machine that `arn` starts (its own, a version's or an alias's), with version and alias."""
    parsed = parse_arn(arn)
    qualifier = "" if parsed is None else parsed.rest.partition(":")[2]
    if not qualifier:
        return state_machine(store, arn), None, None
    if qualifier.isdigit():
        return find_state_machine(store, arn), arn, None
    version = aliases.route(store, arn, now)
    return find_state_machine(store, version), version, arn


def stop_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Stopping an execution that has ended changes nothing and answers when it ended."""
    executions = runtime.executions(tenant)
    loaded = find(executions, parameters)
    error, cause = read.optional_text(parameters, "error"), read.optional_text(parameters, "cause")
    stop = messages.stop(error, cause, runtime.requester)
    failures = executions.advance({loaded.execution: [stop]})
    for failure in failures.values():
        raise failure
    return {"stopDate": executions.load(loaded.execution).snapshot["stopped"] / 1000}


def redrive_execution(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """An execution that did not succeed goes on from where it failed."""
    executions = runtime.executions(tenant)
    loaded = find(executions, parameters)
    token = parameters.get("clientToken")
    if token is not None and token == loaded.snapshot.get("redrive_token"):
        # The same request once more.
        return {"redriveDate": loaded.snapshot["redriven"] / 1000}
    redrivable = _redrivable(loaded.snapshot, runtime.clock())
    if redrivable["redriveStatus"] != "REDRIVABLE":
        raise ApiError("ExecutionNotRedrivable", redrivable.get("redriveStatusReason", _BY_MAP_RUN))
    message = messages.redrive(runtime.requester, token)

    def redrive() -> bool:
        for failure in executions.advance({loaded.execution: [message]}).values():
            raise failure
        return True

    admitted(executions, redrive, lambda: False)
    return {"redriveDate": executions.load(loaded.execution).snapshot["redriven"] / 1000}


def _redrivable(snapshot: dict[str, Any], now: int) -> dict[str, str]:
    """`redriveStatus`, and why it cannot be redriven where that is so."""
    status, execution = snapshot["status"], snapshot["execution"]
    if status in ("RUNNING", "SUCCEEDED"):
        reason = f"Execution is {status} and cannot be redriven"
    elif "map_run" in snapshot.get("parent", {}):
        return {"redriveStatus": "REDRIVABLE_BY_MAP_RUN"}
    elif snapshot["events"] >= HISTORY_LIMIT - 1:
        reason = "Execution history event limit exceeded"
    elif now - execution["started"] > _LIFETIME:
        reason = "Execution has exceeded the max execution time"
    elif now - (snapshot.get("stopped") or now) > _REDRIVABLE_FOR:
        reason = "Execution redrivable period exceeded"
    else:
        return {"redriveStatus": "REDRIVABLE"}
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


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
    for key, field in (("version", "stateMachineVersionArn"), ("alias", "stateMachineAliasArn")):
        if key in snapshot:
            answer[field] = snapshot[key]
    if "map_run" in snapshot.get("parent", {}):
        answer["mapRunArn"] = snapshot["parent"]["map_run"]
    answer |= _redrivable(snapshot, runtime.clock())
    if "redriven" in snapshot:
        answer["redriveDate"] = snapshot["redriven"] / 1000
    if snapshot.get("stopped") is not None:
        answer["stopDate"] = snapshot["stopped"] / 1000
    for key in ("output", "error", "cause"):
        # Of an execution that timed out, AWS says no error.
        if snapshot.get(key) is not None and status != "TIMED_OUT":
            answer[key] = snapshot[key]
    if "output" in answer:
        answer["outputDetails"] = _INCLUDED
    return answer


def list_executions(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Newest first: of a state machine, one of its versions or aliases, or a map run."""
    limit = read.page_size(parameters)
    status = read.optional_text(parameters, "statusFilter")
    token = read.page_token(parameters)
    redriven = read.optional_text(parameters, "redriveFilter")
    given = [key for key in ("stateMachineArn", "mapRunArn") if parameters.get(key) is not None]
    if len(given) != 1:
        raise ApiError("ValidationException", "Must specify a state machine ARN or a map run ARN")
    parsed = read.arn(parameters, given[0], "stateMachine" if given[0] == "stateMachineArn" else "mapRun")
    store = runtime.executions(tenant).store
    qualified = None
    if parsed.kind == "stateMachine":
        name, _, qualifier = parsed.rest.partition(":")
        base = StatesArn(parsed.region, parsed.account, parsed.kind, name, parsed.partition)
        if state_machine(store, str(base)).value["type"] == "EXPRESS":
            raise ApiError(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            )
        qualified = str(parsed) if qualifier else None
        parsed = base
    executions: list[dict[str, Any]] = []
    try:
        while True:
            page = store.heads(state_machine=str(parsed), status=status, limit=limit, token=token)
            token = page.token
            executions += [
                _listed(head) for head in page.items if qualified is None or qualified in head.fields.values()
            ]
            if token is None or len(executions) >= limit or qualified is None:
                break
    except InvalidToken:
        raise invalid_token() from None
    if redriven is not None:
        executions = [item for item in executions if (item["redriveCount"] > 0) == (redriven == "REDRIVEN")]
    answer: dict[str, Any] = {"executions": executions}
    if token:
        answer["nextToken"] = token
    return answer


def _listed(head: Any) -> dict[str, Any]:
    item: dict[str, Any] = {
        "executionArn": head.execution,
        "stateMachineArn": head.state_machine,
        "name": head.name,
        "status": head.status,
        "startDate": head.started_at / 1000,
        "redriveCount": int(head.fields.get("redrives", "0")),
    }
    if ":mapRun:" in head.state_machine:
        item["mapRunArn"] = head.state_machine
        arn = parse_arn(head.execution)
        assert arn is not None
        machine = StatesArn(
            arn.region, arn.account, "stateMachine", arn.rest.partition(":")[0], arn.partition
        )
        item["stateMachineArn"] = str(machine)
    for key, field in (("version", "stateMachineVersionArn"), ("alias", "stateMachineAliasArn")):
        if key in head.fields:
            item[field] = head.fields[key]
    if head.stopped_at is not None:
        item["stopDate"] = head.stopped_at / 1000
    return item


def find(executions: Executions, parameters: Parameters) -> Loaded:
    """The execution that the request names. Raises `InvalidArn` or `ExecutionDoesNotExist`."""
    arn = str(read.arn(parameters, "executionArn", "execution"))
    if arn.count(":") != 7:
        raise invalid_arn(f"Invalid ARN: {arn}")
    try:
        return executions.load(arn)
    except ExecutionNotFound:
        raise execution_does_not_exist(arn) from None
