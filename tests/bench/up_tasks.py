"""`stratum up` as a test suite uses it: 50 executions of ten Lambda tasks each, started and awaited through boto3."""

import io
import json
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::123456789012:role/bench"
EXECUTIONS, TASKS = 50, 10


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as code:
        code.writestr("app.py", "def add_one(event, context):\n    return event + 1\n")
    return content.getvalue()


def definition(function: str) -> str:
    states = {
        f"step{n}": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function, "Payload.$": "$"},
            "OutputPath": "$.Payload",
            **({"Next": f"step{n + 1}"} if n + 1 < TASKS else {"End": True}),
        }
        for n in range(TASKS)
    }
    return json.dumps({"StartAt": "step0", "States": states})


def run(sfn, machine: str) -> float:
    """Tasks per second of one round."""
    began = time.perf_counter()
    running = [
        sfn.start_execution(stateMachineArn=machine, input="0")["executionArn"] for _ in range(EXECUTIONS)
    ]
    for execution in running:
        while (ended := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.01)
        assert (ended["status"], ended["output"]) == ("SUCCEEDED", str(TASKS)), ended
    return EXECUTIONS * TASKS / (time.perf_counter() - began)


stratum = Path(sys.executable).with_name("stratum")
process = subprocess.Popen([stratum, "up", "--port", "0", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
try:
    began = time.perf_counter()
    found = re.search(r"http://[\w.]+:\d+", process.stdout.readline())  # pyright: ignore
    options = {
        "endpoint_url": found[0] if found else None, "region_name": "us-east-1", "aws_access_key_id": "test",
        "aws_secret_access_key": "test", "config": Config(inject_host_prefix=False),
    }  # fmt: skip
    made = boto3.client("lambda", **options).create_function(
        FunctionName="add-one",
        Runtime="python3.12",
        Role=ROLE,
        Handler="app.add_one",
        Code={"ZipFile": archive()},
    )
    sfn = boto3.client("stepfunctions", **options)
    machine = sfn.create_state_machine(
        name="chain", definition=definition(made["FunctionArn"]), roleArn=ROLE
    )["stateMachineArn"]
    first = run(sfn, machine)
    rounds = [run(sfn, machine) for _ in range(5)]
finally:
    process.terminate()
    process.wait()
print(json.dumps({"per_second": sorted(rounds)[len(rounds) // 2], "first": first}))
