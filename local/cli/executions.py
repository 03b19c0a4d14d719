"""`stratum list`, `show`, `history` and `stop`: what the store knows about executions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...handlers.audit.redaction import Redactor, redactor_for
from ...handlers.executions import Executions
from ...handlers.loading import Loaded
from ...handlers.runtime import Runtime
from ...handlers.steps import Steps
from ...handlers.store import Head, Store
from ...handlers.workflows import source_map
from .acting import stage_of, who_acts
from .opening import find_execution, open_store
from .problem import WrongRequest
from .tables import print_table


def list_(options: argparse.Namespace) -> int:
    from ...handlers.audit.search import STATUSES

    if options.status is not None and options.status not in STATUSES:
        raise WrongRequest(f"'{options.status}' is no status: it is one of {', '.join(STATUSES)}")
    if not 1 <= options.limit <= 1000:
        raise WrongRequest("--limit is a number from 1 to 1000")
    store = open_store(options.store, create=False)
    heads = store.heads(status=options.status, limit=options.limit).items
    if options.json:
        print(json.dumps([_head(head) for head in heads], indent=2, ensure_ascii=False))
        return 0
    rows = [
        (
            head.name,
            head.workflow,
            head.status,
            shown_time(head.started_at),
            _seconds(head),
        )
        for head in heads
    ]
    print_table(("EXECUTION", "WORKFLOW", "STATUS", "STARTED", "SECONDS"), rows)
    return 0


def show(options: argparse.Namespace) -> int:
    from ...handlers.store import verify

    store, head = find(options)
    loaded = _executions(store).load(head.execution)
    redactor = _redactor(store, head, options)
    steps = Steps(source_map(store, head.definition))
    steps.feed(event for commit in store.commits(head.execution) for event in commit.events)
    broken = verify(store, head.execution)
    if options.json:
        from .run import outcome

        shown = {
            **outcome(loaded), "input": json.loads(loaded.snapshot["execution"]["input"]),
            "steps": [step.to_json() for step in steps.steps.values()],
            **({"commits": loaded.seq + 1} if head.has_log else {}), "log": _log(head, broken),
        }  # fmt: skip
        print(json.dumps(redactor.hide_texts(shown), indent=2, ensure_ascii=False))
        return 0 if not broken else 1
    _print_summary(loaded, redactor)
    now = loaded.snapshot.get("stopped") or _last_time(store, loaded)
    rows = [
        (
            "  " * steps.depth(step) + step.id,
            step.kind,
            step.status,
            f"{step.elapsed(now):.2f}",
            str(step.tries or ""),
            redactor.hide_text(step.note),
        )
        for step in steps.steps.values()
    ]
    print()
    print_table(("STEP", "KIND", "STATUS", "SECONDS", "TRIES", "NOTE"), rows)
    if head.has_log:
        print(f"\nlog: {loaded.seq + 1} commits, {'every digest is right' if not broken else 'BROKEN'}")
    else:
        print(f"\nhistory: {loaded.seq + 1} events, kept by Step Functions")
    for finding in broken:
        print(f"  {finding}")
    return 0 if not broken else 1


def history(options: argparse.Namespace) -> int:
    from ...handlers.api.history import get_execution_history

    store, head = find(options)
    runtime = runtime_on(store)
    events: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = get_execution_history(
            runtime, store.tenant, {"executionArn": head.execution, "maxResults": 1000, **token}
        )
        events += page["events"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    redactor = _redactor(store, head, options)
    events = [redactor.hide_texts(event) for event in events]
    if options.json:
        print(json.dumps(events, indent=2, ensure_ascii=False))
        return 0
    rows = [
        (str(event["id"]), clock_time(event["timestamp"]), event["type"], _details(event)) for event in events
    ]
    print_table(("ID", "TIME", "EVENT", "DETAILS"), rows)
    return 0


def stop(options: argparse.Namespace) -> int:
    from ...statelang.engine import messages

    store, head = find(options)
    if head.status != "RUNNING":
        raise WrongRequest(f"{head.name} has ended already: {head.status}")
    executions = _executions(store)
    for failure in executions.advance(
        {head.execution: [messages.stop(options.error, options.cause, who_acts(store).to_json())]}
    ).values():
        raise failure
    print(f"{head.name}: {executions.load(head.execution).snapshot['status']}", file=sys.stderr)
    return 0


def _log(head: Head, broken: Sequence[object]) -> Any:
    if not head.has_log:
        return "kept by Step Functions, without digests"
    return "intact" if not broken else [str(finding) for finding in broken]


class _NoOutbox:
    """Commands of a process that runs nothing go nowhere: `resume` hands them out."""

    def advance(self, bodies: Any) -> None: ...

    def perform(self, bodies: Any) -> None: ...

    def perform_later(self, body: Any, at: int) -> None: ...

    def wake(self, tenant: str, execution: str, at: int) -> None: ...


class _NoFunctions:
    def invoke(self, invocation: Any) -> Any:
        raise RuntimeError("this command performs no tasks")


def runtime_on(store: Store) -> Runtime:
    """What decisions on the store are made with: what follows from them is handed out by whoever runs the executions; of a
    stage on AWS, its own queues are told."""
    if (stage := stage_of(store)) is not None:
        return stage.runtime
    return Runtime(store, _NoOutbox(), _NoFunctions())


def _executions(store: Store) -> Executions:
    return runtime_on(store).executions(store.tenant)


def find(options: argparse.Namespace) -> tuple[Store, Head]:
    store = open_store(options.store, create=False)
    return store, find_execution(store, options.execution)


def _redactor(store: Store, head: Head, options: argparse.Namespace) -> Redactor:
    """Takes out tasks' tokens, and what contracts call secret unless that is to be revealed."""
    return Redactor() if options.reveal else redactor_for(store, head.execution, head.definition)


def _head(head: Head) -> dict[str, Any]:
    return {
        "execution": head.execution,
        "name": head.name,
        "workflow": head.workflow,
        "status": head.status,
        "started": head.started_at,
        "stopped": head.stopped_at,
    }


def _print_summary(loaded: Loaded, redactor: Redactor) -> None:
    snapshot = loaded.snapshot
    execution = snapshot["execution"]
    stopped = snapshot.get("stopped")
    lines = [
        ("execution", execution["id"]),
        ("status", snapshot["status"]),
        ("started", shown_time(execution["started"])),
        ("stopped", shown_time(stopped) if stopped else "-"),
        ("input", execution["input"]),
    ]
    lines += [(key, snapshot[key]) for key in ("output", "error", "cause") if snapshot.get(key) is not None]
    for key, value in lines:
        print(f"{key + ':':<11}{redactor.hide_text(value)}")


def _last_time(store: Store, loaded: Loaded) -> int:
    return store.commits(loaded.execution, loaded.seq)[-1].at


def _seconds(head: Head) -> str:
    return f"{(head.stopped_at - head.started_at) / 1000:.1f}" if head.stopped_at is not None else "-"


def shown_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def clock_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _details(event: dict[str, Any]) -> str:
    """The detail fields in one line: what a person looks for first, first."""
    for details in event.values():
        if isinstance(details, dict):
            shown = {
                key: value
                for key, value in details.items()
                if not key.endswith("Details") and key != "roleArn"
            }
            return "  ".join(f"{key}={value}" for key, value in shown.items())
    return ""
