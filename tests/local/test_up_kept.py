"""What `stratum up --data DIR` keeps over restarts, and what a reset takes away."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from up import ROLE, Up, archive, ended, until

CODE = "def handler(event, context):\n    return {'qty': event['qty'] + 1}\n"
WAITS = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": 2, "Next": "Call"},
        "Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
                 "Parameters": {"FunctionName": "kept", "Payload.$": "$"}, "OutputPath": "$.Payload"},
    },
}  # fmt: skip
ASKS = {
    "StartAt": "Ask",
    "States": {"Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
                       "Parameters": {"FunctionName": "kept", "Payload": {"qty": 1, "token.$": "$$.Task.Token"}}}},
}  # fmt: skip

# One thing of each service that people use with Step Functions, and how to see that it is still there.
SERVICES: dict[str, tuple[Any, Any]] = {
    "s3": (
        lambda c: [c.create_bucket(Bucket="kept"), c.put_object(Bucket="kept", Key="a", Body=b"content")],
        lambda c: c.get_object(Bucket="kept", Key="a")["Body"].read() == b"content",
    ),
    "sqs": (
        lambda c: c.send_message(QueueUrl=c.create_queue(QueueName="kept")["QueueUrl"], MessageBody="m"),
        lambda c: c.receive_message(QueueUrl=c.get_queue_url(QueueName="kept")["QueueUrl"])["Messages"][0]["Body"] == "m",
    ),
    "sns": (
        lambda c: c.create_topic(Name="kept"),
        lambda c: c.list_topics()["Topics"][0]["TopicArn"].endswith(":kept"),
    ),
    "dynamodb": (
        lambda c: [
            c.create_table(
                TableName="kept", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            ),
            c.put_item(TableName="kept", Item={"id": {"S": "1"}, "n": {"N": "2"}}),
        ],
        lambda c: c.get_item(TableName="kept", Key={"id": {"S": "1"}})["Item"]["n"] == {"N": "2"},
    ),
    "iam": (
        lambda c: c.create_role(RoleName="kept", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'),
        lambda c: c.get_role(RoleName="kept")["Role"]["RoleName"] == "kept",
    ),
    "secretsmanager": (
        lambda c: c.create_secret(Name="kept", SecretString="s"),
        lambda c: c.get_secret_value(SecretId="kept")["SecretString"] == "s",
    ),
    "ssm": (
        lambda c: c.put_parameter(Name="/kept", Value="v", Type="String"),
        lambda c: c.get_parameter(Name="/kept")["Parameter"]["Value"] == "v",
    ),
    "kms": (
        lambda c: c.create_alias(AliasName="alias/kept", TargetKeyId=c.create_key()["KeyMetadata"]["KeyId"]),
        lambda c: bool(c.encrypt(KeyId="alias/kept", Plaintext=b"x")["CiphertextBlob"]),
    ),
    "events": (
        lambda c: c.put_rule(Name="kept", EventPattern='{"source": ["x"]}'),
        lambda c: c.describe_rule(Name="kept")["State"] == "ENABLED",
    ),
    "logs": (
        lambda c: c.create_log_group(logGroupName="/kept"),
        lambda c: [each for each in c.describe_log_groups()["logGroups"] if each["logGroupName"] == "/kept"],
    ),
    "kinesis": (
        lambda c: c.create_stream(StreamName="kept", ShardCount=1),
        lambda c: c.list_streams()["StreamNames"] == ["kept"],
    ),
    "cloudformation": (
        lambda c: c.create_stack(StackName="kept", TemplateBody="Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: of-stack}}}\nOutputs: {Q: {Value: !Ref Q}}"),
        lambda c: c.describe_stacks(StackName="kept")["Stacks"][0]["Outputs"][0]["OutputValue"].endswith("/of-stack"),
    ),
    "apigateway": (
        lambda c: c.create_rest_api(name="kept"),
        lambda c: c.get_rest_apis()["items"][0]["name"] == "kept",
    ),
    "ecs": (
        lambda c: c.create_cluster(clusterName="kept"),
        lambda c: c.list_clusters()["clusterArns"][0].endswith("/kept"),
    ),
    "stepfunctions": (
        lambda c: c.create_activity(name="kept"),
        lambda c: c.list_activities()["activities"][0]["name"] == "kept",
    ),
}  # fmt: skip


def schedule(up: Up, name: str, **more: Any) -> None:
    """One for a time that has passed, which brings its name into a queue."""
    target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:brought", "RoleArn": ROLE, "Input": name}
    up.service("scheduler").create_schedule(
        Name=name, ScheduleExpression="at(2020-01-01T00:00:00)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target, **more
    )  # fmt: skip


def brought(up: Up, count: int) -> list[str]:
    """What came into the queue, from the first on, once so many are there."""
    url = up.service("sqs").create_queue(QueueName="brought")["QueueUrl"]
    found: list[str] = []

    def look() -> int:
        answer = up.service("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        )
        found.extend(message["Body"] for message in answer.get("Messages", []))
        return len(found)

    until(look, lambda seen: seen >= count)
    return found


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, dict[str, str]]]:
    """A second start on the data of a first, which had made all that there is; with what was running then."""
    folder = tmp_path_factory.mktemp("kept")
    first = Up("--data", str(folder))
    for service, (make, _) in SERVICES.items():
        make(first.service(service))
    first.make("kept", CODE, Publish=True)
    first.service("lambda").create_alias(FunctionName="kept", Name="live", FunctionVersion="1")
    first.service("lambda", "eu-west-1", "111122223333").create_function(
        FunctionName="far", Runtime="python3.12", Role="arn:aws:iam::111122223333:role/r", Handler="app.handler",
        Code={"ZipFile": archive({"app.py": CODE})},
    )  # fmt: skip
    first.service("sqs").create_queue(QueueName="brought")
    schedule(first, "stays")
    schedule(first, "goes", ActionAfterCompletion="DELETE")
    assert sorted(brought(first, 2)) == ["goes", "stays"]
    running = {}
    for name, definition in (("waits", WAITS), ("asks", ASKS)):
        started = first.client().start_execution(
            stateMachineArn=first.create(definition, name), input='{"qty": 1}'
        )
        running[name] = started["executionArn"]
    history = until(
        lambda: first.client().get_execution_history(executionArn=running["asks"])["events"],
        lambda events: events[-1]["type"] == "TaskSubmitted",
    )
    [scheduled] = [event for event in history if event["type"] == "TaskScheduled"]
    running["token"] = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])["Payload"]["token"]
    code, out = first.stop(signal.SIGINT)
    assert code == 0
    assert "Traceback" not in out
    second = Up("--data", str(folder))
    yield second, running
    _, out = second.stop()
    assert "2 executions were running, and go on" in out


def test_services_are_what_they_were(again: tuple[Up, dict[str, str]]) -> None:
    assert [name for name, (_, there) in SERVICES.items() if not there(again[0].service(name))] == []


def test_functions_are_what_they_were(again: tuple[Up, dict[str, str]]) -> None:
    up, _ = again
    assert up.call("kept:live", {"qty": 1})["Payload"] == {"qty": 2}
    far = up.service("lambda", "eu-west-1", "111122223333").invoke(FunctionName="far", Payload=b'{"qty": 5}')
    assert json.loads(far["Payload"].read()) == {"qty": 6}
    assert "far" not in [each["FunctionName"] for each in up.service("lambda").list_functions()["Functions"]]


def test_a_schedule_that_was_brought_is_not_brought_again(again: tuple[Up, dict[str, str]]) -> None:
    up, _ = again
    schedule(up, "later")
    assert brought(up, 1) == ["later"]
    listed = up.service("scheduler").list_schedules()["Schedules"]
    assert sorted(each["Name"] for each in listed) == ["later", "stays"]


def test_what_was_running_goes_on(again: tuple[Up, dict[str, str]]) -> None:
    up, running = again
    assert ended(up.client(), running["waits"])["output"] == '{"qty":2}'
    up.client().send_task_success(taskToken=running["token"], output='"answered"')
    assert ended(up.client(), running["asks"])["output"] == '"answered"'


def test_a_kill_loses_no_execution_and_at_most_seconds_of_the_rest(tmp_path: Path) -> None:
    first = Up("--data", str(tmp_path))
    first.make("kept", CODE)
    machine = first.create(WAITS, "waits")
    until(lambda: (tmp_path / "services.pickle").exists())
    started = first.client().start_execution(stateMachineArn=machine, input='{"qty": 7}')["executionArn"]
    first.stop(signal.SIGKILL)
    second = Up("--data", str(tmp_path))
    assert ended(second.client(), started)["output"] == '{"qty":8}'
    second.stop()


def test_a_file_that_is_no_snapshot_is_told_and_left(tmp_path: Path) -> None:
    (tmp_path / "services.pickle").write_bytes(b"no pickle")
    with pytest.raises(AssertionError, match="cannot be read"):
        Up("--data", str(tmp_path))
    assert (tmp_path / "services.pickle").read_bytes() == b"no pickle"


def test_motos_reset_forgets_what_is_not_motos_too(tmp_path: Path) -> None:
    up = Up("--data", str(tmp_path))
    try:
        for service in ("s3", "sqs", "stepfunctions"):
            SERVICES[service][0](up.service(service))
        up.make("kept", CODE)
        up.call("kept", {"qty": 1})
        running = up.client().start_execution(stateMachineArn=up.create(WAITS, "waits"), input='{"qty": 1}')
        connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=20)
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200
        assert up.service("s3").list_buckets()["Buckets"] == []
        assert up.service("lambda").list_functions()["Functions"] == []
        assert up.client().list_state_machines()["stateMachines"] == []
        assert up.client().list_activities()["activities"] == []
        with pytest.raises(up.client().exceptions.ExecutionDoesNotExist):
            up.client().describe_execution(executionArn=running["executionArn"])
        up.make("kept", CODE.replace("+ 1", "+ 2"))
        assert up.call("kept", {"qty": 1})["Payload"] == {"qty": 3}
    finally:
        up.stop()


def test_it_is_ready_at_once_and_stops_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    up = Up("--data", str(tmp_path))
    ready = time.monotonic() - began
    assert up.client().list_state_machines()["stateMachines"] == []
    began = time.monotonic()
    code, out = up.stop(signal.SIGINT)
    stopped = time.monotonic() - began
    assert (code, out.splitlines()[-1].partition(";")[0]) == (0, "stopped")
    # Measured 0.4 s and 0.1 s on an idle machine; the bounds are for one that runs these tests beside others.
    patience = 1 + os.getloadavg()[0] / (os.cpu_count() or 1)
    assert ready < 2 * patience
    assert stopped < 2 * patience
