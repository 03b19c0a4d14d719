"""The rules that every template of ours keeps, in the manner of cfn-guard: found by looking, whatever made the template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]


def broken(template: Template) -> list[str]:
    """What is not as it has to be, as lines of `resource: reason`."""
    return [f"{name}: {reason}" for rule in _RULES for name, reason in rule(template)]


Found = Iterator[tuple[str, str]]


def _of(template: Template, type: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, each in template["Resources"].items():
        if each["Type"] == type:
            yield name, each.get("Properties", {}), each


def _statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something to a role."""
    for name, properties, _ in _of(template, "AWS::IAM::Role"):
        for policy in properties.get("Policies", ()):
            yield from ((name, each) for each in policy["PolicyDocument"]["Statement"])
    for name, properties, _ in _of(template, "AWS::IAM::ManagedPolicy"):
        yield from ((name, each) for each in properties["PolicyDocument"]["Statement"])


def no_wildcards(template: Template) -> Found:
    """No role may do everything, or something to everything."""
    for name, statement in _statements(template):
        if statement["Effect"] != "Allow":
            continue
        for action in statement["Action"]:
            if "*" in action:
                yield name, f"the action {action} has a wildcard"
        for resource in statement["Resource"]:
            text = resource if isinstance(resource, str) else resource.get("Fn::Sub", "")
            if _TOO_WIDE.fullmatch(text):
                yield name, f"the resource {text} is everything of its kind"


_TOO_WIDE = re.compile(r"\*|arn:[^:]*(:[^:]*){3,5}:([a-zA-Z-]+[:/])?\*")


def encrypted(template: Template) -> Found:
    for name, properties, _ in _of(template, "AWS::SQS::Queue"):
        if not (properties.get("SqsManagedSseEnabled") or properties.get("KmsMasterKeyId")):
            yield name, "the queue is not encrypted"
    for name, properties, _ in _of(template, "AWS::S3::Bucket"):
        if "BucketEncryption" not in properties:
            yield name, "the bucket is not encrypted"
    for name, properties, _ in _of(template, "AWS::DynamoDB::Table"):
        if not properties.get("SSESpecification", {}).get("SSEEnabled"):
            yield name, "the table is not encrypted"


def transport(template: Template) -> Found:
    """Queues and buckets refuse requests without TLS."""
    policies = json.dumps(
        [
            each
            for each in template["Resources"].values()
            if each["Type"].endswith(("QueuePolicy", "BucketPolicy"))
        ]
    )
    for type in ("AWS::SQS::Queue", "AWS::S3::Bucket"):
        for name, _, _ in _of(template, type):
            if f'"{name}"' not in policies:
                yield name, "it takes requests without TLS"
    if "aws:SecureTransport" not in policies and policies != "[]":
        yield "policies", "none of them asks for TLS"


def private(template: Template) -> Found:
    for name, properties, _ in _of(template, "AWS::S3::Bucket"):
        block = properties.get("PublicAccessBlockConfiguration", {})
        if len(block) != 4 or not all(block.values()):
            yield name, "the bucket may be made public"
    for name, properties, _ in _of(template, "AWS::Lambda::Url"):
        if properties.get("AuthType") == "AWS_IAM":
            continue
        function = template["Resources"][properties["TargetFunctionArn"]["Ref"]]["Properties"]
        if function["Handler"] not in _OPEN:
            yield name, "anybody may call the function's URL"
        elif "ReservedConcurrentExecutions" not in function:
            yield name, "whoever calls the function's URL may use up the account's concurrency"


_OPEN = ("stratum.handlers.work.page.handler",)
"""Handlers that find out by themselves who may do something: by what is signed."""


def secrets_kept(template: Template) -> Found:
    """No key is in an environment, where whoever may look at a function sees it."""
    for name, properties, _ in _of(template, "AWS::Lambda::Function"):
        for variable in properties.get("Environment", {}).get("Variables", {}):
            if variable in _KEYS:
                yield name, f"{variable} is a secret, and stands in its environment"
    for name, properties, _ in _of(template, "AWS::SecretsManager::Secret"):
        if "SecretString" in properties:
            yield name, "the secret stands in the template"


_KEYS = ("STRATUM_LINK_KEY", "STRATUM_AUDIT_KEY")


def dead_letters(template: Template) -> Found:
    """What is refused again and again goes to a queue of its own, and an alarm says so."""
    dead = {
        properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for _, properties, _ in _of(template, "AWS::SQS::Queue")
        if "RedrivePolicy" in properties
    }
    alarms = json.dumps([properties for _, properties, _ in _of(template, "AWS::CloudWatch::Alarm")])
    for name, properties, _ in _of(template, "AWS::SQS::Queue"):
        if "RedrivePolicy" not in properties and name not in dead and not name.endswith("DeadLetters"):
            yield name, "the queue has no dead-letter queue"
        if "RedrivePolicy" not in properties and f'"{name}"' not in alarms:
            yield name, "no alarm watches the dead letters"
    for name, properties, _ in _of(template, "AWS::Lambda::EventSourceMapping"):
        source = json.dumps(properties["EventSourceArn"])
        if "ReportBatchItemFailures" not in properties.get("FunctionResponseTypes", ()):
            yield name, "a batch fails as a whole"
        if "StreamArn" in source and "DestinationConfig" not in properties:
            yield name, "what fails of the stream is lost"


def visible_long_enough(template: Template) -> Found:
    """A message does not come again while it is handled: six times the function's timeout, as AWS advises."""
    resources = template["Resources"]
    for name, properties, _ in _of(template, "AWS::Lambda::EventSourceMapping"):
        queue, attribute = properties["EventSourceArn"]["Fn::GetAtt"]
        alias = properties["FunctionName"].get("Ref", "")
        if attribute != "Arn" or alias not in resources:
            continue
        function = resources[alias]["Properties"]["FunctionName"]["Ref"]
        seconds = resources[function]["Properties"]["Timeout"]
        if resources[queue]["Properties"].get("VisibilityTimeout", 30) < 6 * seconds:
            yield name, f"messages of {queue} come again while {function} may be handling them"


def logs_end(template: Template) -> Found:
    """Each function has a log group of the template's, and that forgets."""
    named = {
        str(properties.get("LogGroupName")): name
        for name, properties, _ in _of(template, "AWS::Logs::LogGroup")
    }
    for name, properties, _ in _of(template, "AWS::Logs::LogGroup"):
        if not properties.get("RetentionInDays"):
            yield name, "the log is kept for ever"
    for name, properties, _ in _of(template, "AWS::Lambda::Function"):
        if f"/aws/lambda/{properties.get('FunctionName')}" not in named:
            yield name, "its log group is not the template's"


def kept(template: Template) -> Found:
    """What must not get lost outlives the stack, and can be had back."""
    for type in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        for name, _, whole in _of(template, type):
            if {whole.get("DeletionPolicy"), whole.get("UpdateReplacePolicy")} != {"Retain"}:
                yield name, "it is deleted with the stack"
    for name, properties, _ in _of(template, "AWS::DynamoDB::Table"):
        if not properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield name, "there is no point-in-time recovery"
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            yield name, "it costs while nothing runs"
    for name, properties, _ in _of(template, "AWS::S3::Bucket"):
        if properties.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield name, "what is overwritten is lost"


def bounded(template: Template) -> Found:
    """Nothing is always on, and every function ends."""
    paid_always = ("AWS::EC2::", "AWS::ECS::", "AWS::RDS::", "AWS::ElastiCache::", "AWS::Kinesis::Stream")
    for name, each in template["Resources"].items():
        if each["Type"].startswith(paid_always) or "ProvisionedConcurrencyConfig" in each.get(
            "Properties", {}
        ):
            yield name, "it costs while nothing runs"
    for name, properties, _ in _of(template, "AWS::Lambda::Function"):
        if "Timeout" not in properties:
            yield name, "it has no timeout of its own"
        if str(properties.get("Runtime")) < "python3.11":
            yield name, "its runtime is an old one"


_RULES = (
    no_wildcards, encrypted, transport, private, dead_letters, visible_long_enough, logs_end, kept, bounded,
    secrets_kept,
)  # fmt: skip
