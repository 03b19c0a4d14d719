"""`stratum watch`: executions, or the steps of one, as they go on; whoever runs them."""

from __future__ import annotations

import argparse
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
                shown.feed(commit.events, commit.messages)
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
    from .watch_screen import Screen

    Screen(store, limit, heads, _row).run()
    return 0


def _rows(store: Store, limit: int) -> list[tuple[str, ...]]:
    return [_row(head) for head in store.heads(limit=limit).items]


def _row(head: Head) -> tuple[str, ...]:
    now = time.time_ns() // 1_000_000
    return (
        "".join(c if c.isprintable() else repr(c)[1:-1] for c in head.name), head.workflow,
        head.status, shown_time(head.started_at), f"{((head.stopped_at or now) - head.started_at) / 1000:.1f}",
    )  # fmt: skip
