"""The code of handlers, kept as it was when a version was published: folders by the digest of what is in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 50 * 1024 * 1024
MAX_FILES = 5000
_APART = {"__pycache__", "node_modules", "venv", "site-packages", "build", "dist"}


class TooMuchCode(ValueError):
    """The folder holds more than what handlers are. The text says how much is allowed."""


def folder_of(store_url: str) -> Path:
    """Where code is kept beside a store: next to the SQLite file, else in `.stratum`."""
    if store_url.startswith("sqlite:///"):
        return Path(store_url.removeprefix("sqlite:///").partition("?")[0]).resolve().parent / "code"
    return Path(".stratum").resolve() / "code"


def keep(source: Path, kept: Path) -> str:
    """Copies the folder of handlers below `kept`, once for the same content; answers its digest. Raises `TooMuchCode`.

    Hidden files, caches and installed packages are left out: what runs on Lambda does not have them either.
    """
    files = sorted(_files(source, kept))
    digest = _digest(source, files)
    target = kept / digest
    if not target.exists():
        kept.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="new-", dir=kept))
        for file in files:
            copy = made / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, copy)
        try:
            made.rename(target)
        except OSError:  # somebody else has kept the same
            shutil.rmtree(made)
    return digest


def is_intact(kept: Path, digest: str) -> bool:
    """Whether the kept folder is there and still holds what was put into it."""
    target = kept / digest
    return target.is_dir() and _digest(target, sorted(_files(target, kept))) == digest


def _files(source: Path, kept: Path) -> Iterator[Path]:
    count = total = 0
    for at, folders, names in os.walk(source):
        here = Path(at)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in _APART and (here / name).resolve() != kept
        ]
        for name in names:
            path = here / name
            if name.startswith(".") or name.endswith(".pyc") or not path.is_file():
                continue
            count += 1
            total += path.stat().st_size
            if count > MAX_FILES or total > MAX_BYTES:
                raise TooMuchCode(
                    f"{source} has more than {MAX_FILES} files or {MAX_BYTES // 1024 // 1024} MB, which is too much to keep "
                    "with every version; put the handlers into a folder of their own, or publish with --no-code"
                )
            yield path.relative_to(source)


def _digest(source: Path, files: list[Path]) -> str:
    made = hashlib.sha256()
    for file in files:
        content = (source / file).read_bytes()
        made.update(f"{file.as_posix()}\0{len(content)}\0".encode())
        made.update(content)
    return made.hexdigest()
