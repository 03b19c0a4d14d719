"""Service integrations: which patterns a service has, and what a call of it must be given.

Only what AWS's guide, "Integrating services with Step Functions", states of a service is known here: of a
service that is not listed, nothing is refused.
"""

from __future__ import annotations

from ...engine.resources import Resource

_WITHOUT_SYNC = frozenset({"lambda", "sns", "sqs", "dynamodb", "events", "apigateway", "aws-sdk"})
_WITHOUT_TOKEN = frozenset(
    {
        "athena",
        "batch",
        "codebuild",
        "databrew",
        "dynamodb",
        "elasticmapreduce",
        "emr-containers",
        "emr-serverless",
        "glue",
        "mediaconvert",
        "sagemaker",
    }
)
_REQUIRED = {
    ("lambda", "invoke"): ("FunctionName",),
    ("sqs", "sendMessage"): ("QueueUrl", "MessageBody"),
    ("sns", "publish"): ("Message",),
    ("dynamodb", "getItem"): ("TableName", "Key"),
    ("dynamodb", "putItem"): ("TableName", "Item"),
    ("dynamodb", "updateItem"): ("TableName", "Key"),
    ("dynamodb", "deleteItem"): ("TableName", "Key"),
    ("states", "startExecution"): ("StateMachineArn",),
    ("events", "putEvents"): ("Entries",),
    ("ecs", "runTask"): ("TaskDefinition",),
    ("glue", "startJobRun"): ("JobName",),
}


def check(resource: Resource) -> None:
    """Raises ValueError for a pattern that the service does not have."""
    service = resource.type.partition(":")[0]
    pattern = resource.pattern
    if (
        (pattern.startswith(".sync") and service in _WITHOUT_SYNC)
        or (pattern == ".sync:2" and service != "states")
        or (pattern == ".waitForTaskToken" and service in _WITHOUT_TOKEN)
    ):
        raise ValueError(f"{service} has no {pattern}")


def required(resource: Resource) -> tuple[str, ...]:
    """The members that a call cannot do without."""
    return _REQUIRED.get((resource.type, resource.call), ())
