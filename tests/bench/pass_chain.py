"""Stratum: the Pass chain, on one of its stores."""

import json
import os
import sys
import time
from contextlib import ExitStack

from common import cloud, create

CHAIN = 100
which = sys.argv[1]
with ExitStack() as stack:
    if which == "dynamodb":
        os.environ.update(
            AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1"
        )
        import boto3
        from moto import mock_aws
        from stratum.handlers.store.table import create_table

        stack.enter_context(mock_aws())
        create_table(boto3.client("dynamodb"), "bench")
    store = {
        "memory": "sqlite:///:memory:",
        "sqlite": "sqlite:///chain.db",
        "dynamodb": "dynamodb://bench?region=us-east-1",
    }[which]
    with cloud(store) as local:
        machine = create(local, {f"S{n}": {"Type": "Pass"} for n in range(CHAIN)}, "chain")

        def run(name: str) -> None:
            execution = local.call("StartExecution", stateMachineArn=machine, name=name, input='{"n":1}')[
                "executionArn"
            ]
            assert local.call("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"
            events = local.call("GetExecutionHistory", executionArn=execution, maxResults=1000)["events"]
            assert len(events) == 2 * CHAIN + 2

        run("warm")
        began, runs = time.perf_counter(), 0
        while time.perf_counter() - began < 3:
            run(f"run-{runs}")
            runs += 1
        print(json.dumps({"per_second": CHAIN * runs / (time.perf_counter() - began)}))
