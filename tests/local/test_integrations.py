"""Tasks that call AWS services: names, shapes and errors as Step Functions has them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from api_calls import ROLE
from endpoint import ACCOUNT, Everything

ANY = "arn:aws:states:::aws-sdk:"
OPTIMIZED = "arn:aws:states:::"


def ended(everything: Everything, definition: Any, input: Any = None) -> dict[str, Any]:
    """The description of an execution that has ended."""
    sfn = everything.client()
    name = f"m{time.monotonic_ns()}"
    made = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    execution = sfn.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(input or {}))[
        "executionArn"
    ]
    everything.settle()
    return sfn.describe_execution(executionArn=execution)


def task(everything: Everything, resource: str, arguments: Any, **more: Any) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": resource,
        "Arguments": arguments,
        "End": True,
    }
    return ended(everything, {"StartAt": "A", "States": {"A": {**state, **more}}})


def result(everything: Everything, resource: str, arguments: Any, **more: Any) -> Any:
    done = task(everything, resource, arguments, **more)
    assert done["status"] == "SUCCEEDED", done
    return json.loads(done["output"])


def failure(everything: Everything, resource: str, arguments: Any, **more: Any) -> tuple[str, str]:
    done = task(everything, resource, arguments, **more)
    assert done["status"] == "FAILED", done
    return done["error"], done["cause"]


def table(everything: Everything) -> str:
    everything.other("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "orders"


ITEM = {"id": {"S": "1"}, "paid": {"BOOL": True}, "note": {"NULL": True}, "tags": {"SS": ["a", "b"]}}


def test_dynamodb_as_optimized_and_as_any_service(everything: Everything) -> None:
    name = table(everything)
    put = result(everything, f"{OPTIMIZED}dynamodb:putItem", {"TableName": name, "Item": ITEM})
    assert put.keys() == {"SdkHttpMetadata", "SdkResponseMetadata"}
    assert put["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert put["SdkHttpMetadata"]["HttpHeaders"]["Server"] == "Server"
    got = result(everything, f"{OPTIMIZED}dynamodb:getItem", {"TableName": name, "Key": {"id": {"S": "1"}}})
    assert got["Item"] == ITEM
    # The SDK for Java has its own names, which `aws-sdk:` tasks follow.
    got = result(everything, f"{ANY}dynamodb:getItem", {"TableName": name, "Key": {"id": {"S": "1"}}})
    assert got == {
        "Item": {"id": {"S": "1"}, "note": {"Nul": True}, "paid": {"Bool": True}, "tags": {"Ss": ["a", "b"]}}
    }
    values = {":n": {"N": "1"}}
    update = {
        "TableName": name,
        "Key": {"id": {"S": "1"}},
        "UpdateExpression": "SET amount = :n",
        "ExpressionAttributeValues": values,
    }
    assert result(everything, f"{ANY}dynamodb:updateItem", update) == {}


def test_names_of_errors_are_those_of_the_sdk(everything: Everything) -> None:
    name = table(everything)
    condition = {"TableName": name, "Item": {"id": {"S": "1"}}, "ConditionExpression": "attribute_exists(id)"}
    error, cause = failure(everything, f"{OPTIMIZED}dynamodb:putItem", condition)
    assert error == "DynamoDB.ConditionalCheckFailedException"
    assert cause.startswith(
        "The conditional request failed (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException; Request ID: "
    )
    assert cause.endswith("; Proxy: null)")
    error, cause = failure(everything, f"{ANY}dynamodb:putItem", condition)
    assert error == "DynamoDb.ConditionalCheckFailedException"
    assert cause.startswith(
        "The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: "
    )
    # What the SDK has no class for is the service's own exception.
    empty = {"TableName": name, "Item": {"id": {"S": ""}}}
    assert failure(everything, f"{OPTIMIZED}dynamodb:putItem", empty)[0] == "DynamoDB.AmazonDynamoDBException"
    assert failure(everything, f"{ANY}dynamodb:putItem", empty)[0] == "DynamoDb.DynamoDbException"
    missing = {"Bucket": "no-such-bucket", "Key": "k"}
    error, cause = failure(everything, f"{ANY}s3:getObject", missing)
    assert error == "S3.NoSuchBucketException"
    assert "(Service: S3, Status Code: 404, Request ID: " in cause
    assert ", Extended Request ID: " in cause
    queue = {"QueueUrl": f"http://localhost/{ACCOUNT}/none", "MessageBody": "x"}
    assert failure(everything, f"{OPTIMIZED}sqs:sendMessage", queue)[0] == "SQS.QueueDoesNotExistException"
    assert failure(everything, f"{ANY}sqs:sendMessage", queue)[0] == "Sqs.QueueDoesNotExistException"
    assert failure(everything, f"{OPTIMIZED}sqs:sendMessage", {**queue, "QueueUrl": "http://nowhere"}) == (
        "SQS.SdkClientException",
        "Unable to execute HTTP request: nowhere: Name or service not known",
    )
    instance = {"DbInstanceIdentifier": "none"}
    assert (
        failure(everything, f"{ANY}rds:describeDBInstances", instance)[0] == "Rds.DbInstanceNotFoundException"
    )


def test_errors_of_services_are_retried_and_caught_by_name(everything: Everything) -> None:
    name = table(everything)
    state = {
        "Type": "Task",
        "Resource": f"{OPTIMIZED}dynamodb:putItem",
        "Parameters": {"TableName": name, "Item": {"id": {"S": "1"}}, "ConditionExpression": "attribute_exists(id)"},
        "Retry": [{"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "Next": "There"}],
        "End": True,
    }  # fmt: skip
    done = ended(everything, {"StartAt": "A", "States": {"A": state, "There": {"Type": "Succeed"}}})
    assert done["status"] == "SUCCEEDED"
    events = everything.client().get_execution_history(executionArn=done["executionArn"])["events"]
    assert [event["type"] for event in events].count("TaskFailed") == 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"TableName": "t"}, "The field 'Key' is required but was missing"),
        ({"TableName": "t", "Key": {}, "tableName": "t"}, 'The field "tableName" is not supported by Step Functions'),
        ({"TableName": "t", "Key": []}, "The value for the field 'Key' must be an object"),
        ({"TableName": "t", "Key": {"id": {"BOOL": True}}}, 'The field "BOOL" is not supported by Step Functions'),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(everything: Everything, arguments: Any, problem: str) -> None:
    error, cause = failure(everything, f"{ANY}dynamodb:getItem", arguments)
    assert error == "States.Runtime"
    assert cause.endswith(f"could not be used to start the Task: [{problem}]")


def test_values_change_their_form_between_json_and_the_api(everything: Everything) -> None:
    s3 = everything.other("s3")
    s3.create_bucket(Bucket="files")
    put = {"Bucket": "files", "Key": "a.json", "Body": {"größe": 1}, "Metadata": {"Who": "me"}}
    assert result(everything, f"{ANY}s3:putObject", put)["ETag"].startswith('"')
    assert s3.get_object(Bucket="files", Key="a.json")["Body"].read().decode() == '{"größe":1}'
    got = result(everything, f"{ANY}s3:getObject", {"Bucket": "files", "Key": "a.json"})
    assert got["Body"] == '{"größe":1}'
    assert list(got)[-1] == "Body"
    assert list(got)[:-1] == sorted(list(got)[:-1])
    assert got["ContentLength"] == 13
    assert got["LastModified"].endswith("Z")
    listed = result(everything, f"{ANY}s3:listObjectsV2", {"Bucket": "files", "MaxKeys": 1.0})
    assert [each["Key"] for each in listed["Contents"]] == ["a.json"]
    kinesis = everything.other("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    record = {"StreamName": "s", "PartitionKey": "p", "Data": {"a": 1}}
    shard = result(everything, f"{ANY}kinesis:putRecord", record)["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="s", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    assert kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"][0]["Data"] == b'{"a":1}'


def test_services_are_found_by_the_names_of_the_sdk(everything: Everything) -> None:
    everything.other("logs").create_log_group(logGroupName="/a")
    groups = result(everything, f"{ANY}cloudwatchlogs:describeLogGroups", {})
    assert [group["LogGroupName"] for group in groups["LogGroups"]] == ["/a"]
    assert result(everything, f"{ANY}eventbridge:listEventBuses", {})["EventBuses"][0]["Name"] == "default"
    assert result(everything, f"{ANY}cognitoidentityprovider:listUserPools", {"MaxResults": 1}) == {
        "UserPools": []
    }


def test_messages_and_notifications(everything: Everything) -> None:
    sqs, sns = everything.other("sqs"), everything.other("sns")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sent = result(everything, f"{OPTIMIZED}sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"n": 1}})
    assert {"MD5OfMessageBody", "MessageId", "SdkHttpMetadata", "SdkResponseMetadata"} == sent.keys()
    received = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert received["Body"] == '{"n":1}'
    got = result(everything, f"{ANY}sqs:receiveMessage", {"QueueUrl": url})
    assert got == {}, "the message is being looked at by somebody else"
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q")
    attributes = {"kind": {"DataType": "String", "StringValue": "x"}}
    publish = {"TopicArn": topic, "Message": {"a": "b"}, "MessageAttributes": attributes}
    assert "MessageId" in result(everything, f"{OPTIMIZED}sns:publish", publish)
    notification = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert (notification["Message"], notification["MessageAttributes"]["kind"]["Value"]) == ('{"a":"b"}', "x")


def rule(everything: Everything, target: str, **more: Any) -> None:
    events = everything.other("events")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": target, **more}])


ENTRY = {"Source": "shop", "DetailType": "Paid", "Detail": {"order": "o-1"}}


def test_an_event_says_which_execution_it_comes_from(everything: Everything) -> None:
    sqs = everything.other("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    rule(everything, f"arn:aws:sqs:us-east-1:{ACCOUNT}:q")
    done = task(everything, f"{OPTIMIZED}events:putEvents", {"Entries": [ENTRY]})
    assert json.loads(done["output"])["FailedEntryCount"] == 0
    event = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert event["detail"] == {"order": "o-1"}
    assert event["resources"] == [done["stateMachineArn"], done["executionArn"]]
    assert (event["account"], event["detail-type"]) == (ACCOUNT, "Paid")
    assert time.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ")


def test_an_event_starts_an_execution(everything: Everything) -> None:
    sfn = everything.client()
    echo = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    target = sfn.create_state_machine(name="target", definition=echo, roleArn=ROLE)["stateMachineArn"]
    paths = {"order": "$.detail.order", "whole": "$.detail"}
    template = '{"id": "order <order>", "detail": <whole>, "rule": <aws.events.rule-name>}'
    rule(everything, target, InputTransformer={"InputPathsMap": paths, "InputTemplate": template})
    task(everything, f"{OPTIMIZED}events:putEvents", {"Entries": [ENTRY]})
    everything.settle()
    [started] = sfn.list_executions(stateMachineArn=target)["executions"]
    output = sfn.describe_execution(executionArn=started["executionArn"])["output"]
    assert json.loads(output) == {"id": "order o-1", "detail": {"order": "o-1"}, "rule": "r"}


def test_a_refused_entry_fails_the_task(everything: Everything) -> None:
    entries = [ENTRY, {**ENTRY, "Detail": "no json"}, {**ENTRY, "Detail": "[1]"}]
    error, cause = failure(everything, f"{OPTIMIZED}events:putEvents", {"Entries": entries})
    assert error == "EventBridge.FailedEntry"
    told = json.loads(cause)
    assert told["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in told["Entries"]] == [
        None,
        "MalformedDetail",
        "MalformedDetail",
    ]


def test_a_call_of_any_service_can_wait_for_its_token(everything: Everything) -> None:
    name = table(everything)
    sfn = everything.client()
    item = {"id": {"S": "1"}, "token": {"S": "{% $states.context.Task.Token %}"}}
    state = {
        "Type": "Task", "QueryLanguage": "JSONata", "Resource": f"{ANY}dynamodb:putItem.waitForTaskToken",
        "Arguments": {"TableName": name, "Item": item}, "TimeoutSeconds": 600, "End": True,
    }  # fmt: skip
    made = sfn.create_state_machine(
        name="m", definition=json.dumps({"StartAt": "A", "States": {"A": state}}), roleArn=ROLE
    )
    execution = sfn.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    dynamodb = everything.other("dynamodb")
    while (found := dynamodb.get_item(TableName=name, Key={"id": {"S": "1"}}).get("Item")) is None:
        everything.cloud.step(0.01)
    sfn.send_task_success(taskToken=found["token"]["S"], output='{"ok":true}')
    everything.settle(execution)
    assert sfn.describe_execution(executionArn=execution)["output"] == '{"ok":true}'
    kinds = [event["type"] for event in sfn.get_execution_history(executionArn=execution)["events"]]
    assert kinds[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_eventbridge_is_told_what_becomes_of_an_execution(everything: Everything) -> None:
    sfn, events, sqs = everything.client(), everything.other("events"), everything.other("sqs")
    url = sqs.create_queue(QueueName="changes")["QueueUrl"]
    pattern = {"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"]}
    events.put_rule(Name="changes", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:changes"
    events.put_targets(Rule="changes", Targets=[{"Id": "1", "Arn": arn}])
    wait = {"Type": "Wait", "Seconds": 60, "Next": "B"}
    states = {"A": wait, "B": {"Type": "Fail", "Error": "E", "Cause": "because"}}
    machine = sfn.create_state_machine(
        name="told", definition=json.dumps({"StartAt": "A", "States": states}), roleArn=ROLE
    )["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=machine, input='{"a":1}')["executionArn"]
    everything.settle(execution)
    told: list[dict[str, Any]] = []
    while len(told) < 2:
        [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        told.append(json.loads(message["Body"]))
    began, ended = (event["detail"] for event in told)
    assert told[0]["resources"] == [execution]
    assert (began["status"], began["input"], began["stopDate"], began["error"]) == (
        "RUNNING",
        '{"a":1}',
        None,
        None,
    )
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "E", "because")
    assert ended["stopDate"] - ended["startDate"] == 60_000
