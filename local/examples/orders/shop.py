"""The shop's table, and the one lesson of these handlers: what is done under a key is done once.

A task is performed at least once. Every call brings an idempotency key, the same whenever the very same task is
performed again; what a handler did under a key is written down with it, in one transaction.
"""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, qty INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reserved (run TEXT, sku TEXT, qty INTEGER);
CREATE TABLE IF NOT EXISTS charges (id TEXT PRIMARY KEY, run TEXT, amount REAL);
CREATE TABLE IF NOT EXISTS calls (run TEXT, what TEXT, count INTEGER, PRIMARY KEY (run, what));
CREATE TABLE IF NOT EXISTS mails (run TEXT, recipient TEXT, text TEXT);
INSERT OR IGNORE INTO stock VALUES ('book', 100000), ('lamp', 100000), ('rare-vase', 0);
"""


def open_shop() -> sqlite3.Connection:
    """The table, in the folder that STRATUM_EXAMPLE_DATA names, else `.stratum`."""
    folder = Path(os.environ.get("STRATUM_EXAMPLE_DATA", ".stratum"))
    folder.mkdir(parents=True, exist_ok=True)
    shop = sqlite3.connect(folder / "orders.db", timeout=30, isolation_level=None)
    shop.execute("PRAGMA journal_mode = WAL")
    if not shop.execute("SELECT 1 FROM sqlite_master WHERE name = 'mails'").fetchone():
        shop.executescript(_SCHEMA)
    return shop


def run_of(context: Any) -> str:
    """The execution that the call belongs to."""
    return context.client_context.custom.get("execution", "direct")


def once(context: Any, work: Callable[[sqlite3.Connection], Any]) -> Any:
    """Does the work and writes down its answer under the call's key; answers what was written where it was done before."""
    key = context.client_context.custom["idempotency_key"]
    with closing(open_shop()) as shop:
        shop.execute("BEGIN IMMEDIATE")
        try:
            row = shop.execute("SELECT answer FROM done WHERE key = ?", (key,)).fetchone()
            if row is None:
                answer = work(shop)
                shop.execute("INSERT INTO done VALUES (?, ?)", (key, json.dumps(answer)))
        except BaseException:
            shop.execute("ROLLBACK")
            raise
        shop.execute("COMMIT")
        return answer if row is None else json.loads(row[0])


def count_call(context: Any, what: str) -> int:
    """How often this has been called for this execution, this time included. Stays also when the call fails."""
    with closing(open_shop()) as shop:
        shop.execute(
            "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            (run_of(context), what),
        )
        return shop.execute(
            "SELECT count FROM calls WHERE run = ? AND what = ?", (run_of(context), what)
        ).fetchone()[0]
