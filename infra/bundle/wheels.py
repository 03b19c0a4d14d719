"""Packages for Lambda: pinned in `packages.txt` with the digests of their wheels, downloaded for its architecture.

pip downloads them, from wherever this machine's pip is set up to download; whatever has another digest is refused.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

PACKAGES = Path(__file__).with_name("packages.txt")
MCP_PACKAGES = Path(__file__).with_name("packages_mcp.txt")
PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
_LIBC = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
"""What Lambda's Amazon Linux 2023 runs (glibc 2.34)."""


_UNUSED = (
    "aws_lambda_powertools/event_handler/",
    *(f"aws_lambda_powertools/utilities/{name}/" for name in ("data_masking", "feature_flags", "idempotency", "kafka",
                                                             "parameters", "streaming", "validation")),
)  # fmt: skip
"""Parts of a package that no handler of ours imports, and that it does not import itself: a third of it."""


class NotDownloaded(RuntimeError):
    """pip could not get the packages; the text is its own."""


def download(requirements: Path, python: str, architecture: str, to: Path, *, pinned: bool) -> list[Path]:
    """The wheels of a requirements file with all that they need, for Linux. Raises `NotDownloaded`."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", python, "--dest", str(to.resolve()), "--requirement", str(requirements.resolve()),
        *(part for libc in _LIBC for part in ("--platform", f"{libc}_{PLATFORMS[architecture]}")),
        *(("--require-hashes",) if pinned else ()),
    ]  # fmt: skip
    # Wheels beside the file are named as they lie to it.
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=requirements.resolve().parent
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = "\n".join(lines or done.stderr.splitlines()[-5:])
        raise NotDownloaded(f"packages for Python {python} on {architecture} could not be had:\n{reason}")
    return sorted(to.glob("*.whl"))


def files_of(requirements: Path, python: str, architecture: str, *, pinned: bool) -> dict[str, bytes]:
    """What the packages install, by path. Raises `NotDownloaded`."""
    with tempfile.TemporaryDirectory(prefix="stratum-wheels-") as folder:
        return unpacked(download(requirements, python, architecture, Path(folder), pinned=pinned))


def unpacked(wheels: Iterable[Path]) -> dict[str, bytes]:
    """The files of wheels as they lie when installed, without those that nothing reads at run time."""
    found: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as opened:
            for info in opened.infolist():
                if not info.is_dir() and _is_wanted(info.filename):
                    found[info.filename] = opened.read(info)
    return found


def _is_wanted(name: str) -> bool:
    top, _, rest = name.partition("/")
    if top.endswith(".dist-info"):
        return rest in ("METADATA", "entry_points.txt")  # what a program asks of what is installed
    if top.endswith(".data") or rest.startswith(("tests/", "test/")):
        return False
    if name.startswith(_UNUSED):
        return False
    return not name.endswith((".pyi", ".pyx", ".pxd", ".c", ".h", ".md", "py.typed"))
