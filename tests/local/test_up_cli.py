"""The AWS CLI alone makes a role, a table, a queue, a function and a state machine that uses them all, and runs it."""

from __future__ import annotations

import json
from pathlib import Path

from up import Up, archive, until

CODE = """
def handler(event, context):
    return {"ok": event["qty"] < 10}
"""


def definition(queue: str) -> str:
    parts = {
        "Check": ("lambda:invoke", {"FunctionName": "cli-check", "Payload.$": "$"}, {"ResultPath": "$.check"}),
        "Save": (
            "dynamodb:putItem",
            {"TableName": "cli-orders", "Item": {"id": {"S.$": "$.id"}, "ok": {"BOOL.$": "$.check.Payload.ok"}}},
            {"ResultPath": None},
        ),
        "Ask": (
            "sqs:sendMessage.waitForTaskToken",
            {"QueueUrl": queue, "MessageBody": {"order.$": "$.id", "token.$": "$$.Task.Token"}},
            {"ResultPath": "$.answer", "TimeoutSeconds": 120},
        ),
        "Read": ("dynamodb:getItem", {"TableName": "cli-orders", "Key": {"id": {"S.$": "$.id"}}}, {"ResultPath": "$.saved"}),
    }  # fmt: skip
    names = list(parts)
    states = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        resource, parameters, more = parts[name]
        then = {"End": True} if following is None else {"Next": following}
        resource = f"arn:aws:states:::{resource}"
        states[name] = {"Type": "Task", "Resource": resource, "Parameters": parameters, **more, **then}
    return json.dumps({"StartAt": "Check", "States": states})


def test_from_an_empty_account_to_an_answered_callback(up: Up, tmp_path: Path) -> None:
    archive_file = tmp_path / "check.zip"
    archive_file.write_bytes(archive({"app.py": CODE}))
    trust = {"Version": "2012-10-17", "Statement": []}
    role = up.cli(
        "iam", "create-role", "--role-name", "cli", "--assume-role-policy-document", json.dumps(trust)
    )["Role"]["Arn"]
    up.cli(
        "dynamodb", "create-table", "--table-name", "cli-orders", "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S", "--key-schema", "AttributeName=id,KeyType=HASH",
    )  # fmt: skip
    queue = up.cli("sqs", "create-queue", "--queue-name", "cli-approvals")["QueueUrl"]
    up.cli(
        "lambda", "create-function", "--function-name", "cli-check", "--runtime", "python3.13", "--role", role,
        "--handler", "app.handler", "--zip-file", f"fileb://{archive_file}",
    )  # fmt: skip
    machine = up.cli(
        "stepfunctions",
        "create-state-machine",
        "--name",
        "cli",
        "--role-arn",
        role,
        "--definition",
        definition(queue),
    )["stateMachineArn"]
    execution = up.cli(
        "stepfunctions",
        "start-execution",
        "--state-machine-arn",
        machine,
        "--input",
        '{"id": "o-1", "qty": 3}',
    )["executionArn"]

    [message] = up.cli("sqs", "receive-message", "--queue-url", queue, "--wait-time-seconds", "20")[
        "Messages"
    ]
    asked = json.loads(message["Body"])
    assert asked["order"] == "o-1"
    up.cli(
        "stepfunctions", "send-task-success", "--task-token", asked["token"], "--task-output", '{"by": "Ada"}'
    )

    described = until(
        lambda: up.cli("stepfunctions", "describe-execution", "--execution-arn", execution),
        lambda described: described["status"] != "RUNNING",
    )
    assert described["status"] == "SUCCEEDED", described
    output = json.loads(described["output"])
    assert output["answer"] == {"by": "Ada"}
    assert output["saved"]["Item"] == {"id": {"S": "o-1"}, "ok": {"BOOL": True}}
    events = up.cli("stepfunctions", "get-execution-history", "--execution-arn", execution)["events"]
    task = ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited"]
    asks = [*task[:3], "TaskSubmitted", *task[3:]]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        *task,
        *task,
        *asks,
        *task,
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    [submitted] = [event["taskSubmittedEventDetails"] for event in events if event["type"] == "TaskSubmitted"]
    assert (submitted["resourceType"], submitted["resource"]) == ("sqs", "sendMessage.waitForTaskToken")
    assert json.loads(submitted["output"])["MessageId"] == message["MessageId"]
    tested = up.cli(
        "stepfunctions", "test-state", "--definition", '{"Type": "Pass", "Result": 1, "End": true}', "--inspection-level", "DEBUG",
    )  # fmt: skip
    assert tested["inspectionData"]["result"] == "1"
