"""Aliases of state machines: names that lead to one version, or to two by weight."""

from __future__ import annotations

import random
from typing import Any

from ..runtime import Runtime
from ..store import Conflict, Record, Store
from . import parameters as read
from . import versions
from .errors import ApiError, resource_not_found
from .parameters import Parameters
from .state_machines import state_machine

KIND = "state-machine-alias"
_NO_RESOURCE = "Request references a resource that does not exist."


def create_state_machine_alias(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    name = read.text(parameters, "name")
    store = runtime.executions(tenant).store
    routing = _routing(store, parameters)
    machine = routing[0]["stateMachineVersionArn"].rpartition(":")[0]
    arn = f"{machine}:{name}"
    now = runtime.clock()
    description = read.optional_text(parameters, "description")
    value = {"name": name, "description": description, "routing": routing, "created": now, "updated": now}
    try:
        store.put(KIND, arn, value, expect=0)
    except Conflict:
        known = _find(store, arn).value
        if (known["routing"], known["description"]) != (routing, description):
            raise ApiError(
                "ConflictException",
                "Failed to create alias because an alias with the same name and a different routing configuration already exists.",
            ) from None
        now = known["created"]
    return {"stateMachineAliasArn": arn, "creationDate": now / 1000}


def update_state_machine_alias(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = str(read.arn(parameters, "stateMachineAliasArn", "stateMachine"))
    store = runtime.executions(tenant).store
    if parameters.get("routingConfiguration") is None and parameters.get("description") is None:
        raise ApiError(
            "MissingRequiredParameter",
            "Either the description or the RoutingConfiguration must be specified",
        )
    routing = _routing(store, parameters) if parameters.get("routingConfiguration") is not None else None
    while True:
        record = _find(store, arn)
        now = runtime.clock()
        changed: dict[str, Any] = {"updated": now}
        if routing is not None:
            changed.update(routing=routing, shift=None)
        if parameters.get("description") is not None:
            changed["description"] = read.optional_text(parameters, "description")
        try:
            store.put(KIND, arn, {**record.value, **changed}, expect=record.version)
        except Conflict:
            continue
        return {"updateDate": now / 1000}


def describe_state_machine_alias(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = str(read.arn(parameters, "stateMachineAliasArn", "stateMachine"))
    value = _find(runtime.executions(tenant).store, arn).value
    answer = {
        "stateMachineAliasArn": arn,
        "name": value["name"],
        "routingConfiguration": routing_at(value, runtime.clock()),
        "creationDate": value["created"] / 1000,
        "updateDate": value["updated"] / 1000,
    }
    if value["description"] is not None:
        answer["description"] = value["description"]
    return answer


def list_state_machine_aliases(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    limit = read.page_size(parameters)
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    token = read.page_token(parameters)
    store = runtime.executions(tenant).store
    version = arn if arn.count(":") > 6 else None
    machine = arn.rpartition(":")[0] if version else arn
    state_machine(store, machine)
    found = [
        record
        for record in aliases(store, machine)
        if version is None
        or any(route["stateMachineVersionArn"] == version for route in record.value["routing"])
    ]
    page, following = read.page_of(found, limit, token)
    answer: dict[str, Any] = {
        "stateMachineAliases": [
            {"stateMachineAliasArn": record.key, "creationDate": record.value["created"] / 1000}
            for record in page
        ]
    }
    if following is not None:
        answer["nextToken"] = following
    return answer


def delete_state_machine_alias(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = str(read.arn(parameters, "stateMachineAliasArn", "stateMachine"))
    runtime.executions(tenant).store.delete(KIND, arn)
    return {}


def aliases(store: Store, machine: str) -> list[Record]:
    """The aliases of a state machine, in the order in which they were made."""
    found = store.records(KIND, f"{machine}:", limit=1000).items
    return sorted(found, key=lambda record: (record.value["created"], record.key))


def routing_at(value: dict[str, Any], now: int) -> list[dict[str, Any]]:
    """The routing of an alias at a time: where it shifts, the first version has taken over more and more by then.

    A shift is `{"start", "step" (percent), "every" (milliseconds)}`. Nobody has to carry it out: what it has come to follows
    from the time.
    """
    routing, shift = value["routing"], value.get("shift")
    if not shift or len(routing) < 2:
        return routing
    steps = 1 + max(0, now - shift["start"]) // shift["every"]
    weight = min(100, shift["step"] * steps)
    if weight == 100:
        return [{**routing[0], "weight": 100}]
    return [{**routing[0], "weight": weight}, {**routing[1], "weight": 100 - weight}]


def set_shift(store: Store, arn: str, shift: dict[str, Any]) -> None:
    """Lets the first version of the alias take over in steps from now on."""
    while True:
        record = _find(store, arn)
        try:
            store.put(KIND, arn, {**record.value, "shift": shift}, expect=record.version)
            return
        except Conflict:
            continue


def route(store: Store, alias: str, now: int, draw: float | None = None) -> str:
    """The version that an execution started through the alias runs, drawn by weight."""
    routing = routing_at(_find(store, alias).value, now)
    place = (random.random() if draw is None else draw) * 100
    for entry in routing:
        place -= entry["weight"]
        if place < 0:
            return entry["stateMachineVersionArn"]
    return routing[-1]["stateMachineVersionArn"]


def _find(store: Store, arn: str) -> Record:
    record = store.get(KIND, arn)
    if record is None:
        raise resource_not_found(_NO_RESOURCE)
    return record


def _routing(store: Store, parameters: Parameters) -> list[dict[str, Any]]:
    """The routing configuration, checked in the order in which AWS checks it."""
    routing = [
        {"stateMachineVersionArn": item["stateMachineVersionArn"], "weight": item["weight"]}
        for item in parameters["routingConfiguration"]
    ]
    arns = [item["stateMachineVersionArn"] for item in routing]
    shown = f"[{', '.join(arns)}]"
    if any(arn.count(":") != 7 or not arn.rpartition(":")[2].isdigit() for arn in arns):
        raise ApiError(
            "ValidationException",
            f"Routing configuration must contain state machine version ARNs. Received: {shown}",
        )
    if len(set(arns)) != len(arns):
        raise ApiError(
            "ValidationException",
            f"Routing configuration must contain distinct state machine version ARNs. Received: {shown}",
        )
    if len({arn.rpartition(":")[0] for arn in arns}) != 1:
        raise ApiError(
            "ValidationException",
            f"Routing configuration must contain state machine version ARNs of the same state machine. Received: {shown}",
        )
    weights = [item["weight"] for item in routing]
    if sum(weights) != 100:
        raise ApiError(
            "ValidationException", f"Sum of routing configuration weights must equal 100. Received: {weights}"
        )
    for arn in arns:
        if store.get(versions.KIND, arn) is None:
            raise resource_not_found(_NO_RESOURCE)
    return routing
