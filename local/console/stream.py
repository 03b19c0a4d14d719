"""What has changed, sent as it happens (server-sent events), until the browser goes away.

The store is looked at so many times a second, and no more is read than what is new. So whoever watches costs the engine
the same, however much it does, and sees what other processes write as well.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ...handlers.console import execution as executions
from ...handlers.console.host import Console, Refusal
from ...handlers.console.listing import about
from ...handlers.console.listing import executions as listed

if TYPE_CHECKING:
    from ..loopback import RequestHandler

LOOK = 0.3
"""Seconds between two looks at an execution that runs."""
LOOK_AT_ALL = 1.0
"""Seconds between two looks at a list, or at an execution that has ended and may be redriven."""
_SIGN_OF_LIFE = 10.0


def stream(request: RequestHandler, console: Console, query: str) -> None:
    """`execution` and `after` (a commit) follow one execution; without, the list that the other parameters ask for."""
    parameters = dict(parse_qsl(query))
    try:
        follow = _Execution(console, parameters) if "execution" in parameters else _List(console, parameters)
    except Refusal as refusal:
        request.json(refusal.status, {"message": str(refusal)})
        return
    request.send_response(200)
    for name, value in (
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ):
        request.send_header(name, value)
    request.end_headers()
    request.close_connection = True
    spoke = 0.0
    while True:
        told = follow.look()
        now = time.monotonic()
        if told is not None:
            _send(request, f"data: {json.dumps(told, ensure_ascii=False)}\n\n")
            spoke = now
        elif now - spoke > _SIGN_OF_LIFE:
            _send(request, ": still here\n\n")  # fails where the browser has gone
            spoke = now
        time.sleep(follow.pause)


def _send(request: RequestHandler, text: str) -> None:
    request.wfile.write(text.encode())
    request.wfile.flush()


class _Execution:
    """Each look reads the commits that are new, and no others."""

    def __init__(self, console: Console, parameters: dict[str, str]):
        self._console = console
        self._execution = executions.text(parameters, "execution")
        after = executions.number(parameters, "after", 0, 2**31)
        head = executions.head_of(console.store, self._execution)
        self._story, self._redactor = executions.story_of(console.store, head)
        self._story.feed(console.store.commits(self._execution, 0, after + 1))
        self.pause = LOOK

    def look(self) -> dict[str, Any] | None:
        store = self._console.store
        commits = store.commits(self._execution, self._story.seq + 1)
        if not commits:
            return None
        told = self._story.feed(commits)
        head = executions.head_of(store, self._execution)
        overview = executions.overview(self._console, head, self._redactor)
        self.pause = LOOK if overview["status"] == "RUNNING" else LOOK_AT_ALL
        return {**overview, "story": told.to_json(), "now": self._console.runtime.clock()}


class _List:
    def __init__(self, console: Console, parameters: dict[str, str]):
        self._console = console
        self._parameters = parameters
        self._shown: tuple[Any, ...] = ()
        self._revision: int | None = None
        self.pause = LOOK_AT_ALL

    def look(self) -> dict[str, Any] | None:
        page = listed(self._console, self._parameters) if "limit" in self._parameters else None
        told = about(self._console, {})
        shown = (page, told["waiting"])
        if shown == self._shown:
            return None
        self._shown = shown
        return {"about": told, "list": page}
