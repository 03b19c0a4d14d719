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

_LEFT_OUT = ("handlers/mcp/", "handlers/audit/bundles.py", "handlers/audit/signing.py", "statelang/drawing/")
"""The MCP server, signatures and pictures are for laptops, as is what they import."""
_KEPT_AS = 2
"""Counts the forms in which packages have been kept."""
_KINDS = (".py", ".json", ".yaml", ".csv", ".txt")


def engine_files(python: str, architecture: str) -> dict[str, bytes]:
    """By path. Raises `NotDownloaded`."""
    own = own_files()
    if not is_this_python(python):
        return {**_packages(python, architecture), **own}
    return {**_packages(python, architecture), **archive.with_bytecode(own)}


def _packages(python: str, architecture: str) -> dict[str, bytes]:
    """The pinned packages, compiled where this Python can: kept from one deployment to the next, as it takes a while."""
    named = f"{wheels.PACKAGES.read_text()}{python}{architecture}{sys.version if is_this_python(python) else ''}{_KEPT_AS}"
    kept = _cache() / f"packages-{archive.digest(named.encode())}.zip"
    try:
        with zipfile.ZipFile(kept) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except (OSError, zipfile.BadZipFile):
        pass
    found = wheels.files_of(wheels.PACKAGES, python, architecture, pinned=True)
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
def engine_archive(python: str, architecture: str) -> bytes:
    """The archive. Raises `NotDownloaded`."""
    return archive.archive(engine_files(python, architecture))


def own_files() -> dict[str, bytes]:
    """What of this distribution runs on Lambda."""
    found: dict[str, bytes] = {}
    for room in ("statelang", "handlers"):
        package = import_module(f"...{room}", __package__)
        folder = Path(str(package.__file__)).parent
        for path in folder.rglob("*"):
            name = f"{room}/{path.relative_to(folder).as_posix()}"
            if path.suffix in _KINDS and path.is_file() and not name.startswith(_LEFT_OUT):
                found[f"stratum/{name}"] = path.read_bytes()
    around = import_module("stratum")
    found["stratum/__init__.py"] = Path(str(around.__file__)).read_bytes()
    about = f"Metadata-Version: 2.1\nName: stratum-workflows\nVersion: {version('stratum-workflows')}\n"
    found["stratum_workflows.dist-info/METADATA"] = about.encode()
    return found


def is_this_python(python: str) -> bool:
    return python == f"{sys.version_info.major}.{sys.version_info.minor}"
