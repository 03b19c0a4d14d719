"""`stratum gates`, `approve`, `reject`, `revise` and `link`: what waits for a person, and that person's decision."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ...handlers.store import Store
from ...handlers.work.answers import Desk
from ...handlers.work.items import ANSWERED, WorkItem
from ...handlers.work.links import KEY_SECRET, NoKey, key_of, make
from ...handlers.work.refusal import Refused
from ...handlers.work.rules import may_decide
from ..desk import Unreadable, desk_of
from ..link_keys import KeyUnreadable
from ..owners import is_held
from ..runs import begun
from .acting import stage_of, who_acts
from .executions import runtime_on
from .files import read_input
from .opening import find_execution, open_store
from .problem import WrongRequest
from .tables import print_table

_SHOWN = 2000
_HERE = "http://127.0.0.1:8083/_stratum/gates"
_DECIDED = {"approve": "approved", "reject": "rejected", "revise": "sent back for revision"}


def gates(options: argparse.Namespace) -> int:
    desk = open_desk(options)
    execution = find_execution(desk.items.store, options.execution).execution if options.execution else None
    items = desk.items.open_items(kind="gate", execution=execution, limit=options.limit).items
    if options.json:
        print(json.dumps([described(desk, item) for item in items], indent=2, ensure_ascii=False))
        return 0
    rows = [
        (item.id, item.workflow, item.execution.rpartition(":")[2], place(item), time_of(item.opened), time_of(item.deadline),
         ", ".join(item.request.get("approvers") or []) or "anybody else", item.digest[:12])
        for item in items
    ]  # fmt: skip
    print_table(("GATE", "WORKFLOW", "EXECUTION", "STEP", "SINCE", "DECIDE BY", "APPROVERS", "SHOWN"), rows)
    if items:
        print("\n`stratum approve GATE` shows what a gate asks and approves it; reject and revise likewise")
    return 0


def decide(options: argparse.Namespace) -> int:
    """`approve`, `reject` or `revise`."""
    desk = open_desk(options)
    item = find_gate(desk, options.gate)
    form = None
    if getattr(options, "form", None) is not None:
        form = json.loads(read_input(options.form, "--form"))
    print("\n".join(_summary(item)), file=sys.stderr)
    if not options.yes and sys.stdin.isatty() and sys.stderr.isatty() and not _confirmed(options.command):
        print("nothing was decided", file=sys.stderr)
        return 2
    try:
        done = desk.decide(
            item.handle, options.command, who_acts(desk.items.store), comment=options.comment, form=form, shown=options.shown or item.digest
        )  # fmt: skip
    except Refused as refused:
        raise WrongRequest(str(refused)) from None
    print(f"{place(item)} of {item.workflow}: {_DECIDED[options.command]}", file=sys.stderr)
    if done.state != ANSWERED:
        print(
            "it is written down, and counts when the gate next looks, after the reminder that is due",
            file=sys.stderr,
        )
    say_who_goes_on(desk, item.execution, options.store)
    return 0


def link(options: argparse.Namespace) -> int:
    desk = open_desk(options)
    url = options.url or _page(desk.items.store)
    item = find_gate(desk, options.gate)
    try:
        token = make(
            desk, item, options.approver, seconds=options.hours * 3600, by=who_acts(desk.items.store)
        )
    except (Refused, NoKey, KeyUnreadable) as refused:
        raise WrongRequest(str(refused)) from None
    print(f"{url}{'&' if '?' in url else '?'}link={quote(token)}")
    print(
        f"{options.approver} decides with it, once; a page of `stratum up` on the same store, or of the deployment, takes it",
        file=sys.stderr,
    )
    return 0


def _page(store: Store) -> str:
    """The page that takes links to gates of the store. Raises `WrongRequest` for a stage without one."""
    stage = stage_of(store)
    if stage is None:
        return _HERE
    url = stage.found.outputs.get("GatePageUrl")
    if url is None:
        raise WrongRequest(f"the stage {stage.found.name} has no page for links: deploy it with --gate-links")
    return url


# -- shared with `stratum work` ----------------------------------------------------------------------------


def open_desk(options: argparse.Namespace) -> Desk:
    store = open_store(options.store, create=False)
    try:
        return desk_of(runtime_on(store), options.store, link_key=_stage_key(store))
    except Unreadable as error:
        raise WrongRequest(str(error)) from None


def _stage_key(store: Store) -> Callable[[], bytes] | None:
    """What gives the key of a stage's links, which Secrets Manager keeps; None for another store."""
    stage = stage_of(store)
    if stage is None or "LinkKeyArn" not in stage.found.outputs:
        return None
    return lambda: key_of(stage.runtime, {KEY_SECRET: stage.found.outputs["LinkKeyArn"]})


def find_gate(desk: Desk, name: str) -> WorkItem:
    """The gate of that id, of the beginning of one, of a step or an execution that only one gate is open of."""
    try:
        item = desk.find(name, "gate")
    except Refused:
        items = desk.items.open_items(kind="gate", limit=500).items
        found = [
            item for item in items if name in (item.step, item.execution.rpartition(":")[2], item.execution)
        ]
        found = found or [item for item in items if len(name) >= 4 and item.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        if not found:
            hint = "`stratum gates` lists what waits" if items else "no gate waits for a decision"
            raise WrongRequest(f"there is no gate '{name}'; {hint}") from None
        several = "\n".join(
            f"  {item.id}  {place(item)} of {item.execution.rpartition(':')[2]}" for item in found[:10]
        )
        raise WrongRequest(f"'{name}' may be any of {len(found)} gates; give its id:\n{several}") from None
    return desk.refresh(item)


def place(item: WorkItem) -> str:
    parts = [
        item.step,
        f"[{item.iteration}]" if item.iteration else "",
        f" round {item.round}" if item.round > 1 else "",
    ]
    return "".join(parts)


def time_of(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "-"
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def described(desk: Desk, item: WorkItem) -> dict[str, Any]:
    """The gate as JSON."""
    requester = desk.requester(item)
    return {
        "gate": item.id, "workflow": item.workflow, "version": item.version, "execution": item.execution, "step": item.step,
        "iteration": item.iteration, "round": item.round, "since": item.opened, "deadline": item.deadline,
        **{key: item.request.get(key) for key in ("message", "shows", "form", "values", "outcomes", "remarks", "reason", "risk")},
        "approvers": item.request.get("approvers") or [], "requester": None if requester is None else requester.to_json(),
        "you_may_decide": may_decide(item, who_acts(desk.items.store), requester, desk.people), "digest": item.digest,
    }  # fmt: skip


def say_who_goes_on(desk: Desk, execution: str, store_url: str) -> None:
    """Where no process runs the execution, what would go on with it."""
    head = desk.items.store.head(execution)
    if head is None or head.status != "RUNNING" or not begun(desk.items.store, execution):
        return
    if not is_held(store_url, execution):
        print(
            f"nothing runs it at the moment: `stratum resume {head.name}` goes on, as does the MCP server",
            file=sys.stderr,
        )


def _summary(item: WorkItem) -> list[str]:
    request = item.request
    lines = [
        f"{place(item)} of {item.workflow} {item.version or ''}, execution {item.execution.rpartition(':')[2]}"
    ]
    if request.get("message"):
        lines.append(str(request["message"]))
    for key, title in (("reason", "reason"), ("shows", "shows"), ("values", "form"), ("remarks", "remarks")):
        if request.get(key):
            text = json.dumps(request[key], indent=2, ensure_ascii=False)
            lines.append(f"{title}: {text if len(text) <= _SHOWN else text[:_SHOWN] + ' …'}")
    lines.append(f"sha256 of what is shown: {item.digest}")
    return [line.encode("utf-8", "backslashreplace").decode().replace("\x1b", "\\x1b") for line in lines]


def _confirmed(outcome: str) -> bool:
    print(f"{outcome}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
