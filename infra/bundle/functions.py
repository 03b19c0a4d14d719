"""The archive of a folder of handlers: its files as they are, and what `requirements.txt` in it names.

A folder whose code imports `stratum`, or whose packages do, has that too. Files and folders that begin with a dot, what git's
and Python's tools leave behind, wheels that `requirements.txt` names, and tests stay out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from ..plan import REQUIREMENTS
from . import archive, wheels
from .engine import engine_files, is_this_python

ENTRY = "stratum_long_function"
"""The module, at the top of the archive, that functions with a long timeout are entered by."""
_OUT = {"__pycache__", "node_modules", "venv", "build", "dist"}
_IMPORT = re.compile(rb"^\s*(?:from|import)\s+stratum\b", re.MULTILINE)
_MOST = 50 * 1024 * 1024
"""Bytes of a folder above which it is none of handlers: somebody's home, for one."""


class NoHandlers(ValueError):
    """The folder cannot be packed; the text says why."""


@lru_cache(maxsize=64)
def function_archive(folder: Path, python: str, architecture: str) -> bytes:
    """Raises `NoHandlers`, `NotDownloaded`, `TooLarge`."""
    own = folder_files(folder)
    files: dict[str, bytes] = {}
    requirements = folder / REQUIREMENTS
    if requirements.is_file():
        files = wheels.files_of(requirements, python, architecture, pinned=False)
    if any(_IMPORT.search(text) for name, text in {**files, **own}.items() if name.endswith(".py")):
        files = {**engine_files(python, architecture), **files}
    entry = import_module("...handlers.long_function", __package__)
    files |= {**own, f"{ENTRY}.py": Path(str(entry.__file__)).read_bytes()}
    return archive.archive(archive.with_bytecode(files) if is_this_python(python) else files)


def folder_files(folder: Path) -> dict[str, bytes]:
    """The files of a folder that belong to its handlers, by path. Raises `NoHandlers`."""
    found: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part in _OUT or part.startswith(".") for part in parts) or not path.is_file():
            continue
        if path.suffix in (".pyc", ".whl") or (len(parts) == 1 and path.name.startswith("test_")):
            continue
        size += path.stat().st_size
        if size > _MOST:
            raise NoHandlers(
                f"{folder} has more than {_MOST >> 20} MB in it: put the workflow and its handlers in a folder of their own"
            )
        found["/".join(parts)] = path.read_bytes()
    return found
