"""`stratum mcp`: the MCP server, for coding agents."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .opening import open_store
from .parsers.adding import STAGE
from .problem import WrongRequest

if TYPE_CHECKING:
    from ...handlers.store import Store

PORT = 8084


def mcp(options: argparse.Namespace) -> int:
    project = Path(options.project or os.environ.get("CLAUDE_PROJECT_DIR") or ".").resolve()
    if not project.is_dir():
        raise WrongRequest(f"--project {project}: there is no such folder")
    # Functions and relative stores are looked for from the project, wherever the client has started us.
    os.chdir(project)
    # Handlers inherit it: what an agent has written decides no gate either.
    os.environ["STRATUM_MCP"] = "1"
    _allow_many_locks()
    if importlib.util.find_spec("mcp") is None:
        raise WrongRequest("the MCP server needs the package mcp: pip install 'stratum-workflows[mcp]'")
    from ..agents import serving

    def open() -> Store:
        store = open_store(options.store, create=True)
        return store if options.tenant == store.tenant else store.for_tenant(options.tenant)

    if options.store.startswith(STAGE):
        return _serve_stage(options, project)
    if not options.store.startswith(("sqlite:///", "dynamodb://")):
        open()  # says what an address is; any other is opened when the first tool is called
    with contextlib.suppress(KeyboardInterrupt):
        if options.http is None:
            serving.serve_stdio(open, options.store, project)
        else:
            address, port = _address(options.http)
            print(f"MCP is at http://{address}:{port}/mcp; Ctrl-C stops it", flush=True)
            serving.serve_http(open, options.store, project, address, port)
    return 0


def _serve_stage(options: argparse.Namespace, project: Path) -> int:
    from ..agents import serving
    from .executions import runtime_on

    if options.http is not None:
        raise WrongRequest("over a stage there is no --http: each client has a server of its own")
    with contextlib.suppress(KeyboardInterrupt):
        serving.serve_stage(
            lambda: runtime_on(open_store(options.store, create=False)),
            options.stage,
            project,
            options.tenant,
        )
    return 0


def _address(text: str) -> tuple[str, int]:
    """`PORT` or `ADDRESS:PORT`, of this machine's loopback."""
    address, _, port = text.rpartition(":")
    address = address.strip("[]") or "127.0.0.1"
    try:
        loopback = address == "localhost" or ipaddress.ip_address(address).is_loopback
        number = int(port)
    except ValueError:
        raise WrongRequest(f"--http {text}: it is a port, or 127.0.0.1:PORT") from None
    if not loopback:
        raise WrongRequest(f"--http {text} would let other machines in, and nothing here asks who they are")
    if not 0 < number < 65536:
        raise WrongRequest(f"--http {text}: a port is from 1 to 65535")
    return address, number


def _allow_many_locks() -> None:
    """Each running execution holds a file open; the usual limit of 1,024 is soft."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16_384)), hard))
