"""The `stratum` command in a process of its own, as people use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "import sys; from stratum.local.cli import main; sys.exit(main())"]


def stratum(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in the folder, to its end."""
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


def done(folder: Path, *arguments: str) -> Any:
    """Runs a command that must go well; answers what it prints, as JSON."""
    ended = stratum(folder, *arguments)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout) if ended.stdout.strip() else None
