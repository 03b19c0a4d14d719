"""State machines: created, changed, described, listed, deleted."""

from __future__ import annotations

import uuid
from typing import Any

from ...statelang.asl import InvalidDefinition, Problem, load_definition, parse_definition
from ...statelang.asl.labels import CODE as LABEL
from ...statelang.asl.machine import check
from ...statelang.asl.validation import EXPRESSION_CODES
from ..arns import StatesArn, parse_arn
from ..runtime import Runtime
from ..store import Conflict, InvalidToken, Record, Store
from . import parameters as read
from . import settings
from . import tags as tagging
from .errors import ApiError, invalid_arn, invalid_token, state_machine_does_not_exist
from .parameters import Parameters

KIND = "state-machine"


def create_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """The same request twice is one state machine; the same name for another definition is refused."""
    from . import versions

    name = read.name(parameters)
    publish = read.flag(parameters, "publish", False)
    description = read.optional_text(parameters, "versionDescription")
    if description is not None and not publish:
        raise ApiError("ValidationException", "Version description can only be set when publish is true")
    type = read.optional_text(parameters, "type") or "STANDARD"
    definition = _definition(runtime, parameters, type, name)
    role = read.text(parameters, "roleArn")
    given = settings.read_settings(runtime, parameters)
    tags = tagging.read_tags(parameters)
    arn = str(StatesArn(runtime.region, runtime.account, "stateMachine", name))
    executions = runtime.executions(tenant)
    store = executions.store
    value = {
        "name": name, "type": type, "role": role, "definition": executions.define(definition), "created": runtime.clock(),
        "tags": tags, "published": publish, "version_description": description, **given,
    }  # fmt: skip
    try:
        record = store.put(KIND, arn, value, expect=0)
    except Conflict:
        record = state_machine(store, arn)
        # Another role and other tags are no other request, and change nothing.
        same = ("definition", "type", "published", "version_description", *settings.FIELDS)
        if any(record.value.get(key) != value.get(key) for key in same):
            raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'") from None
    answer = {"stateMachineArn": arn, "creationDate": record.value["created"] / 1000}
    if publish:
        answer["stateMachineVersionArn"] = versions.publish(runtime, store, arn, description).key
    return answer


def update_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """Executions that have begun stay with the definition that they began with."""
    from . import versions

    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    executions = runtime.executions(tenant)
    store = executions.store
    if not any(
        parameters.get(key) is not None
        for key in (
            "definition",
            "roleArn",
            "loggingConfiguration",
            "tracingConfiguration",
            "encryptionConfiguration",
        )
    ):
        raise ApiError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
        )
    publish = read.flag(parameters, "publish", False)
    description = read.optional_text(parameters, "versionDescription")
    if description is not None and not publish:
        raise ApiError("ValidationException", "Version description can only be set when publish is true")
    given = settings.read_settings(runtime, parameters)
    while True:
        record = state_machine(store, arn)
        changed = dict(given)
        if parameters.get("definition") is not None:
            changed["definition"] = executions.define(
                _definition(runtime, parameters, record.value["type"], record.value["name"])
            )
        if (role := read.optional_text(parameters, "roleArn")) is not None:
            changed["role"] = role
        now = runtime.clock()
        value = {**record.value, **changed, "updated": now}
        if any(record.value.get(key) != changed[key] for key in changed):
            value["revision"] = str(uuid.uuid4())
        try:
            store.put(KIND, arn, value, expect=record.version)
        except Conflict:
            continue
        break
    answer: dict[str, Any] = {"updateDate": now / 1000}
    if "revision" in value:
        answer["revisionId"] = value["revision"]
    if publish:
        answer["stateMachineVersionArn"] = versions.publish(runtime, store, arn, description).key
    return answer


def describe_state_machine(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    """A state machine as it is now, or one of its versions."""
    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    store = runtime.executions(tenant).store
    record = find(store, arn)
    answer = {"stateMachineArn": record.key, "name": record.value["name"], "status": "ACTIVE"}
    answer |= _described(store, record)
    answer |= {"type": record.value["type"], "creationDate": record.value["created"] / 1000}
    if record.value.get("description") is not None:
        answer["description"] = record.value["description"]
    return answer


def _described(store: Store, record: Record) -> dict[str, Any]:
    value = record.value
    answer = {
        "definition": definition_text(store, value["definition"]),
        "roleArn": value["role"],
        "loggingConfiguration": value.get("logging") or {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": value.get("tracing") or {"enabled": False},
        "encryptionConfiguration": value.get("encryption") or settings.AWS_OWNED,
    }
    if "revision" in value:
        answer["revisionId"] = value["revision"]
    references = variable_references(answer["definition"])
    if references:
        answer["variableReferences"] = references
    return answer


def describe_state_machine_for_execution(
    runtime: Runtime, tenant: str, parameters: Parameters
) -> dict[str, Any]:
    """The definition that an execution began with, and what was set then for its state machine."""
    from . import executions as api

    executions = runtime.executions(tenant)
    loaded = api.find(executions, parameters)
    snapshot = loaded.snapshot
    text = definition_text(executions.store, snapshot["definition"])
    parent = snapshot.get("parent", {})
    arn = snapshot["state_machine"]["id"]
    record = executions.store.get(KIND, arn)
    known = {} if record is None else record.value
    answer = {
        "stateMachineArn": arn,
        "name": snapshot["state_machine"]["name"],
        "definition": text,
        "roleArn": snapshot["execution"]["role"],
        "updateDate": snapshot.get(
            "updated", known.get("updated", known.get("created", snapshot["execution"]["started"]))
        )
        / 1000,
        "loggingConfiguration": known.get("logging") or {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": known.get("tracing") or {"enabled": False},
        "encryptionConfiguration": known.get("encryption") or settings.AWS_OWNED,
    }
    if snapshot.get("revision"):
        answer["revisionId"] = snapshot["revision"]
    if "map_run" in parent:
        answer["mapRunArn"] = parent["map_run"]
        answer["label"] = arn.rpartition("/")[2]
    references = variable_references(text)
    if references:
        answer["variableReferences"] = references
    return answer


def list_state_machines(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    store = runtime.executions(tenant).store
    prefix = str(StatesArn(runtime.region, runtime.account, "stateMachine", ""))
    try:
        page = store.records(
            KIND, prefix, limit=read.page_size(parameters), token=read.page_token(parameters)
        )
    except InvalidToken:
        raise invalid_token() from None
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
    from . import aliases, versions

    arn = str(read.arn(parameters, "stateMachineArn", "stateMachine"))
    store = runtime.executions(tenant).store
    if arn.count(":") > 6:
        raise invalid_arn(f"Invalid ARN: {arn}")
    for kind in (versions.KIND, aliases.KIND):
        for record in store.records(kind, f"{arn}:", limit=1000).items:
            store.delete(kind, record.key)
    store.delete(KIND, arn)
    return {}


def state_machine(store: Store, arn: str) -> Record:
    """The state machine's record. Raises `StateMachineDoesNotExist`."""
    record = store.get(KIND, arn)
    if record is None:
        raise state_machine_does_not_exist(arn)
    return record


def find(store: Store, arn: str) -> Record:
    """A state machine, or the version of one, by its ARN. Raises `StateMachineDoesNotExist`."""
    from . import versions

    parsed = parse_arn(arn)
    assert parsed is not None
    base, _, qualifier = parsed.rest.partition(":")
    if not qualifier:
        return state_machine(store, arn)
    record = store.get(versions.KIND, arn)
    if record is None:
        raise state_machine_does_not_exist(arn)
    machine = state_machine(
        store, str(StatesArn(parsed.region, parsed.account, parsed.kind, base, parsed.partition))
    )
    return Record(versions.KIND, arn, {**machine.value, **record.value}, record.version)


def definition_text(store: Store, digest: str) -> str:
    record = store.get("definition", digest)
    if record is None:
        raise invalid_arn(f"the definition {digest} is not in the store")
    return record.value["definition"]


def check_definition(text: str, type: str = "STANDARD") -> None:
    """Raises `InvalidDefinition` of the API, in AWS's words, for a definition that is none."""
    try:
        load_definition(text)
        if type == "EXPRESS":
            errors = [
                problem for problem in check(parse_definition(text), type=type) if problem.severity == "ERROR"
            ]
            if errors:
                raise InvalidDefinition(errors)
    except InvalidDefinition as error:
        label = next((problem for problem in error.problems if problem.code == LABEL), None)
        if label is not None:
            raise ApiError(
                "InvalidDefinition", f"Error=ValueError Args={[label.message]!r} in definition '{text}'."
            ) from None
        raise invalid_definition(error.problems) from None


def invalid_definition(problems: list[Problem]) -> ApiError:
    """The API's error for a definition. Of several expressions that are wrong, AWS names the first alone."""
    named = problems[:1] if problems[0].code in EXPRESSION_CODES else problems
    texts = [f"{problem.code}: {problem.message} at {problem.location or 'null'}" for problem in named]
    return ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(texts)}'")


def variable_references(text: str) -> dict[str, list[str]]:
    """Which workflow variables each state of a definition refers to."""
    from ...statelang.asl.references import references_of

    return references_of(load_definition(text).definition)


def _definition(runtime: Runtime, parameters: Parameters, type: str, name: str) -> str:
    definition = read.text(parameters, "definition")
    check_definition(definition, type)
    if runtime.lacks is not None:
        _check_reach(runtime, definition, name)
    return definition


def _check_reach(runtime: Runtime, definition: str, name: str) -> None:
    """Raises `InvalidDefinition` of the API for tasks that nothing here performs: on AWS the definition may be right."""
    from ..integrations.reach import unreachable

    if problems := unreachable(runtime, name, parse_definition(definition)):
        raise invalid_definition(problems)
