"""Map runs: the distributed maps of an execution, in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...statelang.engine import messages
from ...statelang.engine.map_runs import PHASE, summary
from ..executions import Executions
from ..loading import ExecutionNotFound, Loaded
from ..runtime import Runtime
from . import parameters as read
from .errors import ApiError, resource_not_found
from .executions import find
from .parameters import Parameters


def list_map_runs(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    limit = read.page_size(parameters)
    token = read.page_token(parameters)
    loaded = find(runtime.executions(tenant), parameters)
    page, following = read.page_of(list(_runs(loaded)), limit, token)
    answer: dict[str, Any] = {"mapRuns": [_listed(loaded, run) for run in page]}
    if following is not None:
        answer["nextToken"] = following
    return answer


def describe_map_run(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    executions = runtime.executions(tenant)
    loaded, run = _find(executions, parameters)
    listed = _listed(loaded, run)
    counts = {
        "pending": run["size"] - run["succeeded"] - run["failed"] - run["open"]
        if run["status"] == "RUNNING"
        else 0,
        "running": run["open"] if run["status"] == "RUNNING" else 0,
        "succeeded": run["succeeded"],
        "failed": run["failed"],
        "timedOut": 0,
        "aborted": 0
        if run["status"] == "RUNNING"
        else max(0, run["size"] - run["succeeded"] - run["failed"]),
        "total": run["size"],
        "resultsWritten": run["succeeded"] if run["status"] == "SUCCEEDED" else 0,
    }
    answer = {
        "mapRunArn": run["arn"],
        "executionArn": loaded.execution,
        "status": run["status"],
        "startDate": listed["startDate"],
        "maxConcurrency": run["limit"],
        "toleratedFailurePercentage": float(run["tolerated"]["percentage"]),
        "toleratedFailureCount": run["tolerated"]["count"],
        "itemCounts": {**counts, "total": run["items"]},
        "executionCounts": counts,
        "redriveCount": run["redrives"],
    }
    if "stopDate" in listed:
        answer["stopDate"] = listed["stopDate"]
    return answer


def update_map_run(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    executions = runtime.executions(tenant)
    loaded, run = _find(executions, parameters)
    limit = parameters.get("maxConcurrency")
    tolerated = {
        name: parameters[key]
        for name, key in (("count", "toleratedFailureCount"), ("percentage", "toleratedFailurePercentage"))
        if parameters.get(key) is not None
    }
    if limit is None and not tolerated:
        raise ApiError(
            "ValidationException",
            "At least one of maxConcurrency, toleratedFailurePercentage or toleratedFailureCount must be specified",
        )
    message = messages.map_run_changed(run["arn"], limit, tolerated)
    for failure in executions.advance({loaded.execution: [message]}).values():
        raise failure
    return {}


def _runs(loaded: Loaded) -> Iterator[dict[str, Any]]:
    """The execution's map runs, the latest first."""
    running = [summary(frame) for frame in loaded.snapshot["frames"].values() if frame["phase"] == PHASE]
    known = {run["arn"]: run for run in running}
    known |= {
        arn: run
        for arn, run in loaded.snapshot.get("map_runs", {}).items()
        if arn not in known or run["status"] != "RUNNING"
    }
    yield from sorted(known.values(), key=lambda run: run["started"], reverse=True)


def _listed(loaded: Loaded, run: dict[str, Any]) -> dict[str, Any]:
    # A map run belongs to the state machine with the map's label after its name.
    head, _, rest = run["arn"].partition(":mapRun:")
    listed = {
        "executionArn": loaded.execution,
        "mapRunArn": run["arn"],
        "stateMachineArn": f"{head}:stateMachine:{rest.rpartition(':')[0]}",
        "startDate": run["started"] / 1000,
    }
    if "stopped" in run:
        listed["stopDate"] = run["stopped"] / 1000
    return listed


def _find(executions: Executions, parameters: Parameters) -> tuple[Loaded, dict[str, Any]]:
    arn = str(read.arn(parameters, "mapRunArn", "mapRun"))
    record = executions.store.get("map-run", arn)
    if record is None:
        raise resource_not_found(f"Resource not found: '{arn}'")
    try:
        loaded = executions.load(record.value["execution"])
    except ExecutionNotFound:
        raise resource_not_found(f"Resource not found: '{arn}'") from None
    for run in _runs(loaded):
        if run["arn"] == arn:
            return loaded, run
    raise resource_not_found(f"Resource not found: '{arn}'")
