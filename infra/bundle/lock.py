"""Writes `packages.txt` anew: `python -m stratum.infra.bundle.lock`, in a clone.

Each package has one version for every Python and both architectures, and the digests of all its wheels.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from pathlib import Path

from ..plan import PYTHONS
from .wheels import PACKAGES, PLATFORMS, download

WANTED = (
    "aws-lambda-powertools>=3.20",
    "jsonschema>=4.23",
    "pydantic>=2.8",
    "pyyaml>=6.0.2",
    "regex>=2024.9",
)
"""What the handlers import. Lambda's runtime itself has boto3."""

_HEAD = """\
# What the deployed handlers need beside Lambda's own boto3: one version each, with the digests of its wheels for Linux.
# Written by `python -m stratum.infra.bundle.lock`.
"""


def lock() -> str:
    """The text of the file. Raises `NotDownloaded`."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text("\n".join(WANTED))
        for python in PYTHONS:
            for architecture in PLATFORMS:
                to = Path(folder, f"{python}-{architecture}")
                for wheel in download(wanted, python, architecture, to, pinned=False):
                    name, version = wheel.name.split("-")[:2]
                    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
                    found[name.lower().replace("_", "-"), version].add(digest)
    lines = [_HEAD]
    for (name, version), digests in sorted(found.items()):
        hashes = " \\\n".join(f"    --hash=sha256:{digest}" for digest in sorted(digests))
        lines.append(f"{name}=={version} \\\n{hashes}\n")
    return "".join(lines)


if __name__ == "__main__":
    PACKAGES.write_text(lock())
