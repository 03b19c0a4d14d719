"""Which process is running an execution, or is at work on one: a file lock, which the system takes back when the process dies.

It only keeps two processes from doing the same work twice. That no result counts twice is the store's business.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import IO


class OwnedElsewhere(RuntimeError):
    """Another process of this machine is running the execution."""


class Owner:
    """Holds the execution of the store at `url` while it is entered. Raises `OwnedElsewhere`."""

    def __init__(self, url: str, execution: str):
        if url.startswith("sqlite:///"):
            url = str(Path(url.removeprefix("sqlite:///").partition("?")[0]).resolve())
        key = hashlib.sha256(f"{url}\n{execution}".encode()).hexdigest()[:32]
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        self._path = Path(tempfile.gettempdir()) / f"stratum-{user}" / f"{key}.lock"
        self._execution = execution
        self._file: IO[str] | None = None

    def __enter__(self) -> Owner:
        return self if self._file is not None else self.take()

    def take(self, patience: float = 0.2) -> Owner:
        """Takes the lock; for `patience` seconds it is tried again, as somebody may be looking whether it is held.

        Raises `OwnedElsewhere`.
        """
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        until = time.monotonic() + patience
        while True:
            file = self._path.open("w")
            try:
                _lock(file.fileno())
                # Whoever held it may have removed the file since it was opened: then others lock another one.
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self._path)):
                    self._file = file
                    return self
            except FileNotFoundError:
                pass
            except OSError:
                if time.monotonic() >= until:
                    file.close()
                    raise OwnedElsewhere(self._execution) from None
                time.sleep(0.02)  # nobody tells us when the lock is given back
            file.close()

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            # Removed while it is still held, so that nobody can have locked a file that is about to go.
            self._path.unlink(missing_ok=True)
            self._file.close()


def is_held(url: str, execution: str) -> bool:
    """Whether some process holds it."""
    try:
        with Owner(url, execution).take(patience=0):
            return False
    except OwnedElsewhere:
        return True


def _lock(file: int) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
