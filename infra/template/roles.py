"""Roles: each allows what its function does, on what it does that to, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..permissions import Statement
from ..plan import Deployment
from .parts import Parts, Value, att, ref, sub


def add(
    parts: Parts, deployment: Deployment, name: str, service: str, statements: Sequence[dict[str, Any] | None]
) -> str:
    """A role that a service of AWS takes. Answers its logical name."""
    allowed = [each for each in statements if each is not None]
    trust: dict[str, Any] = {
        "Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole",
    }  # fmt: skip
    if service != "lambda":
        # Nobody else's schedules or state machines may use it.
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    return parts.add(
        name,
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "PermissionsBoundary": deployment.settings.permissions_boundary,
            "Policies": [
                {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}
            ],
        },
    )


def allow(actions: str | Sequence[str], *resources: Value, **more: Any) -> dict[str, Any]:
    named = [actions] if isinstance(actions, str) else list(actions)
    return {"Effect": "Allow", "Action": named, "Resource": list(resources), **more}


def of_tasks(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """What the workflows' tasks need."""
    return [
        allow(each.actions, *(sub(arn) if "${" in arn else arn for arn in each.resources))
        for each in statements
    ]


def table(*, write: bool = True) -> dict[str, Any]:
    """The store's own way through the table: points, no scans and no transactions."""
    actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
    if write:
        actions += ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    return allow(actions, att("Table"), sub("${Table.Arn}/index/*"))


def counters() -> dict[str, Any]:
    """What mends a count of a tenant's executions."""
    return allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], att("Table"))


def bucket() -> dict[str, Any]:
    return allow(["s3:GetObject", "s3:PutObject"], sub("${Bucket.Arn}/*"))


def key(deployment: Deployment) -> dict[str, Any] | None:
    """The customer's key, where there is one."""
    if deployment.settings.kms_key is None:
        return None
    return allow(["kms:Decrypt", "kms:GenerateDataKey"], deployment.settings.kms_key)


def send(*queues: str) -> dict[str, Any]:
    return allow("sqs:SendMessage", *(att(queue) for queue in queues))


def calling_url(alias: str) -> list[dict[str, Any]]:
    """Calls the function URL of an alias, which IAM guards. Both are asked for: Lambda guide, "Control access to Lambda function
    URLs"."""
    return [
        allow(
            "lambda:InvokeFunctionUrl",
            ref(alias),
            Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        ),
        allow(
            "lambda:InvokeFunction", ref(alias), Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
        ),
    ]


def receive(*queues: str) -> dict[str, Any]:
    actions = [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ]
    return allow(actions, *(att(queue) for queue in queues))


def logs(*groups: str) -> dict[str, Any]:
    return allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"], *(sub("${" + group + ".Arn}") for group in groups)
    )


def schedules() -> list[dict[str, Any]]:
    """Schedules of our own group, which send to the queue as a role of theirs."""
    group = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${Schedules}/*"
    passing = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    return [
        allow("scheduler:CreateSchedule", sub(group)),
        allow("iam:PassRole", att("SchedulesRole"), Condition=passing),
    ]
