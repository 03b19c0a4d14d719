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

    def feed(self, events: list[dict[str, Any]], messages: list[dict[str, Any]]) -> None: ...

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
    if step.items is not None:
        parts.append(_items(step))
    if step.note:
        parts.append(step.note)
    return ", ".join(parts)


def _items(step: Step) -> str:
    """How far a map has come. Executions of a distributed one may have several items each."""
    ended = step.items_done + step.items_failed
    failed = f", {step.items_failed:,} failed" if step.items_failed else ""
    if step.apart:
        return f"{ended:,} executions ended{failed}" + (f", {step.items:,} items" if step.items else "")
    total = step.items or 0
    return (f"{total:,} items" if ended == total else f"{ended:,} of {total:,} items") + failed


class Lines:
    """A line for every step that waits, is retried or ends; for one that ends very often, ever fewer."""

    def __init__(self, title: str, steps: Steps, clock: Callable[[], int]):
        self._title = title
        self._steps = steps
        self._clock = clock
        self._said: dict[str, tuple[str, int, int]] = {}
        self._tenths: dict[str, int] = {}

    def __enter__(self) -> Lines:
        print(self._title, file=sys.stderr)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.stderr.flush()

    def feed(self, events: list[dict[str, Any]], messages: list[dict[str, Any]]) -> None:
        changed = self._steps.feed(events, messages)
        order = {id: number for number, id in enumerate(self._steps.steps)}  # as they began
        for step in sorted(changed, key=lambda step: order[step.id]):
            again = step.tries - step.runs
            if step.ended is None and self._is_far(step):
                self._say(step)
                continue
            if step.status == RUNNING and again <= 0:
                continue  # its end says it all
            often = step.runs > 9 and not _is_round(step.runs) and step.status != FAILED
            if often and self._goes_on(step):
                continue
            saying = step.status, step.runs, again
            if self._said.get(step.id) != saying:
                self._said[step.id] = saying
                self._say(step)

    def _say(self, step: Step) -> None:
        mark, indent = _PLAIN[step.status], "  " * self._steps.depth(step)
        name = f"{indent}{step.id}"
        print(f"  {mark:<7}{name:<24} {describe(step, self._clock())}".rstrip(), file=sys.stderr)

    def _is_far(self, step: Step) -> bool:
        """Whether a tenth more of a distributed map's many items is done: nothing within it is told."""
        if not step.apart or (step.items or 0) < 100:
            return False
        tenth = (step.items_done + step.items_failed) * 10 // (step.items or 1)
        before, self._tenths[step.id] = self._tenths.get(step.id, 0), tenth
        return tenth > before

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
        self._over = False
        self._console = Console(stderr=True)
        self._live = Live(get_renderable=self._tree, console=self._console, refresh_per_second=8)

    def __enter__(self) -> LiveTree:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True  # what stays is the whole
        self._live.__exit__(kind, error, trace)

    def feed(self, events: list[dict[str, Any]], messages: list[dict[str, Any]]) -> None:
        self._steps.feed(events, messages)

    def say(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def _tree(self) -> Any:
        from rich.text import Text
        from rich.tree import Tree

        tree = Tree(Text(self._title, style="bold"))
        now = self._clock()
        steps = list(self._steps.steps.values())
        room = max(3, self._console.size.height - 4)
        if len(steps) > room and not self._over:
            return self._window(steps, room, now)
        nodes: dict[str, Tree] = {}
        for step in steps:
            nodes[step.id] = nodes.get(step.within or "", tree).add(step_line(step, now))
        return tree

    def _window(self, steps: list[Step], room: int, now: int) -> Any:
        """As many lines as the terminal has, with what goes on among them."""
        from rich.console import Group
        from rich.text import Text

        from .watch_screen import first_line

        first = first_line(self._steps, room)
        lines = [
            Text(self._title, style="bold"),
            Text(f"  {first} steps above" if first else "", style="dim"),
        ]
        for step in steps[first : first + room]:
            lines.append(step_line(step, now, self._steps.depth(step) + 1))
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines)


def step_line(step: Step, now: int, depth: int = 0) -> Any:
    """A step for a terminal, as rich's `Text`."""
    from rich.text import Text

    line = Text("  " * depth)
    line.append(f"{MARKS[step.status]} ", style=_STYLES[step.status])
    line.append(f"{step.id:<20} ")
    line.append(describe(step, now), style="dim")
    return line


def _is_round(number: int) -> bool:
    """10, 20, 50, 100, 200, …"""
    return str(number).rstrip("0") in ("1", "2", "5")
