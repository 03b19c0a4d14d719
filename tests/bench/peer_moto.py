"""moto's own Step Functions: the Pass chain."""

import json
import os
import time

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1")

import boto3
from moto import mock_aws

CHAIN = 100
states: dict = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(CHAIN - 1)}
states[f"S{CHAIN - 1}"] = {"Type": "Pass", "End": True}
definition = json.dumps({"StartAt": "S0", "States": states})

with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions")
    machine = client.create_state_machine(
        name="chain", definition=definition, roleArn="arn:aws:iam::123456789012:role/bench"
    )["stateMachineArn"]

    def run(name):
        execution = client.start_execution(stateMachineArn=machine, name=name, input='{"n":1}')[
            "executionArn"
        ]
        while client.describe_execution(executionArn=execution)["status"] == "RUNNING":
            time.sleep(0.002)
        events = client.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        assert len(events) == 2 * CHAIN + 2

    run("warm")
    began, runs = time.perf_counter(), 0
    while time.perf_counter() - began < 3:
        run(f"run-{runs}")
        runs += 1
    print(json.dumps({"per_second": CHAIN * runs / (time.perf_counter() - began)}))
