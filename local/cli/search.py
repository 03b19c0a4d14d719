"""`stratum search`: executions by what they are and by what is in their history."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from ...handlers.audit.documents import one_line
from ...handlers.audit.search import STATUSES, Query
from ...handlers.audit.search import search as find
from ...handlers.store import InvalidToken
from ...handlers.times import read_time
from .executions import shown_time
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
            each.head.name, each.head.workflow, each.head.status,
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
    try:
        return read_time(text, int(datetime.now().timestamp() * 1000))
    except ValueError as error:
        raise WrongRequest(f"{option} {error}") from None


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
