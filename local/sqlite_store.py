"""The embedded form of the store: one SQLite file, for several threads and processes at once.

Write-ahead logging with `synchronous=FULL`: what `append` has answered is on the disk, power cut or not.
All entries of one `append` are one transaction, so that executions which advance together share its cost.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ..handlers.store import Commit, Conflict, Entry, Head, InvalidToken, Page, Record, Stored, StoreError
from ..handlers.store.codec import decode_commit, encode_commit, pack, pack_text, unpack, unpack_text
from ..handlers.tenancy.names import check_stored_name

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL, arn TEXT NOT NULL,
    name TEXT, state_machine TEXT, status TEXT, started_at INTEGER, stopped_at INTEGER, definition TEXT,
    seq INTEGER, digest TEXT, snapshot_seq INTEGER, wake_at INTEGER, fields TEXT,
    UNIQUE (tenant, arn)
);
CREATE INDEX executions_by_start ON executions (tenant, started_at DESC, id DESC);
CREATE INDEX executions_by_machine ON executions (tenant, state_machine, started_at DESC, id DESC);
CREATE INDEX executions_by_wake ON executions (tenant, wake_at) WHERE wake_at IS NOT NULL;
CREATE TABLE commits (
    execution INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (execution, seq)
) WITHOUT ROWID;
CREATE TABLE payloads (
    execution INTEGER NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (execution, digest)
) WITHOUT ROWID;
CREATE TABLE records (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) WITHOUT ROWID;
"""
_HEAD = "arn, name, state_machine, status, started_at, stopped_at, definition, seq, digest, snapshot_seq, wake_at, fields"
_BUSY_SECONDS = 30
_COUNTER = "counter"
"""The kind of the records that are counters."""
_CACHED = 4096


class SqliteStore:
    """One tenant's view of the file. Share it between threads; make one for each process."""

    def __init__(self, connection: _Connection, tenant: str = "default"):
        self._connection = connection
        self.tenant = check_stored_name(tenant)
        self._ids: OrderedDict[str, int] = OrderedDict()

    def for_tenant(self, tenant: str) -> SqliteStore:
        return SqliteStore(self._connection, tenant)

    def close(self) -> None:
        self._connection.close()

    # -- the log ---------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> list[Commit | Conflict]:
        if not entries:
            return []
        encoded = [encode_commit(entry.commit, entry.previous) for entry in entries]
        answers: list[Commit | Conflict] = []
        try:
            with self._connection.transaction() as run:
                for entry, (digest, body, payloads) in zip(entries, encoded, strict=True):
                    answers.append(self._append(run, entry, digest, body, payloads))
        except BaseException:
            self._ids.clear()  # the numbers given in a transaction that was rolled back are free again
            raise
        return answers

    def _append(
        self, run: Any, entry: Entry, digest: str, body: bytes, payloads: dict[str, str]
    ) -> Commit | Conflict:
        commit = entry.commit
        id = self._id(run, entry.execution, make=True)
        try:
            run(
                "INSERT INTO commits VALUES (?, ?, ?, ?)", (id, commit.seq, bytes.fromhex(digest), pack(body))
            )
        except sqlite3.IntegrityError:
            return Conflict(f"{entry.execution}: commit {commit.seq} is taken")
        for key, text in payloads.items():
            run("INSERT OR IGNORE INTO payloads VALUES (?, ?, ?)", (id, bytes.fromhex(key), pack_text(text)))
        if entry.head is not None:
            self._put_head(run, id, replace(entry.head, digest=digest))
        return replace(commit, digest=digest)

    def commits(self, execution: str, start: int = 0, stop: int | None = None) -> list[Commit]:
        with self._connection.reading() as run:
            id = self._id(run, execution, make=False)
            rows = run(
                "SELECT seq, digest, body FROM commits WHERE execution = ? AND seq >= ? AND seq < ? ORDER BY seq",
                (id, start, 2**62 if stop is None else stop),
            ).fetchall()

        def payload(digest: str) -> str:
            with self._connection.reading() as run:
                return self._payload(run, id, execution, digest)

        # Without the lock: whoever reads a long log keeps nobody from writing.
        found: list[Commit] = []
        for seq, digest, body in rows:
            if seq != start + len(found):
                break  # what lies behind a gap is not part of the log
            found.append(decode_commit(unpack(body), digest.hex(), payload))
        return found

    def texts(self, execution: str) -> Iterator[bytes]:
        with self._connection.reading() as run:
            id = self._id(run, execution, make=False)
            commits = run("SELECT body FROM commits WHERE execution = ?", (id,)).fetchall()
            payloads = run("SELECT body FROM payloads WHERE execution = ?", (id,)).fetchall()
        for (body,) in commits:
            yield unpack(body)
        for (body,) in payloads:
            yield unpack_text(body).encode("utf-8", "surrogatepass")

    def stored(self, execution: str, seq: int) -> tuple[str, bytes] | None:
        with self._connection.reading() as run:
            id = self._id(run, execution, make=False)
            row = run(
                "SELECT digest, body FROM commits WHERE execution = ? AND seq = ?", (id, seq)
            ).fetchone()
        if row is None:
            return None
        try:
            return row[0].hex(), unpack(row[1])
        except ValueError:
            return row[0].hex(), row[1]  # not what was written: `verify` says so

    def payload(self, execution: str, digest: str) -> str | None:
        with self._connection.reading() as run:
            id = self._id(run, execution, make=False)
            try:
                return self._payload(run, id, execution, digest)
            except LookupError:
                return None
            except ValueError:
                return ""

    def forget(self, execution: str, limit: int) -> bool:
        """At once, whatever the limit. The row that gives the log its number stays: other processes know it by that."""
        with self._connection.transaction() as run:
            id = self._id(run, execution, make=False)
            for table in ("commits", "payloads"):
                run(f"DELETE FROM {table} WHERE execution = ?", (id,))
            columns = ", ".join(f"{name} = NULL" for name in _HEAD.split(", ")[1:])
            run(f"UPDATE executions SET {columns} WHERE id = ?", (id,))
        return True

    def _payload(self, run: Any, id: int, execution: str, digest: str) -> str:
        row = run(
            "SELECT body FROM payloads WHERE execution = ? AND digest = ?", (id, bytes.fromhex(digest))
        ).fetchone()
        if row is None:
            raise LookupError(f"the payload {digest} of {execution} is not in the store")
        return unpack_text(row[0])

    def _id(self, run: Any, execution: str, *, make: bool) -> int:
        """The number that stands for the execution in the tables; -1 where there is none."""
        known = self._ids.get(execution)
        if known is not None:
            return known
        row = run(
            "SELECT id FROM executions WHERE tenant = ? AND arn = ?", (self.tenant, execution)
        ).fetchone()
        if row is None:
            if not make:
                return -1
            return run(
                "INSERT INTO executions (tenant, arn) VALUES (?, ?)", (self.tenant, execution)
            ).lastrowid
        self._ids[execution] = row[0]
        if len(self._ids) > _CACHED:
            self._ids.popitem(last=False)
        return row[0]

    # -- heads -----------------------------------------------------------------------------------------

    def head(self, execution: str) -> Head | None:
        with self._connection.reading() as run:
            row = run(
                f"SELECT {_HEAD} FROM executions WHERE tenant = ? AND arn = ? AND seq IS NOT NULL",
                (self.tenant, execution),
            ).fetchone()
        return None if row is None else _head(row)

    def put_head(self, head: Head) -> None:
        with self._connection.transaction() as run:
            self._put_head(run, self._id(run, head.execution, make=True), head)

    def _put_head(self, run: Any, id: int, head: Head) -> None:
        run(
            "UPDATE executions SET name = ?, state_machine = ?, status = ?, started_at = ?, stopped_at = ?,"
            " definition = ?, seq = ?, digest = ?, snapshot_seq = ?, wake_at = ?, fields = ?"
            " WHERE id = ? AND (seq IS NULL OR seq <= ?)",
            (
                head.name, head.state_machine, head.status, head.started_at, head.stopped_at, head.definition, head.seq,
                head.digest, head.snapshot_seq, head.wake_at, json.dumps(head.fields) if head.fields else None, id, head.seq,
            ),
        )  # fmt: skip

    def heads(
        self,
        *,
        state_machine: str | None = None,
        status: str | None = None,
        limit: int = 100,
        token: str | None = None,
        children: bool = True,
    ) -> Page[Head]:
        query = f"SELECT id, {_HEAD} FROM executions WHERE tenant = ? AND seq IS NOT NULL"
        values: list[Any] = [self.tenant]
        for column, value in (("state_machine", state_machine), ("status", status)):
            if value is not None:
                query += f" AND {column} = ?"
                values.append(value)
        if not children:
            query += " AND state_machine NOT LIKE '%:mapRun:%'"
        if token is not None:
            started_at, id = _read_token(token, int, int)
            query += " AND (started_at, id) < (?, ?)"
            values += [started_at, id]
        query += " ORDER BY started_at DESC, id DESC LIMIT ?"
        with self._connection.reading() as run:
            rows = run(query, (*values, limit + 1)).fetchall()
        heads = [_head(row[1:]) for row in rows[:limit]]
        return Page(heads, _token(heads[-1].started_at, rows[limit - 1][0]) if len(rows) > limit else None)

    def due(self, now: int, limit: int = 100) -> list[Head]:
        with self._connection.reading() as run:
            rows = run(
                f"SELECT {_HEAD} FROM executions WHERE tenant = ? AND wake_at IS NOT NULL AND wake_at <= ?"
                " AND status = 'RUNNING' ORDER BY wake_at LIMIT ?",
                (self.tenant, now, limit),
            ).fetchall()
        return [_head(row) for row in rows]

    # -- records ---------------------------------------------------------------------------------------

    def put(self, kind: str, key: str, value: dict[str, Any], *, expect: int | None = None) -> Record:
        text = json.dumps(value)
        with self._connection.transaction() as run:
            row = run(
                "SELECT version FROM records WHERE tenant = ? AND kind = ? AND key = ?",
                (self.tenant, kind, key),
            ).fetchone()
            version = 0 if row is None else row[0]
            if expect is not None and expect != version:
                raise Conflict(f"{kind} {key} has version {version}, not {expect}")
            run(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
                (self.tenant, kind, key, version + 1, text),
            )
        return Record(kind, key, value, version + 1)

    def get(self, kind: str, key: str) -> Record | None:
        with self._connection.reading() as run:
            row = run(
                "SELECT version, value FROM records WHERE tenant = ? AND kind = ? AND key = ?",
                (self.tenant, kind, key),
            ).fetchone()
        return None if row is None else Record(kind, key, json.loads(row[1]), row[0])

    def records(
        self, kind: str, prefix: str = "", *, limit: int = 100, token: str | None = None
    ) -> Page[Record]:
        after = "" if token is None else _read_token(token, str)[0]
        with self._connection.reading() as run:
            rows = run(
                "SELECT key, version, value FROM records WHERE tenant = ? AND kind = ? AND key > ?"
                " AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?",
                (self.tenant, kind, after, prefix, len(prefix), prefix, limit + 1),
            ).fetchall()
        found = [Record(kind, key, json.loads(value), version) for key, version, value in rows[:limit]]
        return Page(found, _token(found[-1].key) if len(rows) > limit else None)

    def delete(self, kind: str, key: str) -> None:
        with self._connection.transaction() as run:
            run("DELETE FROM records WHERE tenant = ? AND kind = ? AND key = ?", (self.tenant, kind, key))

    # -- counters --------------------------------------------------------------------------------------

    def running(self) -> int:
        with self._connection.reading() as run:
            return run(
                "SELECT count(*) FROM executions WHERE tenant = ? AND wake_at IS NOT NULL AND status = 'RUNNING'"
                " AND state_machine NOT LIKE '%:mapRun:%'",
                (self.tenant,),
            ).fetchone()[0]

    def count(self, counter: str, amount: int, *, floor: int = 0, most: int | None = None) -> int | None:
        with self._connection.transaction() as run:
            after = max(self._counted(run, counter), floor) + amount
            if most is not None and after > most:
                return None
            run(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, 1, ?)",
                (self.tenant, _COUNTER, counter, json.dumps({"count": after})),
            )
        return after

    def counted(self, counter: str) -> int:
        with self._connection.reading() as run:
            return self._counted(run, counter)

    def _counted(self, run: Any, counter: str) -> int:
        row = run(
            "SELECT value FROM records WHERE tenant = ? AND kind = ? AND key = ?",
            (self.tenant, _COUNTER, counter),
        ).fetchone()
        return 0 if row is None else json.loads(row[0])["count"]

    # -- all there is ----------------------------------------------------------------------------------

    def tenants(self) -> list[str]:
        with self._connection.reading() as run:
            rows = run("SELECT tenant FROM executions UNION SELECT tenant FROM records ORDER BY 1").fetchall()
        return [tenant for (tenant,) in rows]

    def kept(self) -> Iterator[tuple[str, str]]:
        last = 0
        while True:
            with self._connection.reading() as run:
                rows = run(
                    "SELECT id, arn FROM executions WHERE tenant = ? AND id > ? AND (seq IS NOT NULL OR EXISTS"
                    " (SELECT 1 FROM commits WHERE execution = executions.id)) ORDER BY id LIMIT 1000",
                    (self.tenant, last),
                ).fetchall()
            yield from (("log", arn) for _, arn in rows)
            if not rows:
                break
            last = rows[-1][0]
        with self._connection.reading() as run:
            kinds = run(
                "SELECT DISTINCT kind FROM records WHERE tenant = ? AND kind <> ?", (self.tenant, _COUNTER)
            ).fetchall()
        yield from (("record", kind) for (kind,) in kinds)

    def freeze(self) -> None:
        with self._connection.reading() as run:
            run("BEGIN")
            run("SELECT count(*) FROM executions").fetchone()  # the moment is that of the first read

    def restore_log(
        self, execution: str, commits: Sequence[Stored], payloads: Mapping[str, str], head: Head | None = None
    ) -> None:
        with self._connection.transaction() as run:
            id = self._id(run, execution, make=True)
            for key, text in payloads.items():
                run(
                    "INSERT OR IGNORE INTO payloads VALUES (?, ?, ?)",
                    (id, bytes.fromhex(key), pack_text(text)),
                )
            for each in commits:
                run(
                    "INSERT OR IGNORE INTO commits VALUES (?, ?, ?, ?)",
                    (id, each.seq, bytes.fromhex(each.digest), pack(each.body)),
                )
            if head is not None:
                self._put_head(run, id, head)

    def restore_records(self, records: Sequence[Record]) -> None:
        with self._connection.transaction() as run:
            for each in records:
                run(
                    "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
                    (self.tenant, each.kind, each.key, each.version, json.dumps(each.value)),
                )

    def revision(self) -> int | None:
        with self._connection.reading() as run:
            return run("PRAGMA data_version").fetchone()[0]

    def clear(self) -> None:
        own = "(SELECT id FROM executions WHERE tenant = ?)"
        with self._connection.transaction() as run:
            for table in ("commits", "payloads"):
                run(f"DELETE FROM {table} WHERE execution IN {own}", (self.tenant,))
            run("DELETE FROM executions WHERE tenant = ?", (self.tenant,))
            run("DELETE FROM records WHERE tenant = ?", (self.tenant,))
        self._ids.clear()


class _Connection:
    """One connection, used by one thread at a time."""

    def __init__(self, path: str, synchronous: str):
        self._lock = threading.RLock()
        try:
            if path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=64,
            )
            self._set_up_once_free(path, synchronous)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path} cannot be opened as a store: {error}") from None

    def _set_up_once_free(self, path: str, synchronous: str) -> None:
        """Of processes that open a new file at once, one turns it to WAL, and SQLite refuses the others without waiting."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._set_up(path, synchronous)
                return
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _set_up(self, path: str, synchronous: str) -> None:
        run = self._database.execute
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {synchronous}")
        [version] = run("PRAGMA user_version").fetchone()
        if version == 0:
            with self.transaction():
                [version] = run("PRAGMA user_version").fetchone()
                if version == 0:  # no other process was faster
                    if run("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                        raise StoreError(
                            f"{path} is a database, but not a store of Stratum's: name another file"
                        )
                    for statement in _SCHEMA.split(";"):
                        run(statement)
                    run(f"PRAGMA user_version = {SCHEMA_VERSION}")
                    return
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{path} was written by a newer Stratum (its schema is {version}, this one knows {SCHEMA_VERSION}):"
                " upgrade, or name another file"
            )

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def transaction(self) -> _Transaction:
        return _Transaction(self._database, self._lock)

    def reading(self) -> _Reading:
        return _Reading(self._database, self._lock)


class _Use:
    __slots__ = ("_database", "_lock")

    def __init__(self, database: sqlite3.Connection, lock: threading.RLock):
        self._database = database
        self._lock = lock


class _Reading(_Use):
    """The connection, for reading: entered, it answers what runs a statement."""

    __slots__ = ()

    def __enter__(self) -> Any:
        self._lock.acquire()
        return self._database.execute

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise _unusable(error) from None


class _Transaction(_Use):
    """The connection, for writing: all that is run while it is entered is written, or nothing is."""

    __slots__ = ()

    def __enter__(self) -> Any:
        self._lock.acquire()
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.release()
            if isinstance(error, sqlite3.Error):
                raise _unusable(error) from None
            raise
        return self._database.execute

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._database.execute("COMMIT")
            elif self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error as failed:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise _unusable(failed) from None
        finally:
            self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise _unusable(error) from None


def _unusable(error: sqlite3.Error) -> StoreError:
    """A full disk, a damaged file, a lock that nobody gives back: what was answered before is still there."""
    return StoreError(f"the store cannot be used: {error}")


def from_url(url: str, tenant: str = "default") -> SqliteStore:
    """Opens `sqlite:///path?sync=full|normal`."""
    path, _, query = url.removeprefix("sqlite:///").partition("?")
    options = parse_qs(query)
    synchronous = options.pop("sync", ["full"])[-1].upper()
    if synchronous not in ("FULL", "NORMAL") or options or not path:
        raise StoreError(f"'{url}': what may follow a SQLite store's path is ?sync=full or ?sync=normal")
    return SqliteStore(_Connection(path, synchronous), tenant)


def _head(row: Sequence[Any]) -> Head:
    return Head(*row[:-1], fields=json.loads(row[-1]) if row[-1] else {})


def _token(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _read_token(token: str, *kinds: type) -> list[Any]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(token.encode()))
        if len(parts) != len(kinds) or not all(
            type(part) is kind for part, kind in zip(parts, kinds, strict=True)
        ):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, UnicodeError):
        raise InvalidToken(token) from None
    return parts
