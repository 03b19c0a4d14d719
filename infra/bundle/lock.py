"""Writes `packages.txt` and `packages_mcp.txt` anew: `python -m stratum.infra.bundle.lock`, in a clone; with `mcp`, the second
alone.

Each package has one version for every Python and both architectures, and the digests of all its wheels.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..plan import PYTHONS
from .wheels import MCP_PACKAGES, PACKAGES, PLATFORMS, download

WANTED = (
    "aws-lambda-powertools>=3.20",
    "jsonschema>=4.23",
    "pydantic>=2.8",
    "pyyaml>=6.0.2",
    "regex>=2024.9",
)
"""What the handlers import. Lambda's runtime itself has boto3."""
WITH_MCP = ("mcp>=2.3",)
"""What the MCP server imports beside."""

_HEAD = """\
# What the deployed {what} beside Lambda's own boto3: one version each, with the digests of its wheels for Linux.
# Written by `python -m stratum.infra.bundle.lock`.
"""


def lock(wants: Sequence[str], what: str) -> str:
    """The text of the file for what is wanted. Raises `NotDownloaded`."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text("\n".join(wants))
        for python in PYTHONS:
            for architecture in PLATFORMS:
                to = Path(folder, f"{python}-{architecture}")
                for wheel in download(wanted, python, architecture, to, pinned=False):
                    name, version = wheel.name.split("-")[:2]
                    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
                    found[name.lower().replace("_", "-"), version].add(digest)
    lines = [_HEAD.format(what=what)]
    for (name, version), digests in sorted(found.items()):
        hashes = " \\\n".join(f"    --hash=sha256:{digest}" for digest in sorted(digests))
        lines.append(f"{name}=={version} \\\n{hashes}\n")
    return "".join(lines)


def pins(text: str) -> list[str]:
    """`NAME==VERSION` of everything in a file of ours."""
    return re.findall(r"^\S+==\S+", text, re.MULTILINE)


if __name__ == "__main__":
    if sys.argv[1:] != ["mcp"]:
        PACKAGES.write_text(lock(WANTED, "handlers need"))
    # The same versions as the other handlers have: what one has tried, the other runs.
    MCP_PACKAGES.write_text(lock([*pins(PACKAGES.read_text()), *WITH_MCP], "MCP server needs"))
