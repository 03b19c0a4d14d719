"""`http:invoke`: a call of any HTTPS API, with what an EventBridge connection adds for its authorization.

See the AWS guide, "Call HTTPS APIs in Step Functions workflows". A status outside 200-299 is the error
`States.Http.StatusCode.<status>`; no answer at all is `States.Http.Socket`. Endpoints of this machine may be plain HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from ..http import MAX_RESPONSE, HttpFailed, HttpRequest, HttpResponse
from .api_gateway import METHODS, REFUSED_BEGINNINGS, REFUSED_HEADERS, parsed, reason
from .calls import could_not_start
from .http_connections import Connection, connection_of
from .outcomes import TaskFailed
from .values import compact

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand

TIMEOUT = 60.0
"""Seconds that an API has to answer."""
_SECRET = "<redacted>"
_FORM = "application/x-www-form-urlencoded"
_FORMATS = ("INDICES", "REPEAT", "COMMAS", "BRACKETS")
_UNREADABLE = ("application/octet-stream", "image/", "video/", "audio/")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Trace(dict[str, Any]):
    reveal = False


_trace: ContextVar[_Trace | None] = ContextVar("trace", default=None)


@contextmanager
def traced(reveal: bool) -> Iterator[dict[str, Any]]:
    """What is sent and answered meanwhile, as TestState's `inspectionData` shows it: `request` and `response`. What the
    connection has added is shown with `reveal` alone."""
    trace = _Trace()
    trace.reveal = reveal
    token = _trace.set(trace)
    try:
        yield trace
    finally:
        _trace.reset(token)


def invoke(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    arguments = json.loads(command.arguments)
    if problems := _problems(arguments):
        raise could_not_start(arguments, problems)
    configured = arguments.get("InvocationConfig") or arguments.get("Authentication")
    connection = connection_of(runtime, arguments, configured["ConnectionArn"])
    request = _request(runtime, arguments, connection)
    trace = _trace.get()
    if trace is not None:
        trace["request"] = _shown(request, None if trace.reveal else connection)
    try:
        response = runtime.http(request)
    except HttpFailed as failed:
        raise TaskFailed("States.Http.Socket", str(failed)) from None
    if trace is not None:
        trace["response"] = {
            "protocol": urlsplit(request.url).scheme,
            "statusCode": str(response.status),
            "statusMessage": reason(response),
            "headers": compact(_headers(response)),
            "body": response.body.decode("utf-8", "replace"),
        }
    return _result(response)


# -- the request -------------------------------------------------------------------------------------------


def _problems(arguments: Any) -> list[str]:
    if not isinstance(arguments, dict):
        return ["The arguments of a task must be an object"]
    problems = [
        f"The field '{name}' is required but was missing"
        for name in ("ApiEndpoint", "Method")
        if not isinstance(arguments.get(name), str)
    ]
    configured = arguments.get("InvocationConfig") or arguments.get("Authentication")
    if not isinstance(configured, dict) or not isinstance(configured.get("ConnectionArn"), str):
        problems.append("The field 'ConnectionArn' is required but was missing")
    if problems:
        return problems
    if arguments["Method"] not in METHODS:
        problems.append(f"The value of the field 'Method' must be one of {', '.join(METHODS)}")
    parts = urlsplit(arguments["ApiEndpoint"])
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        problems.append("The value of the field 'ApiEndpoint' must start with https://")
    for name in ("Headers", "QueryParameters"):
        if not isinstance(arguments.get(name) or {}, dict):
            problems.append(f"The value of the field '{name}' has an invalid format")
            return problems
    for name in arguments.get("Headers") or {}:
        if name.lower() in REFUSED_HEADERS - {"authorization"} or name.lower().startswith(REFUSED_BEGINNINGS):
            problems.append(f"The 'Headers' field contains unsupported values: {name}")
    transform = arguments.get("Transform") or {}
    options = transform.get("RequestEncodingOptions") or {}
    if transform.get("RequestBodyEncoding", "NONE") not in ("NONE", "URL_ENCODED"):
        problems.append("The value of the field 'RequestBodyEncoding' must be one of NONE, URL_ENCODED")
    if options.get("ArrayFormat", "INDICES") not in _FORMATS:
        problems.append(f"The value of the field 'ArrayFormat' must be one of {', '.join(_FORMATS)}")
    return problems


def _request(runtime: Runtime, arguments: dict[str, Any], connection: Connection) -> HttpRequest:
    """What the task says, and then what the connection does: where both have a key, the connection's value is sent."""
    headers: dict[str, list[str]] = {
        "User-Agent": [f"Amazon|StepFunctions|HttpInvoke|{runtime.region}"],
        "Range": [f"bytes=0-{MAX_RESPONSE}"],
    }
    body = arguments.get("RequestBody")
    if connection.body:
        if body is not None and not isinstance(body, dict):
            raise could_not_start(
                arguments, ["The connection's body parameters need a RequestBody that is an object"]
            )
        body = {**(body or {}), **connection.body}
    transform = arguments.get("Transform") or {}
    content = b""
    if body is not None:
        encoded = transform.get("RequestBodyEncoding") == "URL_ENCODED"
        headers["Content-Type"] = [_FORM if encoded else "application/json"]
        options = transform.get("RequestEncodingOptions") or {}
        text = form(body, options.get("ArrayFormat", "INDICES")) if encoded else _body(body)
        content = text.encode()
    for name, value in (arguments.get("Headers") or {}).items():
        _set(headers, name, [_text(each) for each in (value if isinstance(value, list) else [value])])
    for name, value in connection.headers.items():
        _set(headers, name, [value])
    return HttpRequest(
        arguments["Method"],
        _url(arguments["ApiEndpoint"], arguments.get("QueryParameters") or {}, connection),
        [(name, value) for name, values in headers.items() for value in values],
        content,
        TIMEOUT,
    )


def _set(headers: dict[str, list[str]], name: str, values: list[str]) -> None:
    for known in [known for known in headers if known.lower() == name.lower()]:
        del headers[known]
    headers[name] = values


def _url(endpoint: str, parameters: dict[str, Any], connection: Connection) -> str:
    parts = urlsplit(endpoint)
    query = parse_qsl(parts.query, keep_blank_values=True)
    for name, value in parameters.items():
        query += [(name, _text(each)) for each in (value if isinstance(value, list) else [value])]
    query = [(name, value) for name, value in query if name not in connection.query]
    query += connection.query.items()
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(query, quote_via=quote), ""))


def _body(body: Any) -> str:
    return body if isinstance(body, str) else compact(body)


def form(value: Any, array_format: str) -> str:
    """A body as a form: arrays as `array_format` says, objects as `a[b]=c`."""
    return "&".join(
        f"{quote(name, safe='[]')}={quote(text)}" for name, text in _fields(value, "", array_format)
    )


def _fields(value: Any, name: str, array_format: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _fields(item, f"{name}[{key}]" if name else str(key), array_format)
    elif isinstance(value, list) and array_format == "COMMAS":
        yield name, ",".join(_text(item) for item in value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            place = {"INDICES": f"{name}[{index}]", "BRACKETS": f"{name}[]", "REPEAT": name}[array_format]
            yield from _fields(item, place, array_format)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)


# -- the response ------------------------------------------------------------------------------------------


def _result(response: HttpResponse) -> str:
    if not 200 <= response.status < 300:
        raise TaskFailed(
            f"States.Http.StatusCode.{response.status}", response.body.decode("utf-8", "replace")
        )
    kind = response.header("content-type").lower()
    if kind.startswith(_UNREADABLE):
        raise TaskFailed("States.Runtime", f"The response's content type '{kind}' is not supported.")
    if len(response.body) > MAX_RESPONSE:
        raise TaskFailed("States.DataLimitExceeded", f"The response has more than {MAX_RESPONSE} bytes.")
    try:
        response.body.decode()
    except UnicodeDecodeError:
        raise TaskFailed("States.Runtime", "The response's body cannot be read as text.") from None
    return compact(
        {
            "Headers": _headers(response),
            "ResponseBody": parsed(response.body),
            "StatusCode": response.status,
            "StatusText": reason(response),
        }
    )


def _headers(response: HttpResponse) -> dict[str, list[str]]:
    """By their names in small letters."""
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name.lower(), []).append(value)
    return headers


def _shown(request: HttpRequest, hidden: Connection | None) -> dict[str, str]:
    names = set() if hidden is None else {name.lower() for name in hidden.headers}
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name, []).append(_SECRET if name.lower() in names else value)
    parts = urlsplit(request.url)
    url, body = request.url, request.body.decode("utf-8", "replace")
    if hidden is not None and hidden.query:
        query = [
            (name, _SECRET if name in hidden.query else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
    if hidden is not None and hidden.body:
        shown = parsed(request.body)
        body = (
            compact({**shown, **dict.fromkeys(hidden.body, _SECRET)}) if isinstance(shown, dict) else _SECRET
        )
    return {
        "protocol": parts.scheme,
        "method": request.method,
        "url": url,
        "headers": compact(headers),
        "body": body,
    }
