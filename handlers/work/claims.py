"""Which agent is at work on an item, and until when.

A claim keeps two agents from doing the same work; that no answer counts twice does not depend on it. It ends by
itself, unless it is claimed again before, and at once where its agent is known to be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..identity import Identity
from ..runtime import Runtime
from ..store import Conflict
from . import callbacks
from .items import PENDING, WorkItem, WorkItems
from .refusal import CLAIMED, Refused

CLAIM_SECONDS = 15 * 60
"""How long a claim holds where the step has no heartbeat."""

IsGone = Callable[[str], bool]
"""Whether the worker of that name is known to have ended."""


def nobody_is_gone(worker: str) -> bool:
    return False


def holder(item: WorkItem, now: int, is_gone: IsGone) -> Mapping[str, Any] | None:
    """The claim that holds now, or None."""
    claim = item.claim
    if claim is None or claim["until"] <= now or is_gone(claim["worker"]):
        return None
    return claim


def check_claim(item: WorkItem, worker: str, now: int, is_gone: IsGone) -> None:
    """Raises `Refused` where another agent is at work on the item."""
    claim = holder(item, now, is_gone)
    if claim is not None and claim["worker"] != worker:
        left = max(1, (claim["until"] - now + 59_999) // 60_000)
        raise Refused(
            CLAIMED,
            f"{item.step} ({item.handle}) is being worked on by {claim['agent']} ({claim['worker']}) for up to {left} more"
            f" minute{'s' if left != 1 else ''}: take another piece of work, or ask for this one again then",
        )


def claim(
    runtime: Runtime, tenant: str, item: WorkItem, by: Identity, worker: str, is_gone: IsGone = nobody_is_gone
) -> WorkItem:
    """Takes the item for `worker`, or holds on to it for longer; the task's heartbeat is sent with it.

    The item has been found open. Raises `Refused`, and `Conflict` where it was written meanwhile.
    """
    now = runtime.clock()
    check_claim(item, worker, now, is_gone)
    if item.state != PENDING:
        raise Conflict(item.handle)
    seconds = item.request.get("heartbeat") or CLAIM_SECONDS
    begun = item.claim["at"] if item.claim is not None and item.claim["worker"] == worker else now
    taken = replace(
        item,
        claim={"worker": worker, "agent": by.agent or by.user or "somebody", "at": begun, "until": now + int(seconds) * 1000},
    )  # fmt: skip
    written = WorkItems(runtime.executions(tenant)).put(taken)
    if item.request.get("heartbeat"):
        callbacks.send_heartbeat(runtime, tenant, item.token)
    return written
