"""Stratum: a Map over so many items, each a task, on a file of SQLite; seconds, and the most memory that it took."""

import json
import resource
import sys
import time

from common import cloud
from stratum.local.cloud import ROLE

mode, count = sys.argv[1], int(sys.argv[2])
task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:step", "End": True}
processor = {"StartAt": "A", "States": {"A": task}}
if mode == "distributed":
    processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
definition = json.dumps(
    {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemProcessor": processor, "ResultPath": None, "End": True}},
    }
)
items = json.dumps([{"n": 0, "text": "x"}] * count)
with cloud("sqlite:///maps.db?sync=normal") as local:
    # An inline map over 10,000 tasks has more events than a Standard execution may have.
    type = "STANDARD" if mode == "distributed" else "EXPRESS"
    created = local.call("CreateStateMachine", name="m", definition=definition, roleArn=ROLE, type=type)
    machine = created["stateMachineArn"]
    began = time.perf_counter()
    if mode == "distributed":
        started = local.call("StartExecution", stateMachineArn=machine, input=items)
        status = local.wait(started["executionArn"]).snapshot["status"]
    else:
        status = local.call("StartSyncExecution", stateMachineArn=machine, input=items)["status"]
    seconds = time.perf_counter() - began
assert status == "SUCCEEDED", status
print(
    json.dumps({"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
)
