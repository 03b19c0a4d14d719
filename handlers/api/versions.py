"""Versions of state machines: immutable, numbered from 1, never numbered twice."""

from __future__ import annotations

from typing import Any

from ..runtime import Runtime
from ..store import Conflict, Record, Store
from . import parameters as read
from .errors import ApiError, invalid_arn
from .parameters import Parameters
from .state_machines import KIND as MACHINE
from .state_machines import state_machine

KIND = "state-machine-version"
_ALL = 1000


def publish_state_machine_version(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Publishing a revision that the latest version has already answers with that version."""
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    store = runtime.executions(tenant).store
    machine = state_machine(store, arn)
    wanted = read.optional_text(parameters, "revisionId")
    revision = machine.value.get("revision", "INITIAL")
    if wanted is not None and wanted != revision:
        raise ApiError(
            "ConflictException",
            f"Failed to publish the State Machine version for revision {wanted}. The current State Machine revision is {revision}.",
        )
    record = publish(runtime, store, arn, read.optional_text(parameters, "description"))
    return {"stateMachineVersionArn": record.key, "creationDate": record.value["created"] / 1000}


def publish(runtime: Runtime, store: Store, arn: str, description: str | None) -> Record:
    """A version of the state machine as it is now: the latest one, where that is the same."""
    while True:
        machine = state_machine(store, arn)
        value = machine.value
        latest = next(iter(versions(store, arn)), None)
        if latest is not None and latest.value.get("revision") == value.get("revision"):
            return latest
        number = value.get("versions", 0) + 1
        fields = ("definition", "role", "revision", "logging", "tracing", "encryption")
        version = {key: value[key] for key in fields if key in value}
        version |= {"number": number, "created": runtime.clock(), "description": description}
        try:
            store.put(MACHINE, arn, {**value, "versions": number}, expect=machine.version)
            return store.put(KIND, f"{arn}:{number}", version, expect=0)
        except Conflict:
            continue


def versions(store: Store, arn: str) -> list[Record]:
    """Every version of the state machine, the latest first."""
    found = store.records(KIND, f"{arn}:", limit=_ALL).items
    return sorted(found, key=lambda record: -record.value["number"])


def list_state_machine_versions(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    limit = read.page_size(parameters)
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    token = read.page_token(parameters)
    store = runtime.executions(tenant).store
    state_machine(store, arn)
    page, following = read.page_of(versions(store, arn), limit, token)
    answer: dict[str, Any] = {
        "stateMachineVersions": [
            {"stateMachineVersionArn": record.key, "creationDate": record.value["created"] / 1000}
            for record in page
        ]
    }
    if following is not None:
        answer["nextToken"] = following
    return answer


def delete_state_machine_version(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """A version that an alias routes to is kept."""
    from . import aliases

    parsed = read.arn(parameters, "stateMachineVersionArn", "stateMachine")
    arn = str(parsed)
    number = parsed.rest.partition(":")[2]
    if not number.isdigit():
        raise invalid_arn(f"Invalid ARN: {arn}")
    store = runtime.executions(tenant).store
    machine = arn.rpartition(":")[0]
    using = [
        record.key
        for record in aliases.aliases(store, machine)
        if any(route["stateMachineVersionArn"] == arn for route in record.value["routing"])
    ]
    if using:
        raise ApiError(
            "ConflictException",
            f"Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [{', '.join(key.rpartition(':')[2] for key in using)}]",
        )
    store.delete(KIND, arn)
    return {}
