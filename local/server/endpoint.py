"""HTTP on loopback: AWS JSON 1.0 in, the front door's answer out.

Region and account of a request are those of its signature: the region as it was signed for, the account 123456789012
or, as with moto, the access key where that is an account's twelve digits. The signature itself is not checked.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ...handlers.api import front_door
from ..cloud import LocalCloud

ACCOUNT = "123456789012"
REGION = "us-east-1"
MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request: the largest definition, escaped."""
_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([a-z0-9-]+)/")
_ACCOUNT = re.compile(r"\d{12}")
_LOOPBACK = re.compile(r"(sync-)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


class Endpoint:
    """Serves a cloud on `host:port`; port 0 takes any that is free."""

    def __init__(self, cloud: LocalCloud, host: str = "127.0.0.1", port: int = 0, *, open: bool = False):
        class Handler(_Handler):
            pass

        Handler.cloud = cloud
        Handler.open = open
        self._server = _Server((host, port), Handler)
        self.host = host
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="stratum-http", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Endpoint:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many clients may start at once; the system's default backlog of 5 would refuse some of them.
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stratum"
    sys_version = ""
    timeout = 120
    cloud: LocalCloud
    open: bool

    def do_POST(self) -> None:
        if not self._allowed():
            return
        body = self._body()
        if body is None:
            return
        if self.path == "/_stratum/reset":
            self.cloud.reset()
            self._json(HTTPStatus.OK, {"status": "reset"})
        elif self.path == "/" and self.headers.get("X-Amz-Target", "").startswith(front_door.TARGET):
            self._call(body)
        else:
            self._refuse(
                HTTPStatus.NOT_FOUND,
                f"this endpoint answers POST / with an X-Amz-Target of {front_door.TARGET}*, as AWS's SDKs send it",
            )

    def do_GET(self) -> None:
        if not self._allowed():
            return
        if self.path == "/_stratum/health":
            self._json(HTTPStatus.OK, {"status": "ok", "operations": sorted(front_door.OPERATIONS)})
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing to GET here but /_stratum/health")

    def _call(self, body: bytes) -> None:
        account, region = caller(self.headers.get("Authorization", ""))
        event = {
            "headers": dict(self.headers.items()),
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = front_door.handle(self.cloud.runtime_for(account, region), event)
        self._send(answer["statusCode"], answer["headers"], answer["body"].encode())

    # -- who may ask -----------------------------------------------------------------------------------

    def _allowed(self) -> bool:
        """A page of another origin reaches loopback by its own name (DNS rebinding) or says its origin."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        if self.open:
            return True
        if not _LOOPBACK.fullmatch(host):
            self._refuse(HTTPStatus.FORBIDDEN, f"'{host}' is no name of this machine's loopback")
        elif origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            self._refuse(HTTPStatus.FORBIDDEN, f"pages of {origin} may not call this endpoint")
        else:
            return True
        return False

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a request needs a Content-Length")
            return None
        if int(length) > MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has {MAX_BODY} bytes at the most")
            return None
        return self.rfile.read(int(length))

    # -- answers ---------------------------------------------------------------------------------------

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        # What the client may still be sending is not read.
        self.close_connection = True
        self._json(status, {"__type": status.phrase.replace(" ", ""), "message": message})

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._send(status, {"content-type": "application/json"}, json.dumps(value).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The handlers log what they are called for."""


def caller(authorization: str) -> tuple[str, str]:
    """Account and region of a request, from its `Authorization` header."""
    found = _CREDENTIAL.search(authorization)
    if found is None:
        return ACCOUNT, REGION
    return (found[1] if _ACCOUNT.fullmatch(found[1]) else ACCOUNT), found[2]
