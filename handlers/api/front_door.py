"""The front door handler: an HTTP request of a function URL in, its answer out.

`X-Amz-Target: AWSStepFunctions.<Operation>` names the operation and the body holds its parameters (AWS JSON
1.0), as boto3, the AWS CLI and every other SDK send them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import uuid
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError, parse

from ..identity import caller_of
from ..logs import logger
from ..runtime import Runtime, invoked
from ..store import StoreError
from ..tenancy.callers import InvalidTenant, NotYours, tenant_of
from . import shapes
from .errors import ApiError

TARGET = "AWSStepFunctions."
MCP_PATH = "/mcp"

Operation = Callable[[Runtime, str, dict[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, str] = {
    "CreateActivity": "activities",
    "CreateStateMachine": "state_machines",
    "CreateStateMachineAlias": "aliases",
    "DeleteActivity": "activities",
    "DeleteStateMachine": "state_machines",
    "DeleteStateMachineAlias": "aliases",
    "DeleteStateMachineVersion": "versions",
    "DescribeActivity": "activities",
    "DescribeExecution": "executions",
    "DescribeMapRun": "map_runs",
    "DescribeStateMachine": "state_machines",
    "DescribeStateMachineAlias": "aliases",
    "DescribeStateMachineForExecution": "state_machines",
    "GetActivityTask": "activities",
    "GetExecutionHistory": "history",
    "ListActivities": "activities",
    "ListExecutions": "executions",
    "ListMapRuns": "map_runs",
    "ListStateMachineAliases": "aliases",
    "ListStateMachineVersions": "versions",
    "ListStateMachines": "state_machines",
    "ListTagsForResource": "tags",
    "PublishStateMachineVersion": "versions",
    "RedriveExecution": "executions",
    "SendTaskFailure": "task_tokens",
    "SendTaskHeartbeat": "task_tokens",
    "SendTaskSuccess": "task_tokens",
    "StartExecution": "executions",
    "StartSyncExecution": "sync_executions",
    "StopExecution": "executions",
    "TagResource": "tags",
    "TestState": "test_state",
    "UntagResource": "tags",
    "UpdateMapRun": "map_runs",
    "UpdateStateMachine": "state_machines",
    "UpdateStateMachineAlias": "aliases",
    "ValidateStateMachineDefinition": "definitions",
}
"""The API's operations, and the file that each is a function of."""


class FunctionUrlRequest(BaseModel):
    """What the front door reads of a function URL's event (payload format 2.0)."""

    headers: dict[str, str]
    body: str | None = None
    isBase64Encoded: bool = False  # noqa: N815 - AWS's name


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. At `/mcp` is the MCP server, where it is in the function's bundle as well."""
    if event.get("rawPath") == MCP_PATH:
        with contextlib.suppress(ModuleNotFoundError):
            from ..mcp import function

            return invoked(function.handle, event, context)
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes a function URL's event and answers `{"statusCode", "headers", "body"}`; errors are answers too."""
    operation, tenant = "unknown", None
    try:
        request = parse(event, model=FunctionUrlRequest)
        headers = {name.lower(): value for name, value in request.headers.items()}
        operation = headers.get("x-amz-target", "").removeprefix(TARGET)
        if (caller := caller_of(event)) is not None:
            runtime = runtime.on_behalf_of(caller.to_json())
        tenant = tenant_of(runtime.store, caller, headers)
        answer = call(runtime, operation, _parameters(request), tenant)
        status = 200
    except ApiError as error:
        answer, status = {"__type": error.type, "message": error.message, **error.fields}, error.status
    except ValidationError as error:
        answer, status = {"__type": "SerializationException", "message": str(error)}, 400
    except InvalidTenant as error:
        answer, status = {"__type": "ValidationException", "message": str(error)}, 400
    except NotYours as error:
        answer, status = {"__type": "AccessDeniedException", "message": str(error)}, 400
    except StoreError as error:
        logger.error("the store failed", operation=operation, reason=str(error))
        answer, status = {"__type": "InternalServerError", "message": str(error)}, 500
    except Exception as error:
        logger.exception("failed", operation=operation)
        answer = {"__type": "InternalServerError", "message": f"{type(error).__name__}: {error}"}
        status = 500
    logger.info(
        "called", tenant=tenant, operation=operation, status=status, execution=answer.get("executionArn")
    )
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": str(uuid.uuid4())}
    if status != 200:
        headers["x-amzn-errortype"] = str(answer["__type"])
    return {"statusCode": status, "headers": headers, "body": json.dumps(answer)}


def call(runtime: Runtime, operation: str, parameters: dict[str, Any], tenant: str) -> dict[str, Any]:
    """One operation of the API. Raises `ApiError`."""
    file = OPERATIONS.get(operation)
    if file is None:
        raise ApiError("UnknownOperationException", f"There is no operation '{operation}' here.")
    shapes.check(operation, parameters)
    if (forwarded := runtime.forwarded(operation, parameters)) is not None:
        return forwarded
    answer = _function(file, operation)(runtime, tenant, parameters)
    return _metadata(answer) if parameters.get("includedData") == "METADATA_ONLY" else answer


_DATA = ("input", "inputDetails", "output", "outputDetails", "error", "cause")


def _metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what a key of KMS may encrypt: the API has `{}` in place of a definition."""
    answer = {name: value for name, value in answer.items() if name not in _DATA}
    return {**answer, "definition": "{}"} if "definition" in answer else answer


@lru_cache(maxsize=64)
def _function(file: str, operation: str) -> Operation:
    """Imported when it is first called for: a request pays for what it asks."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    return getattr(import_module(f".{file}", __package__), name)


def _parameters(request: FunctionUrlRequest) -> dict[str, Any]:
    body = request.body or ""
    try:
        if request.isBase64Encoded:
            body = base64.b64decode(body).decode()
        parameters = json.loads(body or "{}")
    except (ValueError, RecursionError) as error:
        raise ApiError("SerializationException", f"The body is not JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise ApiError("SerializationException", "The body is not a JSON object")
    return parameters
