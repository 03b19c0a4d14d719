"""Function URLs: HTTP requests to `http://ID.lambda-url.REGION.localhost:PORT/`, answered by the function.

See the AWS Lambda guide, "Invoking Lambda function URLs". Answers come whole: nothing is streamed.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from ...handlers.functions import Invocation, InvocationResult, InvokeError
from .function_model import url_host
from .invocations import Invocations
from .messages import Request, Response, json_response
from .moto_services import MotoServices

_HOST = re.compile(r"([0-9a-f]{32}\.lambda-url\.[a-z0-9-]+)\.(?:localhost|on\.aws)(?::\d+)?", re.IGNORECASE)


class FunctionUrls:
    def __init__(self, moto: MotoServices, invocations: Invocations):
        self._moto = moto
        self._invocations = invocations

    @staticmethod
    def are_asked(request: Request) -> bool:
        """Whether the request is for the host of a function URL."""
        return _HOST.fullmatch(request.headers.get("host", "")) is not None

    def handle(self, request: Request) -> Response | None:
        """The function's answer, or None for a request to another host."""
        found = _HOST.fullmatch(request.headers.get("host", ""))
        if found is None:
            return None
        function = self._function(found[1].lower())
        if function is None:
            return json_response(404, {"Message": None})
        if function.url_config.config.get("AuthType") == "AWS_IAM" and "authorization" not in request.headers:
            return json_response(403, {"Message": "Forbidden"}, x_amzn_errortype="AccessDeniedException")
        event = _event(request, found[0].partition(":")[0], function.account_id)
        if function.url_config.config.get("AuthType") == "AWS_IAM":
            event["requestContext"]["authorizer"] = {"iam": _caller(request, function.account_id)}
        invocation = Invocation(function.function_arn, json.dumps(event), str(uuid.uuid4()))
        try:
            return _answer(self._invocations.invoke(invocation))
        except InvokeError as error:
            return json_response(502, {"Message": str(error)})

    def _function(self, host: str) -> Any:
        from moto.backends import get_backend

        self._moto.load()
        for regions in list(dict.values(get_backend("lambda"))):
            for backend in list(dict.values(regions)):
                for function in backend.list_functions():
                    if function.url_config is not None and url_host(function.url_config) == host:
                        return function
        return None


def _caller(request: Request, account: str) -> dict[str, Any]:
    """Whose key the request is signed with, as STS would say: the signature itself is not looked at here."""
    from moto.backends import get_backend

    found = re.search(r"Credential=([^/,\s]+)/[^/]*/([^/]*)/", request.headers.get("authorization", ""))
    key, region = found.groups() if found else ("", "us-east-1")
    user, arn, owner = get_backend("sts")[account]["aws"].get_caller_identity(key, region)
    return {
        "accessKey": key, "accountId": owner, "callerId": user, "cognitoIdentity": None, "principalOrgId": None, "userArn": arn,
        "userId": user,
    }  # fmt: skip


def _event(request: Request, domain: str, account: str) -> dict[str, Any]:
    """The event in the payload format 2.0."""
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    query = parse_qs(request.query, keep_blank_values=True)
    now = datetime.now(UTC)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        "cookies": [each.strip() for each in request.headers.get("cookie", "").split(";") if each.strip()],
        "headers": headers,
        "queryStringParameters": {name: ",".join(values) for name, values in query.items()},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": unquote(request.path),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    if not event["cookies"]:
        del event["cookies"]
    if not query:
        del event["queryStringParameters"]
    if request.body:
        try:
            event["body"] = request.body.decode()
        except UnicodeDecodeError:
            event["body"], event["isBase64Encoded"] = base64.b64encode(request.body).decode(), True
    return event


def _answer(result: InvocationResult) -> Response:
    """What the function says of status and headers; where it says nothing, its answer is the body."""
    if result.function_error:
        return Response(502, [("content-type", "application/json")], b"Internal Server Error")
    said = json.loads(result.payload)
    if not isinstance(said, dict) or "statusCode" not in said:
        body = said if isinstance(said, str) else result.payload
        return Response(200, [("content-type", "application/json")], body.encode())
    try:
        status = int(said["statusCode"])
        headers = [(str(name), str(value)) for name, value in (said.get("headers") or {}).items()]
        cookies = [("set-cookie", str(each)) for each in said.get("cookies") or []]
        body = said.get("body") or ""
        if not isinstance(body, str):
            body = json.dumps(body)
        content = base64.b64decode(body) if said.get("isBase64Encoded") else body.encode()
    except (TypeError, ValueError, AttributeError):
        return Response(502, [("content-type", "application/json")], b"Internal Server Error")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    return Response(status, [*headers, *cookies], content)
