"""What cannot be had here is refused when a state machine is made; what is bound elsewhere is performed there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_calls import ROLE, refused
from endpoint import ACCOUNT, Everything
from stratum.handlers.mocks import read_mocks
from stratum.local.aws import Door, Request, Response
from stratum.local.bindings import InvalidBinding, read_bindings
from stratum.local.server import Endpoint as Served
from stratum.local.stores import open_store


def made(everything: Everything, states: dict[str, Any], name: str = "m") -> Any:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    return everything.client().create_state_machine(name=name, definition=definition, roleArn=ROLE)


def task(resource: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": parameters or {},
        "End": True,
        **more,
    }


MEDIA = task("mediaconvert:createJob.sync", {"Role": "r", "Settings": {}})


@pytest.mark.parametrize(
    ("resource", "parameters", "reason"),
    [
        ("mediaconvert:createJob.sync", None, "moto has no mediaconvert: mock the state 'A', have its service answered elsewhere (stratum up --bind mediaconvert=aws), or install a plug-in that does it (an entry point mediaconvert.createJob.sync of the group stratum.tasks) at /States/A/Resource"),
        ("bedrock:invokeModel", {"ModelId": "m"}, "moto answers for every model with nothing: mock"),
        ("databrew:startJobRun.sync", {"Name": "j"}, "moto has no StartJobRun of databrew: mock"),
        ("emr-containers:startJobRun.sync", None, "moto's jobs of EMR on EKS never end: mock"),
        ("eks:runJob.sync", None, "runJob.sync calls the API of a Kubernetes cluster, which nothing here does: mock the state 'A', or install"),
        ("aws-sdk:textract:analyzeDocument", None, "moto has no AnalyzeDocument of textract: mock"),
    ],
)  # fmt: skip
def test_what_nothing_here_does(everything: Everything, resource: str, parameters: Any, reason: str) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": task(resource, parameters)}})
    code, message = refused(
        everything.client().create_state_machine, name="m", definition=definition, roleArn=ROLE
    )
    assert code == "InvalidDefinition"
    assert f"NOT_AVAILABLE_HERE: {reason}" in message


@pytest.mark.parametrize("resource", ["aws-sdk:s3:getObjects", "aws-sdk:nothing:getObject"])
def test_what_aws_does_not_have(everything: Everything, resource: str) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": task(resource)}})
    _, message = refused(
        everything.client().create_state_machine, name="m", definition=definition, roleArn=ROLE
    )
    assert (
        f"SCHEMA_VALIDATION_FAILED: The resource provided arn:aws:states:::{resource} is not recognized."
        in message
    )


def test_every_state_is_looked_at(everything: Everything) -> None:
    inner = {"StartAt": "In", "States": {"In": MEDIA}}
    states = {
        "Both": {"Type": "Parallel", "Branches": [inner], "Next": "All"},
        "All": {"Type": "Map", "ItemProcessor": {"StartAt": "Each", "States": {"Each": MEDIA}}, "End": True},
    }
    definition = json.dumps({"StartAt": "Both", "States": states})
    _, message = refused(
        everything.client().create_state_machine, name="m", definition=definition, roleArn=ROLE
    )
    assert "/States/Both/Branches[0]/States/In/Resource" in message
    assert "/States/All/ItemProcessor/States/Each/Resource" in message
    arn = made(everything, {"A": {"Type": "Pass", "End": True}})["stateMachineArn"]
    code, _ = refused(everything.client().update_state_machine, stateMachineArn=arn, definition=definition)
    assert code == "InvalidDefinition"


@pytest.fixture
def other_cloud() -> Iterator[tuple[Everything, str]]:
    """Another server with an API of AWS; moto's state is one, so what it has is told apart by who was asked."""
    asked: list[str] = []

    class Told(Door):
        def handle(self, request: Request) -> Response:
            asked.append(f"{request.headers.get('x-amz-target', request.method)} {request.path}")
            return super().handle(request)

    door = Told(open_store("sqlite:///:memory:"))
    with Served(door) as served:
        bound = Everything(
            elsewhere=read_bindings([
                f"sqs={served.url}", f"state:Stored elsewhere={served.url}", f"lambda:far={served.url}",
            ])
        )  # fmt: skip
        bound.asked = asked  # pyright: ignore[reportAttributeAccessIssue]
        yield bound, served.url
        bound.close()
    door.close()


def test_services_states_and_functions_elsewhere(other_cloud: tuple[Everything, str]) -> None:
    everything, _ = other_cloud
    asked: list[str] = everything.asked  # pyright: ignore[reportAttributeAccessIssue]
    url = everything.other("sqs", "123456789012").create_queue(QueueName="q")["QueueUrl"]
    everything.other("s3", "123456789012").create_bucket(Bucket="files")
    put = {"Bucket": "files", "Key": "k", "Body": "x"}
    states = {
        "Send": {**task("sqs:sendMessage", {"QueueUrl": url, "MessageBody": "x"}, ResultPath=None), "Next": "Stored here"},
        "Stored here": {**task("aws-sdk:s3:putObject", put, ResultPath=None), "Next": "Stored elsewhere"},
        "Stored elsewhere": {**task("aws-sdk:s3:putObject", put, ResultPath=None), "Next": "Call"},
        "Call": task("lambda:invoke", {"FunctionName": "far"}, Catch=[{"ErrorEquals": ["Lambda.ResourceNotFoundException"], "Next": "End"}]),
        "End": {"Type": "Succeed"},
    }  # fmt: skip
    for state in states.values():
        if "Next" in state:
            state.pop("End", None)
    role = "arn:aws:iam::123456789012:role/r"
    sfn = everything.client("123456789012")
    arn = sfn.create_state_machine(
        name="m", definition=json.dumps({"StartAt": "Send", "States": states}), roleArn=role
    )["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    everything.settle(execution)
    assert sfn.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"
    assert [call.partition("?")[0] for call in asked] == [
        "AmazonSQS.SendMessage /",
        "PUT /files/k",
        "POST /2015-03-31/functions/far/invocations",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sqs", "'sqs' is no binding"),
        ("=aws", "'=aws' is no binding"),
        ("sqs=mars", "a place is aws, aws:PROFILE, or a URL"),
        ("squeues=aws", "there is no AWS service 'squeues'"),
        ("states=aws", "Step Functions is what runs here"),
    ],
)
def test_bindings_that_are_none(text: str, problem: str) -> None:
    with pytest.raises(InvalidBinding, match=problem.replace("(", r"\(")):
        read_bindings([text])


@pytest.mark.parametrize("name", ["bedrock", "bedrock-runtime", "bedrockruntime", "aws-sdk:bedrockruntime"])
def test_services_by_any_of_their_names(name: str) -> None:
    bindings = read_bindings([f"{name}=aws:dev"])
    assert bindings.services["bedrock-runtime"].profile == "dev"


def test_what_is_bound_or_mocked_is_not_refused() -> None:
    config = {
        "StateMachines": {"media": {"TestCases": {"Works": {"Convert": "Done"}}}},
        "MockedResponses": {"Done": {"0": {"Return": {"Job": {"Status": "COMPLETE"}}}}},
    }
    everything = Everything(mocks=read_mocks(config), elsewhere=read_bindings(["bedrock=aws"]))
    try:
        made(everything, {"A": task("bedrock:invokeModel", {"ModelId": "m"})})
        arn = made(everything, {"Convert": MEDIA}, name="media")["stateMachineArn"]
        sfn = everything.client()
        mocked = sfn.start_execution(stateMachineArn=f"{arn}#Works")["executionArn"]
        plain = sfn.start_execution(stateMachineArn=arn)["executionArn"]
        everything.settle()
        assert sfn.describe_execution(executionArn=mocked)["status"] == "SUCCEEDED"
        failed = sfn.describe_execution(executionArn=plain)
        assert failed["error"] == "States.Runtime"
        assert failed["cause"].startswith("moto has no mediaconvert: mock the state 'Convert'")
    finally:
        everything.close()


def test_a_status_of_moto_that_it_does_not_have_is_no_success(everything: Everything) -> None:
    """An operation that only a call shows to be missing."""
    sfn = everything.client()
    state = task(
        "aws-sdk:xray:getTraceSegmentDestination", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    )
    arn = made(everything, {"A": state, "B": {"Type": "Succeed"}})["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    everything.settle()
    failed = sfn.describe_execution(executionArn=execution)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")
    assert ACCOUNT in execution
