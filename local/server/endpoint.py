"""HTTP on loopback: what AWS's SDKs send, handed to the door; and who may send it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from ...handlers.api import front_door
from ..aws import Door, Request, stacks
from ..events import page_event

if TYPE_CHECKING:
    from ...handlers.work.answers import Desk

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request to Step Functions: the largest definition, escaped."""
MAX_UPLOAD = 512 * 1024 * 1024
"""Bytes of any other: an object of S3, a function's code."""
_RESETS = ("/_stratum/reset", "/moto-api/reset")
"""The second is what programs written for moto's server call; alone, moto's part would be gone and ours not."""
GATES = "/_stratum/gates"
"""Where the pages of gates' links are."""
_LOOPBACK = re.compile(
    r"((sync-)?127\.0\.0\.1|(sync-)?([a-z0-9-]+\.)*localhost|\[::1\])(:\d+)?", re.IGNORECASE
)
"""Names that no other machine's page can bear: those below `localhost` are this machine's (RFC 6761)."""


class Endpoint:
    """Serves a door on `host:port`; port 0 takes any that is free.

    `desk` gives what the pages of gates' links work on; without it there are none.
    """

    def __init__(
        self,
        door: Door,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        open: bool = False,
        desk: Callable[[], Desk] | None = None,
    ):
        class Handler(_Handler):
            pass

        Handler.door = door
        Handler.open = open
        Handler.desk = staticmethod(desk) if desk is not None else None
        self._server = _Server((host, port), Handler)
        self.host = host
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="stratum-http", daemon=True)
        door.listens_at(self.url)

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

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
    # Headers and body in one packet: of two, the second would wait for the client's delayed acknowledgement.
    wbufsize = 65536
    disable_nagle_algorithm = True
    door: Door
    open: bool
    desk: Callable[..., Desk] | None

    def handle_expect_100(self) -> bool:
        """The client sends its body when it is told to: at once, and not with the answer."""
        allowed = super().handle_expect_100()
        self.wfile.flush()
        return allowed

    def _any(self) -> None:
        if not self._allowed():
            return
        body = self._body()
        if body is None:
            return
        if self.path == "/_stratum/health" and self.command == "GET":
            self._json(HTTPStatus.OK, {"status": "ok", "operations": sorted(front_door.OPERATIONS)})
        elif self.path in _RESETS and self.command == "POST":
            self.door.reset()
            self._json(HTTPStatus.OK, {"status": "reset"})
        elif self.path.partition("?")[0] == GATES and self.desk is not None:
            self._gate(self.desk, body)
        elif self.path.startswith("/_stratum/") and not self.path.startswith(stacks.ANSWERS):
            self._refuse(HTTPStatus.NOT_FOUND, "there is GET /_stratum/health, and POST /_stratum/reset")
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = self.door.handle(Request(self.command, self.path, headers, body))
            self._send(response.status, response.headers, response.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _any  # noqa: N815

    def _gate(self, desk: Callable[[], Desk], body: bytes) -> None:
        from ...handlers.work import page

        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = page.handle(desk, page_event(self.command, self.path, headers, body))
        self._send(answer["statusCode"], list(answer["headers"].items()), answer["body"].encode())

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
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a request needs a Content-Length")
            return None
        ours = self.headers.get("X-Amz-Target", "").startswith(front_door.TARGET)
        if int(length) > (most := MAX_BODY if ours else MAX_UPLOAD):
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has {most} bytes at the most")
            return None
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes | None:
        """A body in HTTP's chunks: each its size in hexadecimal, a line's end, and so many bytes."""
        body = bytearray()
        while True:
            size = self.rfile.readline(1024).split(b";")[0].strip()
            try:
                count = int(size, 16)
            except ValueError:
                self._refuse(HTTPStatus.BAD_REQUEST, "a chunk begins with its size in hexadecimal")
                return None
            if len(body) + count > MAX_UPLOAD or count < 0:
                self._refuse(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has {MAX_UPLOAD} bytes at the most"
                )
                return None
            if count == 0:
                while self.rfile.readline(8192).strip():
                    pass  # trailers
                return bytes(body)
            body += self.rfile.read(count)
            self.rfile.readline(8)

    # -- answers ---------------------------------------------------------------------------------------

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        # What the client may still be sending is not read.
        self.close_connection = True
        self._json(status, {"__type": status.phrase.replace(" ", ""), "message": message})

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._send(status, [("content-type", "application/json")], json.dumps(value).encode())

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), None)
        # An answer to HEAD says how long the body would be.
        self.send_header("content-length", length if self.command == "HEAD" and length else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The handlers log what they are called for."""
