"""`stratum watch`: executions, or the steps of one, as they go on; whoever runs them."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from typing import Any

from ...handlers.audit.redaction import redactor_for
from ...handlers.steps import Steps
from ...handlers.store import Head, Store
from ...handlers.workflows import source_map
from .executions import shown_time
from .opening import find_execution, open_store
from .problem import WrongRequest
from .progress import progress
from .tables import print_table

_LOOK = 0.25
_LOOK_AT_ALL = 1.0


def watch(options: argparse.Namespace) -> int:
    """Of one execution the exit code is that of its end; Ctrl-C ends watching and nothing else."""
    if not 1 <= options.limit <= 1000:
        raise WrongRequest("--limit is a number from 1 to 1000")
    store = open_store(options.store, create=False)
    try:
        if options.execution is not None:
            return _one(store, find_execution(store, options.execution))
        return _all(store, options.limit)
    except KeyboardInterrupt:
        return 130


def _one(store: Store, head: Head) -> int:
    seq = -1
    steps = Steps(source_map(store, head.definition))
    shown = progress(f"{head.workflow} {head.name}", steps, lambda: time.time_ns() // 1_000_000)
    end: dict[str, Any] | None = None
    with shown:
        while True:
            commits = store.commits(head.execution, seq + 1)
            for commit in commits:
                shown.feed(commit.events)
                seq = commit.seq
            end = steps.finished
            if end is not None:
                break
            time.sleep(_LOOK)
    status = (store.head(head.execution) or head).status
    details = next((value for value in end.values() if isinstance(value, dict)), {})
    said = ": ".join(str(details[key]) for key in ("error", "cause") if details.get(key))
    said = redactor_for(store, head.execution, head.definition).hide_text(said)
    print(f"{head.name}: {status}{f', {said}' if said else ''}", file=sys.stderr)
    return 0 if status == "SUCCEEDED" else 1


def _all(store: Store, limit: int) -> int:
    heads = ("EXECUTION", "WORKFLOW", "STATUS", "STARTED", "SECONDS")
    if not sys.stdout.isatty():
        print_table(heads, _rows(store, limit))
        return 0
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from .tables import STATUS_STYLES

    def table() -> Table:
        made = Table(box=None, pad_edge=False, header_style="bold")
        for head in heads:
            made.add_column(head, no_wrap=True, overflow="ellipsis")
        for row in _rows(store, min(limit, max(5, shutil.get_terminal_size().lines - 3))):
            made.add_row(*(Text(cell, style=STATUS_STYLES.get(cell, "")) for cell in row))
        return made

    with Live(table(), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(_LOOK_AT_ALL)
            live.update(table(), refresh=True)


def _rows(store: Store, limit: int) -> list[tuple[str, ...]]:
    now = time.time_ns() // 1_000_000
    return [
        (
            "".join(c if c.isprintable() else repr(c)[1:-1] for c in head.name), head.workflow,
            head.status, shown_time(head.started_at), f"{((head.stopped_at or now) - head.started_at) / 1000:.1f}",
        )
        for head in store.heads(limit=limit).items
    ]  # fmt: skip
