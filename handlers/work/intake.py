"""The work handler: what the tasks of gate and agent steps ask for, made into work items.

The payload is the compiler's:

- all: `kind` (`agent`, `gate`, `reminder`, `escalation`), `token`, `execution`, `workflow`, `version`, `step`,
  `iteration`, `round`, `timeout` (seconds), `deadline` (RFC 3339 or null);
- `agent`: `agent`, `intent`, `input`, `contract` (JSON Schema), `ensure`, `attempt`, `attempts`, `violations`, `budget`,
  `heartbeat`. Its answer: `{"result", "usage": {"usd"?, "tokens"?}, "by": {"agent", "client"?}, "at"}`;
- `gate`: `approvers`, `shows`, `message`, `form` (JSON Schema), `values`, `outcomes`, `on_timeout`, `risk`, `remarks`,
  `notify`. Its answer: `{"outcome", "by": {"user", "host"?, "via"}, "comment", "form", "at", "shown"}`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from aws_lambda_powertools.utilities.parser import BaseModel, parse

from ...statelang.engine import is_genuine, read_token
from ..identity import Identity
from ..loading import ExecutionNotFound
from ..logs import logger
from ..runtime import NoOutbox, Runtime, invoked
from ..store import Conflict
from ..times import from_rfc3339
from . import notifying, rules
from .answers import Desk
from .items import ANSWERING, CLOSED, PENDING, WorkItem, item_id, new_item

FUNCTION = "stratum-work"
"""The name of the function that gates and agent steps invoke."""


class Payload(BaseModel, extra="allow"):
    """What every payload has; what belongs to one kind alone is kept as it is."""

    kind: Literal["agent", "gate", "reminder", "escalation"]
    execution: str
    step: str
    token: str | None = None
    workflow: str | None = None
    version: str | None = None
    iteration: str | None = None
    round: int | None = None
    attempt: int | None = None
    timeout: float | None = None
    deadline: str | None = None
    contract: Any = None
    form: Any = None


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. The tenant is in the client context, where our own engine invokes."""
    return invoked(_invoked, event, context)


def _invoked(runtime: Runtime, event: dict[str, Any], context: Any) -> dict[str, Any]:
    custom = getattr(getattr(context, "client_context", None), "custom", None) or {}
    return handle(runtime, event, custom.get("tenant") or runtime.store.tenant)


def handle(runtime: Runtime, event: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Takes a payload; answers `{"work": handle, "kind", "step"}`. Doing it again changes nothing.

    Raises ValueError for a payload that no step of ours sends: the task fails with it.
    """
    payload = parse(event, model=Payload).model_dump()
    desk = Desk(runtime, tenant)
    if payload["kind"] in ("reminder", "escalation"):
        return _remind(desk, payload)
    if not payload["token"]:
        raise ValueError("a gate or agent step brings its task's token, as $states.context.Task.Token")
    if not _is_its_own(desk, payload):
        raise ValueError(f"the token is none of {payload['execution']}, of the tenant {tenant}")
    for name in ("contract", "form"):
        if payload[name] is not None:
            rules.check_schema(payload[name])
    while True:
        try:
            item = _take(desk, payload)
            return {"work": item.handle, "kind": item.kind, "step": item.step}
        except Conflict:
            continue  # somebody answers, or this payload was delivered twice: look again


def _is_its_own(desk: Desk, payload: dict[str, Any]) -> bool:
    """Whether the token is the execution's, which is the tenant's: whoever may invoke this function can say anything.

    Step Functions' own tokens tell nothing; its executions are the stage's own tenant's. Where nothing is run here, so are all.
    """
    found = read_token(payload["token"])
    if found is None or isinstance(desk.runtime.outbox, NoOutbox):
        return desk.tenant == desk.runtime.store.tenant
    try:
        snapshot = desk.executions.load(found[0]).snapshot
    except ExecutionNotFound:
        return False
    return found[0] == payload["execution"] and is_genuine(payload["token"], snapshot.get("secret", ""))


def _take(desk: Desk, payload: dict[str, Any]) -> WorkItem:
    known = desk.items.get(item_id(payload))
    wanted = new_item(payload, desk.runtime.clock(), _deadline(desk, payload))
    if _is_stale(desk, wanted):
        return known or wanted
    if known is None:
        return _open(desk, wanted)
    if known.token == wanted.token:
        if known.state == PENDING:
            return desk.items.put(known)  # its writer may have ended before the list had it
        return desk.refresh(known)
    same = known.attempt == wanted.attempt and known.kind == wanted.kind
    if same and known.state in (PENDING, ANSWERING) and known.kind == "gate":
        # The gate asks again after a reminder: what was given out for it remains good.
        again = desk.items.put(
            replace(known, token=wanted.token, deadline=wanted.deadline, request=wanted.request)
        )
        return desk.refresh(again)
    claim = known.claim if known.kind == "agent" and known.state not in (CLOSED,) else None
    return _open(
        desk,
        replace(wanted, opening=known.opening + 1, claim=claim, record=known.record, listed=known.listed),
    )


def _open(desk: Desk, item: WorkItem) -> WorkItem:
    opened = desk.items.put(item)
    desk.note(
        opened, "opened", Identity(None, "engine"), shown=opened.digest if opened.kind == "gate" else None,
        violations=opened.request.get("violations") or None,
    )  # fmt: skip
    logger.info(
        "work opened",
        tenant=desk.tenant,
        execution=item.execution,
        state=item.step,
        work=opened.handle,
        of=item.kind,
    )
    if opened.kind == "gate":
        notifying.notify(desk, opened, "gate")
    return opened


def _remind(desk: Desk, payload: dict[str, Any]) -> dict[str, Any]:
    item = desk.items.get(item_id(payload))
    if item is None:
        raise ValueError(f"there is no gate {payload['step']} of {payload['execution']} to remind anybody of")
    told = notifying.notify(desk, item, payload["kind"], also=payload.get("notify") or ())
    answer = {"work": item.handle, "notified": told}
    if payload["token"]:
        from .callbacks import send_success

        send_success(desk.runtime, desk.tenant, payload["token"], json.dumps(answer))
    return answer


def _deadline(desk: Desk, payload: dict[str, Any]) -> int | None:
    if payload["deadline"] is not None:
        return from_rfc3339(payload["deadline"])
    return desk.runtime.clock() + round(payload["timeout"] * 1000) if payload["timeout"] else None


def _is_stale(desk: Desk, item: WorkItem) -> bool:
    """Whether the task has gone on since: a command may be delivered again at any time."""
    if read_token(item.token) is None:
        return False
    try:
        snapshot = desk.executions.load(item.execution).snapshot
    except ExecutionNotFound:
        return False
    return not desk.items.waits(snapshot, replace(item, kind="agent"))
