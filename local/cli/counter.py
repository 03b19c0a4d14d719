"""How far something long has come: one line on stderr, written over again and again, where a person looks."""

from __future__ import annotations

import shutil
import sys
import time
from typing import IO

_EVERY = 0.1
_ETA = 3.0
"""Seconds after which it is told how long the rest will take."""


class Counter:
    """Used around what takes long; nothing is left of it afterwards. Elsewhere than on a terminal nothing is told."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0.0
        self.begin("", "")

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._shown and self._last:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def begin(self, what: str, unit: str, total: int | None = None) -> None:
        """Another part of the work: `what` it is, and what is counted."""
        self._what, self._unit, self._total = what, unit, total
        self._count, self._began = 0, time.monotonic()

    def add(self, count: int = 1) -> None:
        self._count += count
        now = time.monotonic()
        if self._shown and now - self._last >= _EVERY:
            self._last = now
            room = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{self._line(now - self._began)[:room]}", end="", file=sys.stderr, flush=True)

    def _line(self, took: float) -> str:
        if self._total is None:
            return f"{self._what}: {self._count:,} {self._unit}, {took:.0f} s"
        share = min(1.0, self._count / max(1, self._total))
        rest = f", {took / share - took:.0f} s left" if share and took > _ETA else ""
        if self._unit:
            return f"{self._what}: {self._count:,} of {self._total:,} {self._unit}{rest}"
        return f"{self._what}: {share:.0%}{rest}"

    def reading(self, file: IO[bytes]) -> IO[bytes]:
        """The file, whose bytes are counted as they are read."""
        return _Counted(file, self)  # pyright: ignore[reportReturnType]


class _Counted:
    def __init__(self, file: IO[bytes], counter: Counter):
        self._file = file
        self._counter = counter

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._counter.add(len(data))
        return data

    def close(self) -> None:
        self._file.close()
