"""Traces: an execution's history as OpenTelemetry spans, after the fact.

    spans = spans_of("arn:…:execution:orders:one", events, source_map)
    otlp(spans, {"service.name": "stratum"})          # the JSON of an OTLP/HTTP request

The history has every time, so nothing is kept while an execution runs: a trace's id and its spans' ids follow from the
execution's ARN and its events' ids, and exporting it again gives the same trace.

- `spans`: one span for the execution, for each attempt of a task, each Map, Parallel, iteration and wait.
- `attributes`: what an attempt's span says, by OpenTelemetry's conventions; no input, no output and no cause is among it.
- `otlp`: spans in the JSON encoding of OpenTelemetry's protocol.
"""

from .otlp import otlp
from .spans import Link, Span, spans_of, trace_id

__all__ = ["Link", "Span", "otlp", "spans_of", "trace_id"]
