"""Traces to an endpoint that speaks OTLP over HTTP, in JSON: a collector, a vendor, or AWS X-Ray.

By OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (as it is) or `OTEL_EXPORTER_OTLP_ENDPOINT` (to which
`/v1/traces` is added), `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`. Requests to X-Ray's
endpoint, `https://xray.REGION.amazonaws.com/v1/traces`, are signed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ...statelang.tracing import Span, otlp, spans_of
from ..http import Http, HttpFailed, HttpRequest, send
from ..workflows import source_map
from . import ENDPOINTS

if TYPE_CHECKING:
    from ..executions import Executions

PATH = "/v1/traces"
_AT_ONCE = 500
_TIMEOUT = 10.0
_XRAY = re.compile(r"xray\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


class NotSent(RuntimeError):
    """The endpoint did not take the spans; the text says why."""


def trace_of(executions: Executions, execution: str) -> list[Span]:
    """The trace of an execution. Raises `ExecutionNotFound`."""
    loaded = executions.load(execution)
    snapshot = loaded.snapshot
    events = (event for commit in executions.store.commits(execution) for event in commit.events)
    attributes: dict[str, str | int | float | bool] = {
        "stratum.tenant": executions.store.tenant, "stratum.state_machine": snapshot["state_machine"]["id"],
        "stratum.redrives": snapshot.get("redrives", 0),
    }  # fmt: skip
    if snapshot.get("version"):
        attributes["stratum.version"] = snapshot["version"]
    mapped = source_map(executions.store, snapshot["definition"])
    return spans_of(execution, events, mapped, attributes=attributes, parent=snapshot.get("parent"))


@dataclass(frozen=True, slots=True)
class Exporter:
    """`url` takes OTLP requests; `resource` is what is said of whoever sends them."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    resource: Mapping[str, str] | None = None
    http: Http = send

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Exporter | None:
        exact, base = (environ.get(name) for name in ENDPOINTS)
        if not exact and not base:
            return None
        return cls.to(exact or f"{(base or '').rstrip('/')}{PATH}", environ)

    @classmethod
    def to(cls, url: str, environ: Mapping[str, str] = os.environ) -> Exporter:
        """To that very URL, with the headers and the resource that the environment says."""
        resource = {"service.name": environ.get("POWERTOOLS_SERVICE_NAME", "stratum")}
        resource |= dict(_pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")))
        if name := environ.get("OTEL_SERVICE_NAME"):
            resource["service.name"] = name
        headers = environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or environ.get(
            "OTEL_EXPORTER_OTLP_HEADERS", ""
        )
        return cls(url, tuple(_pairs(headers)), resource)

    def send(self, spans: Sequence[Span]) -> int:
        """Answers in how many requests. Raises `NotSent`."""
        requests = 0
        for first in range(0, len(spans), _AT_ONCE):
            body = json.dumps(
                otlp(spans[first : first + _AT_ONCE], self.resource or {}), separators=(",", ":")
            )
            self._post(body.encode())
            requests += 1
        return requests

    def _post(self, body: bytes) -> None:
        headers = [("Content-Type", "application/json"), *self.headers]
        headers = _signed(self.url, headers, body)
        try:
            answer = self.http(HttpRequest("POST", self.url, headers, body, _TIMEOUT))
        except HttpFailed as failed:
            raise NotSent(f"{self.url}: {failed}") from None
        if answer.status >= 300:
            said = answer.body[:200].decode("utf-8", "replace")
            raise NotSent(f"{self.url} answered {answer.status} {answer.reason}: {said}")


def _pairs(text: str) -> list[tuple[str, str]]:
    """`name=value,name=value`, with escapes of URLs."""
    found = (part.partition("=") for part in text.split(",") if "=" in part)
    return [(unquote(name.strip()), unquote(value.strip())) for name, _, value in found]


def _signed(url: str, headers: list[tuple[str, str]], body: bytes) -> list[tuple[str, str]]:
    found = _XRAY.fullmatch(urlsplit(url).hostname or "")
    if found is None:
        return headers
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.session import get_session

    credentials = get_session().get_credentials()
    if credentials is None:
        raise NotSent(f"{url} wants requests that are signed, and there are no credentials of AWS")
    request = AWSRequest("POST", url, dict(headers), body)
    SigV4Auth(credentials, "xray", found[1]).add_auth(request)
    return [(name, str(value)) for name, value in request.headers.items()]
