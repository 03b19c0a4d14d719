"""The key that links are signed with: a file beside the local store, which only its owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class KeyUnreadable(ValueError):
    """The key's file cannot be used; the text says why."""


def key_path(store_url: str) -> Path | None:
    """Where the key of a store lies; None for a store that is no file."""
    path = store_path(store_url)
    return None if path is None else path.with_name(f"{path.name}.key")


def store_path(store_url: str) -> Path | None:
    if not store_url.startswith("sqlite:///"):
        return None
    path = store_url.removeprefix("sqlite:///").partition("?")[0]
    return None if path == ":memory:" else Path(path)


def file_key(path: Path) -> bytes:
    """The key in the file, made where there is none. Raises `KeyUnreadable`, for a file that others may read too."""
    made = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        if not path.exists():
            file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w") as writing:
                writing.write(secrets.token_urlsafe(32))
            try:
                os.link(made, path)  # whoever is first has made the key; a half-written one is never seen
            except FileExistsError:
                pass
            finally:
                made.unlink()
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise KeyUnreadable(f"{path} may be read by others than its owner: chmod 600 {path}")
        key = path.read_bytes().strip()
    except OSError as error:
        raise KeyUnreadable(f"{path} cannot be used: {error.strerror}") from None
    if len(key) < 32:
        raise KeyUnreadable(f"{path} holds no key: delete it, and a new one is made")
    return key
