"""Retention: executions that have ended are forgotten some time later, where that is asked for; otherwise never.

When an execution ends, a record says when it is to be forgotten. The sweeper finds the records whose time has come and sends
each execution a message; who takes it deletes what belongs to the execution, so much at a time, the execution itself last:
so whoever looks finds all of it or nothing, and its name is free again only when nothing of it is left. One that was
redriven meanwhile stays, until it has ended for so long again.

Items are deleted when it is time, and not marked for DynamoDB's TTL when the execution ends. Both cost one write for each item;
but marks would have to be taken off again for a redrive, TTL deletes in any order within days, and would leave what lies in S3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .logs import logger
from .store import Conflict
from .work import items as work_items
from .work.journal import POINTER, Journal, journal_key

if TYPE_CHECKING:
    from .executions import Executions
    from .runtime import Body, Runtime
    from .store import Store

KIND = "expiring"
"""Records `{"execution"}` by when it is to be forgotten, and the execution."""
MESSAGE = "forget"
_PAGE = 1000
"""Executions of a tenant that are told to be forgotten at a time."""
_CHILDREN = 100
"""Children of distributed maps that one message forgets."""
_ITEMS = 2000
"""Items of a log that are deleted at a time."""
_OF_EXECUTIONS = ("local-run",)
"""Kinds of records that are kept by an execution's ARN."""


def ended(store: Store, execution: str, stopped_at: int, retention: int) -> None:
    """Writes down when the execution that has ended is to be forgotten. Doing it again changes nothing."""
    try:
        store.put(KIND, f"{stopped_at + retention:015d}/{execution}", {"execution": execution}, expect=0)
    except Conflict:
        return


def sweep(runtime: Runtime, tenant: str) -> int:
    """Sends a message for each execution whose time has come; answers how many."""
    store, now = runtime.executions(tenant).store, runtime.clock()
    due = [
        record
        for record in store.records(KIND, limit=_PAGE).items
        if int(record.key.partition("/")[0]) <= now
    ]
    bodies: list[Body] = [
        {
            "tenant": tenant,
            "execution": record.value["execution"],
            "message": {"type": MESSAGE, "record": record.key},
        }
        for record in due
    ]
    if bodies:
        runtime.outbox.advance(bodies)
    return len(bodies)


def handle(runtime: Runtime, body: Body) -> None:
    """Takes a message of `sweep`. What cannot be deleted at once is left to another message."""
    executions, execution, key = (
        runtime.executions(body["tenant"]),
        body["execution"],
        body["message"]["record"],
    )
    store = executions.store
    head = store.head(execution)
    due = int(key.partition("/")[0])
    retention = runtime.retention or 0
    # The record of one that has run again since is of an earlier end.
    again = head is not None and (
        head.status == "RUNNING" or (head.stopped_at or 0) + retention > max(due, runtime.clock())
    )
    if not again and not forget(executions, execution):
        runtime.outbox.advance([body])
        return
    store.delete(KIND, key)
    if not again:
        logger.info("forgotten", tenant=body["tenant"], execution=execution)


def forget(executions: Executions, execution: str) -> bool:
    """Deletes so much of an execution that has ended, and of the children of its maps; answers whether nothing is left."""
    store = executions.store
    left = _CHILDREN
    for run in _map_runs(store, execution):
        while children := store.heads(state_machine=run, limit=left).items:
            for child in children:
                if not _forget(executions, child.execution):
                    return False
            left -= len(children)
            if left <= 0:
                return False
        store.delete("map-run", run)
    return _forget(executions, execution)


def _map_runs(store: Store, execution: str) -> list[str]:
    return [
        event["mapRunStartedEventDetails"]["mapRunArn"]
        for commit in store.commits(execution)
        for event in commit.events
        if event["type"] == "MapRunStarted"
    ]


def _forget(executions: Executions, execution: str) -> bool:
    store = executions.store
    for id in {
        note["work"].partition(".")[0] for note in Journal(executions).read(execution) if "work" in note
    }:
        if (item := store.get(work_items.KIND, id)) is not None:
            if item.value.get("listed"):
                store.delete(work_items.OPEN, item.value["listed"])
            store.delete(item.kind, id)
    while marks := store.records("checkpoint", f"{execution}/", limit=_PAGE).items:
        for mark in marks:
            store.delete(mark.kind, mark.key)
    journal = journal_key(execution)
    store.delete(POINTER, journal)
    for kind in _OF_EXECUTIONS:
        store.delete(kind, execution)
    gone = store.forget(journal, _ITEMS) and store.forget(execution, _ITEMS)
    executions.drop(execution)
    return gone
