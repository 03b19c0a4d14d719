"""The timers handler: the sweeper, run by a schedule.

Ticks are asked for when a commit needs one (`Outbox.wake`), and may get lost or, on SQS, lie too far ahead.
The sweeper reads the heads whose `wake_at` has passed and sends each a tick, which does what is due and hands
out again what no handler has answered within its lease.
"""

from __future__ import annotations

import os
from typing import Any

from .logs import logger
from .runtime import Runtime, deployed

_PAGE = 1000
"""Executions of a tenant that are woken at a time."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return handle(deployed(), event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes a scheduled event, whose `detail.tenants` may name the tenants; answers how many were woken."""
    detail = event.get("detail") or {}
    tenants = detail.get("tenants") or os.environ.get("STRATUM_TENANTS", runtime.store.tenant).split(",")
    woken = overdue = 0
    for tenant in tenants:
        now = runtime.clock()
        due = runtime.executions(tenant).store.due(now, _PAGE)
        overdue = max([overdue, *(now - head.wake_at for head in due if head.wake_at is not None)])
        bodies = [
            {"tenant": tenant, "execution": head.execution, "message": {"type": "tick"}} for head in due
        ]
        if bodies:
            runtime.outbox.advance(bodies)
            logger.info("woken", tenant=tenant, executions=[head.execution for head in due])
        woken += len(bodies)
    # The deployment makes a metric of it, and an alarm: what is woken again and again is stuck.
    logger.info("swept", woken=woken, overdue_seconds=overdue // 1000)
    return {"woken": woken}
