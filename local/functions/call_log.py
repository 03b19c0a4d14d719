"""What a worker process prints, call by call."""

from __future__ import annotations

import threading
from typing import Any

KEPT = 64 * 1024
"""Bytes of a call's output that are kept: the last ones, from the beginning of a line."""


class CallLog:
    """Takes a process's output as it comes, so that the process never waits; the `mark` ends each call's part."""

    def __init__(self, mark: bytes):
        self._mark = mark
        self._changed = threading.Condition()
        self._current = bytearray()
        self._cut = 0
        self._done: list[str] = []
        self._ended = False

    def read(self, stream: Any) -> None:
        """Reads the process's output to its end; on a thread of its own."""
        with stream:
            while chunk := stream.read1(65536):
                self._add(chunk)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> str:
        """The log of the call that has just been answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._ended, timeout=2)
            return self._done.pop(0) if self._done else self._text(self._current)

    def rest(self) -> str:
        """The log of a call that was not answered, when its process has ended."""
        with self._changed:
            # Something that the handler started and that outlives it may hold the pipe open.
            self._changed.wait_for(lambda: self._ended, timeout=0.5)
            return self._text(self._current)

    def _add(self, chunk: bytes) -> None:
        with self._changed:
            searched = max(0, len(self._current) - len(self._mark))
            self._current += chunk
            while (at := self._current.find(self._mark, searched)) >= 0:
                self._done.append(self._text(self._current[:at]))
                del self._current[: at + len(self._mark)]
                self._cut = searched = 0
            if (over := len(self._current) - 2 * KEPT) > 0:
                del self._current[:over]
                self._cut += over
            self._changed.notify_all()

    def _text(self, data: bytearray) -> str:
        over = len(data) - KEPT
        cut = self._cut + max(0, over)
        if over > 0:
            line = data.find(b"\n", over)
            if 0 <= line < len(data) - 1:
                cut += line + 1 - over
                over = line + 1
            data = data[over:]
        text = bytes(data).decode("utf-8", "replace")
        return f"[{cut} bytes before this were cut off]\n{text}" if cut else text
