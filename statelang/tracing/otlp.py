"""Spans in the JSON encoding of OpenTelemetry's protocol: ids in hexadecimal, 64-bit numbers as strings.

See the OpenTelemetry specification, "OTLP: JSON Protobuf Encoding", and `trace.proto`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .attributes import Value
from .spans import Span

_OK, _ERROR = 1, 2


def otlp(spans: Iterable[Span], resource: Mapping[str, Value]) -> dict[str, Any]:
    """An `ExportTraceServiceRequest`."""
    scope = {"scope": {"name": "stratum"}, "spans": [_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}]}


def _span(span: Span) -> dict[str, Any]:
    attributes = dict(span.attributes)
    if span.error:
        attributes["error.type"] = span.error
    told: dict[str, Any] = {
        "traceId": span.trace, "spanId": span.id, "name": span.name, "kind": span.kind,
        "startTimeUnixNano": _nanos(span.start), "endTimeUnixNano": _nanos(span.end if span.end is not None else span.start),
        "attributes": _attributes(attributes),
        "status": {"code": _ERROR, "message": span.error} if span.error else {"code": _OK},
    }  # fmt: skip
    if span.parent is not None:
        told["parentSpanId"] = span.parent
    if span.links:
        told["links"] = [{"traceId": link.trace, "spanId": link.span} for link in span.links]
    return told


def _nanos(milliseconds: int) -> str:
    return str(milliseconds * 1_000_000)


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    # Half a character is none that a protocol of UTF-8 could carry.
    return {"stringValue": value.encode("utf-8", "replace").decode()}
