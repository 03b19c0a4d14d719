"""A command of ours on a pseudo-terminal, as in a window of that size."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable

_MAIN = "import sys; from stratum.local.cli import main; sys.exit(main(sys.argv[1:]))"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()=>][A-Z0-9]?")


class PseudoTerminal:
    """`shown()` is the text of what was drawn last, as lines; the size can change while it runs."""

    def __init__(self, *arguments: str, rows: int = 24, columns: int = 80):
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.environ["TERM"] = "xterm-256color"
            for name in ("COLUMNS", "LINES"):
                os.environ.pop(name, None)
            while os.get_terminal_size(0).columns != columns:
                time.sleep(0.01)
            os.execv(sys.executable, [sys.executable, "-c", _MAIN, *arguments])
        self._got = b""
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self._pid, signal.SIGWINCH)

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def shown(self) -> list[str]:
        """What is on an alternate screen, which is drawn from its corner on; else all that was written."""
        frame = self._got.rpartition(b"\x1b[H")[2].decode("utf-8", "replace")
        return [line.rstrip("\r").rpartition("\r")[2] for line in _ESCAPE.sub("", frame).split("\n")]

    def written(self) -> str:
        return _ESCAPE.sub("", self._got.decode("utf-8", "replace"))

    def until(self, holds: Callable[[list[str]], bool], seconds: float = 20) -> list[str]:
        """Waits until it shows what it should; answers the lines."""
        end = time.monotonic() + seconds
        while not (holds(lines := self.shown()) and self._rests()):
            assert time.monotonic() < end, self.written()
            self._read(0.1)
        return lines

    def _rests(self) -> bool:
        """Whether nothing more is being drawn."""
        before = len(self._got)
        self._read(0.05)
        return len(self._got) == before

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return True
        try:
            got = os.read(self._terminal, 65536)
        except OSError:  # Linux says so of a terminal that nobody has open
            return False
        self._got += got
        return bool(got)

    def code(self) -> int:
        """Waits for its end."""
        end = time.monotonic() + 20
        while self._read(0.1):
            assert time.monotonic() < end, self.written()
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
