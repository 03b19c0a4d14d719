"""HTTP on loopback: what AWS's SDKs send, handed to the door; and who may send it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from ...handlers.api import front_door
from ..aws import Door, Request, stacks
from ..events import page_event
from ..loopback import MAX_UPLOAD, RequestHandler, Server

if TYPE_CHECKING:
    from ...handlers.work.answers import Desk
    from ..console import Site

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request to Step Functions: the largest definition, escaped."""
_RESETS = ("/_stratum/reset", "/moto-api/reset")
"""The second is what programs written for moto's server call; alone, moto's part would be gone and ours not."""
GATES = "/_stratum/gates"
"""Where the pages of gates' links are."""


class Endpoint:
    """Serves a door on `host:port`; port 0 takes any that is free.

    `desk` gives what the pages of gates' links work on, `site` is the console; without them there are none.
    """

    def __init__(
        self,
        door: Door,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        open: bool = False,
        desk: Callable[[], Desk] | None = None,
        site: Site | None = None,
    ):
        class Handler(_Handler):
            pass

        Handler.door = door
        Handler.open = open
        Handler.desk = staticmethod(desk) if desk is not None else None
        Handler.site = site
        self._server = Server((host, port), Handler)
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


class _Handler(RequestHandler):
    door: Door
    desk: Callable[..., Desk] | None
    site: Site | None

    def most(self) -> int:
        ours = self.headers.get("X-Amz-Target", "").startswith(front_door.TARGET)
        return MAX_BODY if ours else MAX_UPLOAD

    def respond(self, body: bytes) -> None:
        place = self.path.partition("?")[0]
        if self.path == "/_stratum/health" and self.command == "GET":
            self.json(HTTPStatus.OK, {"status": "ok", "operations": sorted(front_door.OPERATIONS)})
        elif self.path in _RESETS and self.command == "POST":
            self.door.reset()
            self.json(HTTPStatus.OK, {"status": "reset"})
        elif place == GATES and self.desk is not None:
            self._gate(self.desk, body)
        elif self.site is not None and self.site.has(place):
            self.site.respond(self, body)
        elif self.path.startswith("/_stratum/") and not self.path.startswith(stacks.ANSWERS):
            self.refuse(HTTPStatus.NOT_FOUND, "there is GET /_stratum/health, and POST /_stratum/reset")
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = self.door.handle(Request(self.command, self.path, headers, body))
            self.send(response.status, response.headers, response.body)

    def _gate(self, desk: Callable[[], Desk], body: bytes) -> None:
        from ...handlers.work import page

        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = page.handle(desk, page_event(self.command, self.path, headers, body))
        self.send(answer["statusCode"], list(answer["headers"].items()), answer["body"].encode())
