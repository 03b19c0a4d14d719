"""Tasks that Step Functions has an integration of its own for, as far as they are one call of the service's API.

See the AWS guide, "Integrating optimized services with Step Functions", and its page on each service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..arns import state_machine_arn
from .calls import Answer, Style, call, with_metadata
from .names import capital
from .outcomes import TaskFailed
from .values import compact

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand


@dataclass(frozen=True, slots=True)
class Service:
    """`botocore` is the service's name there; `metadata`: whether answers tell of their HTTP response."""

    botocore: str
    style: Style
    metadata: bool = True


def _legacy(botocore: str, prefix: str, service: str, base: str | None = None) -> Service:
    return Service(botocore, Style(capital, prefix, service, base or f"{service}Exception"))


SERVICES = {
    "athena": _legacy("athena", "Athena", "AmazonAthena"),
    "batch": _legacy("batch", "Batch", "AWSBatch"),
    "bedrock": Service("bedrock", Style(capital, "Bedrock"), metadata=False),
    "codebuild": _legacy("codebuild", "CodeBuild", "AWSCodeBuild"),
    "databrew": _legacy("databrew", "DataBrew", "AWSGlueDataBrew"),
    "dynamodb": _legacy("dynamodb", "DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"),
    "ecs": _legacy("ecs", "ECS", "AmazonECS"),
    "eks": _legacy("eks", "EKS", "AmazonEKS"),
    "elasticmapreduce": _legacy("emr", "ElasticMapReduce", "AmazonElasticMapReduce"),
    "emr-containers": _legacy("emr-containers", "EMRContainers", "AmazonEMRContainers"),
    "emr-serverless": Service("emr-serverless", Style(capital, "EmrServerless"), metadata=False),
    "events": Service("events", Style(capital, "EventBridge", "AmazonEventBridge", "AmazonEventBridgeException"), metadata=False),
    "glue": _legacy("glue", "Glue", "AWSGlue"),
    "mediaconvert": _legacy("mediaconvert", "MediaConvert", "AWSMediaConvert"),
    "sagemaker": _legacy("sagemaker", "SageMaker", "AmazonSageMaker"),
    "sns": _legacy("sns", "SNS", "AmazonSNS"),
    "sqs": _legacy("sqs", "SQS", "AmazonSQS"),
}  # fmt: skip
"""By the service's name in `arn:aws:states:::service:action`."""


def perform(runtime: Runtime, execution: str, command: TaskCommand, type: str, action: str) -> str:
    """Performs one call and answers what it answered."""
    service = SERVICES[type]
    arguments = json.loads(command.arguments)
    if type == "events":
        return _put_events(runtime, execution, command, arguments)
    if type == "sqs":
        _reachable(arguments)
    if type == "elasticmapreduce":
        from . import emr

        return compact(shown(service, emr.ask(runtime, service, action, arguments, command.key)))
    answer = ask(runtime, service, action, arguments, command.key)
    return compact(shown(service, answer))


def ask(runtime: Runtime, service: Service, action: str, arguments: Any, key: str) -> Answer:
    return call(runtime.client(service.botocore), action, arguments, service.style, key=key)


def shown(service: Service, answer: Answer) -> dict[str, Any]:
    """An answer as the task's result."""
    return with_metadata(answer.fields, answer.raw) if service.metadata else answer.fields


def _put_events(runtime: Runtime, execution: str, command: TaskCommand, arguments: Any) -> str:
    """Every entry tells which execution it comes from. One that is refused fails the task, whatever became of the rest."""
    service = SERVICES["events"]
    if isinstance(arguments, dict) and isinstance(entries := arguments.get("Entries"), list):
        came_from = [state_machine_arn(execution), execution]
        entries = [
            {**entry, "Resources": [*(entry.get("Resources") or []), *came_from]}
            if isinstance(entry, dict)
            else entry
            for entry in entries
        ]
        arguments = {**arguments, "Entries": entries}
    answer = ask(runtime, service, "putEvents", arguments, command.key)
    if answer.raw.get("FailedEntryCount"):
        raise TaskFailed("EventBridge.FailedEntry", compact(answer.fields))
    return compact({"FailedEntryCount": 0, **answer.fields})


def _reachable(arguments: Any) -> None:
    """Raises `TaskFailed` for a queue's URL that leads nowhere: the SDK sends the request to its very host."""
    url = arguments.get("QueueUrl") if isinstance(arguments, dict) else None
    if not isinstance(url, str) or "://" not in url:
        return
    parts = urlsplit(url)
    if not parts.path.strip("/"):
        reason = f"Unable to execute HTTP request: {parts.hostname}: Name or service not known"
        raise TaskFailed("SQS.SdkClientException", reason)
