"""SQLite alone: a commit for every task of as many bytes as Stratum writes for one."""

import json
import os
import sqlite3
import sys
import time

how, size, synchronous = sys.argv[1], int(float(sys.argv[2])), sys.argv[3]
database = sqlite3.connect("raw.db", isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute(f"PRAGMA synchronous={synchronous}")
database.execute(
    "CREATE TABLE log (execution INTEGER, seq INTEGER, body BLOB, PRIMARY KEY (execution, seq)) WITHOUT ROWID"
)
body = os.urandom(size)
group = 1 if how == "one" else 100
began, rows = time.perf_counter(), 0
while time.perf_counter() - began < 3:
    database.execute("BEGIN IMMEDIATE")
    for _ in range(group):
        database.execute("INSERT INTO log VALUES (?, ?, ?)", (rows % 100, rows // 100, body))
        rows += 1
    database.execute("COMMIT")
print(json.dumps({"per_second": rows / (time.perf_counter() - began)}))
