"""Agents of the tests: real MCP clients, in this process over a host of its own or with a server process over stdio."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from stratum.handlers.mcp.server import build_server
from stratum.handlers.store import Store
from stratum.local.agents.host import LocalHost
from stratum.local.people import AGENTS
from stratum.local.stores import open_store

STRATUM = [sys.executable, "-c", "import sys; from stratum.local.cli import main; sys.exit(main())"]
MODES = ("auto", "legacy")
"""The two eras of the protocol: what the client finds out by itself, and the handshake of before."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in AGENTS}


class Failed(AssertionError):
    """A tool answered with an error; the text is what a model would read."""


class Agent:
    """A client's connection, with tools as calls that answer structured content."""

    def __init__(self, client: Client):
        self.client = client

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Raises `Failed`."""
        answer = await self.client.call_tool(tool, arguments)
        text = answer.content[0].text if answer.content else ""  # pyright: ignore[reportAttributeAccessIssue]
        if answer.is_error:
            raise Failed(text)
        assert isinstance(answer.structured_content, dict)
        return answer.structured_content

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """The text of the error that the call must end in."""
        try:
            answered = await self.call(tool, **arguments)
        except Failed as error:
            return str(error)
        raise AssertionError(f"{tool} was not refused: {answered}")

    async def follow(self, answer: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """Does what an answer's `next` says."""
        return await self.call(answer["next"]["tool"], **{**answer["next"]["arguments"], **changed})


def talk(conversation: Callable[[], Awaitable[None]]) -> None:
    """Runs a conversation to its end."""
    anyio.run(conversation)


class Here:
    """A project with an MCP host in this process."""

    def __init__(
        self, project: Path, *, tenant: str = "default", store: str | None = None, shared: bool = False
    ):
        self.project = project
        self.url = store or f"sqlite:///{project}/.stratum/stratum.db?sync=normal"
        (project / ".stratum").mkdir(exist_ok=True)
        self.host = LocalHost(partial(_open, self.url, tenant), self.url, project, shared=shared)

    @asynccontextmanager
    async def agent(self, mode: str = "auto", **options: Any) -> AsyncIterator[Agent]:
        async with Client(build_server(self.host), mode=mode, **options) as client:
            yield Agent(client)

    @property
    def store(self) -> Store:
        return self.host.engine.store

    def close(self) -> None:
        self.host.close()


def _open(url: str, tenant: str) -> Store:
    store = open_store(url)
    return store if tenant == "default" else store.for_tenant(tenant)


class Server:
    """`stratum mcp` in a process of its own, for a project; started anew for each connection, and killed with -9."""

    def __init__(self, project: Path, *options: str, environ: dict[str, str] | None = None):
        self.project = project
        self.options = options
        self.environ = environ or ENVIRONMENT

    @asynccontextmanager
    async def agent(
        self, mode: str = "auto", *, kill: Callable[[int], None] | None = None
    ) -> AsyncIterator[Agent]:
        """With `kill`, the process ends with the connection, in the hardest way; it is told the process's id."""
        before = _children()
        parameters = StdioServerParameters(
            command=STRATUM[0], args=[*STRATUM[1:], "mcp", *self.options], cwd=self.project, env=self.environ
        )
        async with Client(stdio_client(parameters), mode=mode) as client:
            yield Agent(client)
            if kill is not None:
                [process] = _children() - before
                os.kill(process, signal.SIGKILL)
                kill(process)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of a person, in the project."""
        return subprocess.run(
            [*STRATUM, *arguments], cwd=self.project, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip


def _children() -> set[int]:
    """The processes that this one has started and that live."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    )
    found = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return {int(pid) for pid, parent, name in found if int(parent) == os.getpid() and name != "ps"}
