"""What a store holds, as the lines of a backup.

Logs come before records: whatever a log refers to (its definition, a work item) was written before it, and is in what is
read later. So a backup of a store that is in use is one of a store that could have been; `Store.freeze` makes it one of a
moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import IO

from ..store import Store
from ..store.codec import references
from .lines import FIRST, VERSION, Writer

NOT_KEPT = frozenset({"restore", "tenant-drift"})
"""Kinds of records that are of one store alone."""


def write(
    store: Store,
    out: IO[bytes],
    *,
    at: int,
    tenants: Sequence[str],
    progress: Callable[[str], None] = lambda log: None,
) -> str:
    """Writes everything of the tenants; answers the checksum. `progress` is told each log."""
    writer = Writer(out)
    writer.line(**{FIRST: VERSION, "at": at, "tenants": list(tenants)})
    for tenant in tenants:
        writer.line(tenant=tenant)
        own = store.for_tenant(tenant)
        kinds: list[str] = []
        for what, key in own.kept():
            if what == "record":
                kinds.append(key)
            else:
                _log(own, key, writer)
                progress(key)
        for kind in sorted(kinds):
            if kind not in NOT_KEPT:
                _records(own, kind, writer)
    return writer.end()


def _log(store: Store, log: str, writer: Writer) -> None:
    # Read before the commits, the head cannot be of a later one than they are.
    head = store.head(log)
    writer.line(log=log, head=None if head is None else asdict(head))
    written: set[str] = set()
    seq = 0
    while (found := store.stored(log, seq)) is not None:
        digest, body = found
        for payload in references(body):
            if payload not in written:
                written.add(payload)
                writer.line(payload=payload, text=store.payload(log, payload))
        # A commit's text is ASCII; one that was damaged is kept as it is, for `verify` to find.
        writer.line(commit=seq, digest=digest, body=body.decode("latin-1"))
        seq += 1


def _records(store: Store, kind: str, writer: Writer) -> None:
    token = None
    while True:
        page = store.records(kind, limit=500, token=token)
        for record in page.items:
            writer.line(record=kind, key=record.key, version=record.version, value=record.value)
        if (token := page.token) is None:
            return
