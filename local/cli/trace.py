"""`stratum trace`: an execution's trace, made of its history, printed or sent."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from ...handlers.telemetry.export import Exporter, NotSent, trace_of
from ...statelang.tracing import otlp
from .executions import find, runtime_on
from .problem import WrongRequest


def trace(options: argparse.Namespace) -> int:
    """Of one that still runs, what has ended so far; sending it again later completes the same trace."""
    store, head = find(options)
    spans = trace_of(runtime_on(store).executions(store.tenant), head.execution)
    exporter = _exporter(options.otlp) if options.output is None else None
    if exporter is None:
        text = json.dumps(otlp(spans, Exporter.to("").resource or {}), indent=2, ensure_ascii=False)
        if options.output is None:
            print(text)
            return 0
        try:
            Path(options.output).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise WrongRequest(f"{options.output} cannot be written: {error.strerror or error}") from None
        return 0
    try:
        exporter.send(spans)
    except NotSent as error:
        print(f"stratum trace: not sent: {error}", file=sys.stderr)
        return 1
    trace = f" of the trace {spans[0].trace}" if spans else ""
    print(f"{head.name}: {len(spans)} spans{trace} sent to {exporter.url}", file=sys.stderr)
    return 0


def _exporter(url: str | None) -> Exporter | None:
    if url is None:
        return Exporter.from_environment()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongRequest(f"--otlp is a URL such as http://127.0.0.1:4318/v1/traces, not {url!r}")
    return Exporter.to(url)
