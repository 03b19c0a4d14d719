"""The archive that all our functions run: our own rooms `statelang` and `handlers`, and the pinned packages."""

from __future__ import annotations

import contextlib
import os
import sys
import zipfile
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from . import archive, wheels

_MCP = "handlers/mcp/"
_LEFT_OUT = ("handlers/audit/bundles.py", "handlers/audit/signing.py", "statelang/drawing/")
"""Signatures and pictures are for laptops, as is what they import; the MCP server has an archive of its own."""
_KEPT_AS = 2
"""Counts the forms in which packages have been kept."""
_KINDS = (".py", ".json", ".yaml", ".csv", ".txt")


def engine_files(python: str, architecture: str, *, mcp: bool = False) -> dict[str, bytes]:
    """By path. Raises `NotDownloaded`."""
    own = own_files(mcp=mcp)
    packages = _packages(wheels.MCP_PACKAGES if mcp else wheels.PACKAGES, python, architecture)
    return {**packages, **(archive.with_bytecode(own) if is_this_python(python) else own)}


def _packages(pinned: Path, python: str, architecture: str) -> dict[str, bytes]:
    """The pinned packages, compiled where this Python can: kept from one deployment to the next, as it takes a while."""
    named = (
        f"{pinned.read_text()}{python}{architecture}{sys.version if is_this_python(python) else ''}{_KEPT_AS}"
    )
    kept = _cache() / f"packages-{archive.digest(named.encode())}.zip"
    try:
        with zipfile.ZipFile(kept) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except (OSError, zipfile.BadZipFile):
        pass
    found = wheels.files_of(pinned, python, architecture, pinned=True)
    files = archive.with_bytecode(found) if is_this_python(python) else found
    made = kept.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):  # a folder that cannot be written to only costs time
        kept.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(archive.archive(files))
        made.replace(kept)
    return files


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stratum"


@lru_cache(maxsize=4)
def engine_archive(python: str, architecture: str, *, mcp: bool = False) -> bytes:
    """The archive; with `mcp`, that of the MCP server. Raises `NotDownloaded`."""
    return archive.archive(engine_files(python, architecture, mcp=mcp))


def own_files(*, mcp: bool = False) -> dict[str, bytes]:
    """What of this distribution runs on Lambda."""
    left_out = _LEFT_OUT if mcp else (*_LEFT_OUT, _MCP)
    found: dict[str, bytes] = {}
    for room in ("statelang", "handlers"):
        package = import_module(f"...{room}", __package__)
        folder = Path(str(package.__file__)).parent
        for path in folder.rglob("*"):
            name = f"{room}/{path.relative_to(folder).as_posix()}"
            if path.suffix in _KINDS and path.is_file() and not name.startswith(left_out):
                found[f"stratum/{name}"] = path.read_bytes()
    around = import_module("stratum")
    found["stratum/__init__.py"] = Path(str(around.__file__)).read_bytes()
    about = f"Metadata-Version: 2.1\nName: stratum-workflows\nVersion: {version('stratum-workflows')}\n"
    found["stratum_workflows.dist-info/METADATA"] = about.encode()
    return found


def is_this_python(python: str) -> bool:
    return python == f"{sys.version_info.major}.{sys.version_info.minor}"
