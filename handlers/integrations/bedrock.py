"""`bedrock:invokeModel`: a model's answer, whose body is data and not text.

See the AWS guide, "Invoke and customize Amazon Bedrock models with Step Functions".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .api_gateway import parsed
from .calls import call, call_api, could_not_start
from .optimized import SERVICES
from .values import as_text, compact

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand

_OURS = ("Body", "Input", "Output")


def invoke_model(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """The input is `Body`, or the object that `Input.S3Uri` names; with `Output.S3Uri` the answer's body goes there."""
    style = SERVICES["bedrock"].style
    arguments = json.loads(command.arguments)
    if not isinstance(arguments, dict):
        raise could_not_start(arguments, ["The arguments of a task must be an object"])
    given, kept = arguments.get("Input"), arguments.get("Output")
    request = {name: value for name, value in arguments.items() if name not in _OURS}
    if isinstance(given, dict) and "S3Uri" in given:
        stored = call_api(runtime.client("s3"), "GetObject", _place(arguments, given["S3Uri"]), style)
        request["Body"] = stored["Body"].read().decode("utf-8", "replace")
    elif "Body" in arguments:
        request["Body"] = as_text(arguments["Body"])
    fields = call(runtime.client("bedrock-runtime"), "invokeModel", request, style).fields
    body, answer = fields.get("Body", ""), {"ContentType": fields.get("ContentType")}
    if isinstance(kept, dict) and "S3Uri" in kept:
        place = _place(arguments, kept["S3Uri"])
        call_api(runtime.client("s3"), "PutObject", {**place, "Body": body.encode()}, style)
        return compact({"Body": kept["S3Uri"], **answer})
    return compact({"Body": parsed(body.encode()), **answer})


def _place(arguments: Any, uri: Any) -> dict[str, str]:
    parts = urlsplit(uri) if isinstance(uri, str) else None
    if parts is None or parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise could_not_start(arguments, ["The value of the field 'S3Uri' has an invalid format"])
    return {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}
