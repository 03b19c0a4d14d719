"""`stratum prune`: executions that ended long ago, forgotten."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime

from ...handlers import retention
from ...handlers.store import Head, Store
from ...handlers.times import read_time
from ...handlers.work.journal import journal_of
from .acting import who_acts
from .executions import runtime_on, shown_time
from .opening import open_store
from .problem import WrongRequest
from .tables import print_table

_SHOWN = 20


def prune(options: argparse.Namespace) -> int:
    store = open_store(options.store, create=False)
    try:
        before = read_time(options.older_than, int(datetime.now().timestamp() * 1000))
    except ValueError as error:
        raise WrongRequest(f"--older-than {error}") from None
    found = list(_ended(store, before, options.workflow, options.status))
    if not found:
        print(f"nothing has ended before {shown_time(before)} that is to be forgotten", file=sys.stderr)
        return 0
    if not all(each.has_log for each in found):
        from ...handlers.step_functions.refusal import PRUNE

        raise WrongRequest(PRUNE)
    rows = [
        (each.name, each.workflow, each.status, shown_time(each.stopped_at or 0)) for each in found[:_SHOWN]
    ]
    print_table(("EXECUTION", "WORKFLOW", "STATUS", "ENDED"), rows)
    if len(found) > _SHOWN:
        print(f"and {len(found) - _SHOWN} more", file=sys.stderr)
    if options.dry_run or not _confirmed(len(found), options):
        print("nothing was forgotten", file=sys.stderr)
        return 0 if options.dry_run else 2
    runtime, who = runtime_on(store), who_acts(store)
    executions = runtime.executions(store.tenant)
    # What is gone cannot be audited; that it was there, how its log ended, and who had it forgotten, can.
    last = [[each.execution, each.seq, each.digest] for each in found]
    for first in range(0, len(last), 1000):
        journal_of(runtime, store.tenant).note(
            None, runtime.clock(), "pruned", by=who.to_json(), reason="pruned", before=before, executions=last[first : first + 1000],
            message=f"{len(last)} executions that ended before {shown_time(before)} were forgotten",
        )  # fmt: skip
    for each in found:
        while not retention.forget(executions, each.execution):
            pass
    print(f"{len(found)} executions are forgotten", file=sys.stderr)
    return 0


def _ended(store: Store, before: int, workflow: str | None, status: str | None) -> Iterator[Head]:
    """Children of distributed maps go with their parents."""
    token = None
    while True:
        page = store.heads(status=status, limit=1000, token=token)
        for head in page.items:
            over = head.status != "RUNNING" and head.stopped_at is not None and head.stopped_at < before
            named = workflow is None or head.workflow == workflow
            if over and named and ":mapRun:" not in head.state_machine:
                yield head
        token = page.token
        if token is None:
            return


def _confirmed(count: int, options: argparse.Namespace) -> bool:
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise WrongRequest("say --yes where nobody can be asked, or --dry-run to see what would be forgotten")
    print(f"forget {count} executions, with all that they did? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
