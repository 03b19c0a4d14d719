"""A backup into a store in which its tenants have nothing yet.

A tenant that is being restored has a record that says of which backup: so what was cut short goes on with the same
one, and nothing else is written over. It goes when the tenant is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import IO, Any

from ..store import Broken, Head, Record, Store, Stored, verify
from .checking import Contents
from .lines import FIRST, LAST, Damaged, read

MARK = "restore"
"""The kind of the record that stands while a tenant is being restored."""
_COMMITS = 200
_RECORDS = 200
_BYTES = 4_000_000


class NotEmpty(RuntimeError):
    """The store has something of a tenant already."""


class NotRestored(RuntimeError):
    """What was written is not what was read."""


def restore(
    store: Store,
    source: IO[bytes],
    contents: Contents,
    *,
    tenants: Collection[str] | None = None,
    progress: Callable[[str], None] = lambda log: None,
) -> dict[str, int]:
    """Writes the tenants of a backup that `check` has read (all of them unless some are named); answers how many logs of each.

    Every log is read again and verified. `progress` is told each. Raises `NotEmpty` before anything is written, `Damaged`,
    and `NotRestored`.
    """
    wanted = [tenant for tenant in contents.tenants if tenants is None or tenant in tenants]
    stores = {tenant: store.for_tenant(tenant) for tenant in wanted}
    for tenant, own in stores.items():
        _begin(own, tenant, contents)
    known = {each.partition(": ")[0] for each in contents.broken}
    restored = dict.fromkeys(wanted, 0)
    writer: _Writer | None = None
    for _, line in read(source):
        if "tenant" in line:
            if writer is not None:
                restored[writer.tenant] = writer.end()
            tenant = line["tenant"]
            writer = _Writer(stores[tenant], tenant, known, progress) if tenant in stores else None
        elif writer is not None and LAST not in line:
            writer.take(line)
        elif LAST in line and line["sha256"] != contents.sha256:
            raise Damaged("it is not the backup that was checked")
        elif FIRST in line:
            continue
    if writer is not None:
        restored[writer.tenant] = writer.end()
    for own in stores.values():
        own.delete(MARK, MARK)
    return restored


def _begin(store: Store, tenant: str, contents: Contents) -> None:
    mark = store.get(MARK, MARK)
    if mark is None and next(store.kept(), None) is not None:
        raise NotEmpty(
            f"the tenant '{tenant}' has executions or records there, and a restore writes over nothing: name an empty store"
        )
    if mark is not None and mark.value["sha256"] != contents.sha256:
        raise NotEmpty(f"the tenant '{tenant}' is being restored there from another backup")
    store.put(MARK, MARK, {"sha256": contents.sha256})


class _Writer:
    """Collects lines of one tenant, and writes them together."""

    def __init__(self, store: Store, tenant: str, broken: Collection[str], progress: Callable[[str], None]):
        self.tenant = tenant
        self._store = store
        self._broken = broken
        self._progress = progress
        self._log: str | None = None
        self._head: Head | None = None
        self._commits: list[Stored] = []
        self._payloads: dict[str, str] = {}
        self._size = 0
        self._records: list[Record] = []
        self._logs = 0

    def take(self, line: dict[str, Any]) -> None:
        if "log" in line:
            self._end_log()
            self._log = line["log"]
            self._head = None if line["head"] is None else Head(**line["head"])
        elif "payload" in line:
            if line["text"] is not None:
                self._payloads[line["payload"]] = line["text"]
                self._size += len(line["text"])
        elif "commit" in line:
            self._commits.append(Stored(line["commit"], line["digest"], line["body"].encode("latin-1")))
            self._size += len(line["body"])
            if len(self._commits) >= _COMMITS or self._size >= _BYTES:
                self._flush(None)
        else:
            self._end_log()
            self._records.append(Record(line["record"], line["key"], line["value"], line["version"]))
            if len(self._records) >= _RECORDS:
                self._flush_records()

    def end(self) -> int:
        """Writes what is left; answers how many logs there were."""
        self._end_log()
        self._flush_records()
        return self._logs

    def _end_log(self) -> None:
        if self._log is None:
            return
        # The head comes last: an execution is found once all of it is there.
        self._flush(self._head)
        found: list[Broken] = [] if self._log in self._broken else verify(self._store, self._log)
        if found:
            raise NotRestored(f"{self._log} is not in the store as it is in the backup: {found[0]}")
        self._logs += 1
        self._progress(self._log)
        self._log = self._head = None

    def _flush(self, head: Head | None) -> None:
        assert self._log is not None
        if self._commits or self._payloads or head is not None:
            self._store.restore_log(self._log, self._commits, self._payloads, head)
        self._commits, self._payloads, self._size = [], {}, 0

    def _flush_records(self) -> None:
        if self._records:
            self._store.restore_records(self._records)
            self._records = []
