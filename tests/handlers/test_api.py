"""Step Functions' API as boto3 sees it: versions, aliases, activities, tokens, map runs, redrive, tags, checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from endpoint import Endpoint

ROLE = "arn:aws:iam::000000000000:role/r"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


def definition(*states: dict[str, Any], **top: Any) -> str:
    """States `A`, `B`, … one after the other."""
    names = [chr(ord("A") + index) for index in range(len(states))]
    bodies = {}
    for index, state in enumerate(states):
        ends = state["Type"] in ("Succeed", "Fail", "Choice")
        where = {} if ends else {"Next": names[index + 1]} if index + 1 < len(states) else {"End": True}
        bodies[names[index]] = {**state, **where}
    return json.dumps({"StartAt": "A", "States": bodies, **top})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint(functions={"double": lambda event, context: event * 2, "fail": fail})
    yield made
    made.close()


def fail(event: Any, context: Any) -> Any:
    raise ValueError(f"no {event}")


@pytest.fixture
def sfn(endpoint: Endpoint) -> Any:
    return endpoint.client()


def create(sfn: Any, text: str, name: str = "m", **fields: Any) -> str:
    return sfn.create_state_machine(name=name, definition=text, roleArn=ROLE, **fields)["stateMachineArn"]


def run(endpoint: Endpoint, sfn: Any, text: str, input: Any = None, name: str = "m") -> dict[str, Any]:
    """Runs a definition to its end; answers its description."""
    execution = sfn.start_execution(stateMachineArn=create(sfn, text, name), input=json.dumps(input))[
        "executionArn"
    ]
    endpoint.cloud.drain()
    return sfn.describe_execution(executionArn=execution)


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def types(sfn: Any, execution: str) -> list[str]:
    return [event["type"] for event in sfn.get_execution_history(executionArn=execution)["events"]]


# -- versions and aliases ----------------------------------------------------------------------------------


def test_an_alias_leads_to_its_versions_by_weight(endpoint: Endpoint, sfn: Any) -> None:
    one = definition({"Type": "Pass", "Result": 1})
    created = sfn.create_state_machine(name="m", definition=one, roleArn=ROLE, publish=True)
    machine, first = created["stateMachineArn"], created["stateMachineVersionArn"]
    two = definition({"Type": "Pass", "Result": 2})
    second = sfn.update_state_machine(stateMachineArn=machine, definition=two, publish=True)[
        "stateMachineVersionArn"
    ]
    assert (first, second) == (f"{machine}:1", f"{machine}:2")
    routing = [
        {"stateMachineVersionArn": first, "weight": 50},
        {"stateMachineVersionArn": second, "weight": 50},
    ]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=routing)["stateMachineAliasArn"]
    started = [sfn.start_execution(stateMachineArn=alias)["executionArn"] for _ in range(40)]
    endpoint.cloud.drain()
    outputs = [sfn.describe_execution(executionArn=execution) for execution in started]
    assert {given["output"] for given in outputs} == {"1", "2"}
    assert {given["stateMachineVersionArn"] for given in outputs} == {first, second}
    assert {given["stateMachineAliasArn"] for given in outputs} == {alias}
    listed = sfn.list_executions(stateMachineArn=alias)["executions"]
    assert len(listed) == 40
    of_first = sfn.list_executions(stateMachineArn=first)["executions"]
    assert 0 < len(of_first) < 40

    code, message = refused(sfn.delete_state_machine_version, stateMachineVersionArn=first)
    assert code == "ConflictException"
    assert "live" in message
    sfn.update_state_machine_alias(
        stateMachineAliasArn=alias,
        description="all",
        routingConfiguration=[{"stateMachineVersionArn": second, "weight": 100}],
    )
    sfn.delete_state_machine_version(stateMachineVersionArn=first)
    assert sfn.describe_state_machine_alias(stateMachineAliasArn=alias)["description"] == "all"
    assert refused(sfn.start_execution, stateMachineArn=first)[0] == "StateMachineDoesNotExist"
    sfn.delete_state_machine(stateMachineArn=machine)
    assert refused(sfn.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"


def test_a_running_execution_keeps_its_definition(endpoint: Endpoint, sfn: Any) -> None:
    machine = create(sfn, definition({"Type": "Wait", "Seconds": 10}, {"Type": "Pass", "Result": "old"}))
    execution = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.update_state_machine(
        stateMachineArn=machine, definition=definition({"Type": "Pass", "Result": "new"})
    )
    endpoint.cloud.drain()
    assert sfn.describe_execution(executionArn=execution)["output"] == '"old"'
    described = sfn.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(described["definition"])["States"]["B"]["Result"] == "old"


# -- callbacks and activities ------------------------------------------------------------------------------


def activity(sfn: Any, **fields: Any) -> tuple[str, str]:
    arn = sfn.create_activity(name="work")["activityArn"]
    machine = create(sfn, definition({"Type": "Task", "Resource": arn, **fields}))
    return arn, sfn.start_execution(stateMachineArn=machine, input='{"n": 1}')["executionArn"]


def test_an_activity_is_taken_kept_alive_and_answered(endpoint: Endpoint, sfn: Any) -> None:
    arn, execution = activity(sfn, HeartbeatSeconds=30, TimeoutSeconds=300)
    endpoint.cloud._work()
    endpoint.cloud._work()
    task = sfn.get_activity_task(activityArn=arn, workerName="me")
    assert task["input"] == '{"n": 1}'
    assert sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
    assert sfn.describe_execution(executionArn=execution)["output"] == '{"n": 2}'
    assert types(sfn, execution)[2:6] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
    ]
    code, _ = refused(sfn.send_task_success, taskToken=task["taskToken"], output="1")
    assert code == "TaskTimedOut"
    assert "taskToken" not in sfn.get_activity_task(activityArn=arn)


def test_an_activity_whose_worker_falls_silent_times_out(endpoint: Endpoint, sfn: Any) -> None:
    arn, execution = activity(
        sfn, HeartbeatSeconds=30, Retry=[{"ErrorEquals": ["States.HeartbeatTimeout"], "MaxAttempts": 1}]
    )
    endpoint.cloud._work()
    endpoint.cloud._work()
    assert sfn.get_activity_task(activityArn=arn)["taskToken"]
    endpoint.cloud.drain()
    described = sfn.describe_execution(executionArn=execution)
    assert (described["status"], described["error"]) == ("FAILED", "States.Timeout")
    assert types(sfn, execution).count("ActivityTimedOut") == 2


@pytest.mark.parametrize("token", ["x", "AQ", "AQ!!!!", "AQW10=", "AQ" + "A" * 1000])
def test_what_is_no_token_is_refused(sfn: Any, token: str) -> None:
    assert refused(sfn.send_task_success, taskToken=token, output="1") == (
        "InvalidToken",
        "Invalid Token: 'Invalid token'",
    )


def test_an_output_that_is_no_json_is_refused_and_the_task_goes_on(endpoint: Endpoint, sfn: Any) -> None:
    arn, execution = activity(sfn)
    endpoint.cloud._work()
    endpoint.cloud._work()
    token = sfn.get_activity_task(activityArn=arn)["taskToken"]
    assert refused(sfn.send_task_success, taskToken=token, output="{no")[0] == "InvalidOutput"
    sfn.send_task_failure(taskToken=token, error="Mine", cause="so")
    described = sfn.describe_execution(executionArn=execution)
    assert (described["error"], described["cause"]) == ("Mine", "so")


# -- nested executions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "output"), [("startExecution.sync", '"[1]"'), ("startExecution.sync:2", "[1]")]
)
def test_a_nested_execution_is_waited_for(endpoint: Endpoint, sfn: Any, action: str, output: str) -> None:
    child = create(sfn, definition({"Type": "Wait", "Seconds": 60}), "child")
    task = {
        "Type": "Task", "Resource": f"arn:aws:states:::states:{action}", "ResultSelector": {"o.$": "$.Output"}, "OutputPath": "$.o",
        "Parameters": {"StateMachineArn": child, "Input": [1], "Name": "inner"},
    }  # fmt: skip
    assert run(endpoint, sfn, definition(task))["output"] == output
    inner = child.replace(":stateMachine:", ":execution:") + ":inner"
    assert sfn.describe_execution(executionArn=inner)["status"] == "SUCCEEDED"


def test_the_failure_of_a_nested_execution_can_be_caught(endpoint: Endpoint, sfn: Any) -> None:
    child = create(sfn, definition({"Type": "Fail", "Error": "Inner"}), "child")
    task = {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "Parameters": {"StateMachineArn": child},
        "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "B"}],
    }  # fmt: skip
    described = run(endpoint, sfn, definition(task, {"Type": "Pass"}))
    assert json.loads(json.loads(described["output"])["Cause"])["Error"] == "Inner"


# -- redrive -----------------------------------------------------------------------------------------------


def test_a_redriven_execution_goes_on_where_it_failed(sfn: Any, endpoint: Endpoint) -> None:
    calls: list[str] = []
    broken = [True]

    def step(event: Any, context: Any) -> Any:
        calls.append(event["step"])
        if event["step"] == "two" and broken[0]:
            raise RuntimeError("not today")
        return event

    made = Endpoint(functions={"step": step})
    client = made.client()

    def task(name: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:step",
            "Parameters": {"step": name},
        }

    branches = [json.loads(definition(task("one"))), json.loads(definition(task("two")))]
    branches[1] = {"StartAt": "X", "States": {"X": {**task("two"), "End": True}}}
    text = definition(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Y", "States": {"Y": {**task("one"), "End": True}}}, branches[1]],
        },
        task("three"),
    )
    failed = run(made, client, text)
    assert failed["status"] == "FAILED"
    assert failed["redriveStatus"] == "REDRIVABLE"
    broken[0] = False
    client.redrive_execution(executionArn=failed["executionArn"])
    made.cloud.drain()
    again = client.describe_execution(executionArn=failed["executionArn"])
    assert (again["status"], again["redriveCount"]) == ("SUCCEEDED", 1)
    assert calls == ["one", "two", "two", "three"]
    assert "ExecutionRedriven" in types(client, failed["executionArn"])
    assert (
        refused(client.redrive_execution, executionArn=failed["executionArn"])[0] == "ExecutionNotRedrivable"
    )
    made.close()


# -- maps --------------------------------------------------------------------------------------------------


def distributed(*states: dict[str, Any], **fields: Any) -> str:
    processor = {
        **json.loads(definition(*states)),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    renamed = json.loads(json.dumps(processor).replace('"A"', '"I"'))
    return definition({"Type": "Map", "ItemProcessor": renamed, **fields})


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"


def test_a_distributed_map_has_child_executions(endpoint: Endpoint, sfn: Any) -> None:
    described = run(
        endpoint,
        sfn,
        distributed({"Type": "Task", "Resource": f"{FUNCTION}double"}, Label="L", MaxConcurrency=2),
        [1, 2, 3],
    )
    assert described["output"] == "[2,4,6]"
    [listed] = sfn.list_map_runs(executionArn=described["executionArn"])["mapRuns"]
    map_run = sfn.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (map_run["status"], map_run["itemCounts"]["succeeded"], map_run["maxConcurrency"]) == (
        "SUCCEEDED",
        3,
        2,
    )
    children = sfn.list_executions(mapRunArn=listed["mapRunArn"])["executions"]
    assert len(children) == 3
    child = sfn.describe_execution(executionArn=children[0]["executionArn"])
    assert child["mapRunArn"] == listed["mapRunArn"]
    assert "LambdaFunctionSucceeded" in types(sfn, child["executionArn"])


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [({}, "FAILED"), ({"ToleratedFailureCount": 1}, "FAILED"), ({"ToleratedFailureCount": 2}, "SUCCEEDED"), ({"ToleratedFailurePercentage": 50}, "SUCCEEDED")],
)  # fmt: skip
def test_failures_of_children_are_tolerated_up_to_a_number(
    endpoint: Endpoint, sfn: Any, tolerated: dict[str, Any], status: str
) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericLessThan": 3, "Next": "B"}],
        "Default": "C",
    }
    text = distributed(
        choice, {"Type": "Fail", "Error": "Small"}, {"Type": "Pass"}, MaxConcurrency=1, **tolerated
    )
    text = text.replace('"B"', '"J"').replace('"C"', '"K"')
    described = run(endpoint, sfn, text, [1, 2, 3, 4])
    assert described["status"] == status
    if status == "FAILED":
        assert described["error"] == "States.ExceedToleratedFailureThreshold"
    else:
        assert described["output"] == "[3,4]"


def test_a_failed_map_run_is_redriven_from_its_failures(endpoint: Endpoint) -> None:
    broken = [True]
    calls: list[int] = []

    def sometimes(event: Any, context: Any) -> Any:
        calls.append(event)
        if event == 2 and broken[0]:
            raise RuntimeError
        return event

    made = Endpoint(functions={"sometimes": sometimes})
    client = made.client()
    failed = run(
        made,
        client,
        distributed({"Type": "Task", "Resource": f"{FUNCTION}sometimes"}, MaxConcurrency=1),
        [1, 2, 3],
    )
    assert failed["status"] == "FAILED"
    broken[0] = False
    client.redrive_execution(executionArn=failed["executionArn"])
    made.cloud.drain()
    assert client.describe_execution(executionArn=failed["executionArn"])["output"] == "[1,2,3]"
    assert calls == [1, 2, 2, 3]
    made.close()


def test_items_are_batched(endpoint: Endpoint, sfn: Any) -> None:
    text = distributed(
        {"Type": "Pass"},
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"f": 1}},
        ItemSelector={"v.$": "$$.Map.Item.Value"},
    )
    output = json.loads(run(endpoint, sfn, text, [1, 2, 3])["output"])
    assert output == [
        {"BatchInput": {"f": 1}, "Items": [{"v": 1}, {"v": 2}]},
        {"BatchInput": {"f": 1}, "Items": [{"v": 3}]},
    ]


@pytest.mark.parametrize("kind", ["INLINE", "DISTRIBUTED"])
def test_an_empty_map_succeeds(endpoint: Endpoint, sfn: Any, kind: str) -> None:
    text = distributed({"Type": "Pass"})
    if kind == "INLINE":
        text = text.replace('"Mode": "DISTRIBUTED"', '"Mode": "INLINE"')
    assert run(endpoint, sfn, text, [])["output"] == "[]"


def test_what_is_no_array_is_not_gone_through(endpoint: Endpoint, sfn: Any) -> None:
    described = run(endpoint, sfn, distributed({"Type": "Pass"}, ItemsPath="$.x"), {"x": 1})
    assert described["error"] == "States.Runtime"
    assert 'Reference path "$.x" must point to array' in described["cause"]


# -- express -----------------------------------------------------------------------------------------------


def test_an_express_execution_answers_at_once(sfn: Any) -> None:
    text = definition({"Type": "Task", "Resource": f"{FUNCTION}double"}, {"Type": "Wait", "Seconds": 30})
    machine = create(sfn, text, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=machine, input="21", name="n")
    assert (answer["status"], answer["output"], answer["name"]) == ("SUCCEEDED", "42", "n")
    assert answer["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 30_000}
    slow = create(sfn, definition({"Type": "Wait", "Seconds": 301}), "slow", type="EXPRESS")
    assert sfn.start_sync_execution(stateMachineArn=slow)["status"] == "TIMED_OUT"
    standard = create(sfn, json.dumps(PASS), "standard")
    assert refused(sfn.start_sync_execution, stateMachineArn=standard)[0] == "StateMachineTypeNotSupported"
    started = sfn.start_execution(stateMachineArn=machine, input="1")["executionArn"]
    assert refused(sfn.describe_execution, executionArn=started)[0] == "InvalidArn"


def test_express_machines_do_not_wait_for_others(sfn: Any) -> None:
    text = definition(
        {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Parameters": {}}
    )
    code, message = refused(sfn.create_state_machine, name="m", definition=text, roleArn=ROLE, type="EXPRESS")
    assert code == "InvalidDefinition"
    assert "/States/A/Resource" in message


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
                "Parameters": {"QueueUrl": "q"},
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
