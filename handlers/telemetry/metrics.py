"""Metrics as one line of JSON in CloudWatch's embedded metric format, which CloudWatch takes out of the log.

No call of an API, and no memory between two batches. See the CloudWatch user guide, "Specification: Embedded metric format":
100 metrics in a line, 100 values of each. The dimension is the service (the stage's stack) alone, as each further value of a
dimension is a metric that is paid for; the tenants of the batch are a field, for queries.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from typing import Any

_UNITS = {"CommitLatency": "Milliseconds", "GateAge": "Seconds", "OldestGate": "Seconds"}
_VALUES = 100


def write(
    namespace: str,
    environ: Mapping[str, str],
    at: int,
    counts: Mapping[str, int],
    values: Mapping[str, Collection[float]],
    tenants: Collection[str],
) -> None:
    """Writes a line to stderr, where logs go; nothing where there is nothing to say."""
    if (line := document(namespace, environ, at, counts, values, tenants)) is not None:
        print(json.dumps(line, separators=(",", ":")), file=sys.stderr, flush=True)


def document(
    namespace: str,
    environ: Mapping[str, str],
    at: int,
    counts: Mapping[str, int],
    values: Mapping[str, Collection[float]],
    tenants: Collection[str],
) -> dict[str, Any] | None:
    """The line, or None. Of more than 100 values of a metric as many are kept, evenly."""
    told: dict[str, Any] = {name: count for name, count in sorted(counts.items()) if count}
    for name, found in sorted(values.items()):
        told[name] = _thinned([round(value, 3) for value in found])
    if not told:
        return None
    metrics = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in told]
    directive = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": metrics}
    about: dict[str, Any] = {"service": environ.get("POWERTOOLS_SERVICE_NAME", "stratum")}
    if tenants:
        about["tenants"] = sorted(tenants)
    if function := environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        about["function"] = function
    return {"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, **about, **told}


def _thinned(values: list[float]) -> list[float]:
    if len(values) <= _VALUES:
        return values
    return [values[index * len(values) // _VALUES] for index in range(_VALUES)]
