"""What is shown on stderr while a workflow runs: a live tree on a terminal, a line per change elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from ...handlers.steps import DONE, FAILED, RETRYING, RUNNING, SKIPPED, STOPPED, WAITING, Step, Steps

_MARKS = {DONE: "✓", FAILED: "✗", RETRYING: "↻", RUNNING: "…", WAITING: "◷", SKIPPED: "-", STOPPED: "■"}
_PLAIN = {
    DONE: "ok",
    FAILED: "FAILED",
    RETRYING: "retry",
    RUNNING: "..",
    WAITING: "wait",
    SKIPPED: "skip",
    STOPPED: "STOP",
}
_STYLES = {
    DONE: "green",
    FAILED: "red",
    RETRYING: "yellow",
    RUNNING: "cyan",
    WAITING: "cyan",
    SKIPPED: "dim",
    STOPPED: "red",
}


class Progress(Protocol):
    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def feed(self, events: list[dict[str, Any]]) -> None: ...

    def say(self, text: str) -> None:
        """A line of its own, between the steps."""
        ...


def progress(title: str, steps: Steps, clock: Callable[[], int]) -> Progress:
    """The kind that stderr can show."""
    return LiveTree(title, steps, clock) if sys.stderr.isatty() else Lines(title, steps, clock)


def describe(step: Step, now: int) -> str:
    """What is to be said about a step, after its name."""
    parts = [f"{step.elapsed(now):.1f} s"] if step.status not in (SKIPPED,) else []
    if step.tries > 1:
        parts.append(f"{step.tries} tries")
    if step.note:
        parts.append(step.note)
    return ", ".join(parts)


class Lines:
    """A line for every step that begins, is retried or ends."""

    def __init__(self, title: str, steps: Steps, clock: Callable[[], int]):
        self._title = title
        self._steps = steps
        self._clock = clock
        self._said: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Lines:
        print(self._title, file=sys.stderr)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.stderr.flush()

    def feed(self, events: list[dict[str, Any]]) -> None:
        for step in self._steps.feed(events):
            if step.status == RUNNING and step.tries <= 1:
                continue  # its end says it all
            saying = step.status, step.tries
            if self._said.get(step.id) != saying:
                self._said[step.id] = saying
                mark = _PLAIN[step.status]
                print(f"  {mark:<7}{step.id:<24} {describe(step, self._clock())}".rstrip(), file=sys.stderr)

    def say(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)


class LiveTree:
    """The tree of steps, redrawn in place, with the time that each has taken."""

    def __init__(self, title: str, steps: Steps, clock: Callable[[], int]):
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._steps = steps
        self._clock = clock
        self._live = Live(get_renderable=self._tree, console=Console(stderr=True), refresh_per_second=8)

    def __enter__(self) -> LiveTree:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def feed(self, events: list[dict[str, Any]]) -> None:
        self._steps.feed(events)

    def say(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def _tree(self) -> Any:
        from rich.text import Text
        from rich.tree import Tree

        tree = Tree(Text(self._title, style="bold"))
        now = self._clock()
        for step in list(self._steps.steps.values()):
            line = Text()
            line.append(f"{_MARKS[step.status]} ", style=_STYLES[step.status])
            line.append(f"{step.id:<20} ")
            line.append(describe(step, now), style="dim")
            tree.add(line)
        return tree
