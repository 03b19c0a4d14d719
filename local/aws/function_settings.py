"""Settings of Lambda functions that change nothing here and that tools ask for: what moto has no answers to.

Terraform, CDK and the AWS CLI read them after they have made a function. What is put is kept with the function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from ...handlers.functions import FunctionNotFound, Invocation
from .functions import LocalFunctions
from .messages import Caller, Request, Response, json_response

_PATH = re.compile(
    r"/\d{4}-\d\d-\d\d/functions/([^/]+)/(runtime-management-config|recursion-config|provisioned-concurrency|urls)/?"
)
_ACCOUNT = "/2016-08-19/account-settings"
_ACCOUNT_LIMITS = {
    "TotalCodeSize": 80_530_636_800,
    "CodeSizeUnzipped": 262_144_000,
    "CodeSizeZipped": 52_428_800,
    "ConcurrentExecutions": 1000,
    "UnreservedConcurrentExecutions": 1000,
}

Setting = Callable[[Any, Request, str | None], Response]


def handle(functions: LocalFunctions, request: Request, caller: Caller) -> Response | None:
    """The answer, or None for a request that moto has one to."""
    if request.path.rstrip("/") == _ACCOUNT and request.method == "GET":
        usage = {"TotalCodeSize": 0, "FunctionCount": 0}
        return json_response(200, {"AccountLimit": _ACCOUNT_LIMITS, "AccountUsage": usage})
    found = _PATH.fullmatch(request.path)
    if found is None:
        return None
    asked = Invocation(unquote(found[1]), "", "", account=caller.account, region=caller.region)
    functions.load()
    try:
        function = functions.made(asked)
    except FunctionNotFound as error:
        return _refusal(404, "ResourceNotFoundException", str(error))
    if function is None:
        return _refusal(404, "ResourceNotFoundException", f"Function not found: {unquote(found[1])}")
    qualifier = parse_qs(request.query).get("Qualifier", [None])[0]
    return _SETTINGS[found[2]](function, request, qualifier)


def _kept(function: Any) -> dict[str, Any]:
    if not hasattr(function, "settings"):
        function.settings = {}
    return function.settings


def _runtime_management(function: Any, request: Request, qualifier: str | None) -> Response:
    if request.method == "PUT":
        _kept(function)["runtime"] = _body(request)
    said = _kept(function).get("runtime", {"UpdateRuntimeOn": "Auto"})
    return json_response(200, {**said, "FunctionArn": function.function_arn})


def _recursion(function: Any, request: Request, qualifier: str | None) -> Response:
    if request.method == "PUT":
        _kept(function)["recursion"] = _body(request).get("RecursiveLoop")
    return json_response(200, {"RecursiveLoop": _kept(function).get("recursion") or "Terminate"})


def _provisioned(function: Any, request: Request, qualifier: str | None) -> Response:
    configs = _kept(function).setdefault("provisioned", {})
    if request.method == "GET" and "List=ALL" in request.query:
        every = [{**each, "FunctionArn": f"{function.function_arn}:{name}"} for name, each in configs.items()]
        return json_response(200, {"ProvisionedConcurrencyConfigs": every})
    if request.method == "PUT":
        count = _body(request).get("ProvisionedConcurrentExecutions")
        configs[qualifier] = {
            "RequestedProvisionedConcurrentExecutions": count,
            "AvailableProvisionedConcurrentExecutions": count,
            "AllocatedProvisionedConcurrentExecutions": count,
            "Status": "READY",
            "LastModified": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return json_response(202, configs[qualifier])
    if qualifier not in configs:
        return _refusal(
            404,
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )
    if request.method == "DELETE":
        del configs[qualifier]
        return Response(204)
    return json_response(200, configs[qualifier])


def _urls(function: Any, request: Request, qualifier: str | None) -> Response:
    config = function.url_config
    return json_response(200, {"FunctionUrlConfigs": [] if config is None else [config.to_dict()]})


_SETTINGS: dict[str, Setting] = {
    "runtime-management-config": _runtime_management,
    "recursion-config": _recursion,
    "provisioned-concurrency": _provisioned,
    "urls": _urls,
}


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(status: int, error: str, message: str) -> Response:
    return json_response(status, {"Type": "User", "Message": message}, x_amzn_errortype=error)
