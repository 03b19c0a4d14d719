"""What a runtime tells of its work, kept until it is written out: at the end of a batch, or of a process."""

from __future__ import annotations

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..logs import logger
from . import metrics

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..store import Commit

_STATUSES = {
    "ExecutionSucceeded": "ExecutionsSucceeded", "ExecutionFailed": "ExecutionsFailed", "ExecutionTimedOut": "ExecutionsTimedOut",
    "ExecutionAborted": "ExecutionsAborted", "ExecutionStarted": "ExecutionsStarted", "ExecutionRedriven": "ExecutionsRedriven",
}  # fmt: skip
_VIOLATIONS = ("Stratum.ContractViolated", "Stratum.PostconditionFailed")
_LATER = 10_000
"""Executions whose traces wait to be sent, at the most."""


class Collector:
    """Safe to be told by several threads."""

    def __init__(self, namespace: str | None, *, traces: bool, environ: Mapping[str, str] = os.environ):
        self._namespace = namespace
        self._traces = traces
        self._environ = environ
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._values: defaultdict[str, list[float]] = defaultdict(list)
        self._tenants: set[str] = set()
        self._ended: dict[tuple[str, str], None] = {}

    # -- what it is told -------------------------------------------------------------------------------

    def committed(self, tenant: str, execution: str, commit: Commit) -> None:
        with self._lock:
            self._tenants.add(tenant)
            self._counts["Commits"] += 1
            for event in commit.events:
                self._look_at(event)
            self._counts["StepRetries"] += sum(str(way[1]).startswith("Retry[") for way in commit.ways)
            if self._traces and any(event["type"] in _ENDS for event in commit.events):
                self._ended[tenant, execution] = None
                if len(self._ended) > _LATER:
                    self._ended.pop(next(iter(self._ended)))

    def count(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._counts[name] += by

    def value(self, name: str, value: float) -> None:
        with self._lock:
            self._values[name].append(value)

    def _look_at(self, event: Mapping[str, Any]) -> None:
        kind = event["type"]
        if (name := _STATUSES.get(kind)) is not None:
            self._counts[name] += 1
        elif kind.endswith("Scheduled"):
            self._counts["StepAttempts"] += 1
        elif kind.endswith("StateExited"):
            assigned = event["stateExitedEventDetails"].get("assignedVariables") or {}
            # A step that is tried in a loop keeps what was wrong in a variable of this name (see the compiler).
            found = sum(
                name.endswith("_violations") and text not in ("[]", "null") for name, text in assigned.items()
            )
            self._counts["Violations"] += found
        if kind == "ExecutionFailed" and event["executionFailedEventDetails"].get("error") in _VIOLATIONS:
            self._counts["ExecutionsRefused"] += 1

    # -- what it writes --------------------------------------------------------------------------------

    def flush(self, runtime: Runtime) -> None:
        """Writes one line of metrics, and sends the traces of what has ended. Raises nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            values, self._values = self._values, defaultdict(list)
            tenants, self._tenants = self._tenants, set()
            ended, self._ended = self._ended, {}
        try:
            if self._namespace is not None:
                metrics.write(self._namespace, self._environ, runtime.clock(), counts, values, tenants)
            if ended:
                self._send(runtime, ended)
        except Exception as error:
            logger.warning("telemetry failed", reason=f"{type(error).__name__}: {error}")

    def _send(self, runtime: Runtime, ended: Iterable[tuple[str, str]]) -> None:
        from . import export

        exporter = export.Exporter.from_environment(self._environ)
        if exporter is None:
            return
        spans = [
            span
            for tenant, execution in ended
            for span in export.trace_of(runtime.executions(tenant), execution)
        ]
        try:
            exporter.send(spans)
        except export.NotSent as error:
            logger.warning("traces not sent", reason=str(error), executions=[arn for _, arn in ended])


_ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")
