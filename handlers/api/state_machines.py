"""State machines: created, changed, described, listed, deleted."""

from __future__ import annotations

import uuid
from typing import Any

from ...statelang.asl import InvalidDefinition, digest_of, load_definition
from ..arns import StatesArn
from ..runtime import Runtime
from ..store import Conflict, InvalidToken, Record, Store
from . import parameters as read
from .errors import ApiError, invalid_arn, state_machine_does_not_exist
from .parameters import Parameters

KIND = "state-machine"
TYPES = ("STANDARD", "EXPRESS")
MAX_DEFINITION = 1024 * 1024


def create_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """The same request twice is one state machine; the same name for another definition is refused."""
    name = read.name(parameters)
    definition = _definition(parameters)
    role = read.text(parameters, "roleArn")
    type = read.optional_text(parameters, "type") or "STANDARD"
    if type not in TYPES:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value '{type}' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]",
        )
    arn = str(StatesArn(runtime.region, runtime.account, "stateMachine", name))
    store = runtime.executions(tenant).store
    now = runtime.clock()
    value = {"name": name, "type": type, "role": role, "definition": _keep(store, definition), "created": now}
    try:
        store.put(KIND, arn, value, expect=0)
    except Conflict:
        known = state_machine(store, arn).value
        if (known["definition"], known["type"]) != (value["definition"], type):
            raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'") from None
        now = known["created"]
    return {"stateMachineArn": arn, "creationDate": now / 1000}


def update_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Executions that have begun stay with the definition that they began with."""
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    store = runtime.executions(tenant).store
    if "definition" not in parameters and "roleArn" not in parameters:
        raise ApiError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
        )
    definition = _definition(parameters) if "definition" in parameters else None
    role = read.optional_text(parameters, "roleArn")
    while True:
        record = state_machine(store, arn)
        now = runtime.clock()
        changed = {"updated": now, "revision": str(uuid.uuid4())}
        if definition is not None:
            changed["definition"] = _keep(store, definition)
        if role is not None:
            changed["role"] = role
        try:
            store.put(KIND, arn, {**record.value, **changed}, expect=record.version)
        except Conflict:
            continue
        return {"updateDate": now / 1000, "revisionId": changed["revision"]}


def describe_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    store = runtime.executions(tenant).store
    value = state_machine(store, arn).value
    answer = {
        "stateMachineArn": arn,
        "name": value["name"],
        "status": "ACTIVE",
        "definition": definition_text(store, value["definition"]),
        "roleArn": value["role"],
        "type": value["type"],
        "creationDate": value["created"] / 1000,
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    if "revision" in value:
        answer["revisionId"] = value["revision"]
    return answer


def list_state_machines(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    store = runtime.executions(tenant).store
    try:
        page = store.records(
            KIND, limit=read.page_size(parameters), token=read.optional_text(parameters, "nextToken")
        )
    except InvalidToken:
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from None
    answer: dict[str, Any] = {
        "stateMachines": [
            {
                "stateMachineArn": record.key,
                "name": record.value["name"],
                "type": record.value["type"],
                "creationDate": record.value["created"] / 1000,
            }
            for record in page.items
        ]
    }
    if page.token:
        answer["nextToken"] = page.token
    return answer


def delete_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Executions that are running go on to their end: their definition stays."""
    runtime.executions(tenant).store.delete(
        KIND, str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    )
    return {}


def state_machine(store: Store, arn: str) -> Record:
    """The state machine's record. Raises `StateMachineDoesNotExist`."""
    record = store.get(KIND, arn)
    if record is None:
        raise state_machine_does_not_exist(arn)
    return record


def definition_text(store: Store, digest: str) -> str:
    record = store.get("definition", digest)
    if record is None:
        raise invalid_arn(f"the definition {digest} is not in the store")
    return record.value["definition"]


def _definition(parameters: Parameters) -> str:
    definition = read.text(parameters, "definition")
    if len(definition) > MAX_DEFINITION:
        raise ApiError(
            "InvalidDefinition",
            f"Invalid State Machine Definition: 'the definition is larger than {MAX_DEFINITION} characters'",
        )
    try:
        load_definition(definition)
    except InvalidDefinition as error:
        raise ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from None
    return definition


def _keep(store: Store, definition: str) -> str:
    """Stores the definition under its digest, once; answers the digest."""
    digest = digest_of(definition)
    if store.get("definition", digest) is None:
        store.put("definition", digest, {"definition": definition})
    return digest
