"""Published versions: immutable, each with the digest of its definition and of its handlers' code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...statelang.asl import digest_of, dump
from ...statelang.spec.contracts import Contract, TypeReader, violations
from ...statelang.versions import SemanticVersion, breaks, differences
from ..identity import Identity
from ..runtime import Runtime
from ..store import Conflict, Record, Store
from ..workflows import Workflow, deploy

KIND = "workflow-version"


class PublishRefused(ValueError):
    """The version is not published. The text says why, and what to do."""


class NoSuchVersion(LookupError):
    """There is no such workflow, or no such version of it. The text says which there are."""


@dataclass(frozen=True, slots=True)
class Published:
    """A version. `arn` is its state machine version's, `definition` a digest, `spec` None for plain ASL.

    `code` is the digest of its handlers' code, where that was kept.
    """

    workflow: str
    version: str
    arn: str
    definition: str
    at: int
    by: dict[str, str]
    spec: dict[str, Any] | None = None
    code: str | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    @property
    def number(self) -> SemanticVersion:
        return SemanticVersion.read(self.version)

    @property
    def machine(self) -> str:
        return self.arn.rpartition(":")[0]


def publish(
    runtime: Runtime,
    tenant: str,
    workflow: Workflow,
    version: str,
    by: Identity,
    *,
    code: str | None = None,
    reason: str | None = None,
) -> tuple[Published, bool]:
    """Publishes the workflow as `version`; answers it, and whether it is new: the same content again changes nothing.

    Raises `PublishRefused`, `DeploymentRefused`.
    """
    store = runtime.executions(tenant).store
    try:
        number = SemanticVersion.read(version)
    except ValueError as error:
        raise PublishRefused(str(error)) from None
    definition = digest_of(dump(workflow.definition))
    there = _get(store, workflow.name, version)
    if there is not None:
        return _same(there, definition, code), False
    spec = None
    if workflow.spec is not None:
        spec = workflow.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    _check_contract(store, workflow.name, number, spec)
    arn = _version_arn(runtime, tenant, workflow, definition, version)
    made = Published(
        workflow.name, version, arn, definition, runtime.clock(), by.to_json(), spec, code, reason
    )
    try:
        store.put(KIND, _key(workflow.name, version), made.to_json(), expect=0)
    except Conflict:  # somebody was faster
        there = _get(store, workflow.name, version)
        assert there is not None
        return _same(there, definition, code), False
    return made, True


def _same(there: Published, definition: str, code: str | None) -> Published:
    what = []
    if there.definition != definition:
        what.append("definition")
    if code is not None and there.code is not None and there.code != code:
        what.append("handlers")
    if what:
        raise PublishRefused(
            f"{there.workflow} {there.version} is published with {' and '.join(what)} of another content, and a published "
            "version never changes; give this one a new number"
        )
    return there


def _check_contract(
    store: Store, workflow: str, number: SemanticVersion, spec: dict[str, Any] | None
) -> None:
    """A version whose number promises to break nothing breaks nothing of the one before it."""
    before = [each for each in versions(store, workflow) if each.number < number]
    if not before or spec is None or before[-1].spec is None:
        return
    found = broken(before[-1].spec, spec)
    if found and not number.may_break(before[-1].number):
        lines = "\n".join(f"  {line}" for line in found)
        raise PublishRefused(
            f"{workflow} {number} would break what relies on {before[-1].version}:\n{lines}\n"
            f"publish it as {before[-1].number.next_breaking()}, or keep the contract"
        )


def broken(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What the contracts of the new spec break of the old one's, in words."""
    old_input, old_output = _contracts(old)
    new_input, new_output = _contracts(new)
    return breaks(old_input, new_input, old_output, new_output)


def _contracts(spec: dict[str, Any]) -> tuple[Contract | None, Contract | None]:
    reader = TypeReader(spec.get("types") or {}, [])

    def read(name: str) -> Contract | None:
        return None if spec.get(name) is None else reader.read(spec[name], (name,))

    return read("input"), read("output")


def input_violations(published: Published, input: str) -> list[str]:
    """In what the input (JSON text) is not as the version's contract wants it, as lines of `path: message`."""
    contract = _contracts(published.spec)[0] if published.spec is not None else None
    found = violations(contract, json.loads(input)) if contract is not None else []
    return [f"{violation.path}: {violation.message}" for violation in found]


def _version_arn(runtime: Runtime, tenant: str, workflow: Workflow, definition: str, version: str) -> str:
    """The state machine's version that has this definition."""
    from ..api.front_door import call

    store = runtime.executions(tenant).store
    while True:
        machine = deploy(runtime, tenant, workflow)
        request = {"stateMachineArn": machine, "description": version}
        arn = call(runtime, "PublishStateMachineVersion", request, tenant)["stateMachineVersionArn"]
        record = store.get("state-machine-version", arn)
        # Between the two somebody else may have given the state machine another definition.
        if record is not None and record.value["definition"] == definition:
            return arn


def versions(store: Store, workflow: str) -> list[Published]:
    """The published versions of a workflow, the oldest number first."""
    found: list[Published] = []
    token = None
    while True:
        page = store.records(KIND, f"{workflow}/", token=token)
        found += [_read(record) for record in page.items]
        token = page.token
        if token is None:
            return sorted(found, key=lambda each: (each.number, each.at))


def find(store: Store, workflow: str, version: str) -> Published:
    """The version of that number; `latest` is the highest. Raises `NoSuchVersion`."""
    found = versions(store, workflow)
    if not found:
        raise NoSuchVersion(
            f"nothing is published of a workflow '{workflow}'; `stratum publish FILE` does that"
        )
    if version == "latest":
        return found[-1]
    for each in found:
        if each.version == version:
            return each
    raise NoSuchVersion(
        f"{workflow} has no version {version}; it has {', '.join(each.version for each in found)}"
    )


def by_arn(store: Store, workflow: str) -> dict[str, Published]:
    """The published versions by their state machine versions' ARNs."""
    return {each.arn: each for each in versions(store, workflow)}


def workflows(store: Store) -> list[str]:
    """The names of everything that has been published."""
    names: dict[str, None] = {}
    token = None
    while True:
        page = store.records(KIND, token=token)
        names.update(dict.fromkeys(record.value["workflow"] for record in page.items))
        token = page.token
        if token is None:
            return list(names)


def compared(store: Store, old: Published, new: Published) -> list[str]:
    """What differs between two versions, in words."""
    if old.spec is not None and new.spec is not None:
        return differences(old.spec, new.spec)
    texts = [store.get("definition", each.definition) for each in (old, new)]
    parsed = [json.loads(record.value["definition"]) if record is not None else {} for record in texts]
    return differences(parsed[0], parsed[1])


def _key(workflow: str, version: str) -> str:
    return f"{workflow}/{version}"


def _get(store: Store, workflow: str, version: str) -> Published | None:
    record = store.get(KIND, _key(workflow, version))
    return None if record is None else _read(record)


def _read(record: Record) -> Published:
    return Published(**record.value)
