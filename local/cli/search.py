"""`stratum search`: executions by what they are and by what is in their history."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import datetime
from typing import Any

from ...handlers.audit.documents import one_line
from ...handlers.audit.search import Query
from ...handlers.audit.search import search as find
from ...handlers.store import InvalidToken
from .executions import STATUSES, shown_time
from .opening import open_store
from .problem import WrongRequest
from .tables import print_table


def search(options: argparse.Namespace) -> int:
    if options.status is not None and options.status not in STATUSES:
        raise WrongRequest(f"'{options.status}' is no status: it is one of {', '.join(STATUSES)}")
    if not 1 <= options.limit <= 1000:
        raise WrongRequest("--limit is a number from 1 to 1000")
    query = Query(
        workflow=options.workflow, status=options.status, name=options.name, step=options.step, error=options.error,
        since=_time(options.since, "--since"), until=_time(options.until, "--until"), text=options.text,
        input=_fields(options.input),
    )  # fmt: skip
    store = open_store(options.store, create=False)
    try:
        results = find(store, query, limit=options.limit, token=options.token)
    except InvalidToken:
        raise WrongRequest("--token is not one that a search has printed") from None
    if options.json:
        told = {"found": [each.to_json() for each in results.found], "token": results.token}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    rows = [
        (
            each.head.name, each.head.state_machine.rpartition(":")[2], each.head.status,
            shown_time(each.head.started_at), "; ".join(one_line(entry) for entry in each.entries[:2]),
        )
        for each in results.found
    ]  # fmt: skip
    print_table(("EXECUTION", "WORKFLOW", "STATUS", "STARTED", "FOUND"), rows)
    if results.token is not None:
        print(f"there may be more: --token {results.token}", file=sys.stderr)
    return 0


def _time(text: str | None, option: str) -> int | None:
    """Milliseconds: of a date, a time, or so long ago (`2h`, `7d`)."""
    if text is None:
        return None
    ago = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if ago is not None:
        seconds = int(ago[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[ago[2]]
        return int((datetime.now().timestamp() - seconds) * 1000)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise WrongRequest(
            f"{option} {text!r} is no time: write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago, such as 2h or 7d"
        ) from None


def _fields(given: list[str]) -> dict[str, Any]:
    """`--input customer.id=7`: values as JSON, or as the text that they are."""
    fields: dict[str, Any] = {}
    for each in given:
        path, equals, text = each.partition("=")
        if not equals or not path:
            raise WrongRequest(
                f"--input {each!r} is no field of an input: write PATH=VALUE, such as customer.id=7"
            )
        try:
            fields[path] = json.loads(text)
        except (ValueError, RecursionError):
            fields[path] = text
    return fields
