"""The server, put together over a host."""

from __future__ import annotations

from importlib.metadata import version

from mcp.server import MCPServer
from mcp.server.request_state import RequestStateSecurity

from . import prompts, resources, tools
from .host import Host
from .kit import Kit

NAME = "stratum"
INSTRUCTIONS = """\
Stratum runs workflows that must not get lost. An execution goes on by itself, also while you are away; some of its steps
wait for an agent (you), and gates wait for a person.

- Every answer has `next`: the tool and the arguments to call. Follow it. `status` alone is enough to go on from when you
  remember nothing else; without arguments it lists what runs.
- An agent step gives you `intent`, `input`, `contract` and `ensure`. Do the work, then `step` with the result. A result that is
  not as the contract says is refused with every violation: mend it and hand it in again. `violations` tell what was wrong
  with the attempt before. Report what it has cost in `usage` where you know.
- With several agents at work, `claim` a piece before you do it.
- You cannot decide a gate, and do not try to: tell your user the command that `decide` names, then wait with `status`.
- To write a workflow, read the resource stratum://guide and call `validate`.
"""


def build_server(host: Host, *, keys: list[bytes] | None = None) -> MCPServer:
    """The server over `host`; with `keys` (of 32 bytes) several processes answer one client's conversation."""
    security = RequestStateSecurity(keys=keys) if keys else None
    server = MCPServer(
        NAME,
        title="Stratum",
        instructions=INSTRUCTIONS,
        version=version("stratum-workflows"),
        log_level="WARNING",
        request_state_security=security,
    )
    kit = Kit(host)
    tools.add_all(server, kit)
    resources.add_all(server, kit)
    prompts.add_all(server)
    return server
