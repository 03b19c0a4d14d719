"""Telemetry: what handlers do, as metrics, and what executions did, as traces. Off unless the environment asks for it.

Nothing of it is imported, and nothing is counted, where neither `POWERTOOLS_METRICS_NAMESPACE` nor
`OTEL_EXPORTER_OTLP_ENDPOINT` is set. It looks at commits after they were made: what fails here fails nothing else.

- `collector`: what a runtime tells of commits, conflicts and refusals; written out once for each batch.
- `metrics`: one line in CloudWatch's embedded metric format.
- `export`: an execution's trace, sent to an OTLP endpoint.

The SDKs of OpenTelemetry are not used: they record while something happens, in the process in which it does, and an
execution is many processes with days between them. The history has it all, so a trace is a function of it, and sending is one
POST of JSON; the packages would be 20 times the code, and a tenth of a second at the start. Powertools' Metrics has no list of
values in one line, and its own flushing would be one more thing to be told of batches.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .collector import Collector

METRICS = "POWERTOOLS_METRICS_NAMESPACE"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def from_environment(environ: Mapping[str, str] = os.environ) -> Collector | None:
    """What the environment asks for, or None where it asks for nothing."""
    traces = any(environ.get(name) for name in ENDPOINTS) and environ.get("OTEL_SDK_DISABLED") != "true"
    if not traces and not environ.get(METRICS):
        return None
    from .collector import Collector

    return Collector(environ.get(METRICS), traces=traces, environ=environ)
