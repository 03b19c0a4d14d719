"""Tasks that are any call of any AWS service: `arn:aws:states:::aws-sdk:service:action`.

See the AWS guide, "Learning to use AWS service SDK integrations in Step Functions".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...statelang.engine.resources import parse_resource
from .calls import SDK, botocore_service, call
from .outcomes import TaskFailed
from .values import compact

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand


def perform(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """Calls the action with the arguments; answers what it answers, with AWS's casing."""
    resource = parse_resource(command.resource)
    service = botocore_service(resource.type.removeprefix("aws-sdk:"))
    if service is None:
        raise TaskFailed(
            "States.Runtime", f"The resource {command.resource} is not supported: no such service is known."
        )
    arguments = json.loads(command.arguments)
    if service == "s3" and resource.action == "putObject" and isinstance(arguments, dict):
        arguments = _as_text(arguments)
    return compact(call(runtime.client(service), resource.action, arguments, SDK, key=command.key).fields)


def _as_text(arguments: dict[str, Any]) -> dict[str, Any]:
    """A body is sent as text, and S3 told so, as the SDK for Java does."""
    return (
        arguments
        if arguments.get("Body") is None
        else {"ContentType": "text/plain; charset=UTF-8", **arguments}
    )
