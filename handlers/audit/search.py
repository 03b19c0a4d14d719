"""Executions found by what they are and by what is in their logs, newest first.

Workflow and status are looked up; the rest is read, execution by execution, so that a search over many takes its time:
it is given in pages, and each reads a bounded number of logs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..store import Head, Store
from .documents import redacted
from .likely import Likely
from .redaction import Redactor, redactor_of
from .trail import trail

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
MAX_READ = 2000
"""Logs that one page reads at the most."""
_READ = 25
"""Executions between two looks at the time."""
_EVENTS = 5
"""Entries of one execution that are shown as why it was found."""
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; every part that is given must hold.

    - `workflow`, `status`: of the execution. `name`: a part of the execution's name.
    - `step`: a step or state that it has come to. `error`: an error's name in its history.
    - `since`, `until`: when it started, in milliseconds.
    - `text`: anywhere in its entries, whatever its case.
    - `input`: fields of its input by path, such as `{"customer.id": 7}`.
    """

    workflow: str | None = None
    status: str | None = None
    name: str | None = None
    step: str | None = None
    error: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None
    input: dict[str, Any] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """Whether logs must be read for it."""
        return bool(self.step or self.error or self.text or self.input)


@dataclass(frozen=True, slots=True)
class Found:
    """An execution, and the entries of its trail that the query asked for."""

    head: Head
    entries: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        head = self.head
        return {
            "execution": head.execution, "name": head.name, "workflow": head.workflow,
            "status": head.status, "started": head.started_at, "stopped": head.stopped_at, "entries": self.entries,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Results:
    """`token` goes on after the last execution that was looked at; None where that was the last there is."""

    found: list[Found]
    looked_at: int
    token: str | None


def search(
    store: Store,
    query: Query,
    *,
    reveal: bool = False,
    limit: int = 20,
    token: str | None = None,
    seconds: float | None = None,
    within: str | None = None,
) -> Results:
    """One page of results; `reveal` looks into secrets too, and shows them. With `seconds` it ends by then with what it has
    found, and its token goes on. `within` is the ARN of a state machine, or of a map run. Raises `InvalidToken`."""
    deadline = None if seconds is None else time.monotonic() + seconds
    likely = Likely(store, query)
    found: list[Found] = []
    looked_at = 0
    while True:
        size = max(1, min(_READ if query.reads else 100, limit - len(found)))
        page = store.heads(state_machine=within, status=query.status, limit=size, token=token)
        token = page.token
        for head in page.items:
            if query.since is not None and head.started_at < query.since:
                return Results(found, looked_at, None)  # all that follow are older
            if not _fits(query, head):
                continue
            looked_at += 1
            entries: list[dict[str, Any]] | None = []
            if query.reads:
                entries = None
                if likely(head.execution, head.definition):
                    redactor = Redactor() if reveal else redactor_of(store, head.definition)
                    entries = _entries(store, query, head, redactor)
            if entries is not None:
                found.append(Found(head, entries))
        late = deadline is not None and time.monotonic() >= deadline
        if token is None or len(found) >= limit or late or (query.reads and looked_at >= MAX_READ):
            return Results(found, looked_at, token)


def _fits(query: Query, head: Head) -> bool:
    machine = head.workflow
    return (
        query.workflow in (None, machine)
        and (query.name is None or query.name in head.name)
        and (query.until is None or head.started_at <= query.until)
    )


def _entries(store: Store, query: Query, head: Head, redactor: Redactor) -> list[dict[str, Any]] | None:
    """The entries that the query asks for, or None where the execution has not all of them."""
    # Found by what is shown, so that nobody finds out a secret by searching for it.
    shown = redacted(trail(store, head.execution), redactor)["entries"]
    started = next((entry for entry in shown if entry["what"] == "started"), {})
    for path, wanted in query.input.items():
        if _at(started.get("data", {}).get("input"), path) != wanted:
            return None
    chosen: list[dict[str, Any]] = []
    for wanted in _wanted(query):
        matching = [entry for entry in shown if wanted(entry)]
        if not matching:
            return None
        chosen += [entry for entry in matching[:_EVENTS] if entry not in chosen]
    return chosen


def _wanted(query: Query) -> Iterator[Any]:
    if query.step is not None:
        yield lambda entry: query.step in (entry.get("step"), entry.get("state"))
    if query.error is not None:
        yield lambda entry: entry.get("data", {}).get("error") == query.error
    if query.text is not None:
        text = query.text.casefold()
        yield lambda entry: text in json.dumps(entry, ensure_ascii=False).casefold()


def _at(value: Any, path: str) -> Any:
    for part in path.removeprefix("$.").split("."):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return _MISSING
    return value
