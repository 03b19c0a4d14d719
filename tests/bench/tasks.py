"""Stratum on SQLite: workflows of ten tasks, one after the other or a hundred at once."""

import json
import os
import sys
import time

from common import DATA, cloud, create, tasks

how, synchronous = sys.argv[1:]
group = 1 if how == "one" else 100
with cloud(f"sqlite:///tasks.db?sync={synchronous}") as local:
    machine = create(local, tasks(10), "tasks")

    def run(names: list[str]) -> None:
        started = [
            local.call("StartExecution", stateMachineArn=machine, name=name, input=DATA)["executionArn"]
            for name in names
        ]
        for execution in started:
            ended = local.wait(execution).snapshot
            assert json.loads(ended["output"])["n"] == 10

    run(["warm"])
    began, runs = time.perf_counter(), 0
    while time.perf_counter() - began < 4:
        run([f"run-{runs + n}" for n in range(group)])
        runs += group
    seconds = time.perf_counter() - began
size = sum(os.path.getsize(name) for name in os.listdir() if name.startswith("tasks.db"))
print(json.dumps({"per_second": 10 * runs / seconds, "bytes_per_task": size / (10 * (runs + 1))}))
