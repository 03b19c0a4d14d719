"""State machines with their versions and aliases; two versions side by side; what an execution is started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...statelang.spec.contracts import Contract, TypeReader
from ..arns import parse_arn
from ..audit.redaction import redactor_for
from ..store import Record, Store
from ..versions import publishing, routing
from ..versions.listing import NotComparable, compared, content, listed
from ..versions.running import UNPUBLISHED
from ..workflows import source_map, spec_text
from .api import optional, text
from .definitions import described
from .host import Console, Refusal
from .secrets import parsed

_KIND = "state-machine"
_MOST = 1000


def workflows(console: Console, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every state machine, by name."""
    found = [_row(console, record) for record in console.store.records(_KIND, limit=_MOST).items]
    return sorted(found, key=lambda each: (each["workflow"], each["machine"]))


def _row(console: Console, record: Record) -> dict[str, Any]:
    store, value = console.store, record.value
    arn = parse_arn(record.key)
    latest = store.heads(state_machine=record.key, limit=1).items
    mapped = source_map(store, value["definition"])
    return {
        "workflow": value["name"], "machine": record.key, "type": value["type"], "created": value["created"],
        "definition": value["definition"], "version": (mapped or {}).get("version"), "spec": mapped is not None,
        "region": arn.region if arn else "", "account": arn.account if arn else "",
        "last": {"execution": latest[0].execution, "status": latest[0].status, "started": latest[0].started_at} if latest else None,
        "versions": [each.version for each in publishing.versions(store, value["name"])],
        "aliases": [
            {"name": alias.name, "routing": alias.routing} for alias in routing.list_aliases(console.runtime, store.tenant, value["name"])
        ],
    }  # fmt: skip


def workflow(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """One state machine: its definition as it stands, its versions with what runs on them, its aliases."""
    record = _machine(console.store, text(parameters, "machine"))
    store, name = console.store, record.value["name"]
    try:
        found = listed(console.runtime, store.tenant, name)
    except publishing.NoSuchVersion:
        found = []
    return {
        **_row(console, record),
        "versions": [each for each in found if each["version"] != UNPUBLISHED],
        "unpublished": sum(each["running"] for each in found if each["version"] == UNPUBLISHED),
        "aliases": [alias.to_json() for alias in routing.list_aliases(console.runtime, store.tenant, name)],
        "shown": described(store, record.value["definition"]),
    }


def start_form(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What an execution takes: `schema` is the input's contract as JSON Schema, or None where it has none."""
    record = _machine(console.store, text(parameters, "machine"))
    version = optional(parameters, "version")
    spec = _spec(console.store, record, version)
    contract = None if spec is None else _input_contract(spec)
    latest = console.store.heads(state_machine=record.key, limit=1).items
    example: Any = None
    if latest:
        head = latest[0]
        example = parsed(console.executions.load(head.execution).snapshot["execution"]["input"])
        hidden = redactor_for(console.store, head.execution, head.definition).hide_texts(example)
        example = example if hidden == example else None  # a form is not filled in with dots
    return {
        "workflow": record.value["name"],
        "schema": None if contract is None else contract.to_json_schema(),
        "last": example,
        "secrets": [] if contract is None else sorted(_secrets(contract)),
    }


def _secrets(contract: Contract) -> set[str]:
    return {name for name, part in (contract.fields or {}).items() if part.secret}


def _spec(store: Store, record: Record, version: str | None) -> dict[str, Any] | None:
    """The spec that a version (default: the definition as it stands) was compiled from, as data."""
    if version is not None:
        try:
            return publishing.find(store, record.value["name"], version).spec
        except publishing.NoSuchVersion as error:
            raise Refusal(404, str(error)) from None
    return _spec_data(spec_text(store, record.value["definition"]))


def _spec_data(source: str | None) -> dict[str, Any] | None:
    if source is None:
        return None
    from ...statelang import spec

    data = spec.load_data(source.encode())
    return data if isinstance(data, dict) else None


def _input_contract(spec: dict[str, Any]) -> Contract | None:
    if spec.get("input") is None:
        return None
    types = spec.get("types") or {}
    return TypeReader(types, []).read(spec["input"], ("input",))


def _machine(store: Store, arn: str) -> Record:
    record = store.get(_KIND, arn)
    if record is None:
        raise Refusal(404, f"there is no state machine {arn[:300]}")
    return record


def compare(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Two versions: each as a picture, what differs in words, what breaks, and which nodes are marked."""
    name = text(parameters, "workflow")
    store = console.store
    try:
        old = publishing.find(store, name, text(parameters, "old"))
        new = publishing.find(store, name, text(parameters, "new"))
    except publishing.NoSuchVersion as error:
        raise Refusal(404, str(error)) from None
    bodies = [content(store, each) for each in (old, new)]
    pictures = [described(store, each.definition) for each in (old, new)]
    marks: dict[str, Any] = {"old": {}, "new": {}}
    try:
        found, breaks = compared(*bodies)
        marks = _marks(*bodies)
    except NotComparable as error:
        found, breaks = [str(error)], []
    return {
        "old": {"version": old.version, **pictures[0]}, "new": {"version": new.version, **pictures[1]},
        "differences": found, "breaks": breaks, "marks": marks,
    }  # fmt: skip


def _marks(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By node: `added`, `removed` or `changed`."""
    before, after = dict(_parts(old)), dict(_parts(new))
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    return {
        "old": {
            **dict.fromkeys(before.keys() - after.keys(), "removed"),
            **dict.fromkeys(changed, "changed"),
        },
        "new": {
            **dict.fromkeys(after.keys() - before.keys(), "added"),
            **dict.fromkeys(changed, "changed"),
        },
    }


def _parts(body: Mapping[str, Any]):
    """Every step or state by the id of its node, without what is within it."""
    for name, state in (body.get("States") or {}).items():
        inner = [*state.get("Branches", ()), *(state[key] for key in ("ItemProcessor", "Iterator") if key in state)]  # fmt: skip
        yield (
            f"state {name}",
            {
                key: value
                for key, value in state.items()
                if key not in ("Branches", "ItemProcessor", "Iterator")
            },
        )
        for each in inner:
            yield from _parts(each)
    for step in body.get("steps") or ():
        parallel = step.get("parallel")
        own = {key: value for key, value in step.items() if key not in ("steps", "parallel")}
        yield (
            f"step {step['id']}",
            {**own, "parallel": list(parallel)} if isinstance(parallel, Mapping) else own,
        )
        yield from _parts({"steps": step.get("steps")})
        for branch in parallel.values() if isinstance(parallel, Mapping) else ():
            yield from _parts({"steps": branch})
