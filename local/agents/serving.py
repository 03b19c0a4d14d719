"""The MCP server as a process: over standard input and output, or streamable HTTP on loopback."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .host import LocalHost

if TYPE_CHECKING:
    from ...handlers.runtime import Runtime
    from ...handlers.store import Store

MAX_BODY = 8 * 1024 * 1024
"""Bytes of one HTTP request."""
_START = 1.0


def serve_stdio(open: Callable[[], Store], url: str, project: Path) -> None:
    """Serves one client until it closes our standard input. Nothing but protocol goes to standard output."""
    from ...handlers.mcp.server import build_server

    with _host(open, url, project, shared=False) as host:
        server = build_server(host, keys=host.keys())
        # What was running goes on also while the client calls nothing, but not before it has its list of tools.
        timer = threading.Timer(_START, host.running)
        timer.daemon = True
        timer.start()
        server.run("stdio")


def serve_stage(open: Callable[[], Runtime], name: str, project: Path, tenant: str) -> None:
    """Serves one client over a stage on AWS, until it closes our standard input."""
    from ...handlers.mcp.server import build_server
    from .stage_host import StageHost

    build_server(StageHost(open, name, project.resolve(), tenant)).run("stdio")


def serve_http(open: Callable[[], Store], url: str, project: Path, address: str, port: int) -> None:
    """Serves many clients on loopback, until it is interrupted."""
    import anyio
    import uvicorn

    with _host(open, url, project, shared=True) as host:
        host.running()
        app = http_app(host, address, port)
        config = uvicorn.Config(
            app, host=address, port=port, log_level="warning", timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        anyio.run(server.serve)


def http_app(host: LocalHost, address: str, port: int) -> Any:
    """The ASGI application: at `/mcp`, for pages and programs of this machine alone."""
    from mcp.server.transport_security import TransportSecuritySettings

    from ...handlers.mcp.server import build_server

    names = {address if ":" not in address else f"[{address}]", "127.0.0.1", "localhost", "[::1]"}
    security = TransportSecuritySettings(
        allowed_hosts=[each for name in sorted(names) for each in (name, f"{name}:*")],
        allowed_origins=[each for name in sorted(names) for each in (f"http://{name}", f"http://{name}:*")],
    )
    server = build_server(host, keys=host.keys())
    return server.streamable_http_app(
        transport_security=security, host=address, max_request_body_size=MAX_BODY
    )


@contextlib.contextmanager
def _host(open: Callable[[], Store], url: str, project: Path, *, shared: bool) -> Iterator[LocalHost]:
    host = LocalHost(open, url, project, shared=shared)
    try:
        yield host
    finally:
        host.close()
