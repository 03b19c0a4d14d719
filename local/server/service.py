"""Keeps the local cloud going: its handlers on a thread of their own, and the sweeper on its schedule."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ...handlers.logs import logger
from ...handlers.tenancy.names import OPERATOR
from ..aws import Door
from ..runs import running

SWEEP_SECONDS = 10.0
"""How often the sweeper looks for what was lost, in real seconds."""
_PAUSE_AFTER_FAILURE = 0.2


class Service:
    """Runs a door's cloud until it is closed. What was running in its store when it opened goes on."""

    def __init__(self, door: Door, owns: Callable[[str], bool] | None = None):
        self.door = door
        self._owns = owns or (lambda execution: True)
        self.cloud = door.cloud
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stratum-cloud", daemon=True)

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> int:
        """Begins; answers how many executions were running."""
        count = 0
        for tenant in dict.fromkeys([self.cloud.store.tenant, *self.cloud.store.tenants()]):
            if tenant == OPERATOR:
                continue
            executions = self.cloud.runtime.executions(tenant)
            for head in running(executions.store):
                if not self._owns(head.execution):
                    continue
                executions.dispatch_pending(head.execution)
                count += 1
        self._thread.start()
        return count

    def close(self) -> None:
        self._stop.set()
        with self.cloud.queues.changed:
            self.cloud.queues.changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self.door.close()

    def _run(self) -> None:
        swept = time.monotonic()
        while not self._stop.is_set():
            try:
                if time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    self.cloud.sweep()
                self.cloud.step(0.5)
            except Exception as error:
                # One message that nobody can handle must not end the service for all others.
                logger.error("the cloud stumbled", reason=f"{type(error).__name__}: {error}")
                self._stop.wait(_PAUSE_AFTER_FAILURE)
