"""`stratum work`, `claim` and `step`: agent steps from the shell, for scripts and for agents without MCP."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from ...handlers.identity import Identity
from ...handlers.store import Store
from ...handlers.work.claims import holder
from ...handlers.work.items import WorkItem
from ...handlers.work.refusal import Refused
from .acting import who_acts
from .files import read_input
from .gates import open_desk, place, say_who_goes_on, time_of
from .opening import find_execution
from .problem import WrongRequest
from .tables import print_table


def work(options: argparse.Namespace) -> int:
    desk = open_desk(options)
    execution = find_execution(desk.items.store, options.execution).execution if options.execution else None
    items = desk.items.open_items(kind="agent", execution=execution, limit=options.limit).items
    if options.json:
        print(json.dumps([described(item) for item in items], indent=2, ensure_ascii=False))
        return 0
    now = desk.runtime.clock()
    rows: list[tuple[str, ...]] = []
    for item in items:
        claim = holder(item, now, desk.is_gone)
        rows.append(
            (item.handle, item.execution.rpartition(":")[2], place(item), f"{item.attempt}/{item.request.get('attempts', 1)}",
             time_of(item.opened), time_of(item.deadline), claim["agent"] if claim is not None else "-")
        )  # fmt: skip
    print_table(("WORK", "EXECUTION", "STEP", "ATTEMPT", "SINCE", "UNTIL", "CLAIMED BY"), rows)
    return 0


def claim(options: argparse.Namespace) -> int:
    desk = open_desk(options)
    who = _worker(options, desk.items.store)
    try:
        item = desk.claim(options.work, who, f"shell/{who.agent}")
    except Refused as refused:
        raise WrongRequest(str(refused)) from None
    print(json.dumps(described(item), indent=2, ensure_ascii=False))
    return 0


def step(options: argparse.Namespace) -> int:
    desk = open_desk(options)
    who = _worker(options, desk.items.store)
    result = json.loads(read_input(options.result, "--result"))
    usage: dict[str, Any] = {}
    if options.usd is not None:
        usage["usd"] = options.usd
    if options.tokens is not None:
        usage["tokens"] = options.tokens
    try:
        item = desk.hand_in(options.work, result, who, f"shell/{who.agent}", usage)
    except Refused as refused:
        raise WrongRequest(str(refused)) from None
    print(f"{place(item)} of {item.workflow}: handed in", file=sys.stderr)
    say_who_goes_on(desk, item.execution, options.store)
    return 0


def described(item: WorkItem) -> dict[str, Any]:
    """The work as JSON: everything that somebody who does it needs."""
    return {
        "work": item.handle, "workflow": item.workflow, "version": item.version, "execution": item.execution, "step": item.step,
        "iteration": item.iteration, "attempt": item.attempt, "since": item.opened, "deadline": item.deadline,
        **{key: item.request.get(key) for key in ("agent", "intent", "input", "contract", "ensure", "attempts", "violations", "budget")},
        "claim": item.claim,
    }  # fmt: skip


def _worker(options: argparse.Namespace, store: Store) -> Identity:
    """Who does the work: the name given, the agent that runs this command, or the account."""
    me = who_acts(store)
    name = options.as_agent or me.agent or me.user or f"process {os.getpid()}"
    return Identity(me.user, "cli", me.host, name)
