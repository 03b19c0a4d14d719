"""Calls of REST APIs that were made in API Gateway: their methods' integrations with functions, carried out.

A stage is called at `https://ID.execute-api.REGION.amazonaws.com/STAGE/PATH`, here also at
`/restapis/ID/STAGE/PATH` and `/restapis/ID/STAGE/_user_request_/PATH`. See the Amazon API Gateway guide, "Set up REST
API integrations". Mapping templates are not evaluated: an integration that has one for the request is refused.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from ...handlers.functions import Invocation, InvocationResult
from .invocations import Invocations
from .messages import Caller, Request, Response, json_response
from .moto_services import MotoServices

_HOST = re.compile(r"([a-z0-9]{6,})\.execute-api\.")
_PATH = re.compile(r"/restapis/([a-z0-9]+)/([A-Za-z0-9_-]+)(?:/_user_request_)?(/.*)?")
_HERE = ("127.0.0.1", "localhost", "::1")
_FUNCTION = re.compile(r"functions/(arn:[^/]+)/invocations")


@dataclass(frozen=True, slots=True)
class _Called:
    api: str
    stage: str
    path: str


@dataclass(frozen=True, slots=True)
class _Route:
    resource: Any
    method: Any
    parameters: dict[str, str]


class RestApis:
    def __init__(self, moto: MotoServices, invocations: Invocations):
        self._moto = moto
        self._invocations = invocations

    def answers(self, url: str, door: str) -> bool:
        """Whether the URL is that of an API made here, or of this door, which is at the URL `door`."""
        parts = urlsplit(url)
        if found := _HOST.match(parts.netloc):
            return self._api(found[1]) is not None
        if parts.netloc == urlsplit(door).netloc:
            return True
        found = _PATH.fullmatch(parts.path)
        return found is not None and parts.hostname in _HERE and self._api(found[1]) is not None

    def handle(self, request: Request, caller: Caller) -> Response | None:
        """The API's answer, or None for a request that is no call of an API."""
        called = _called(request, caller)
        if called is None:
            return None
        api = self._api(called.api)
        if api is None or called.stage not in api.stages:
            return _said(403, "Forbidden")
        route = _route(api, called.path, request.method)
        if route is None:
            return _said(403, "Missing Authentication Token")
        integration = route.method.method_integration
        if integration is None:
            return _said(500, "Internal server error")
        return self._integrate(integration, request, called, route)

    def _api(self, id: str) -> Any:
        from moto.backends import get_backend

        self._moto.load()
        for regions in list(dict.values(get_backend("apigateway"))):
            for backend in list(dict.values(regions)):
                if id in backend.apis:
                    return backend.apis[id]
        return None

    def _integrate(self, integration: Any, request: Request, called: _Called, route: _Route) -> Response:
        kind = integration.integration_type
        function = _FUNCTION.search(integration.uri or "")
        if kind == "MOCK":
            return _mock(integration)
        if function is None or kind not in ("AWS", "AWS_PROXY"):
            return _said(
                501, f"an integration of the type {kind} with {integration.uri} is not carried out here"
            )
        if kind == "AWS" and integration.request_templates:
            return _said(501, "mapping templates of requests are not evaluated here")
        body = request.body.decode("utf-8", "replace")
        payload = _proxy_event(request, called, route) if kind == "AWS_PROXY" else body or "{}"
        result = self._invocations.invoke(Invocation(function[1], payload, str(uuid.uuid4())))
        return _proxied(result) if kind == "AWS_PROXY" else _mapped(result, integration)


def _called(request: Request, caller: Caller) -> _Called | None:
    if found := _HOST.match(request.headers.get("host", "")):
        stage, _, rest = request.path.lstrip("/").partition("/")
        return _Called(found[1], stage, f"/{rest}")
    if caller.service != "apigateway" and (found := _PATH.fullmatch(request.path)):
        return _Called(found[1], found[2], found[3] or "/")
    return None


def _route(api: Any, path: str, http_method: str) -> _Route | None:
    """The resource with that path: a fixed part goes before a parameter, a parameter before `{proxy+}`."""
    parts = [unquote(part) for part in path.strip("/").split("/") if part]
    best: tuple[tuple[int, ...], _Route] | None = None
    for resource in api.resources.values():
        method = resource.resource_methods.get(http_method) or resource.resource_methods.get("ANY")
        pattern = [part for part in resource.get_path().strip("/").split("/") if part]
        matched = _matched(pattern, parts)
        if method is None or matched is None:
            continue
        rank = tuple(2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in pattern)
        if best is None or rank < best[0]:
            best = (rank, _Route(resource, method, matched))
    return best[1] if best else None


def _matched(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for index, part in enumerate(pattern):
        if part.endswith("+}"):
            if len(parts) <= index:
                return None
            return {**found, part[1:-2]: "/".join(parts[index:])}
        if index >= len(parts) or (not part.startswith("{") and part != parts[index]):
            return None
        if part.startswith("{"):
            found[part[1:-1]] = parts[index]
    return found if len(parts) == len(pattern) else None


def _proxy_event(request: Request, called: _Called, route: _Route) -> str:
    """The event of a proxy integration, in its format 1.0."""
    headers = {name: value for name, value in request.headers.items() if name != "x-moto-account-id"}
    query = parse_qs(request.query, keep_blank_values=True)
    try:
        body, encoded = request.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(request.body).decode(), True
    event = {
        "resource": route.resource.get_path(),
        "path": called.path,
        "httpMethod": request.method,
        "headers": headers or None,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} or None,
        "queryStringParameters": dict(parse_qsl(request.query, keep_blank_values=True)) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": route.parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": route.resource.id,
            "resourcePath": route.resource.get_path(),
            "httpMethod": request.method,
            "path": f"/{called.stage}{called.path}",
            "stage": called.stage,
            "apiId": called.api,
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {"sourceIp": "127.0.0.1", "userAgent": headers.get("user-agent")},
        },
        "body": body or None,
        "isBase64Encoded": encoded,
    }
    return json.dumps(event)


def _proxied(result: InvocationResult) -> Response:
    answer = json.loads(result.payload) if result.function_error is None else None
    if not isinstance(answer, dict) or not isinstance(answer.get("statusCode", 200), int):
        return _said(502, "Internal server error")
    headers = [(str(name), str(value)) for name, value in (answer.get("headers") or {}).items()]
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers += [(str(name), str(value)) for value in values]
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    return _response(answer.get("statusCode", 200), content, headers)


def _mapped(result: InvocationResult, integration: Any) -> Response:
    """The status is that of the first response whose pattern the error's message matches."""
    responses = integration.integration_responses or {}
    status = next((code for code, each in responses.items() if not each.selection_pattern), "200")
    if result.function_error:
        message = str(json.loads(result.payload).get("errorMessage", ""))
        for code, each in responses.items():
            if each.selection_pattern and re.fullmatch(each.selection_pattern, message):
                status = code
    return _response(int(status), result.payload.encode(), [])


def _mock(integration: Any) -> Response:
    code, response = next(iter((integration.integration_responses or {}).items()), ("200", None))
    templates = (response.response_templates if response else None) or {}
    return _response(int(code), (templates.get("application/json") or "").encode(), [])


def _response(status: int, body: bytes, headers: list[tuple[str, str]]) -> Response:
    """With the headers that API Gateway and the edge before it add."""
    request = str(uuid.uuid4())
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = [*headers, ("Content-Type", "application/json")]
    edge = f"{uuid.uuid4().hex[:24]}.cloudfront.net"
    added = [
        ("x-amzn-RequestId", request),
        ("x-amz-apigw-id", base64.b64encode(uuid.uuid4().bytes[:11]).decode()),
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"),
        ("X-Cache", "Miss from cloudfront"),
        ("Via", f"1.1 {edge} (CloudFront)"),
        ("X-Amz-Cf-Pop", "LOCAL1-P1"),
        ("X-Amz-Cf-Id", base64.urlsafe_b64encode(uuid.uuid4().bytes * 2).decode()),
    ]
    return Response(status, [*headers, *added], body)


def _said(status: int, message: str) -> Response:
    return json_response(status, {"message": message}, x_amzn_requestid=str(uuid.uuid4()))
