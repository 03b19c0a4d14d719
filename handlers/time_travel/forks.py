"""Forks: a new execution goes on from a place in another one's history.

Its log begins with the commits that the two share, so that its history, its audit and its own forks are whole. What
was waited for at that place is asked anew: approvals and callbacks that came later are never taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...statelang.engine import check_fork, messages
from ..identity import Identity
from ..loading import Loaded
from ..runtime import Runtime
from ..steps import DONE, Steps
from ..store import Commit, Store
from ..tenancy.limits import LimitReached
from ..workflows import source_map
from . import points
from .points import Point

FORK, REVERT = "fork", "revert"


class NotAllowed(ValueError):
    """An agent may not fork so. The text says why."""


class ExecutionExists(ValueError):
    """There is an execution of that name already."""


def fork(
    runtime: Runtime,
    tenant: str,
    execution: str,
    at: str | None,
    name: str,
    by: Identity,
    *,
    input: str | None = None,
    reason: str | None = None,
    how: str = FORK,
) -> tuple[Loaded, Point]:
    """Starts the execution `name`, which goes on from where `execution` stood `at` a place (`points.find`).

    `input` is JSON text in place of the input that the workflow sees from there on. Raises `NoSuchPoint`, `CannotFork`,
    `ExecutionExists`, `ExecutionNotFound`, and `NotAllowed`: an agent gives no new input to what
    was approved before, and a tenant starts no more than it may.
    """
    executions = runtime.executions(tenant)
    origin = executions.load(execution)
    point = points.find(executions.store, execution, at)
    snapshot, shared = points.snapshot_at(executions, execution, point)
    check_fork(snapshot)
    if by.agent is not None and input is not None:
        _check_undecided(executions.store, snapshot, shared, by)
    head = origin.head or executions.store.head(execution)
    arn = f"{execution.rpartition(':')[0]}:{name}"
    lineage = {"execution": execution, "event": point.event, "how": how, "by": by.to_json()}
    if reason is not None:
        lineage["reason"] = reason
    message = messages.fork(arn, snapshot, lineage, input=input) | {"requester": by.to_json()}
    fields = dict(head.fields) if head is not None else {}
    fields |= {"forked_from": execution}
    try:
        loaded = executions.limiter.admit(
            lambda: executions.start(message, snapshot["definition"], fields, behind=shared),
            known=lambda: executions.store.head(arn) is not None,
        )
    except LimitReached as reached:
        raise NotAllowed(str(reached)) from None
    if loaded is None:
        raise ExecutionExists(f"there is an execution '{name}' already; another name begins a new one")
    return loaded, point


def _check_undecided(
    store: Store, snapshot: Mapping[str, Any], shared: Sequence[Commit], by: Identity
) -> None:
    """An approval holds for the input that it was given for."""
    mapped = source_map(store, snapshot["definition"])
    gates = [id for id, step in (mapped or {}).get("steps", {}).items() if step.get("kind") == "gate"]
    steps = Steps(mapped)
    steps.feed(event for commit in shared for event in commit.events)
    done = {id for id, step in steps.steps.items() if step.status == DONE}
    done |= {key.rpartition(":")[2] for key, text in snapshot["variables"].items() if text != "null"}
    decided = [id for id in gates if id in done]
    if decided:
        raise NotAllowed(
            f"{decided[-1]} was decided for the input that there was, so {by.agent} cannot give another one after it: fork at"
            f" {decided[-1]} or before, and it is asked again"
        )


def revert(
    runtime: Runtime, tenant: str, execution: str, at: str, name: str, by: Identity, reason: str | None = None
) -> tuple[Loaded, Point]:
    """Goes back to a place: the execution is stopped, if it still runs, and a fork from there takes its place.

    The fork comes first, so that a request that is wrong stops nothing. Raises as `fork` does.
    """
    made = fork(runtime, tenant, execution, at, name, by, reason=reason, how=REVERT)
    cause = f"reverted to event {made[1].event}; {name} goes on from there" + (
        f": {reason}" if reason else ""
    )
    executions = runtime.executions(tenant)
    if executions.load(execution).snapshot["status"] == "RUNNING":
        stop = messages.stop("Stratum.Reverted", cause, by.to_json())
        for failure in executions.advance({execution: [stop]}).values():
            raise failure
    return made


def lineage(snapshot: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where the execution was forked from: `{"execution", "event", "how", "by", "reason"?}`, or None."""
    return snapshot.get("forked")
