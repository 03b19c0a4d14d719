"""Test cases run for an agent: in a process of their own, as functions print and modules stay imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ...handlers.mcp.host import NotHere, Tested

SECONDS = 300
"""How long cases may take in all."""
_COMMAND = "import sys; from stratum.local.cli import main; sys.exit(main())"


def run_cases(project: Path, file: Path, match: str | None) -> Tested:
    """What `stratum test` says of the file. Raises `NotHere`."""
    options = ["--json", *([] if match is None else ["-k", match])]
    # Without the store of the server: what tests run is in the memory of their process.
    environment = {name: value for name, value in os.environ.items() if name != "STRATUM_STORE"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, "test", str(file.relative_to(project)), *options],
            cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
            errors="replace", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotHere(
            f"the cases of {file.name} took more than {SECONDS} seconds: give `match` to run some of them"
        ) from None
    if done.returncode not in (0, 1) or not done.stdout.strip():
        return Tested([], done.stderr[-6000:].strip() or f"the tests ended with exit code {done.returncode}")
    return Tested(json.loads(done.stdout))
