"""Who is at this machine: the account that the system knows, which no environment variable can claim."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from ..handlers.identity import Identity

AGENTS = {
    "CLAUDECODE": "claude-code", "CODEX_SANDBOX": "codex", "CODEX_SANDBOX_NETWORK_DISABLED": "codex", "CODEX_THREAD_ID": "codex",
    "CURSOR_AGENT": "cursor", "GEMINI_CLI": "gemini-cli", "OPENCODE": "opencode", "AI_AGENT": "an agent",
}  # fmt: skip
"""What coding agents set in the environment of the commands that they run."""


def whoami(environ: Mapping[str, str] = os.environ) -> Identity:
    """Who is at the command line: the account that this process runs under, and the agent that runs it, if one does."""
    agent = next((name for variable, name in AGENTS.items() if environ.get(variable)), None)
    return Identity(account(), "cli", socket.gethostname(), agent)


def account() -> str:
    """The name of the account that this process runs under; its number where it has no name."""
    if not hasattr(os, "getuid"):
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
