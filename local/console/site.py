"""What a browser is given, and who may see it.

Whoever can reach this port is not yet whoever started it: other accounts and other programs of this machine can. So the
console is opened by a link with a key, which is told where it was started and exchanged for a cookie that no other site
can send and no script can read. Pages of other origins are refused before (`loopback`), and the pages' own policy lets
them load and call nothing but this origin, without any script or style in the page itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from ..events import page_event

if TYPE_CHECKING:
    from ...handlers.console.host import Console
    from ..loopback import RequestHandler
    from .stream import Pace

PREFIX = "/_stratum/console"
_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_OPEN = ("style.css", "icon.svg")
"""What the page that asks for the key needs."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-frame-options": "DENY", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
}  # fmt: skip


class Site:
    """`make_console` gives what the API works on, anew for every request; `pace` is how often changes are looked for
    (default: as on a store of this machine)."""

    def __init__(self, make_console: Callable[[], Console], pace: Pace | None = None):
        self._make_console = make_console
        self._pace = pace
        self._key = secrets.token_urlsafe(24)
        # Cookies know no ports: another console's on this machine has another name.
        self._cookie = f"stratum-{hashlib.sha256(self._key.encode()).hexdigest()[:12]}"
        self._files = {path.relative_to(_STATIC).as_posix(): path for path in _STATIC.rglob("*.*")}

    def link(self, url: str) -> str:
        """What opens the console of the server at `url`."""
        return f"{url}{PREFIX}/?key={self._key}"

    def has(self, path: str) -> bool:
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    def respond(self, request: RequestHandler, body: bytes) -> None:
        place, _, query = request.path.partition("?")
        name = place.removeprefix(PREFIX).removeprefix("/")
        if place == PREFIX:
            self._redirect(request, f"{PREFIX}/")
        elif not name and "key" in (given := parse_qs(query)):
            self._let_in(request, given["key"][0])
        elif not self._may(request) and name not in _OPEN:
            if name.startswith("api/"):
                request.json(
                    HTTPStatus.UNAUTHORIZED, {"message": "open the link that the console was started with"}
                )
            else:
                self._file(request, "locked.html", HTTPStatus.UNAUTHORIZED)
        elif name == "api/stream":
            from .stream import stream

            stream(request, self._make_console(), query, self._pace)
        elif name.startswith("api/"):
            from ...handlers.console import api

            headers = {key.lower(): value for key, value in request.headers.items()}
            answer = api.handle(
                self._make_console(), page_event(request.command, request.path, headers, body)
            )
            request.send(answer["statusCode"], list(answer["headers"].items()), answer["body"].encode())
        else:
            self._file(request, name or "index.html", HTTPStatus.OK)

    def _let_in(self, request: RequestHandler, key: str) -> None:
        if not hmac.compare_digest(key.encode(), self._key.encode()):
            self._file(request, "locked.html", HTTPStatus.UNAUTHORIZED)
            return
        cookie = f"{self._cookie}={self._key}; Path={PREFIX}; HttpOnly; SameSite=Strict"
        self._redirect(request, f"{PREFIX}/", ("set-cookie", cookie))

    def _may(self, request: RequestHandler) -> bool:
        try:
            cookies = SimpleCookie(request.headers.get("Cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self._cookie)
        return found is not None and hmac.compare_digest(found.value.encode(), self._key.encode())

    def _redirect(self, request: RequestHandler, to: str, *headers: tuple[str, str]) -> None:
        request.send(HTTPStatus.SEE_OTHER, [("location", to), *HEADERS.items(), *headers], b"")

    def _file(self, request: RequestHandler, name: str, status: HTTPStatus) -> None:
        path = self._files.get(name)
        if path is None or request.command not in ("GET", "HEAD"):
            request.json(HTTPStatus.NOT_FOUND, {"message": "there is no such page"})
            return
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        headers = [
            ("content-type", _TYPES.get(path.suffix, "application/octet-stream")),
            ("etag", tag),
            ("cache-control", "no-cache"),
            *HEADERS.items(),
        ]
        if status is HTTPStatus.OK and request.headers.get("If-None-Match") == tag:
            request.send(HTTPStatus.NOT_MODIFIED, headers, b"")
        else:
            request.send(status, headers, content)
