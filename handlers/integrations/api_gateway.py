"""`apigateway:invoke`: a call of a REST or HTTP API.

See the AWS guide, "Create API Gateway REST APIs with Step Functions". A status outside 200-299 is the error
`ApiGateway.<status>`.
"""

from __future__ import annotations

import http
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from ..http import HttpFailed, HttpRequest, HttpResponse
from .calls import could_not_start
from .outcomes import TaskFailed
from .values import compact

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_WITH_BODY = ("POST", "PUT", "PATCH")
REFUSED_HEADERS = {
    "authorization", "connection", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate", "server", "te",
    "transfer-encoding", "trailer", "upgrade", "via", "www-authenticate",
}  # fmt: skip
REFUSED_BEGINNINGS = ("x-forwarded", "x-amz", "x-amzn")
_TIMEOUT = 29.0
"""Seconds that API Gateway gives an integration at the most."""


def invoke(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    arguments = json.loads(command.arguments)
    problems = _problems(arguments)
    if problems:
        raise could_not_start(arguments, problems)
    request = _request(runtime, arguments, command)
    try:
        response = runtime.http(request)
    except HttpFailed as failed:
        raise TaskFailed(
            "ApiGateway.SdkClientException", f"Unable to execute HTTP request: {failed}"
        ) from None
    if not 200 <= response.status < 300:
        raise TaskFailed(f"ApiGateway.{response.status}", response.body.decode("utf-8", "replace"))
    return compact(_given(response))


def _problems(arguments: Any) -> list[str]:
    if not isinstance(arguments, dict):
        return ["The arguments of a task must be an object"]
    problems = [
        f"The field '{name}' is required but was missing"
        for name in ("ApiEndpoint", "Method")
        if not isinstance(arguments.get(name), str)
    ]
    if arguments.get("Method", "GET") not in METHODS:
        problems.append(f"The value of the field 'Method' must be one of {', '.join(METHODS)}")
    for name in ("Headers", "QueryParameters"):
        if not isinstance(arguments.get(name) or {}, dict):
            problems.append(f"The value of the field '{name}' has an invalid format")
    for name in arguments.get("Headers") or {} if not problems else {}:
        if name.lower() in REFUSED_HEADERS or name.lower().startswith(REFUSED_BEGINNINGS):
            problems.append(f"The 'Headers' field contains unsupported values: {name}")
    return problems


def _request(runtime: Runtime, arguments: dict[str, Any], command: TaskCommand) -> HttpRequest:
    endpoint: str = arguments["ApiEndpoint"]
    url = endpoint if "://" in endpoint else f"https://{endpoint}"
    for part in (arguments.get("Stage"), arguments.get("Path")):
        if part:
            url = f"{url.rstrip('/')}/{quote(str(part).lstrip('/'), safe='/%:@!$&()*+,;=~-._')}"
    if not urlsplit(url).path:
        url += "/"
    query = [
        (name, _text(value))
        for name, values in (arguments.get("QueryParameters") or {}).items()
        for value in (values if isinstance(values, list) else [values])
    ]
    if query:
        url += f"?{urlencode(query)}"
    headers = [("Accept", "application/json")]
    body = b""
    given = arguments.get("RequestBody")
    if given is not None and arguments["Method"] in _WITH_BODY:
        if not arguments.get("AllowNullValues", True):
            given = _without_nulls(given)
        body = compact(given).encode()
        headers.append(("Content-Type", "application/json"))
    for name, values in (arguments.get("Headers") or {}).items():
        headers = [each for each in headers if each[0].lower() != name.lower()]
        headers += [(name, _text(value)) for value in (values if isinstance(values, list) else [values])]
    request = HttpRequest(arguments["Method"], url, headers, body, _TIMEOUT)
    return _signed(runtime, request) if arguments.get("AuthType") == "IAM_ROLE" else request


def _signed(runtime: Runtime, request: HttpRequest) -> HttpRequest:
    """Signed as the caller, which IAM authorization asks for."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials = runtime.client("sts")._request_signer._credentials
    made = AWSRequest(request.method, request.url, dict(request.headers), request.body)
    SigV4Auth(credentials, "execute-api", runtime.region).add_auth(made)
    return HttpRequest(request.method, request.url, list(made.headers.items()), request.body, request.timeout)


def _given(response: HttpResponse) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(_HEADERS.get(name.lower(), name), []).append(value)
    headers.setdefault("Connection", ["keep-alive"])
    headers.setdefault("Content-Length", [str(len(response.body))])
    headers.setdefault("Date", [formatdate(usegmt=True)])
    return {
        "Headers": dict(sorted(headers.items(), key=lambda each: each[0].lower())),
        "ResponseBody": parsed(response.body),
        "StatusCode": response.status,
        "StatusText": reason(response),
    }


_HEADERS = {name.lower(): name for name in ("Content-Type", "Content-Length", "Connection", "Date", "Via")}


def parsed(body: bytes) -> Any:
    """A body that is JSON as a value, any other as text."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def reason(response: HttpResponse) -> str:
    if response.reason:
        return response.reason
    try:
        return http.HTTPStatus(response.status).phrase
    except ValueError:
        return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value
