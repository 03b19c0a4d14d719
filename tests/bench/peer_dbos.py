"""DBOS on SQLite: workflows of ten steps, one after the other or a hundred at once."""

import json
import sys
import time

from dbos import DBOS

how = sys.argv[1]
DBOS(
    config={
        "name": "bench",
        "system_database_url": "sqlite:///dbos.db",
        "log_level": "ERROR",
        "run_admin_server": False,
    }
)


@DBOS.step()
def step(data):
    return {"n": data["n"] + 1, "text": data["text"]}


@DBOS.workflow()
def workflow(data):
    for _ in range(10):
        data = step(data)
    return data


DBOS.launch()
DATA = {"n": 0, "text": "x" * 40}
assert workflow(DATA)["n"] == 10
began, runs = time.perf_counter(), 0
while time.perf_counter() - began < 4:
    if how == "one":
        workflow(DATA)
        runs += 1
    else:
        for handle in [DBOS.start_workflow(workflow, DATA) for _ in range(100)]:
            assert handle.get_result()["n"] == 10
        runs += 100
print(json.dumps({"per_second": 10 * runs / (time.perf_counter() - began)}))
DBOS.destroy()
