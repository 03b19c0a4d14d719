"""Who is at this machine: the account that the system knows, which no environment variable can claim."""

from __future__ import annotations

import os
import socket

from ..handlers.identity import Identity


def whoami() -> Identity:
    """The person at the command line, by the account that this process runs under."""
    return Identity(account(), "cli", socket.gethostname())


def account() -> str:
    """The name of the account that this process runs under; its number where it has no name."""
    if not hasattr(os, "getuid"):
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
