"""The tools, one file each; `add` of each puts it into the server. The order here is the order in which they are listed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from ..kit import Kit

TOOLS = (
    "validate", "test", "run", "claim", "step", "status", "history", "search", "gates", "ask", "fork", "versions", "stop",
)  # fmt: skip


def add_all(server: MCPServer, kit: Kit) -> None:
    for name in TOOLS:
        import_module(f".{name}", __name__).add(server, kit)
