"""Requests of every kind: what AWS's shapes refuse, and that nothing sent breaks the front door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_calls import PASS, ROLE, create, definition, refused
from botocore.session import get_session
from endpoint import ACCOUNT, Endpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.handlers.api import front_door, shapes

MODEL: Any = get_session().get_service_model("stepfunctions")


def raw(endpoint: Endpoint, operation: str, body: str) -> tuple[int, dict[str, Any]]:
    event = {"headers": {"X-Amz-Target": f"AWSStepFunctions.{operation}"}, "body": body}
    answer = front_door.handle(endpoint.cloud.runtime_for(ACCOUNT, "us-east-1"), event)
    return answer["statusCode"], json.loads(answer["body"])


def shape_of(given: shapes.Shape) -> Any:
    if isinstance(given, shapes.Structure):
        return {name: shape_of(member) for name, member in given.members.items()}, set(given.required)
    if isinstance(given, shapes.ListOf):
        return [shape_of(given.item)], given.least, given.most
    if isinstance(given, shapes.Text):
        return "string", given.least, given.most, set(given.among)
    if isinstance(given, shapes.Number):
        return given.kind.lower(), given.least, given.most
    return "boolean"


def modelled(shape: Any) -> Any:
    limits = shape.metadata
    if shape.type_name == "structure":
        return {name: modelled(member) for name, member in shape.members.items()}, set(shape.required_members)
    if shape.type_name == "list":
        return [modelled(shape.member)], limits.get("min", 0), limits.get("max")
    if shape.type_name == "string":
        return "string", limits.get("min", 0), limits.get("max"), set(shape.enum)
    if shape.type_name == "boolean":
        return "boolean"
    return shape.type_name, limits.get("min"), limits.get("max")


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_the_shapes_are_aws_s(operation: str) -> None:
    ours, theirs = (
        shape_of(shapes.OPERATIONS[operation]),
        modelled(MODEL.operation_model(operation).input_shape),
    )
    if operation in ("StartExecution", "StartSyncExecution"):
        # The test case of a mocked execution follows the ARN.
        ours[0]["stateMachineArn"] = theirs[0]["stateMachineArn"]
    assert ours == theirs


@pytest.mark.parametrize(
    ("operation", "body", "type", "message"),
    [
        ("DescribeExecution", {}, "ValidationException", "1 validation error detected: Value null at 'executionArn' failed to satisfy constraint: Member must not be null"),
        ("CreateActivity", {"name": "x" * 81}, "ValidationException", f"1 validation error detected: Value '{'x' * 81}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80"),
        ("ListActivities", {"maxResults": 1001, "nextToken": ""}, "ValidationException", "2 validation errors detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000; Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        ("StartExecution", {"stateMachineArn": "a", "input": " " * 262_145}, "ValidationException", "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144"),
        ("CreateStateMachine", {"name": "m", "definition": "{}", "roleArn": "r", "type": "FAST"}, "ValidationException", "1 validation error detected: Value 'FAST' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]"),
        ("CreateStateMachineAlias", {"name": "1", "routingConfiguration": [{"stateMachineVersionArn": "a", "weight": 101}]}, "ValidationException", "2 validation errors detected: Value '1' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$; Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100"),
        ("ListActivities", {"maxResults": "7"}, "SerializationException", "STRING_VALUE can not be converted to an Integer"),
        ("ListActivities", {"maxResults": True}, "SerializationException", "TRUE_VALUE can not be converted to an Integer"),
        ("DescribeActivity", {"activityArn": 1}, "SerializationException", "NUMBER_VALUE can not be converted to a String"),
        ("DescribeActivity", {"activityArn": []}, "SerializationException", "Start of list found where not expected"),
        ("UntagResource", {"resourceArn": "a", "tagKeys": {}}, "SerializationException", "Start of structure or map found where not expected"),
    ],
)  # fmt: skip
def test_what_the_shapes_refuse(
    endpoint: Endpoint, operation: str, body: dict[str, Any], type: str, message: str
) -> None:
    status, answer = raw(endpoint, operation, json.dumps(body))
    assert (status, answer["__type"], answer["message"]) == (400, type, message)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"a"', "null", "NaN", "\ud800", "[" * 100_000])
def test_bodies_that_are_no_request(endpoint: Endpoint, body: str) -> None:
    status, answer = raw(endpoint, "DescribeExecution", body)
    assert status == 400
    assert answer["__type"] in ("SerializationException", "ValidationException")


# -- settings ----------------------------------------------------------------------------------------------

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:g"


@pytest.mark.parametrize(
    ("logging", "reason"),
    [
        ({"level": "ALL"}, "Must specify exactly one Log Destination."),
        ({"level": "OFF", "destinations": [{}, {}]}, "Must specify exactly one Log Destination."),
        ({"level": "ALL", "destinations": [{}]}, "Must set valid CloudWatch Log Group ARN."),
        ({"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:s3:::b"}}]}, "Provided ARN is not CloudWatch Logs Log Group ARN."),
        ({"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}]}, "Log Group ARN must be provided with '*' qualifier."),
    ],
)  # fmt: skip
def test_logging_that_cannot_be(sfn: Any, logging: Any, reason: str) -> None:
    answer = refused(
        sfn.create_state_machine,
        name="m",
        definition=json.dumps(PASS),
        roleArn=ROLE,
        loggingConfiguration=logging,
    )
    assert answer == ("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {reason}")


def test_encryption_is_told_back(sfn: Any) -> None:
    key = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"}
    machine = create(sfn, json.dumps(PASS), encryptionConfiguration=key)
    told = {**key, "kmsDataKeyReusePeriodSeconds": 300}
    assert sfn.describe_state_machine(stateMachineArn=machine)["encryptionConfiguration"] == told
    sfn.update_state_machine(stateMachineArn=machine, encryptionConfiguration={"type": "AWS_OWNED_KEY"})
    assert sfn.describe_state_machine(stateMachineArn=machine)["encryptionConfiguration"] == {
        "type": "AWS_OWNED_KEY"
    }
    activity = sfn.create_activity(name="a", encryptionConfiguration=key)["activityArn"]
    assert sfn.describe_activity(activityArn=activity)["encryptionConfiguration"] == told
    for wrong in ({"type": "CUSTOMER_MANAGED_KMS_KEY"}, {"type": "AWS_OWNED_KEY", "kmsKeyId": "k"}):
        code, _ = refused(sfn.create_activity, name="b", encryptionConfiguration=wrong)
        assert code == "InvalidEncryptionConfiguration"


def test_another_role_and_other_tags_are_no_other_state_machine(sfn: Any) -> None:
    text = json.dumps(PASS)
    machine = create(sfn, text, tags=[{"key": "a", "value": "1"}])
    again = sfn.create_state_machine(
        name="m", definition=text, roleArn=f"{ROLE}2", tags=[{"key": "b", "value": "2"}]
    )
    assert again["stateMachineArn"] == machine
    assert sfn.describe_state_machine(stateMachineArn=machine)["roleArn"] == ROLE
    assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "a", "value": "1"}]
    for other in ({"type": "EXPRESS"}, {"publish": True}, {"tracingConfiguration": {"enabled": True}}):
        code, _ = refused(sfn.create_state_machine, name="m", definition=text, roleArn=ROLE, **other)
        assert code == "StateMachineAlreadyExists"


def test_aliases_that_are_not_there(sfn: Any) -> None:
    alias = f"{create(sfn, json.dumps(PASS))}:no"
    missing = ("ResourceNotFound", "Request references a resource that does not exist.")
    assert refused(sfn.describe_state_machine_alias, stateMachineAliasArn=alias) == missing
    assert refused(sfn.update_state_machine_alias, stateMachineAliasArn=alias, description="d") == missing
    assert (
        refused(sfn.update_state_machine_alias, stateMachineAliasArn=alias)[0] == "MissingRequiredParameter"
    )
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)


# -- anything at all ---------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.sampled_from([10**400, 1e308, -1, 2**63, "x" * 300, "\x00", "\ud800", "arn:", "arn:aws:states:::"]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def busy() -> tuple[Endpoint, dict[str, Any]]:
    """A cloud with something of every kind, and values that requests may name it by."""
    made = Endpoint()
    sfn = made.client()
    activity = sfn.create_activity(name="act")["activityArn"]
    item = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}},
    }
    text = definition({"Type": "Map", "ItemProcessor": item, "MaxConcurrency": 1})
    machine = create(sfn, text, publish=True)
    version = sfn.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"][0]
    routing = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=routing)["stateMachineAliasArn"]
    started = sfn.start_execution(stateMachineArn=machine, input="[1, 2]")["executionArn"]
    made.cloud.step(1)
    run = sfn.list_map_runs(executionArn=started)["mapRuns"][0]["mapRunArn"]
    arns = [
        machine,
        alias,
        version["stateMachineVersionArn"],
        started,
        run,
        activity,
    ]
    return made, {
        "arn": st.sampled_from([*arns, "arn:aws:states:us-east-1:000000000000:execution:m:no"]),
        "definition": st.sampled_from(
            [
                text,
                json.dumps(PASS),
                "{",
                "[]",
                '{"Type": "Pass", "End": true}',
                json.dumps({"Type": "Map", "End": True, "ItemProcessor": PASS}),
            ]
        ),
        "json": st.sampled_from(["{}", "[]", "1", "null", '"x"', "{", "[1e400]", "NaN", '{"a":"\\ud800"}']),
        "routing": st.just(routing),
    }


def value_of(shape: Any, name: str, known: dict[str, Any]) -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if kind == "structure":
        members = {
            member: st.none() | value_of(inner, member, known) for member, inner in shape.members.items()
        }
        right: Any = st.fixed_dictionaries({}, optional=members)
    elif kind == "list":
        right = st.lists(value_of(shape.member, name, known), max_size=3)
        right = right | known["routing"] if name == "routingConfiguration" else right
    elif kind == "string" and shape.enum:
        right = st.sampled_from(shape.enum)
    elif name.lower().endswith("arn"):
        right = known["arn"]
    elif name in ("input", "output", "context", "variables", "result", "mapItemReaderData"):
        right = known["json"]
    elif name == "definition":
        right = known["definition"]
    elif kind == "boolean":
        right = st.booleans()
    elif kind == "string":
        right = st.text(max_size=10) | st.sampled_from(["m", "S", "live", "a" * 81])
    else:
        right = st.integers(-1, 101)
    return st.integers(0, 9).flatmap(lambda draw: ANYTHING if draw == 0 else right)


@settings(max_examples=300)
@given(st.data())
def test_no_request_breaks_the_front_door(busy: tuple[Endpoint, dict[str, Any]], data: st.DataObject) -> None:
    endpoint, known = busy
    operation = data.draw(st.sampled_from(MODEL.operation_names))
    shape = MODEL.operation_model(operation).input_shape
    members = {name: value_of(member, name, known) for name, member in shape.members.items()}
    needed = {name: members[name] for name in shape.required_members}
    others = {name: member for name, member in members.items() if name not in needed}
    parameters = data.draw(st.fixed_dictionaries(needed, optional=others))
    status, answer = raw(endpoint, operation, json.dumps(parameters))
    assert status in (200, 400), answer
