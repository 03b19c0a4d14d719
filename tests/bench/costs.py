"""What the engine writes to DynamoDB and what that comes to, beside Step Functions: the table of infra/COSTS.md.

Every PutItem and GetItem of moto's DynamoDB is measured by DynamoDB's rules: an item is the bytes of its names and
values, a write unit is 1 KB of it, and an index takes a copy of each item that has the index's keys. Messages are
taken to arrive one by one, which is the dearest way; a batch of SQS makes one commit of several.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import boto3
from common import create, step, tasks
from moto import mock_aws
from stratum.handlers.store.table import create_table, table_definition
from stratum.local.cloud import LocalCloud
from stratum.local.cost import load_prices, of_execution
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store
from stratum.statelang.cost import handlers, logged_usage, standard

_INDEXES = [
    {key["AttributeName"] for key in index["KeySchema"]}
    for index in table_definition("t")["GlobalSecondaryIndexes"]
]


@dataclass(slots=True)
class Measured:
    """Of one execution: DynamoDB's units, and the bytes of its items by kind."""

    writes: int = 0
    reads: float = 0
    kept: int = 0

    def put(self, item: dict[str, Any], sizes: Counter[str]) -> None:
        size = sum(len(name.encode()) + _size(value) for name, value in item.items())
        copies = 1 + sum(index <= set(item) for index in _INDEXES)
        self.writes += math.ceil(size / 1024) * copies
        kind = "head" if "head" in item else item["sk"]["S"].partition("#")[0]
        sizes[kind] += size
        sizes[f"{kind} items"] += 1
        self.kept += size * copies if kind != "head" else 0


def _size(value: dict[str, Any]) -> int:
    [(kind, given)] = value.items()
    if kind == "B":
        return len(given)
    return len(given.encode()) if kind == "S" else len(given) // 2 + 1


def passes(count: int) -> dict[str, Any]:
    return {f"pass{n}": {"Type": "Pass", "Output": "{% $states.input %}"} for n in range(count)}


def waits(count: int) -> dict[str, Any]:
    return {f"wait{n}": {"Type": "Wait", "Seconds": 1} for n in range(count)}


WORKLOADS: list[tuple[str, dict[str, Any], int]] = [
    ("20 tasks, 100 B of data", tasks(20), 40),
    ("20 tasks, 1 KB", tasks(20), 1_000),
    ("20 tasks, 10 KB", tasks(20), 10_000),
    ("5 tasks, 1 KB", tasks(5), 1_000),
    ("10 x (task, Pass, Pass, Pass), 1 KB", {}, 1_000),
    ("100 Pass states, 1 KB", passes(100), 1_000),
    ("20 Wait states, 1 KB", waits(20), 1_000),
]


def mixed() -> dict[str, Any]:
    states: dict[str, Any] = {}
    for number, (name, task) in enumerate(tasks(10).items()):
        states[name] = task
        states.update({f"p{number}-{each}": {"Type": "Pass"} for each in range(3)})
    return states


def main() -> None:
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    prices = load_prices("us-east-1", None)
    rows: list[dict[str, Any]] = []
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        for number, (label, states, size) in enumerate(WORKLOADS):
            rows.append(_row(prices, label, states or mixed(), size, f"w{number}"))
    for row in rows:
        print("| " + " | ".join(row.values()) + " |", file=sys.stderr)
    print(json.dumps({"rows": rows}))


def _row(prices: Any, label: str, states: dict[str, Any], size: int, name: str) -> dict[str, str]:
    from stratum.local.clock import VirtualClock

    store = open_store("dynamodb://stratum?region=us-east-1")
    cloud = LocalCloud(store, InProcessFunctions({"step": step}), workers=0, clock=VirtualClock())
    machine = create(cloud, states, name)
    measured, sizes = Measured(), Counter[str]()

    def put(params: dict[str, Any], **_: Any) -> None:
        if "#x#" in params["Item"]["pk"]["S"]:
            measured.put(params["Item"], sizes)

    store._client.meta.events.register("provide-client-params.dynamodb.PutItem", put)  # pyright: ignore[reportAttributeAccessIssue]
    data = json.dumps({"n": 0, "text": "x" * size})
    execution = cloud.call("StartExecution", stateMachineArn=machine, input=data)["executionArn"]
    assert cloud.wait(execution).snapshot["status"] == "SUCCEEDED"
    head = store.head(execution)
    assert head is not None
    found = of_execution(prices, store, head)
    counts = found.counts
    usage = replace(
        logged_usage(prices, counts, [0] * sizes["c items"]), writes=measured.writes, bytes=measured.kept
    )
    million = 1_000_000 / counts.transitions
    ours, aws = handlers(prices, usage, million), standard(prices, counts, million)
    parts = {item.what: item.dollars for item in ours.items}
    database = sum(dollars for what, dollars in parts.items() if what.startswith("DynamoDB"))
    return {
        "workflow": label,
        "transitions": f"{counts.transitions:g}",
        "commits": str(sizes["c items"]),
        "bytes of a commit": f"{sizes['c'] / sizes['c items']:,.0f}",
        "WRU": str(measured.writes),
        "per transition": f"{measured.writes / counts.transitions:.2f}",
        "DynamoDB": f"${database:.2f}",
        "Lambda": f"${parts['Lambda requests'] + parts['Lambda duration']:.2f}",
        "SQS": f"${parts['SQS requests']:.2f}",
        "all": f"${ours.dollars:.2f}",
        "Standard": f"${aws.dollars:.2f}",
    }


if __name__ == "__main__":
    main()
