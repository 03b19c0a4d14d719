"""Aliases of workflows: names such as `prod` that lead to a version, or to two while one takes over from the other.

An alias is one of Step Functions' own, so that executions started through it are routed by `StartExecution` itself.
Beside it stands its story: every move with who, when and why; and, where the alias is protected, the move that waits
for somebody other than whoever published the version or asked for the move.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..api import aliases
from ..api.errors import ApiError
from ..api.front_door import call
from ..identity import Identity
from ..runtime import Runtime
from ..store import Conflict, Store
from . import publishing
from .publishing import Published

KIND = "workflow-alias"
_STORY = 200
"""Moves that an alias remembers; older ones are let go."""


class MoveRefused(ValueError):
    """The alias stays where it is. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How traffic goes over to a version: `weight` percent at once, then as much again `every` so many milliseconds.

    Without `every` it stays at that weight, which is a canary.
    """

    weight: int = 100
    every: int | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """`routing` is what holds now: percent by version. `moves` are `{"at", "by", "to", "from"?, "weight", "every"?,
    "reason"?, "how"}`, the latest last; `pending` is a move that waits for approval."""

    workflow: str
    name: str
    arn: str
    routing: dict[str, int]
    protected: bool = False
    moves: list[dict[str, Any]] = field(default_factory=list)
    pending: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def describe(runtime: Runtime, tenant: str, workflow: str, name: str) -> Alias | None:
    """The alias as it stands now; None where there is none."""
    store = runtime.executions(tenant).store
    found = publishing.versions(store, workflow)
    if not found:
        return None
    value, _ = _record(store, workflow, name)
    arn = f"{found[0].machine}:{name}"
    record = store.get(aliases.KIND, arn)
    numbers = {each.arn: each.version for each in found}
    routing: dict[str, int] = {}
    if record is not None:
        for entry in aliases.routing_at(record.value, runtime.clock()):
            leads_to = str(entry["stateMachineVersionArn"])
            routing[numbers.get(leads_to, leads_to)] = entry["weight"]
    elif not value:
        return None
    return Alias(
        workflow,
        name,
        arn,
        routing,
        value.get("protected", False),
        value.get("moves", []),
        value.get("pending"),
    )


def list_aliases(runtime: Runtime, tenant: str, workflow: str) -> list[Alias]:
    store = runtime.executions(tenant).store
    found = publishing.versions(store, workflow)
    names = [record.value["name"] for record in aliases.aliases(store, found[0].machine)] if found else []
    named = [
        record.key.rpartition("/")[2] for record in store.records(KIND, f"{workflow}/", limit=1000).items
    ]
    both = dict.fromkeys([*names, *named])
    return [alias for name in both if (alias := describe(runtime, tenant, workflow, name)) is not None]


def move(
    runtime: Runtime,
    tenant: str,
    workflow: str,
    name: str,
    version: str,
    by: Identity,
    *,
    shift: Shift | None = None,
    reason: str | None = None,
    how: str = "moved",
) -> Alias:
    """Leads the alias to a version; a protected one waits for `approve`. Raises `NoSuchVersion`, `MoveRefused`."""
    store = runtime.executions(tenant).store
    target = publishing.find(store, workflow, version)
    shift = shift or Shift()
    if not 1 <= shift.weight <= 100 or (shift.every is not None and shift.every < 1000):
        raise MoveRefused(
            "traffic goes over in steps of 1 to 100 percent, with a second between them at the least"
        )
    asked = {
        "at": runtime.clock(), "by": by.to_json(), "to": target.version, "weight": shift.weight, "how": how,
        **({} if shift.every is None else {"every": shift.every}), **({} if reason is None else {"reason": reason}),
    }  # fmt: skip
    value, version_of_record = _record(store, workflow, name)
    if value.get("protected") and how == "moved":
        _write(store, workflow, name, {**value, "pending": asked}, version_of_record)
    else:
        _carry_out(runtime, tenant, store, target, name, asked)
    return _there(runtime, tenant, workflow, name)


def approve(runtime: Runtime, tenant: str, workflow: str, name: str, by: Identity) -> Alias:
    """Carries out the move that waits. Raises `MoveRefused` for whoever asked for it, or published the version."""
    store = runtime.executions(tenant).store
    value, version = _record(store, workflow, name)
    pending = value.get("pending")
    if not pending:
        raise MoveRefused(f"no move of {workflow} {name} waits for approval")
    target = publishing.find(store, workflow, pending["to"])
    if by.agent is not None:
        raise MoveRefused("an agent approves no move")
    for what, who in (("asked for this move", pending["by"]), ("published this version", target.by)):
        if by.user is None or by.user == who.get("user"):
            raise MoveRefused(f"{by.user or 'whoever has no name'} {what}: somebody else must approve it")
    # Taken off first: what is approved twice at once is carried out once.
    _write(store, workflow, name, {**value, "pending": None}, version)
    _carry_out(
        runtime,
        tenant,
        store,
        target,
        name,
        {**pending, "approved": {"at": runtime.clock(), "by": by.to_json()}},
    )
    return _there(runtime, tenant, workflow, name)


def drop(runtime: Runtime, tenant: str, workflow: str, name: str) -> Alias:
    """Takes back the move that waits for approval. Raises `MoveRefused`."""
    store = runtime.executions(tenant).store
    value, version = _record(store, workflow, name)
    if not value.get("pending"):
        raise MoveRefused(f"no move of {workflow} {name} waits for approval")
    _write(store, workflow, name, {**value, "pending": None}, version)
    return _there(runtime, tenant, workflow, name)


def protect(runtime: Runtime, tenant: str, workflow: str, name: str, protected: bool, by: Identity) -> Alias:
    """From now on moves of the alias wait for approval, or no longer do. Raises `NoSuchVersion`."""
    store = runtime.executions(tenant).store
    publishing.find(store, workflow, "latest")
    value, version = _record(store, workflow, name)
    note = {"at": runtime.clock(), "by": by.to_json(), "how": "protected" if protected else "unprotected"}
    moves = [*value.get("moves", []), note][-_STORY:]
    _write(store, workflow, name, {**value, "protected": protected, "moves": moves}, version)
    return _there(runtime, tenant, workflow, name)


def rollback(runtime: Runtime, tenant: str, workflow: str, name: str, by: Identity, reason: str) -> Alias:
    """Leads the alias back to the version that it led to before, at once and without approval. Raises `MoveRefused`."""
    store = runtime.executions(tenant).store
    value, _ = _record(store, workflow, name)
    stops = [each for each in value.get("moves", []) if "to" in each]
    if not stops:
        raise MoveRefused(f"{workflow} has no alias '{name}' that could be rolled back")
    current = stops[-1]["to"]
    # Past what has been rolled back itself: twice in a row goes two versions back.
    behind: list[str] = []
    for each in stops:
        if each["how"] == "rolled back":
            while behind and behind[-1] != each["to"]:
                behind.pop()
        elif not behind or behind[-1] != each["to"]:
            behind.append(each["to"])
    if len(behind) < 2:
        raise MoveRefused(f"{name} has led to nothing before {current}")
    return move(runtime, tenant, workflow, name, behind[-2], by, reason=reason, how="rolled back")


def _carry_out(
    runtime: Runtime, tenant: str, store: Store, target: Published, name: str, asked: dict[str, Any]
) -> None:
    arn = f"{target.machine}:{name}"
    record = store.get(aliases.KIND, arn)
    before = None
    if record is not None:
        routing = aliases.routing_at(record.value, runtime.clock())
        others = [
            entry for entry in routing if entry["stateMachineVersionArn"] != target.arn and entry["weight"]
        ]
        before = max(others, key=lambda entry: entry["weight"])["stateMachineVersionArn"] if others else None
    weight = asked["weight"] if before is not None else 100
    routing = [{"stateMachineVersionArn": target.arn, "weight": weight}]
    if weight < 100:
        routing.append({"stateMachineVersionArn": before, "weight": 100 - weight})
    try:
        if record is None:
            call(runtime, "CreateStateMachineAlias", {"name": name, "routingConfiguration": routing}, tenant)
        else:
            request = {"stateMachineAliasArn": arn, "routingConfiguration": routing}
            call(runtime, "UpdateStateMachineAlias", request, tenant)
    except ApiError as error:
        raise MoveRefused(error.message) from None
    if weight < 100 and asked.get("every") is not None:
        shift = {"start": runtime.clock(), "step": weight, "every": asked["every"]}
        aliases.set_shift(store, arn, shift)
    numbers = publishing.by_arn(store, target.workflow)
    came_from = numbers[before].version if before in numbers else None
    told = {**asked, "weight": weight, **({} if came_from is None else {"from": came_from})}
    while True:
        value, version = _record(store, target.workflow, name)
        moves = [*value.get("moves", []), told][-_STORY:]
        try:
            store.put(KIND, f"{target.workflow}/{name}", {**value, "moves": moves}, expect=version)
            return
        except Conflict:
            continue


def _record(store: Store, workflow: str, name: str) -> tuple[dict[str, Any], int]:
    record = store.get(KIND, f"{workflow}/{name}")
    return ({}, 0) if record is None else (record.value, record.version)


def _write(store: Store, workflow: str, name: str, value: dict[str, Any], version: int) -> None:
    try:
        store.put(KIND, f"{workflow}/{name}", value, expect=version)
    except Conflict:
        raise MoveRefused(f"somebody else has just changed {workflow} {name}; look again") from None


def _there(runtime: Runtime, tenant: str, workflow: str, name: str) -> Alias:
    alias = describe(runtime, tenant, workflow, name)
    assert alias is not None
    return alias
