"""What waits for somebody: gates for people, agent steps and who is at work on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..audit.redaction import Redactor, redactor_for
from ..work.claims import holder
from ..work.items import OPEN, WorkItem
from ..work.refusal import Refused
from ..work.rules import check_may_decide
from .api import number, optional
from .host import Console
from .secrets import shown

_MOST = 200


def counts(console: Console) -> dict[str, int]:
    """How many gates and agent steps are open; it may count one that has just been answered."""
    found = {"gates": 0, "agents": 0}
    for record in console.store.records(OPEN, limit=1000).items:
        found["agents" if record.value["kind"] == "agent" else "gates"] += 1
    return found


def gates(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The open gates, the one that has waited longest first: what each shows, its form, and whether you may decide."""
    page = console.desk.items.open_items(
        kind="gate", execution=optional(parameters, "execution"), limit=number(parameters, "limit", 50, _MOST) or 1,
        token=optional(parameters, "token"),
    )  # fmt: skip
    return {"items": [_gate(console, item) for item in page.items], "token": page.token}


def _gate(console: Console, item: WorkItem) -> dict[str, Any]:
    desk = console.desk
    redactor = _redactor(console, item.execution)
    requester = desk.requester(item)
    refused = "this console only looks"
    if console.who is not None:
        try:
            check_may_decide(item, console.who, requester, desk.people)
            refused = None
        except Refused as refusal:
            refused = str(refusal)
    request = item.request
    return {
        **_item(item), "message": redactor.hide_texts(request.get("message")), "shows": shown(redactor, request.get("shows"), whole=True),
        "form": request.get("form"), "values": redactor.hide_texts(request.get("values")),
        "outcomes": request.get("outcomes") or ["approve", "reject"],
        "remarks": redactor.hide_texts(request.get("remarks")) or [], "reason": redactor.hide_texts(request.get("reason")),
        "risk": request.get("risk"), "approvers": request.get("approvers") or [],
        "requester": None if requester is None else requester.to_json(), "digest": item.digest, "refused": refused,
    }  # fmt: skip


def agents(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The open agent steps: who is at work on each, until when, and how often it was tried."""
    page = console.desk.items.open_items(
        kind="agent", limit=number(parameters, "limit", 50, _MOST) or 1, token=optional(parameters, "token")
    )
    now = console.runtime.clock()
    told: list[dict[str, Any]] = []
    for item in page.items:
        claim = holder(item, now, console.desk.is_gone)
        redactor = _redactor(console, item.execution)
        request = item.request
        told.append(
            {
                **_item(item), "attempt": item.attempt, "attempts": request.get("attempts", 1),
                "intent": redactor.hide_texts(request.get("intent")), "budget": request.get("budget"),
                "input": shown(redactor, request.get("input")), "violations": redactor.hide_texts(request.get("violations")),
                "claim": None if claim is None else {key: claim.get(key) for key in ("agent", "worker", "at", "until")},
                "lapsed": item.claim is not None and claim is None,
            }
        )  # fmt: skip
    return {"items": told, "token": page.token}


def _item(item: WorkItem) -> dict[str, Any]:
    return {
        "id": item.id, "handle": item.handle, "execution": item.execution, "workflow": item.workflow,
        "version": item.version, "step": item.step, "iteration": item.iteration, "round": item.round, "opened": item.opened,
        "deadline": item.deadline,
    }  # fmt: skip


def _redactor(console: Console, execution: str) -> Redactor:
    head = console.store.head(execution)
    return Redactor() if head is None else redactor_for(console.store, execution, head.definition)
