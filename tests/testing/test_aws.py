"""boto3 in tests: the user's own `mock_aws`, clients of code under test, and what workflows see of it all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from machines import call, callback, machine, task, wait
from moto import mock_aws
from stratum.local.testing import SetupError, TestCloud

made_before = boto3.client(
    "stepfunctions", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
)


def put() -> dict[str, Any]:
    item = {"id": {"S": "1"}}
    return machine(Put=task("arn:aws:states:::aws-sdk:dynamodb:putItem", TableName="t", Item=item))


def make_table() -> Any:
    client = boto3.client("dynamodb", region_name="us-east-1")
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def check_that_workflows_write_to(client: Any, stratum: TestCloud) -> None:
    stratum.run(put()).succeeded()
    assert client.scan(TableName="t")["Count"] == 1


@mock_aws
def test_mock_aws_around_the_test(stratum: TestCloud) -> None:
    check_that_workflows_write_to(make_table(), stratum)


def test_mock_aws_within_the_test(stratum: TestCloud) -> None:
    with mock_aws():
        check_that_workflows_write_to(make_table(), stratum)
    stratum.run(put()).failed()  # another cloud: there is no table


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_mock_aws_before_the_fixture(aws: None, stratum: TestCloud) -> None:
    check_that_workflows_write_to(make_table(), stratum)


def test_mock_aws_after_the_fixture(stratum: TestCloud, aws: None) -> None:
    check_that_workflows_write_to(make_table(), stratum)


def test_no_mock_aws_at_all(stratum: TestCloud) -> None:
    check_that_workflows_write_to(make_table(), stratum)
    with mock_aws():
        stratum.run(put()).succeeded()


def test_every_test_has_a_cloud_of_its_own(stratum: TestCloud) -> None:
    assert stratum.client("dynamodb").list_tables()["TableNames"] == []
    assert stratum.client("stepfunctions").list_state_machines()["stateMachines"] == []
    stratum.run(put()).failed()


def test_two_clouds_one_after_the_other() -> None:
    for _ in range(2):
        with TestCloud() as stratum:
            check_that_workflows_write_to(make_table(), stratum)


def test_the_region_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    with TestCloud() as stratum:
        boto3.client("sqs").create_queue(QueueName="q")
        send = task("arn:aws:states:::aws-sdk:sqs:getQueueUrl", QueueName="q")
        result = stratum.run(machine(Get=send)).succeeded()
        assert ":eu-central-1:" in result.execution


def test_code_under_test_comes_to_the_same_cloud(stratum: TestCloud) -> None:
    arn = stratum.deploy(
        machine(W=wait(100), F=call("f")),
        tasks={"f": lambda event, context: event["a"] + 1},
        state_machine="orders",
    )
    started = made_before.start_execution(stateMachineArn=arn, input='{"a": 1}')["executionArn"]
    client = boto3.client("stepfunctions")
    described = client.describe_execution(executionArn=started)
    assert described["status"] == "RUNNING"
    polls = 0
    while described["status"] == "RUNNING":  # who asks again waits, and time goes on for them
        polls += 1
        described = client.describe_execution(executionArn=started)
    assert polls == 1
    assert json.loads(described["output"]) == 2
    assert stratum.execution(started).result.path == ["W", "F"]
    with pytest.raises(SetupError):
        stratum.execution("arn:nothing")


def test_a_callback_answered_through_boto3(stratum: TestCloud) -> None:
    tokens: list[str] = []
    execution = stratum.start(
        machine(Ask=callback()), tasks={"ask": lambda event, context: tokens.append(event["token"])}
    )
    boto3.client("stepfunctions").send_task_success(taskToken=tokens[0], output='"yes"')
    execution.result.succeeded("yes")


def test_functions_call_functions(stratum: TestCloud) -> None:
    def outer(event: Any, context: Any) -> Any:
        answer = boto3.client("lambda").invoke(FunctionName="inner", Payload=json.dumps(event))
        return {"inner": json.loads(answer["Payload"].read()), "error": answer.get("FunctionError")}

    def inner(event: Any, context: Any) -> Any:
        return 10 / event["by"]

    definition = machine(
        A=call("outer"),
        B=call("inner", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]),
        C={"Type": "Pass"},
    )
    tasks = {"outer": outer, "inner": inner}
    result = stratum.run(definition, {"by": 5}, tasks=tasks)
    assert result.step("A").output == {"inner": 2.0, "error": None}
    failed = stratum.run(definition, {"by": 0}, tasks=tasks).step("A").output
    assert (failed["inner"]["errorType"], failed["error"]) == ("ZeroDivisionError", "Unhandled")


def test_an_error_of_the_test_comes_out_of_boto3(stratum: TestCloud) -> None:
    arn = stratum.deploy(machine(A=call("nobody")))
    with pytest.raises(SetupError, match="nobody"):
        stratum.client("stepfunctions").start_execution(stateMachineArn=arn)


def test_clients_with_an_endpoint_of_their_own_are_left_alone(stratum: TestCloud) -> None:
    import botocore.config
    import botocore.exceptions

    client = boto3.client(
        "stepfunctions",
        endpoint_url="http://127.0.0.1:1",
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        client.list_state_machines()


def test_a_request_is_answered_once(stratum: TestCloud) -> None:
    """Neither twice by moto, nor by ours and moto's own Step Functions."""
    from moto.stepfunctions.models import stepfunctions_backends

    queue = boto3.client("sqs", region_name="us-east-1")
    url = queue.create_queue(QueueName="q")["QueueUrl"]
    send = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", QueueUrl=url)
    send["Parameters"]["MessageBody"] = {"token.$": "$$.Task.Token"}
    execution = stratum.start(machine(Send=send))
    [message] = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    token = json.loads(message["Body"])["token"]
    boto3.client("stepfunctions").send_task_success(taskToken=token, output='"yes"')
    execution.result.succeeded("yes")
    stratum.deploy(machine(A={"Type": "Pass"}), state_machine="other")
    assert not stepfunctions_backends["123456789012"]["us-east-1"].state_machines


def test_what_maps_read_is_in_the_tests_buckets(stratum: TestCloud) -> None:
    bucket = boto3.client("s3", region_name="us-east-1")
    bucket.create_bucket(Bucket="bucket")
    bucket.put_object(Bucket="bucket", Key="items.json", Body=json.dumps([1, 2, 3]))
    reader = {
        "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "bucket", "Key": "items.json"},
    }  # fmt: skip
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    processor = {"ProcessorConfig": config, **machine(Inner=call("double"))}
    definition = machine(Each={"Type": "Map", "ItemReader": reader, "ItemProcessor": processor})
    stratum.run(definition, mocks={"double": lambda item: item * 2}).succeeded([2, 4, 6])


def test_errors_of_the_api_are_boto3s(stratum: TestCloud) -> None:
    client = stratum.client("stepfunctions")
    with pytest.raises(client.exceptions.StateMachineDoesNotExist):
        client.start_execution(stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:no")
