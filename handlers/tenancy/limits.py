"""How much of the engine a tenant may take: executions at once, and starts per second.

Both are counters in the store, moved by one conditional write each, so that starts which come at once cannot pass a limit
together. Starts are let through as a token bucket of one second's worth lets them: the counter is the time, in
microseconds, up to which starts have been given out (GCRA).

A process that ends between its count and its commit leaves a count that is one too high, or too low. So the sweeper
counts what runs (`correct`), and mends a difference that it has found twice in the same direction.
Only executions that were asked for count: items of a distributed map are bounded by their map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from . import registry

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..store import Store

T = TypeVar("T")
RUNNING, STARTS = "running", "starts"
_DRIFT = "tenant-drift"
_FRESH = 5_000
"""Milliseconds for which limits that were read are held for those that there are."""
_SECOND = 1_000_000


class LimitReached(RuntimeError):
    """Nothing was started."""


class TooManyExecutions(LimitReached):
    """As many executions as the tenant may have run already."""

    def __init__(self, tenant: str, most: int):
        super().__init__(f"{most} executions of the tenant {tenant} run, and no more may run at once")


class TooManyStarts(LimitReached):
    """The tenant has started as many executions as it may, for now."""

    def __init__(self, tenant: str, most: int):
        super().__init__(f"the tenant {tenant} may start {most} executions a second: try again in a moment")


class Limiter:
    """Counts what one tenant starts and what has ended. Where it has no limits, nothing is counted."""

    def __init__(self, store: Store, runtime: Runtime):
        self._store = store
        self._runtime = runtime
        self._limits = registry.Limits()
        self._read: int | None = None

    def admit(self, start: Callable[[], T | None], *, known: Callable[[], bool] = lambda: False) -> T | None:
        """What `start` answers, counted where it has started something (not None).

        Where `known` says that there is such an execution already, nothing will be started, and nothing counts. Raises
        `TooManyStarts` and `TooManyExecutions`, before anything is started.
        """
        limits = self._current()
        if not limits or known():
            return start()
        if limits.starts_per_second is not None:
            now = self._runtime.clock() * 1000
            step = -(-_SECOND // limits.starts_per_second)
            if self._store.count(STARTS, step, floor=now, most=now + _SECOND) is None:
                raise TooManyStarts(self._store.tenant, limits.starts_per_second)
        if limits.executions is None:
            return start()
        if self._store.count(RUNNING, 1, most=limits.executions) is None:
            raise TooManyExecutions(self._store.tenant, limits.executions)
        started: T | None = None
        try:
            started = start()
        finally:
            if started is None:
                self.leave()
        return started

    def leave(self) -> None:
        """An execution has ended, or was not started after all."""
        if self._current().executions is not None:
            self._store.count(RUNNING, -1, floor=1)

    def _current(self) -> registry.Limits:
        now = self._runtime.clock()
        if self._read is None or now >= self._read + _FRESH:
            self._limits = registry.limits_of(self._store)
            self._read = now
        return self._limits


def counts(snapshot: Mapping[str, Any]) -> bool:
    """Whether the execution is one that counts."""
    return "map_run" not in snapshot.get("parent", {})


def set_limits(store: Store, tenant: registry.Tenant) -> None:
    """Registers a tenant with its limits, and begins to count with what runs. Raises `InvalidTenant`."""
    own = store.for_tenant(tenant.name)
    before = registry.find(store, tenant.name).limits
    registry.keep(store, tenant)
    if tenant.limits.executions is not None and before.executions is None:
        _set(own, own.running())


def usage(store: Store) -> int:
    """How many executions of the store's tenant run, as they were counted."""
    return store.counted(RUNNING)


def correct(store: Store) -> int:
    """Looks whether as many executions run as were counted; answers by how much the count was mended.

    What is being started or has just ended is counted a moment before or after it runs: so only what was found the last
    time as well is taken for a mistake, and only the smaller of both.
    """
    drift = store.running() - store.counted(RUNNING)
    record = store.get(_DRIFT, RUNNING)
    before = 0 if record is None else record.value["drift"]
    mend = min(drift, before, key=abs) if drift * before > 0 else 0
    if mend:
        store.count(RUNNING, mend, floor=max(0, -mend))
        drift -= mend
    if record is None or drift != before:
        store.put(_DRIFT, RUNNING, {"drift": drift})
    return mend


def _set(store: Store, count: int) -> None:
    there = store.counted(RUNNING)
    store.count(RUNNING, count - there, floor=0 if count >= there else there - count)
