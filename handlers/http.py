"""HTTP as tasks speak it: one request, one response, no redirects followed."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MAX_RESPONSE = 262_144
"""Bytes of a response's body that are read, as Step Functions asks for no more."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`timeout` is in seconds."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    reason: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class HttpFailed(Exception):
    """There was no response. `timed_out` where none came in time."""

    def __init__(self, message: str, *, timed_out: bool = False):
        super().__init__(message)
        self.timed_out = timed_out


Http = Callable[[HttpRequest], HttpResponse]
"""Sends a request. Raises `HttpFailed`."""


def send(request: HttpRequest) -> HttpResponse:
    """Over the network. Raises `HttpFailed`."""
    try:
        parts = urlsplit(request.url)
        secure = parts.scheme == "https"
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HttpFailed(f"{request.url} is no URL of the web")
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(parts.hostname, parts.port, timeout=request.timeout)
    except ValueError as error:
        raise HttpFailed(f"{request.url} is no URL: {error}") from None
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.putrequest(request.method, target, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read(MAX_RESPONSE + 1)
        return HttpResponse(response.status, response.reason, response.getheaders(), body)
    except TimeoutError:
        raise HttpFailed(
            f"{parts.hostname} did not answer within {request.timeout:g} s", timed_out=True
        ) from None
    except socket.gaierror:
        raise HttpFailed(f"{parts.hostname}: Name or service not known") from None
    except ssl.SSLError as error:
        raise HttpFailed(f"{parts.hostname}: {error.reason or error}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HttpFailed(f"{parts.hostname}: {error or type(error).__name__}") from None
    finally:
        connection.close()
