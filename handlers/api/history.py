"""GetExecutionHistory: the events of an execution's log, paged, oldest or newest first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from ..loading import Loaded
from ..runtime import Runtime
from ..store import Store
from . import parameters as read
from .errors import invalid_token
from .executions import find
from .parameters import Parameters

_CHUNK = 64
"""Commits read at a time."""
_DATA = ("input", "output", "parameters", "assignedVariables")


def get_execution_history(runtime: Runtime, tenant: str, parameters: Parameters) -> dict[str, Any]:
    limit = read.page_size(parameters)
    reverse = read.flag(parameters, "reverseOrder", False)
    with_data = read.flag(parameters, "includeExecutionData", True)
    executions = runtime.executions(tenant)
    loaded = find(executions, parameters)
    token = read.page_token(parameters)
    seq, offset = _position(token, loaded, reverse)
    events: list[dict[str, Any]] = []
    for at, index, event in _walk(executions.store, loaded, seq, offset, reverse):
        if len(events) == limit:
            return {"events": events, "nextToken": _token(at, index, reverse)}
        events.append(_event(event, with_data))
    return {"events": events}


def _walk(
    store: Store, loaded: Loaded, seq: int, offset: int, reverse: bool
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Events with their place: the commit's `seq` and how many of its events come before, in walking order."""
    step = -1 if reverse else 1
    while 0 <= seq <= loaded.seq:
        first, stop = (
            (max(0, seq - _CHUNK + 1), seq + 1) if reverse else (seq, min(seq + _CHUNK, loaded.seq + 1))
        )
        commits = store.commits(loaded.execution, first, stop)
        for commit in commits[::step]:
            for index, event in list(enumerate(commit.events[::step]))[offset:]:
                yield commit.seq, index, event
            offset = 0
        seq = first - 1 if reverse else stop


def _event(event: dict[str, Any], with_data: bool) -> dict[str, Any]:
    """The event as the API gives it: its time in seconds, and its data only where asked for."""
    given: dict[str, Any] = {
        "timestamp": event["timestamp"] / 1000,
        "type": event["type"],
        "id": event["id"],
        "previousEventId": event["previousEventId"],
    }
    for key, details in event.items():
        if isinstance(details, dict):
            given[key] = (
                details
                if with_data
                else {name: value for name, value in details.items() if not _is_data(name)}
            )
    return given


def _is_data(name: str) -> bool:
    return name in _DATA or (name.endswith("Details") and name.removesuffix("Details") in _DATA)


def _position(token: str | None, loaded: Loaded, reverse: bool) -> tuple[int, int]:
    if token is None:
        return (loaded.seq if reverse else 0), 0
    try:
        seq, offset, order = base64.urlsafe_b64decode(token.encode()).decode().split(".")
        place = int(seq), int(offset)
    except (ValueError, binascii.Error, UnicodeError):
        raise invalid_token() from None
    if order != str(int(reverse)) or not 0 <= place[0] <= loaded.seq or place[1] < 0:
        raise invalid_token()
    return place


def _token(seq: int, offset: int, reverse: bool) -> str:
    return base64.urlsafe_b64encode(f"{seq}.{offset}.{int(reverse)}".encode()).decode()
