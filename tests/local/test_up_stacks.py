"""Templates: stacks of state machines, functions and all that they use, through boto3 and the AWS CLI."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from up import Up, archive, ended, until

# The parts of one shop: a function checks, a table keeps, a queue asks, and a function that reads the queue answers.
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: {Type: String, Default: dev}
  Most: {Type: Number, Default: 10}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: [states.amazonaws.com, lambda.amazonaws.com]}, Action: sts:AssumeRole}]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Queue: {Type: AWS::SQS::Queue}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}]}
  Check:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Environment: {Variables: {STAGE: !Ref Stage, MOST: !Ref Most}}
      Code:
        ZipFile: |
          import os
          def handler(event, context):
              return {"ok": event["qty"] < int(os.environ["MOST"]), "stage": os.environ["STAGE"]}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Check}}
  Live:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Check, FunctionVersion: !GetAtt Version.Version, Name: live}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Check, AuthType: NONE}}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Timeout: 30
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import boto3, json
          def handler(event, context):
              for record in event["Records"]:
                  asked = json.loads(record["body"])
                  boto3.client("stepfunctions").send_task_success(
                      taskToken=asked["token"], output=json.dumps({"did": asked["order"]}))
  Source:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Worker, BatchSize: 1}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Check, Action: lambda:InvokeFunction, Principal: states.amazonaws.com}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt Role.Arn
      DefinitionSubstitutions: {check: !GetAtt Check.Arn, queue: !Ref Queue, table: !Ref Table}
      DefinitionString: |
        {"StartAt": "Check", "States": {
          "Check": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "ResultPath": "$.check", "Next": "Save",
            "Parameters": {"FunctionName": "${check}", "Payload.$": "$"}, "ResultSelector": {"stage.$": "$.Payload.stage"}},
          "Save": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "ResultPath": null, "Next": "Ask",
            "Parameters": {"TableName": "${table}", "Item": {"id": {"S.$": "$.id"}, "stage": {"S.$": "$.check.stage"}}}},
          "Ask": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
            "TimeoutSeconds": 60, "Parameters": {"QueueUrl": "${queue}",
              "MessageBody": {"order.$": "$.id", "token.$": "$$.Task.Token"}}}
        }}
  Quick:
    Type: AWS::StepFunctions::StateMachine
    Condition: IsDev
    Properties:
      StateMachineName: !Sub "${AWS::StackName}-quick"
      StateMachineType: EXPRESS
      RoleArn: !GetAtt Role.Arn
      Definition:
        StartAt: Call
        States: {Call: {Type: Task, Resource: !GetAtt Check.Arn, End: true}}
Outputs:
  Machine: {Value: !Ref Machine}
  Quick: {Value: !GetAtt Quick.Arn}
  Name: {Value: !GetAtt Machine.Name}
  Table: {Value: !Ref Table}
  Live: {Value: !Ref Live}
  Url: {Value: !GetAtt Url.FunctionUrl}
"""


def outputs(up: Up, stack: str) -> dict[str, str]:
    [described] = up.service("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    assert described["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), events(up, stack)
    return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}


def events(up: Up, stack: str) -> list[tuple[str, str, str | None]]:
    every = up.service("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [
        (each["LogicalResourceId"], each["ResourceStatus"], each.get("ResourceStatusReason"))
        for each in every
    ]


def sync(up: Up, machine: str, input: Any) -> Any:
    answer = up.client().start_sync_execution(stateMachineArn=machine, input=json.dumps(input))
    return json.loads(answer["output"])


def test_the_aws_cli_deploys_a_template(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(TEMPLATE)
    command = (
        "cloudformation",
        "deploy",
        "--stack-name",
        "shop",
        "--capabilities",
        "CAPABILITY_IAM",
        "--no-fail-on-empty-changeset",
    )
    up.run_cli(*command, "--template-file", str(file))
    made = outputs(up, "shop")
    described = up.run(made["Machine"], {"id": "o-1", "qty": 3})
    assert described["status"] == "SUCCEEDED", described
    assert json.loads(described["output"]) == {"did": "o-1"}
    every = up.client().get_execution_history(executionArn=described["executionArn"])["events"]
    assert [event["type"] for event in every] == [
        "ExecutionStarted",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
        "ExecutionSucceeded",
    ]  # fmt: skip
    item = up.service("dynamodb").get_item(TableName=made["Table"], Key={"id": {"S": "o-1"}})["Item"]
    assert item["stage"] == {"S": "dev"}
    assert sync(up, made["Quick"], {"qty": 30}) == {"ok": False, "stage": "dev"}
    assert up.call(made["Live"], {"qty": 1})["Payload"]["ok"] is True
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=20)
    connection.request("GET", "/", headers={"Host": made["Url"].split("/")[2]})
    assert connection.getresponse().status == 502  # the function fails without a `qty`

    up.run_cli(*command, "--template-file", str(file), "--parameter-overrides", "Most=50")
    assert sync(up, outputs(up, "shop")["Quick"], {"qty": 30})["ok"] is True
    file.write_text(TEMPLATE.replace('{"ok": event', '{"new": True, "ok": event'))
    up.run_cli(*command, "--template-file", str(file))
    assert sync(up, outputs(up, "shop")["Quick"], {"qty": 30})["new"] is True
    up.service("cloudformation").delete_stack(StackName="shop")
    with pytest.raises(up.client().exceptions.StateMachineDoesNotExist):
        up.client().describe_state_machine(stateMachineArn=made["Machine"])
    assert made["Table"] not in up.service("dynamodb").list_tables()["TableNames"]


SAM = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Timeout: 20}}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      AutoPublishAlias: live
      Policies: [AWSLambdaBasicExecutionRole, {DynamoDBCrudPolicy: {TableName: !Ref People}}]
      FunctionUrlConfig: {AuthType: NONE}
      InlineCode: |
        def handler(event, context):
            return {"statusCode": 200, "body": "Hello, " + (event.get("pathParameters") or event)["name"]}
      Events:
        Api: {Type: Api, Properties: {Path: "/hello/{name}", Method: get}}
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
  People: {Type: AWS::Serverless::SimpleTable}
  Queue: {Type: AWS::SQS::Queue}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Greet
        States: {Greet: {Type: Task, Resource: "${greet}", End: true}}
      DefinitionSubstitutions: {greet: !GetAtt Greet.Arn}
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Greet}}]
      Events: {Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}
Outputs:
  Flow: {Value: !Ref Flow}
  Api: {Value: !Ref ServerlessRestApi}
"""


def test_a_sam_template(up: Up) -> None:
    up.service("cloudformation").create_stack(
        StackName="sam", TemplateBody=SAM, Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
    )
    made = outputs(up, "sam")
    assert json.loads(up.run(made["Flow"], {"name": "Ada"})["output"])["body"] == "Hello, Ada"
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=20)
    connection.request("GET", f"/restapis/{made['Api']}/Prod/_user_request_/hello/Eve")
    assert connection.getresponse().read() == b"Hello, Eve"


CUSTOM = """
import cfnresponse
def handler(event, context):
    if event["ResourceProperties"].get("Fails") == "yes" and event["RequestType"] != "Delete":
        raise ValueError("it was to fail")
    cfnresponse.send(event, context, cfnresponse.SUCCESS, {"Twice": event["ResourceProperties"]["Text"] * 2}, "mine")
"""


def custom(**properties: str) -> str:
    role = "arn:aws:iam::123456789012:role/r"
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Runtime": "python3.12", "Handler": "index.handler", "Role": role, "Code": {"ZipFile": CUSTOM}, "Timeout": 30},
    }  # fmt: skip
    resource = {
        "Type": "Custom::Thing",
        "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, **properties},
    }
    shown = {"Twice": {"Value": {"Fn::GetAtt": ["Thing", "Twice"]}}, "Id": {"Value": {"Ref": "Thing"}}}
    return json.dumps({"Resources": {"Function": function, "Thing": resource}, "Outputs": shown})


def test_custom_resources_are_made_by_their_functions(up: Up) -> None:
    client = up.service("cloudformation")
    client.create_stack(StackName="custom", TemplateBody=custom(Text="ab"))
    assert outputs(up, "custom") == {"Twice": "abab", "Id": "mine"}
    client.update_stack(StackName="custom", TemplateBody=custom(Text="c"))
    assert outputs(up, "custom")["Twice"] == "cc"
    client.create_stack(StackName="custom-fails", TemplateBody=custom(Text="", Fails="yes"))
    told = events(up, "custom-fails")
    assert ("custom-fails", "ROLLBACK_COMPLETE", None) in told
    assert any(name == "Thing" and "it was to fail" in (reason or "") for name, _, reason in told)


def test_what_fails_is_rolled_back_and_told(up: Up) -> None:
    client = up.service("cloudformation")
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "DependsOn": "Queue",
        "Properties": {"RoleArn": "arn:aws:iam::123456789012:role/r", "DefinitionString": '{"StartAt": "A"}'},
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "rolled-back"}}
    client.create_stack(
        StackName="bad", TemplateBody=json.dumps({"Resources": {"Queue": queue, "Machine": machine}})
    )
    [described] = client.describe_stacks(StackName="bad")["Stacks"]
    assert described["StackStatus"] == "ROLLBACK_COMPLETE"
    [reason] = [
        reason for name, status, reason in events(up, "bad") if (name, status) == ("Machine", "CREATE_FAILED")
    ]
    assert "InvalidDefinition" in (reason or "")
    with pytest.raises(ClientError):
        up.service("sqs").get_queue_url(QueueName="rolled-back")
    assert client.describe_stack_resources(StackName="bad")["StackResources"] == []


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{", "Template format error"),
        ("- a", "unsupported structure"),
        ("Resources: !!python/object/apply:os.getcwd []", "Template format error"),
        ("Description: none", "At least one Resources member"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function, Properties: {}}}", "Resource with id .F. is invalid"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused(up: Up, template: str, says: str) -> None:
    with pytest.raises(ClientError, match=says) as caught:
        up.service("cloudformation").create_stack(StackName="none", TemplateBody=template)
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_types_that_nobody_makes_have_placeholders(up: Up) -> None:
    template = "Resources: {Pool: {Type: AWS::Cognito::UserPool}}\nOutputs: {Arn: {Value: !GetAtt Pool.Arn}}"
    up.service("cloudformation").create_stack(StackName="pool", TemplateBody=template)
    assert outputs(up, "pool")["Arn"].startswith("arn:aws:cognito:us-east-1:123456789012:userpool/pool-Pool-")


def test_a_definition_in_s3_with_versions_and_aliases(up: Up) -> None:
    s3 = up.service("s3")
    s3.create_bucket(Bucket="definitions")
    s3.put_object(
        Bucket="definitions",
        Key="m.yaml",
        Body=b"StartAt: A\nStates: {A: {Type: Pass, Result: '${text}', End: true}}\n",
    )
    template = """
Resources:
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/r
      StateMachineName: of-s3
      DefinitionS3Location: {Bucket: definitions, Key: m.yaml}
      DefinitionSubstitutions: {text: hello}
      LoggingConfiguration: {Level: "OFF", IncludeExecutionData: "true"}
      Tags: [{Key: a, Value: b}]
  Version: {Type: AWS::StepFunctions::StateMachineVersion, Properties: {StateMachineArn: !Ref Machine}}
  Alias:
    Type: AWS::StepFunctions::StateMachineAlias
    Properties: {Name: live, RoutingConfiguration: [{StateMachineVersionArn: !Ref Version, Weight: 100}]}
  Activity: {Type: AWS::StepFunctions::Activity, Properties: {Name: of-stack}}
Outputs: {Alias: {Value: !Ref Alias}, Activity: {Value: !GetAtt Activity.Name}}
"""
    up.service("cloudformation").create_stack(StackName="of-s3", TemplateBody=template)
    made = outputs(up, "of-s3")
    assert made["Activity"] == "of-stack"
    client = up.client()
    started = client.start_execution(stateMachineArn=made["Alias"])["executionArn"]
    assert ended(client, started)["output"] == '"hello"'
    machine = made["Alias"].rpartition(":")[0]
    assert client.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "a", "value": "b"}]
    assert len(client.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]) == 1
    up.service("cloudformation").delete_stack(StackName="of-s3")
    until(lambda: "of-stack" not in [each["name"] for each in client.list_activities()["activities"]])


ASSETS = """
Parameters:
  Bootstrap: {Type: "AWS::SSM::Parameter::Value<String>", Default: /cdk-bootstrap/version}
  Handler: {Type: String, Default: app.first}
Resources:
  Table:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      Replicas: [{Region: us-east-1}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: !Ref Handler
      Role: arn:aws:iam::123456789012:role/r
      Code: {S3Bucket: cdk-assets, S3Key: code.zip}
      Environment: {Variables: {TABLE: !Ref Table}}
  Metadata: {Type: AWS::CDK::Metadata, Properties: {Analytics: none}}
Outputs: {Function: {Value: !Ref Function}}
"""


def test_what_cdk_does_to_deploy(up: Up) -> None:
    s3, client = up.service("s3"), up.service("cloudformation")
    up.service("ssm").put_parameter(Name="/cdk-bootstrap/version", Value="28", Type="String")
    s3.create_bucket(Bucket="cdk-assets")
    only_tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::cdk-assets/*"}
    only_tls["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}  # pyright: ignore[reportArgumentType]
    s3.put_bucket_policy(
        Bucket="cdk-assets", Policy=json.dumps({"Version": "2012-10-17", "Statement": [only_tls]})
    )
    code = "import os\ndef first(event, context): return os.environ['TABLE']\ndef second(event, context): return 2\n"
    s3.put_object(Bucket="cdk-assets", Key="code.zip", Body=archive({"app.py": code}))
    s3.put_object(Bucket="cdk-assets", Key="template.yaml", Body=ASSETS.encode())
    named = {"ChangeSetName": "cdk-deploy-change-set"}

    def deploy(stack: str, kind: str, *parameters: dict[str, Any]) -> None:
        client.delete_change_set(StackName=stack, **named)
        with pytest.raises(client.exceptions.ChangeSetNotFoundException):
            client.describe_change_set(StackName=stack, **named)
        client.create_change_set(
            StackName=stack, ChangeSetType=kind, TemplateURL=f"{up.url}/cdk-assets/template.yaml",
            Parameters=[*parameters], **named,
        )  # fmt: skip

    for stack in ("cdk-one", "cdk-two"):
        deploy(stack, "CREATE")
    for stack in ("cdk-one", "cdk-two"):
        client.execute_change_set(StackName=stack, **named)
        assert up.call(outputs(up, stack)["Function"])["Payload"].startswith(f"{stack}-Table-")
    kept = {"ParameterKey": "Bootstrap", "UsePreviousValue": True}
    deploy("cdk-one", "UPDATE", kept, {"ParameterKey": "Handler", "ParameterValue": "app.second"})
    client.execute_change_set(StackName="cdk-one", **named)
    assert up.call(outputs(up, "cdk-one")["Function"])["Payload"] == 2
    assert up.call(outputs(up, "cdk-two")["Function"])["Payload"] != 2
