"""The console on a port of its own, over any store: what `stratum console` runs."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

from ...handlers.console.host import Console
from ...handlers.console.stories import Stories
from ...handlers.identity import Identity
from ..desk import desk_of
from ..loopback import RequestHandler, Server
from ..people import account, whoami
from ..runs import RUN
from .site import PREFIX, Site

if TYPE_CHECKING:
    from ...handlers.runtime import Runtime
    from ...handlers.store import Store
    from ...handlers.versions.publishing import Published
    from ..engine import Engine


class ConsoleServer:
    """Serves the console on `host:port`; port 0 takes any that is free. Raises OSError."""

    def __init__(self, site: Site, host: str = "127.0.0.1", port: int = 0):
        class Handler(_Handler):
            pass

        Handler.site = site
        self.site = site
        self._server = Server((host, port), Handler)
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="stratum-console", daemon=True
        )

    @property
    def link(self) -> str:
        return self.site.link(self.url)

    def __enter__(self) -> ConsoleServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(RequestHandler):
    site: Site

    def respond(self, body: bytes) -> None:
        if self.site.has(self.path.partition("?")[0]):
            self.site.respond(self, body)
        elif self.command in ("GET", "HEAD"):
            self.send(303, [("location", f"{PREFIX}/")], b"")
        else:
            self.refuse(404, f"there is nothing here but the console, at {PREFIX}/")

    def most(self) -> int:
        return 4 * 1024 * 1024


def person(user: str | None = None) -> Identity:
    """Who acts in a console that this process serves: `user`, else the account that it runs under, and the agent that started
    it."""
    started_by = whoami()
    return Identity(user or account(), "console", socket.gethostname(), started_by.agent)


def console_of(
    runtime: Runtime,
    store_url: str,
    *,
    who: Identity | None,
    place: str,
    engine: Engine | None = None,
    alias: str | None = None,
    stories: Stories | None = None,
) -> Console:
    """The console over a store. With an `engine`, what is started in it is run there; without one, by the store's stage.
    `stories` are those of before."""

    def started(execution: str, published: Published | None) -> None:
        assert engine is not None
        head = runtime.store.head(execution)
        origin = (
            runtime.store.get(RUN, head.fields["forked_from"])
            if head and "forked_from" in head.fields
            else None
        )
        if origin is not None:
            runtime.store.put(
                RUN, execution, origin.value
            )  # a fork's handlers are where those of its origin are
        if published is not None and published.code is not None:
            from .. import handler_code

            folder = handler_code.folder_of(store_url)
            engine.begun(execution, folder / published.code, f"{published.workflow}@{published.version}")
        else:
            engine.adopt(execution)

    made = Console(
        desk_of(runtime, store_url),
        who,
        cost=lambda head: _cost(runtime.store, head),
        try_out=_try_out,
        place=place,
        alias=alias,
        stories=Stories() if stories is None else stories,
    )
    if engine is not None:
        made.started = started
    return made


def _cost(store: Store, head: Any) -> str | None:
    from ..cli.cost import cost_line

    return cost_line(store, head).removeprefix("cost: ")


def _try_out(parameters: Any) -> dict[str, Any]:
    from .tryout import try_out

    return try_out(parameters)
