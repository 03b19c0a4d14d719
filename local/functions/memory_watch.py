"""Ends functions that take more memory than they have, as Lambda does. Where the system tells of memory: Linux."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

_PAUSE = 0.02
"""Seconds between two looks: a process that only allocates is some hundred megabytes over by then, not more."""


class MemoryWatch:
    """Looks at the processes of calls while these run. `pid` leads a group of its own, and nobody waits for it yet."""

    def __init__(self) -> None:
        self._limits: dict[int, int] = {}
        self._some = threading.Event()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._page = os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else 0

    def begin(self, pid: int, megabytes: int) -> None:
        if not self._page:
            return
        with self._changing:
            self._limits[pid] = megabytes * 1024 * 1024 // self._page
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stratum-memory", daemon=True)
                self._thread.start()
            self._some.set()

    def end(self, pid: int) -> None:
        """From now on the number may be another process's."""
        with self._changing:
            self._limits.pop(pid, None)

    def _run(self) -> None:
        while True:
            self._some.wait()
            for pid, pages in list(self._limits.items()):
                with contextlib.suppress(OSError, ValueError, IndexError):
                    with open(f"/proc/{pid}/statm", "rb") as file:
                        taken = int(file.read().split()[1])
                    with self._changing:
                        if taken > pages and pid in self._limits:
                            os.killpg(pid, signal.SIGKILL)
            with self._changing:
                if not self._limits:
                    self._some.clear()
            time.sleep(_PAUSE)


watch = MemoryWatch()
"""One for all functions of this process."""
