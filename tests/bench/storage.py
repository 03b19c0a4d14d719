"""Stratum on SQLite: how many bytes an execution of so many steps takes."""

import json
import os
import sqlite3
import sys

from common import DATA, cloud, create, tasks


def size() -> int:
    database = sqlite3.connect("storage.db")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("VACUUM")
    database.close()
    return os.path.getsize("storage.db")


steps, runs = int(sys.argv[1]), 10
with cloud("sqlite:///storage.db") as local:
    machine = create(local, tasks(steps), "storage")
    local.wait(
        local.call("StartExecution", stateMachineArn=machine, name="first", input=DATA)["executionArn"]
    )
before = size()
with cloud("sqlite:///storage.db") as local:
    for run in range(runs):
        execution = local.call("StartExecution", stateMachineArn=machine, name=f"run-{run}", input=DATA)[
            "executionArn"
        ]
        assert local.wait(execution).snapshot["status"] == "SUCCEEDED"
print(json.dumps({"bytes_per_step": (size() - before) / (steps * runs)}))
