"""State machines and functions out of templates: CDK's, SAM's, and ones written by hand."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from machines import call, machine, task
from stratum.local.testing import SetupError, TestCloud

CHARGE = """
import os

def handler(event, context):
    return {"charged": event["amount"], "table": os.environ["TABLE"], "function": context.function_name}
"""
SAM = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Globals:
  Function:
    Runtime: python3.12
    Environment: {Variables: {TABLE: !Ref Orders}}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Sub "orders-${Stage}"}
  Charge:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/charge/, Handler: app.handler}
  Ship:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/ship/, Handler: app.handler}
  OrderFlow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      DefinitionUri: statemachine/order.asl.yaml
      DefinitionSubstitutions:
        ChargeArn: !GetAtt Charge.Arn
        ShipArn: !GetAtt Ship.Arn
        Stage: !Ref Stage
"""
ORDER_ASL = """
StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: ${ChargeArn}
    Next: Stage
  Stage:
    Type: Pass
    Result: "${Stage}"
    ResultPath: $.stage
    Next: Ship
  Ship:
    Type: Task
    Resource: ${ShipArn}
    End: true
"""


@pytest.fixture
def sam(tmp_path: Path) -> Path:
    files = {
        "template.yaml": SAM,
        "statemachine/order.asl.yaml": ORDER_ASL,
        "functions/charge/app.py": CHARGE,
        "functions/ship/app.py": "def handler(event, context):\n    return {**event, 'shipped': True}\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "template.yaml"


def test_sam(stratum: TestCloud, sam: Path) -> None:
    result = stratum.run(sam, {"amount": 5}).succeeded(
        {"charged": 5, "table": "orders-dev", "function": "Charge", "stage": "dev", "shipped": True}
    )
    assert result.path == ["Charge", "Stage", "Ship"]
    assert ":express:OrderFlow:" in result.execution
    stage = {"Stage": "prod"}
    assert stratum.run(sam, {"amount": 5}, substitutions=stage).output["table"] == "orders-prod"
    replaced = stratum.run(sam, {"amount": 5}, tasks={"Ship": lambda event, context: event["stage"]})
    replaced.succeeded("dev")
    stratum.run(sam, mocks={"Charge": {}, "Ship": 1}).succeeded(1)


def test_a_definition_of_sam_without_its_template(stratum: TestCloud, sam: Path) -> None:
    definition = sam.parent / "statemachine" / "order.asl.yaml"
    mocks = {"ChargeArn": {"charged": 1}, "Ship": lambda input: input["stage"]}
    stratum.run(definition, mocks=mocks).succeeded("${Stage}")
    stratum.run(definition, mocks=mocks, substitutions={"Stage": "dev"}).succeeded("dev")


def cdk(definition: dict[str, Any], **resources: Any) -> dict[str, Any]:
    """What CDK makes of a definition: a join of its text and references."""
    parts: list[Any] = []
    rest = json.dumps(definition)
    while "<<" in rest:
        head, _, rest = rest.partition("<<")
        name, _, rest = rest.partition(">>")
        parts += [head, {"Fn::GetAtt": [name, "Arn"]}]
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": {"Fn::Join": ["", [*parts, rest]]}, "RoleArn": {"Fn::GetAtt": ["Role1", "Arn"]}},
    }  # fmt: skip
    return {"Resources": {"Role1": {"Type": "AWS::IAM::Role"}, "Flow0A1B2C3D": machine, **resources}}


def function(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Handler": "index.handler", "Runtime": "python3.12", **properties},
    }


def test_cdk(stratum: TestCloud, tmp_path: Path) -> None:
    (tmp_path / "asset.abc").mkdir()
    (tmp_path / "asset.abc" / "index.py").write_text(
        "def handler(event, context):\n    return event['n'] + 1\n"
    )
    inline = "import os\ndef handler(event, context):\n    return event * int(os.environ['BY'])\n"
    template = cdk(
        machine(
            Add={"Type": "Task", "Resource": "<<Add0A1B2C3D>>"},
            Multiply=call("<<Multiply0A1B2C3D>>"),
        ),
        Add0A1B2C3D=function(Code={"S3Bucket": {"Fn::Sub": "cdk-${AWS::AccountId}"}, "S3Key": "abc.zip"}),
        Multiply0A1B2C3D=function(Code={"ZipFile": inline}, Environment={"Variables": {"BY": 10}}),
    )
    path = tmp_path / "Stack.template.json"
    path.write_text(json.dumps(template))
    stratum.run(path, {"n": 1}).succeeded(20)
    stratum.run(path, {"n": 1}, tasks={"Add": lambda event, context: 7}).succeeded(70)
    stratum.run(path, {"n": 1}, mocks={"Multiply": 3}).succeeded(3)
    stratum.run(template, {"n": 1}, mocks={"Add": 2}, state_machine="Flow").succeeded(20)
    with pytest.raises(SetupError, match="not beside the template"):
        stratum.run(template, {"n": 1})


def test_cloudformation_by_hand(stratum: TestCloud, tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text(
        textwrap.dedent("""
            Conditions:
              Never: !Equals [!Ref AWS::Region, nowhere]
            Mappings: {Sizes: {small: {n: 3}}}
            Resources:
              Queue: {Type: AWS::SQS::Queue}
              Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
              Gone: {Type: AWS::StepFunctions::StateMachine, Condition: Never, Properties: {}}
              Flow:
                Type: AWS::StepFunctions::StateMachine
                Properties:
                  StateMachineName: flow
                  DefinitionString: !Sub
                    - |
                      {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {
                        "queue": "${Queue}", "arn": "${Queue.Arn}", "topic": "${Topic}", "name": "${Name}",
                        "kept": "${!Literal}", "self": "${AWS::Partition}:${AWS::AccountId}", "filled": "${Filled}"},
                        "End": true}}}
                    - Name: !Select [1, !Split ["-", "a-b-c"]]
                      Filled: !If [Never, "no", !FindInMap [Sizes, small, n]]
        """)
    )
    stratum.run(path).succeeded(
        {
            "queue": "https://sqs.us-east-1.amazonaws.com/123456789012/Queue",
            "arn": "arn:aws:sqs:us-east-1:123456789012:Queue",
            "topic": "arn:aws:sns:us-east-1:123456789012:news",
            "name": "b",
            "kept": "${Literal}",
            "self": "aws:123456789012",
            "filled": "3",
        }
    )


def test_machines_that_start_each_other(stratum: TestCloud) -> None:
    definition = machine(
        Run=task("arn:aws:states:::states:startExecution.sync:2", StateMachineArn="<<Child>>", Input={"a": 1})
    )
    child = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"Definition": machine(C={"Type": "Pass"})},
    }
    template = cdk(definition, Child=child)
    result = stratum.run(template, state_machine="Flow").succeeded()
    assert result.output["Output"] == {"a": 1}


def test_what_is_wrong_with_a_template_is_told(stratum: TestCloud, tmp_path: Path) -> None:
    one = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {}}
    node = cdk(machine(A={"Type": "Task", "Resource": "<<F>>"}), F=function(Runtime="nodejs20.x"))
    circle: dict[str, Any] = cdk({"StartAt": "A", "States": {}}) | {
        "Conditions": {"A": {"Fn::Not": [{"Condition": "A"}]}}
    }
    circle["Resources"]["Flow0A1B2C3D"]["Condition"] = "A"
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ({"Resources": {}}, {}, "has 0 state machines"),
        ({"Resources": {"A": one, "B": one}}, {}, "state_machine= says which: A, B"),
        ({"Resources": {"Abc": one}}, {"state_machine": "Abd"}, "did you mean 'Abc'"),
        ({"Resources": {"A": one}}, {}, "has no definition"),
        (cdk(machine(A=call("<<Nobody>>"))), {}, "refers to 'Nobody'"),
        (cdk({"StartAt": "A", "States": {"A": {"Type": "Oops"}}}), {}, "'Flow0A1B2C3D' of the template has"),
        (node, {}, "nodejs20.x"),
        (circle, {}, "refers to itself"),
        ({"Resources": {"A": {**one, "Properties": {"DefinitionUri": "s3://b/k"}}}}, {}, "in S3"),
        ({"Resources": {"A": {**one, "Properties": {"DefinitionString": {"Fn::Cidr": []}}}}}, {}, "Fn::Cidr"),
        (
            {"Resources": {"A": {**one, "Properties": {"DefinitionString": {"Fn::Join": 3}}}}},
            {},
            "wrong arguments",
        ),
    ]
    for template, options, told in wrong:
        with pytest.raises(SetupError) as error:
            stratum.run(template, **options)
        assert told in str(error.value)
    (tmp_path / "t.yaml").write_text(
        "Resources:\n  A: {Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionUri: no.json}}\n"
    )
    with pytest.raises(SetupError, match=r"there is no file .*no\.json"):
        stratum.run(tmp_path / "t.yaml")
