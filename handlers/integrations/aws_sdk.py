"""Tasks that are any call of any AWS service: `arn:aws:states:::aws-sdk:service:action`.

See the AWS guide, "Learning to use AWS service SDK integrations in Step Functions".
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...statelang.engine.resources import parse_resource
from .outcomes import TaskFailed

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand

# The SDK for Java names a few services otherwise than boto3 does.
_SERVICES = {"sfn": "stepfunctions", "cloudwatchlogs": "logs", "eventbridge": "events"}


def perform(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """Calls the action with the arguments; the answer's fields are in Pascal case, as AWS gives them."""
    import botocore.exceptions

    resource = parse_resource(command.resource)
    service = resource.type.removeprefix("aws-sdk:").lower()
    title = service[:1].upper() + service[1:]
    try:
        client = runtime.client(_SERVICES.get(service, service))
        method = getattr(client, _snake(resource.action))
    except (botocore.exceptions.UnknownServiceError, AttributeError):
        raise TaskFailed("States.Runtime", f"The resource {command.resource} is not supported.") from None
    title = client.meta.service_model.service_id.replace(" ", "")
    try:
        answer = method(**json.loads(command.arguments))
    except botocore.exceptions.ClientError as error:
        details = error.response.get("Error", {})
        code = details.get("Code", "Unknown")
        name = code if code.endswith(("Exception", "Error")) else f"{code}Exception"
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        request = error.response.get("ResponseMetadata", {}).get("RequestId", "")
        cause = (
            f"{details.get('Message', '')} (Service: {title}, Status Code: {status}, Request ID: {request})"
        )
        raise TaskFailed(f"{title}.{name}", cause) from None
    except (botocore.exceptions.ParamValidationError, TypeError) as error:
        raise TaskFailed("States.Runtime", str(error)) from None
    except botocore.exceptions.BotoCoreError as error:
        raise TaskFailed(f"{title}.SdkClientException", str(error)) from None
    answer.pop("ResponseMetadata", None)
    return json.dumps(answer, default=_plain, separators=(",", ":"), ensure_ascii=False)


def _snake(action: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", action).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    return str(value)
