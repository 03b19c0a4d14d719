"""Service integrations: the optimized ones with their actions and patterns, and what a call must be given.

As AWS's guide states them: "Integrating optimized services with Step Functions", and its page on each service. `aws-sdk:`
tasks reach any action of any service, and can wait for a token.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.resources import Resource

_ALONE: tuple[str, ...] = ("",)
_SYNC = ("", ".sync")
_TOKEN = ("", ".waitForTaskToken")
_EVERY = ("", ".sync", ".waitForTaskToken")


def _each(patterns: tuple[str, ...], *actions: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(actions, patterns)


OPTIMIZED: dict[str, dict[str, tuple[str, ...]]] = {
    "apigateway": _each(_TOKEN, "invoke"),
    "athena": _each(_SYNC, "startQueryExecution")
    | _each(_ALONE, "stopQueryExecution", "getQueryExecution", "getQueryResults"),
    "batch": _each(_SYNC, "submitJob"),
    "bedrock": _each(_TOKEN, "invokeModel") | _each(_SYNC, "createModelCustomizationJob"),
    "codebuild": _each(_SYNC, "startBuild", "startBuildBatch", "retryBuildBatch")
    | _each(
        _ALONE, "stopBuild", "batchDeleteBuilds", "batchGetReports", "stopBuildBatch", "deleteBuildBatch"
    ),
    "databrew": _each(_SYNC, "startJobRun"),
    "dynamodb": _each(_ALONE, "getItem", "putItem", "updateItem", "deleteItem"),
    "ecs": _each(_EVERY, "runTask"),
    "eks": _each(_SYNC, "createCluster", "deleteCluster", "createFargateProfile", "deleteFargateProfile")
    | _each(_SYNC, "createNodegroup", "deleteNodegroup")
    | _each(_EVERY, "runJob", "call"),
    "elasticmapreduce": _each(_SYNC, "createCluster", "terminateCluster", "addStep")
    | _each(_ALONE, "setClusterTerminationProtection", "cancelStep")
    | _each(_ALONE, "modifyInstanceFleetByName", "modifyInstanceGroupByName"),
    "emr-containers": _each(_SYNC, "createVirtualCluster", "deleteVirtualCluster", "startJobRun"),
    "emr-serverless": _each(
        _SYNC, "createApplication", "startApplication", "stopApplication", "deleteApplication"
    )
    | _each(_SYNC, "startJobRun", "cancelJobRun"),
    "events": _each(_TOKEN, "putEvents"),
    "glue": _each(_SYNC, "startJobRun"),
    "http": _each(_ALONE, "invoke"),
    "lambda": _each(_TOKEN, "invoke"),
    "mediaconvert": _each(_SYNC, "createJob"),
    "sagemaker": _each(_SYNC, "createHyperParameterTuningJob", "createLabelingJob", "createProcessingJob")
    | _each(_SYNC, "createTrainingJob", "createTransformJob")
    | _each(_ALONE, "createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"),
    "sns": _each(_TOKEN, "publish"),
    "sqs": _each(_TOKEN, "sendMessage"),
    "states": _each((*_EVERY, ".sync:2"), "startExecution"),
}
"""The patterns of each action of each service."""

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
    ("databrew", "startJobRun"): ("Name",),
    ("batch", "submitJob"): ("JobName", "JobQueue", "JobDefinition"),
    ("apigateway", "invoke"): ("ApiEndpoint", "Method"),
    ("http", "invoke"): ("ApiEndpoint", "Method"),
    ("bedrock", "invokeModel"): ("ModelId",),
    ("athena", "startQueryExecution"): ("QueryString",),
    ("codebuild", "startBuild"): ("ProjectName",),
    ("elasticmapreduce", "addStep"): ("ClusterId", "Step"),
    ("elasticmapreduce", "terminateCluster"): ("ClusterId",),
}


def check(resource: Resource) -> None:
    """Raises ValueError for what is no integration, and for a pattern that it does not have."""
    if resource.type.startswith("aws-sdk:"):
        if resource.pattern not in _TOKEN or not resource.call[:1].islower():
            raise ValueError(f"aws-sdk has no {resource.action}")
    elif resource.pattern not in OPTIMIZED.get(resource.type, {}).get(resource.call, ()):
        raise ValueError(f"{resource.type} has no {resource.action}")


_OF_ITEM = frozenset(
    {
        "TableName", "ConditionalOperator", "ConditionExpression", "Expected", "ExpressionAttributeNames",
        "ExpressionAttributeValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)  # fmt: skip
_MEMBERS = {
    ("dynamodb", "getItem"): frozenset(
        {
            "TableName", "Key", "AttributesToGet", "ConsistentRead", "ExpressionAttributeNames", "ProjectionExpression",
            "ReturnConsumedCapacity",
        }
    ),
    ("dynamodb", "putItem"): _OF_ITEM | {"Item"},
    ("dynamodb", "updateItem"): _OF_ITEM | {"Key", "AttributeUpdates", "UpdateExpression"},
    ("dynamodb", "deleteItem"): _OF_ITEM | {"Key"},
    ("events", "putEvents"): frozenset({"Entries", "EndpointId"}),
    ("lambda", "invoke"): frozenset(
        {"FunctionName", "Payload", "InvocationType", "ClientContext", "LogType", "Qualifier"}
    ),
    ("sns", "publish"): frozenset(
        {
            "Message", "MessageAttributes", "MessageStructure", "MessageDeduplicationId", "MessageGroupId", "PhoneNumber",
            "Subject", "TargetArn", "TopicArn",
        }
    ),
    ("sqs", "sendMessage"): frozenset(
        {
            "DelaySeconds", "MessageAttributes", "MessageBody", "MessageDeduplicationId", "MessageGroupId", "QueueUrl",
            "MessageSystemAttributes",
        }
    ),
    ("states", "startExecution"): frozenset({"Input", "Name", "StateMachineArn", "TraceHeader"}),
}  # fmt: skip


def problems(resource: Resource, members: Iterable[str]) -> list[str]:
    """What AWS finds wrong with a call of the resource when a state comes to it, in its words."""
    known = _MEMBERS.get((resource.type, resource.call))
    if known is None:
        return []
    given = set(members)
    missing = [name for name in required(resource) if name not in given]
    return [f"The field '{name}' is required but was missing" for name in missing] + [
        f'The field "{name}" is not supported by Step Functions' for name in members if name not in known
    ]


def unrecognized(arn: str) -> str:
    """AWS's words for a resource that is none."""
    return (
        f"The resource provided {arn} is not recognized. The value is not a valid resource ARN, "
        "or the resource is not available in this region."
    )


def required(resource: Resource) -> tuple[str, ...]:
    """The members that a call cannot do without."""
    return _REQUIRED.get((resource.type, resource.call), ())
