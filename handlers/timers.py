"""The timers handler: the sweeper, run by a schedule.

Ticks are asked for when a commit needs one (`Outbox.wake`), and may get lost or, on SQS, lie too far ahead.
The sweeper reads the heads whose `wake_at` has passed and sends each a tick, which does what is due and hands
out again what no handler has answered within its lease.
"""

from __future__ import annotations

import os
from typing import Any

from .logs import logger
from .runtime import Runtime, invoked
from .tenancy import limits, registry

_PAGE = 1000
"""Executions of a tenant that are woken at a time."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes a scheduled event, whose `detail.tenants` may name the tenants; answers how many were woken."""
    tenants = (event.get("detail") or {}).get("tenants")
    if not tenants:
        tenants = _tenants(runtime)
    woken = overdue = forgotten = 0
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
        if runtime.retention is not None:
            forgotten += _sweep(runtime, tenant)
        if runtime.telemetry is not None and (gate := _oldest_gate(runtime, tenant)) is not None:
            runtime.telemetry.value("OldestGate", (now - gate) / 1000)
    # The deployment makes a metric of it, and an alarm: what is woken again and again is stuck.
    logger.info("swept", woken=woken, forgotten=forgotten, overdue_seconds=overdue // 1000)
    return {"woken": woken}


def _sweep(runtime: Runtime, tenant: str) -> int:
    from . import retention

    return retention.sweep(runtime, tenant)


def _oldest_gate(runtime: Runtime, tenant: str) -> int | None:
    """When the gate was opened that has waited longest, in milliseconds."""
    from .work.items import WorkItems

    waiting = WorkItems(runtime.executions(tenant)).open_items(kind="gate", limit=1).items
    return waiting[0].opened if waiting else None


def _tenants(runtime: Runtime) -> list[str]:
    """Those of `STRATUM_TENANTS`, and all that are registered; whose executions are counted is looked after as well."""
    named = os.environ.get("STRATUM_TENANTS", runtime.store.tenant).split(",")
    registered = registry.everyone(runtime.store)
    for tenant in registered:
        if tenant.limits.executions is not None:
            _correct(runtime, tenant.name)
    return list(dict.fromkeys([*named, *(tenant.name for tenant in registered)]))


def _correct(runtime: Runtime, tenant: str) -> None:
    try:
        mended = limits.correct(runtime.store.for_tenant(tenant))
    except Exception as error:  # whoever cannot be counted is woken all the same
        logger.error("not counted", tenant=tenant, reason=f"{type(error).__name__}: {error}")
        return
    if mended:
        logger.warning("executions were counted wrongly", tenant=tenant, mended=mended)
