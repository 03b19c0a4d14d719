"""The screen of `stratum watch`: the executions, and the steps of the one that is chosen, by keyboard.

↑ ↓ (or k j), Page Up, Page Down   choose, or scroll the steps
Enter, →                           the steps of the chosen one
Esc, ←                             back to the list
q, Ctrl-C                          ends watching, and nothing else
"""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...handlers.steps import RETRYING, RUNNING, WAITING, Steps
from ...handlers.store import Head, Store
from ...handlers.workflows import source_map
from .progress import step_line
from .tables import STATUS_STYLES

_LOOK = 1.0
_GLANCE = 0.2
"""Seconds between two looks into the store, and at the keyboard and the window's size."""
_KEYS = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"k": "up", b"\x1b[B": "down", b"\x1bOB": "down", b"j": "down",
    b"\x1b[5~": "page up", b"\x1b[6~": "page down", b"\r": "open", b"\n": "open", b"\x1b[C": "open", b"\x1bOC": "open",
    b"\x1b": "back", b"\x1b[D": "back", b"\x1bOD": "back", b"q": "quit", b"\x03": "quit", b"\x04": "quit",
}  # fmt: skip
_KEY = re.compile(rb"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Za-z]|.", re.DOTALL)
_REST = 0.05
"""Seconds within which the rest of an arrow key comes after its Escape."""
_NARROW = ((58, "STARTED"), (72, "WORKFLOW"), (40, "SECONDS"))
"""The columns that go in a window of fewer cells than that."""


class Screen:
    """`rows` gives the cells of an execution, by the names in `heads`."""

    def __init__(
        self, store: Store, limit: int, heads: tuple[str, ...], rows: Callable[[Head], tuple[str, ...]]
    ):
        self._store, self._limit, self._heads, self._rows = store, limit, heads, rows
        self._found: list[Head] = []
        self._chosen = 0
        self._top = 0
        self._detail: _Detail | None = None

    def run(self) -> None:
        self._look()
        with _keyboard() as key, Live(self._picture(), screen=True, auto_refresh=False) as live:
            size, looked = shutil.get_terminal_size(), time.monotonic()
            while True:
                pressed = key(_GLANCE)
                for each in pressed:
                    if each == "quit":
                        return
                    self._press(each)
                due = time.monotonic() - looked >= _LOOK
                if due:
                    self._look()
                    looked = time.monotonic()
                if due or pressed or size != shutil.get_terminal_size():
                    size = shutil.get_terminal_size()
                    live.update(self._picture(), refresh=True)

    def _look(self) -> None:
        chosen = self._found[self._chosen].execution if self._found else None
        self._found = self._store.heads(limit=self._limit).items
        places = [at for at, head in enumerate(self._found) if head.execution == chosen]
        self._chosen = places[0] if places else min(self._chosen, max(0, len(self._found) - 1))
        if self._detail is not None:
            self._detail.look()

    def _press(self, key: str) -> None:
        if self._detail is not None:
            if key == "back":
                self._detail = None
            else:
                self._detail.scroll(_by(key))
        elif key == "open" and self._found:
            self._detail = _Detail(self._store, self._found[self._chosen])
        else:
            self._chosen = max(0, min(self._chosen + _by(key), len(self._found) - 1))

    def _picture(self) -> RenderableType:
        size = shutil.get_terminal_size()
        room = max(1, size.lines - 3)
        if self._detail is not None:
            return self._detail.picture(room, size.columns)
        self._top = max(min(self._top, self._chosen), self._chosen - room + 1, 0)
        dropped = {head for width, head in _NARROW if size.columns < width}
        shown = [at for at, head in enumerate(self._heads) if head not in dropped]
        table = Table(box=None, pad_edge=False, header_style="bold", width=size.columns)
        for at in shown:
            name = self._heads[at] == "EXECUTION"
            table.add_column(
                self._heads[at], no_wrap=True, overflow="ellipsis", ratio=1 if name else None,
                min_width=12 if name else len(self._heads[at]), max_width=24 if self._heads[at] == "WORKFLOW" else None,
            )  # fmt: skip
        for at, head in enumerate(self._found[self._top : self._top + room], self._top):
            cells = self._rows(head)
            style = "reverse" if at == self._chosen else ""
            table.add_row(
                *(Text(cells[i], style=STATUS_STYLES.get(cells[i], "")) for i in shown), style=style
            )
        return Group(table, _words(f"{len(self._found)} executions  ↑↓ choose  Enter steps  q quit"))


class _Detail:
    """The steps of one execution."""

    def __init__(self, store: Store, head: Head):
        self._store, self._head = store, head
        self._steps = Steps(source_map(store, head.definition))
        self._seq = -1
        self._top: int | None = None
        """The first line that is shown; None follows what goes on."""
        self._room = 1
        self.look()

    def look(self) -> None:
        for commit in self._store.commits(self._head.execution, self._seq + 1):
            self._steps.feed(commit.events, commit.messages)
            self._seq = commit.seq
        self._head = self._store.head(self._head.execution) or self._head

    def scroll(self, by: int) -> None:
        self._top = max(0, min(self._first() + by, len(self._steps.steps) - self._room))

    def _first(self) -> int:
        if self._top is not None:
            return self._top
        return first_line(self._steps, self._room)

    def picture(self, room: int, columns: int) -> RenderableType:
        self._room = room
        now = time.time_ns() // 1_000_000
        first = self._first()
        steps = [*self._steps.steps.values()]
        title = Text(no_wrap=True, overflow="ellipsis")
        title.append(_visible(self._head.name), style="bold")
        title.append(f" {self._head.status}", style=STATUS_STYLES.get(self._head.status, ""))
        lines: list[RenderableType] = [title]
        for step in steps[first : first + room]:
            line = step_line(step, now, self._steps.depth(step))
            line.no_wrap, line.overflow = True, "ellipsis"
            lines.append(line)
        last = min(first + room, len(steps))
        where = f"steps {first + 1} to {last} of {len(steps)}" if len(steps) > room else f"{len(steps)} steps"
        return Group(*lines, _words(f"{where}  ↑↓ scroll  Esc back  q quit"))


def first_line(steps: Steps, room: int) -> int:
    """The first line to be shown where there is room for so many, so that what goes on is seen."""
    listed = [*steps.steps.values()]
    if len(listed) <= room:
        return 0
    going = [at for at, step in enumerate(listed) if step.status in (RUNNING, WAITING, RETRYING)]
    focus = going[-1] if going else len(listed) - 1
    return max(0, min(focus - room + 2, len(listed) - room))


def _by(key: str) -> int:
    return {"up": -1, "down": 1, "page up": -10, "page down": 10}.get(key, 0)


def _words(text: str) -> Text:
    return Text(text, style="dim", no_wrap=True, overflow="ellipsis")


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@contextmanager
def _keyboard() -> Iterator[Callable[[float], list[str]]]:
    """Gives what waits so long for keys and tells which; without a keyboard it only waits."""

    def wait(seconds: float) -> list[str]:
        time.sleep(seconds)
        return []

    try:
        import termios
        import tty
    except ImportError:  # Windows: Ctrl-C ends it
        yield wait
        return
    if not sys.stdin.isatty():
        yield wait
        return
    number = sys.stdin.fileno()

    def keys(seconds: float) -> list[str]:
        if not select.select([number], [], [], seconds)[0]:
            return []
        pressed = os.read(number, 1024)
        if pressed == b"\x1b" and select.select([number], [], [], _REST)[0]:
            pressed += os.read(number, 1024)
        if not pressed:
            return ["quit"]  # the terminal is gone
        return [_KEYS[each] for each in _KEY.findall(pressed) if each in _KEYS]

    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield keys
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
