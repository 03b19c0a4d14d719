"""What the shop has promised: a table of entries, each made once under the idempotency key of the task that makes it.

A handler knows nothing but its event and this table. Each execution has the entries of its own order; what is taken
back stays in it, void.
"""

import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from stratum import TaskContext

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, execution TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL,
    void INTEGER NOT NULL DEFAULT 0
)
"""


class Transient(Exception):
    """Nothing was written; the same may be asked again."""


@contextmanager
def _table() -> Iterator[sqlite3.Connection]:
    """The table, in the folder that STRATUM_EXAMPLE_DATA names, else `.stratum`."""
    folder = Path(os.environ.get("STRATUM_EXAMPLE_DATA", ".stratum"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(folder / "fulfilment.db", timeout=10)) as table, table:
            table.execute(_SCHEMA)
            yield table
    except sqlite3.OperationalError as error:
        raise Transient(f"the ledger cannot be written now: {error}") from error


def enter(context: TaskContext, kind: str, id: str, data: Any) -> None:
    """Makes an entry, unless this very task has made it before."""
    row = (context.idempotency_key, context.execution, kind, id, json.dumps(data))
    with _table() as table:
        table.execute("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, 0)", row)


def void(kind: str, id: str) -> None:
    """Takes an entry back. What was taken back before, or never made, is fine."""
    with _table() as table:
        table.execute("UPDATE entries SET void = 1 WHERE kind = ? AND id = ?", (kind, id))


def entries(context: TaskContext, kind: str) -> list[Any]:
    """What this execution has entered and not taken back."""
    asked = (context.execution, kind)
    with _table() as table:
        rows = table.execute("SELECT data FROM entries WHERE execution = ? AND kind = ? AND NOT void", asked)
        return [json.loads(data) for (data,) in rows.fetchall()]


def calls(context: TaskContext, what: str) -> int:
    """How often this has been called for this execution, this time included; a try that fails counts too."""
    row = (secrets.token_hex(16), context.execution, "call", what)
    with _table() as table:
        table.execute("INSERT INTO entries VALUES (?, ?, ?, ?, 'null', 0)", row)
        asked = "SELECT count(*) FROM entries WHERE execution = ? AND kind = ? AND id = ?"
        return table.execute(asked, row[1:]).fetchone()[0]


def new_id(prefix: str, context: TaskContext) -> str:
    """An id that is the same when the same task is performed again."""
    return f"{prefix}-{hashlib.sha256(context.idempotency_key.encode()).hexdigest()[:10]}"
