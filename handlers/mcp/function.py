"""The MCP server as a Lambda function behind a function URL: streamable HTTP, both eras, one request for each invocation.

Nothing is kept between two invocations: there are no sessions, and a client that wants a stream of its own is told so. Who
calls is known by IAM (the function URL's `AuthType` is `AWS_IAM`); who is not known there is refused, as whatever an agent
does is written down with its name.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..identity import caller_of
from ..logs import logger
from ..runtime import Runtime, invoked
from ..tenancy.callers import InvalidTenant, NotYours, tenant_of
from .lambda_host import LambdaHost, calling, time_left

if TYPE_CHECKING:
    from mcp.server import MCPServer

PATH = "/mcp"
MAX_BODY = 6 * 1024 * 1024
"""Bytes of a request: Lambda's own limit."""
_MARGIN = 3.0
"""Seconds before the invocation's end at which nobody waits any longer."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes a function URL's event (payload format 2.0) and answers `{"statusCode", "headers", "body"}`."""
    caller = caller_of(event)
    method = ((event.get("requestContext") or {}).get("http") or {}).get("method", "POST")
    if caller is None:
        return _answer(403, "who calls is not known: the function URL's AuthType must be AWS_IAM")
    if event.get("rawPath", "/").rstrip("/") != PATH:
        return _answer(404, f"the MCP server is at {PATH}")
    if method != "POST":
        return {
            **_answer(405, "there are no sessions and no streams here: every request is a POST"),
            "headers": {"allow": "POST"},
        }
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        server = _server(runtime, tenant_of(runtime.store, caller, headers))
    except InvalidTenant as error:
        return _answer(400, str(error))
    except NotYours as error:
        return _answer(403, str(error))
    calling.set(caller)
    if context is not None:
        time_left.set(max(0.0, context.get_remaining_time_in_millis() / 1000 - _MARGIN))
    try:
        return asyncio.run(_serve(server, event, headers))
    except Exception:
        logger.exception("failed", operation="mcp")
        return _answer(500, "the MCP server failed; its log says why")


@lru_cache(maxsize=8)
def _server(runtime: Runtime, tenant: str) -> MCPServer:
    """Made once while the environment is warm: its tools' schemas take longer than a request."""
    from ..work.links import NoKey, key_of
    from .server import build_server

    keys = None
    try:
        # What a client hands back may come to another environment of this function.
        keys = [hashlib.sha256(f"mcp request state {tenant} ".encode() + key_of(runtime)).digest()]
    except NoKey:
        logger.warning(
            "no key for links, so a gate of low risk can only be asked about while this environment is warm"
        )
    return build_server(LambdaHost(runtime, tenant, os.environ.get("STRATUM_STAGE")), keys=keys)


async def _serve(server: MCPServer, event: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """One request, through the same ASGI application as over a socket."""
    from mcp.server.transport_security import TransportSecuritySettings

    # IAM has let the caller in: a page of another site cannot sign requests, whatever name it gives this host.
    app = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, json_response=True, max_request_body_size=MAX_BODY,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )  # fmt: skip
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https", "path": PATH,
        "raw_path": PATH.encode(), "root_path": "", "query_string": b"", "client": None, "server": None,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items() if name != "content-length"]
        + [(b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    given = False
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal given
        if given:
            await asyncio.sleep(3600)  # the client is there until it is answered
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    begun = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(
        message.get("body", b"") for message in sent if message["type"] == "http.response.body"
    )
    return {
        "statusCode": begun["status"],
        "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in begun["headers"]},
        "body": content.decode(),
    }


def _answer(status: int, message: str) -> dict[str, Any]:
    """As JSON-RPC has errors, which is what a client looks for."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}}
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(error)}
