"""Who is at this machine: the account that the system knows, which no environment variable can claim, and whether an agent
acts for it.

Agents run under the accounts of people, so that they are told by what they leave: marks in the environment of the commands
that they run, and their own processes, of which these are descendants. An agent that means to can take all of it off; that
makes it no other account, and does not bring it a terminal, which decisions are written down with.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ..handlers.identity import Identity

AGENTS = {
    "CLAUDECODE": "claude-code", "CODEX_SANDBOX": "codex", "CODEX_SANDBOX_NETWORK_DISABLED": "codex", "CODEX_THREAD_ID": "codex",
    "CURSOR_AGENT": "cursor", "GEMINI_CLI": "gemini-cli", "OPENCODE": "opencode", "AI_AGENT": "an agent",
    "STRATUM_MCP": "a handler that the MCP server runs",
}  # fmt: skip
"""What coding agents set in the environment of the commands that they run, and our MCP server in that of handlers."""
PROGRAMS = {
    "claude": "claude-code", "codex": "codex", "cursor-agent": "cursor", "gemini": "gemini-cli", "opencode": "opencode",
}  # fmt: skip
"""Coding agents by the names of their processes."""
_FAR = 64
"""Processes that are looked at, from this one upwards."""


def whoami(environ: Mapping[str, str] = os.environ) -> Identity:
    """Who is at the command line: the account that this process runs under, its terminal, and the agent that runs it, if one
    does."""
    agent = next((name for variable, name in AGENTS.items() if environ.get(variable)), None) or agent_above()
    return Identity(account(), "cli", socket.gethostname(), agent, terminal=_terminal())


def agent_above() -> str | None:
    """The agent among the processes that this one descends from, by their names and their environments."""
    for name, environ in _ancestors():
        found = PROGRAMS.get(name) or next(
            (AGENTS[variable] for variable in environ if variable in AGENTS), None
        )
        if found is not None:
            return found
    return None


def _ancestors() -> Iterator[tuple[str, Collection[str]]]:
    """The names of processes, this one's parent first, and the names of the variables that they began with."""
    parents = None if Path("/proc/self/stat").exists() else _listed()
    pid: int = os.getppid()
    for _ in range(_FAR):
        if pid <= 1:
            return
        if parents is not None:
            pid, name = parents.get(pid, (0, ""))
            yield name, ()
            continue
        try:
            # The name stands in brackets, and may have brackets in it.
            before, _, after = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
            parent = int(after.split()[1])
        except (OSError, ValueError, IndexError):
            return
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            variables = []  # another account's
        yield (
            before.partition("(")[2],
            [each.partition(b"=")[0].decode(errors="replace") for each in variables],
        )
        pid = parent


def _listed() -> dict[int, tuple[int, str]]:
    """Every process' parent and name, where there is no /proc."""
    try:
        listed = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    found = [line.split(maxsplit=2) for line in listed.splitlines()]
    return {int(each[0]): (int(each[1]), os.path.basename(each[2])) for each in found if len(each) == 3}


def _terminal() -> str | None:
    """The terminal that this process' input comes from."""
    try:
        return os.ttyname(0) if os.isatty(0) else None
    except (OSError, AttributeError):
        return None


def account() -> str:
    """The name of the account that this process runs under; its number where it has no name."""
    if not hasattr(os, "getuid"):
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
