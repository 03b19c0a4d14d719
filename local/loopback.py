"""Requests over HTTP on this machine: who may send them, their bodies, and how they are answered."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_UPLOAD = 512 * 1024 * 1024
"""Bytes of a request: an object of S3, a function's code."""
_LOOPBACK = re.compile(
    r"((sync-)?127\.0\.0\.1|(sync-)?([a-z0-9-]+\.)*localhost|\[::1\])(:\d+)?", re.IGNORECASE
)
"""Names that no other machine's page can bear: those below `localhost` are this machine's (RFC 6761)."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many clients may start at once; the system's default backlog of 5 would refuse some of them.
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is nobody's error."""


class RequestHandler(BaseHTTPRequestHandler):
    """Answers what `respond` answers to requests that may be asked. With `open`, from anywhere."""

    protocol_version = "HTTP/1.1"
    server_version = "stratum"
    sys_version = ""
    timeout = 120
    # Headers and body in one packet: of two, the second would wait for the client's delayed acknowledgement.
    wbufsize = 65536
    disable_nagle_algorithm = True
    open: bool = False

    def respond(self, body: bytes) -> None:
        raise NotImplementedError

    def most(self) -> int:
        """Bytes that the body of this request may have."""
        return MAX_UPLOAD

    def handle_expect_100(self) -> bool:
        """The client sends its body when it is told to: at once, and not with the answer."""
        allowed = super().handle_expect_100()
        self.wfile.flush()
        return allowed

    def _any(self) -> None:
        if self._allowed() and (body := self._body()) is not None:
            self.respond(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _any  # noqa: N815

    # -- who may ask -----------------------------------------------------------------------------------

    def _allowed(self) -> bool:
        """A page of another origin reaches loopback by its own name (DNS rebinding) or says its origin."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        if self.open:
            return True
        if not _LOOPBACK.fullmatch(host):
            self.refuse(HTTPStatus.FORBIDDEN, f"'{host}' is no name of this machine's loopback")
        elif origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            self.refuse(HTTPStatus.FORBIDDEN, f"pages of {origin} may not call this endpoint")
        else:
            return True
        return False

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            self.refuse(HTTPStatus.LENGTH_REQUIRED, "a request needs a Content-Length")
            return None
        if int(length) > (most := self.most()):
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has {most} bytes at the most")
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
                self.refuse(HTTPStatus.BAD_REQUEST, "a chunk begins with its size in hexadecimal")
                return None
            if len(body) + count > MAX_UPLOAD or count < 0:
                self.refuse(
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

    def refuse(self, status: int, message: str) -> None:
        # What the client may still be sending is not read.
        self.close_connection = True
        self.json(status, {"__type": HTTPStatus(status).phrase.replace(" ", ""), "message": message})

    def json(self, status: int, value: dict[str, Any]) -> None:
        self.send(status, [("content-type", "application/json")], json.dumps(value).encode())

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
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
