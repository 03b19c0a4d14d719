"""Step Functions' API as boto3 sees it: Express, accounts, tags, lists, checks, mocks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_calls import FUNCTION, PASS, ROLE, create, definition, refused, run, types
from endpoint import Endpoint


def test_an_express_execution_answers_at_once(endpoint: Endpoint, sfn: Any) -> None:
    text = definition({"Type": "Task", "Resource": f"{FUNCTION}double"}, {"Type": "Wait", "Seconds": 30})
    machine = create(sfn, text, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=machine, input="21", name="n")
    assert (answer["status"], answer["output"], answer["name"]) == ("SUCCEEDED", "42", "n")
    assert answer["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 30_000}
    slow = create(sfn, definition({"Type": "Wait", "Seconds": 301}), "slow", type="EXPRESS")
    assert sfn.start_sync_execution(stateMachineArn=slow)["status"] == "TIMED_OUT"
    late = endpoint.cloud.clock()
    left = sfn.start_execution(stateMachineArn=slow)["executionArn"]
    endpoint.cloud.drain()
    snapshot = endpoint.cloud.runtime.executions("default").load(left).snapshot
    assert (snapshot["status"], snapshot["stopped"] - late) == ("TIMED_OUT", 300_000)
    standard = create(sfn, json.dumps(PASS), "standard")
    assert refused(sfn.start_sync_execution, stateMachineArn=standard)[0] == "StateMachineTypeNotSupported"
    started = sfn.start_execution(stateMachineArn=machine, input="1")["executionArn"]
    assert refused(sfn.describe_execution, executionArn=started)[0] == "InvalidArn"


def test_express_machines_do_not_wait_for_others(sfn: Any) -> None:
    call = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    for resource, what in (
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "'.waitForTaskToken' service integration"),
        ("arn:aws:states:us-east-1:000000000000:activity:a", "Activity ARN"),
    ):
        text = definition({"Type": "Task", "Resource": resource, "Parameters": call})
        answer = refused(sfn.create_state_machine, name="m", definition=text, roleArn=ROLE, type="EXPRESS")
        assert answer == (
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Express state machine does not support "
            f"{what} at /States/A/Resource'",
        )


def test_metadata_alone(endpoint: Endpoint, sfn: Any) -> None:
    execution = run(endpoint, sfn, json.dumps(PASS), {"secret": 1})
    alone: dict[str, Any] = {"includedData": "METADATA_ONLY"}
    told = sfn.describe_execution(executionArn=execution["executionArn"], **alone)
    assert (told["status"], told.get("input"), told.get("output")) == ("SUCCEEDED", None, None)
    machine = told["stateMachineArn"]
    assert sfn.describe_state_machine(stateMachineArn=machine, **alone)["definition"] == "{}"
    assert sfn.describe_state_machine(stateMachineArn=machine, includedData="ALL_DATA")["definition"] != "{}"


# -- accounts, tags, lists, checks -------------------------------------------------------------------------


def test_accounts_lie_side_by_side(endpoint: Endpoint) -> None:
    one, two = endpoint.client("111111111111"), endpoint.client("222222222222")
    create(one, json.dumps(PASS))
    create(two, definition({"Type": "Pass", "Result": 2}))
    [machine] = two.list_state_machines()["stateMachines"]
    assert machine["stateMachineArn"] == "arn:aws:states:us-east-1:222222222222:stateMachine:m"
    assert len(one.list_state_machines()["stateMachines"]) == 1


def test_tags(sfn: Any) -> None:
    machine = create(sfn, json.dumps(PASS), tags=[{"key": "a", "value": "1"}])
    sfn.tag_resource(resourceArn=machine, tags=[{"key": "b", "value": "2"}, {"key": "a", "value": "3"}])
    sfn.untag_resource(resourceArn=machine, tagKeys=["b"])
    assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "a", "value": "3"}]
    assert refused(sfn.tag_resource, resourceArn=f"{machine}x", tags=[])[0] == "ResourceNotFound"


def test_lists_are_paged(sfn: Any) -> None:
    for number in range(5):
        sfn.create_activity(name=f"a{number}")
        create(sfn, json.dumps(PASS), f"m{number}")
    pages = list(sfn.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["activities"]) for page in pages] == [2, 2, 1]
    assert refused(sfn.list_state_machines, nextToken="x")[0] == "InvalidToken"
    machine = sfn.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    for number in range(3):
        sfn.update_state_machine(
            stateMachineArn=machine, definition=definition({"Type": "Pass", "Result": number}), publish=True
        )
    first = sfn.list_state_machine_versions(stateMachineArn=machine, maxResults=2)
    rest = sfn.list_state_machine_versions(
        stateMachineArn=machine, maxResults=2, nextToken=first["nextToken"]
    )
    numbers = [
        item["stateMachineVersionArn"][-1] for page in (first, rest) for item in page["stateMachineVersions"]
    ]
    assert numbers == ["3", "2", "1"]


def test_a_history_without_its_data_and_backwards(endpoint: Endpoint, sfn: Any) -> None:
    described = run(endpoint, sfn, json.dumps(PASS), {"secret": 1})
    given = sfn.get_execution_history(
        executionArn=described["executionArn"], includeExecutionData=False, reverseOrder=True
    )
    assert "secret" not in json.dumps(given, default=str)
    assert [event["id"] for event in given["events"]] == [4, 3, 2, 1]


def test_a_definition_is_validated_with_warnings(sfn: Any) -> None:
    text = definition(
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}]}, {"Type": "Succeed"}
    )
    assert sfn.validate_state_machine_definition(definition=text) | {"ResponseMetadata": 0} == {
        "result": "OK", "diagnostics": [], "truncated": False, "ResponseMetadata": 0,
    }  # fmt: skip
    [warning] = sfn.validate_state_machine_definition(definition=text, severity="WARNING")["diagnostics"]
    assert (warning["severity"], warning["code"], warning["location"]) == (
        "WARNING",
        "CHOICE_WITHOUT_DEFAULT",
        "/States/A",
    )
    broken = sfn.validate_state_machine_definition(definition="{")
    assert broken["result"] == "FAIL"
    assert broken["diagnostics"][0]["code"] == "INVALID_JSON_DESCRIPTION"


@pytest.mark.parametrize(
    ("call", "parameters", "code"),
    [
        ("describe_execution", {"executionArn": "arn:aws:states:us-east-1:1:express:m:x:y"}, "InvalidArn"),
        ("describe_map_run", {"mapRunArn": "arn:aws:states:us-east-1:000000000000:mapRun:m/l:x"}, "ResourceNotFound"),
        ("list_map_runs", {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:x"}, "ExecutionDoesNotExist"),
        ("get_activity_task", {"activityArn": "arn:aws:states:us-east-1:000000000000:activity:x"}, "ActivityDoesNotExist"),
        ("create_activity", {"name": "a b"}, "InvalidName"),
        ("list_executions", {}, "ValidationException"),
        ("list_state_machine_aliases", {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:x"}, "StateMachineDoesNotExist"),
    ],
)  # fmt: skip
def test_requests_that_are_refused(sfn: Any, call: str, parameters: dict[str, Any], code: str) -> None:
    assert refused(getattr(sfn, call), **parameters)[0] == code


# -- mocks -------------------------------------------------------------------------------------------------


def test_a_mocked_task_answers_as_its_test_case_says() -> None:
    from stratum.handlers.mocks import InvalidMocks, read_mocks

    config = {
        "StateMachines": {"m": {"TestCases": {"Retries": {"A": "busy first"}}}},
        "MockedResponses": {
            "busy first": {
                "0-1": {"Throw": {"Error": "Busy", "Cause": "later"}},
                "2": {"Return": {"ok": True}},
            }
        },
    }
    made = Endpoint(mocks=read_mocks(config))
    client = made.client()
    retry = [{"ErrorEquals": ["Busy"], "MaxAttempts": 2}]
    machine = create(
        client,
        definition(
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": {"QueueUrl": "q", "MessageBody": "m"},
                "Retry": retry,
            }
        ),
    )
    execution = client.start_execution(stateMachineArn=f"{machine}#Retries")["executionArn"]
    made.cloud.drain()
    assert client.describe_execution(executionArn=execution)["output"] == '{"ok":true}'
    assert types(client, execution).count("TaskFailed") == 2
    assert refused(client.start_execution, stateMachineArn=f"{machine}#Nope")[0] == "ValidationException"
    made.close()
    for wrong in (
        {"MockedResponses": {"x": {"a": {"Return": 1}}}},
        {"MockedResponses": {"x": {"0": {}}}},
        {"StateMachines": {"m": {"TestCases": {"t": {"A": "no"}}}}},
        [],
    ):
        with pytest.raises(InvalidMocks):
            read_mocks(wrong)
