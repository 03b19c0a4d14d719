"""What is shown on stderr while a workflow runs: a live tree on a terminal, a line per change elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from ...handlers.steps import DONE, FAILED, RETRYING, RUNNING, SKIPPED, STOPPED, WAITING, Step, Steps

MARKS = {DONE: "✓", FAILED: "✗", RETRYING: "↻", RUNNING: "…", WAITING: "◷", SKIPPED: "-", STOPPED: "■"}
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
    if step.runs > 1:
        parts.append(f"{step.runs} times")
    if step.tries > max(1, step.runs):
        parts.append(f"{step.tries} tries")
    if step.note:
        parts.append(step.note)
    return ", ".join(parts)


class Lines:
    """A line for every step that waits, is retried or ends; for one that ends very often, ever fewer."""

    def __init__(self, title: str, steps: Steps, clock: Callable[[], int]):
        self._title = title
        self._steps = steps
        self._clock = clock
        self._said: dict[str, tuple[str, int, int]] = {}

    def __enter__(self) -> Lines:
        print(self._title, file=sys.stderr)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.stderr.flush()

    def feed(self, events: list[dict[str, Any]]) -> None:
        changed = self._steps.feed(events)
        order = {id: number for number, id in enumerate(self._steps.steps)}  # as they began
        for step in sorted(changed, key=lambda step: order[step.id]):
            again = step.tries - step.runs
            if step.status == RUNNING and again <= 0:
                continue  # its end says it all
            if step.status == DONE and step.runs > 9 and not _is_round(step.runs) and self._goes_on(step):
                continue
            saying = step.status, step.runs, again
            if self._said.get(step.id) != saying:
                self._said[step.id] = saying
                mark, indent = _PLAIN[step.status], "  " * self._steps.depth(step)
                name = f"{indent}{step.id}"
                print(f"  {mark:<7}{name:<24} {describe(step, self._clock())}".rstrip(), file=sys.stderr)

    def _goes_on(self, step: Step) -> bool:
        """Whether what is around it has not ended, so that it may run again."""
        around = self._steps.steps.get(step.within or "")
        return around is not None and around.ended is None

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
        nodes: dict[str, Tree] = {}
        for step in list(self._steps.steps.values()):
            line = Text()
            line.append(f"{MARKS[step.status]} ", style=_STYLES[step.status])
            line.append(f"{step.id:<20} ")
            line.append(describe(step, now), style="dim")
            nodes[step.id] = nodes.get(step.within or "", tree).add(line)
        return tree


def _is_round(number: int) -> bool:
    """10, 20, 50, 100, 200, …"""
    return str(number).rstrip("0") in ("1", "2", "5")
