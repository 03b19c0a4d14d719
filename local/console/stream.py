"""What has changed, sent as it happens (server-sent events), until the browser goes away.

The store is looked at so many times a second, and no more is read than what is new. So whoever watches costs the engine
the same, however much it does, and sees what other processes write as well.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ...handlers.console.api import number, text
from ...handlers.console.execution import overview
from ...handlers.console.host import Console, Refusal
from ...handlers.console.listing import about
from ...handlers.console.listing import executions as listed
from ...handlers.console.summary import summary
from ...handlers.logs import logger

if TYPE_CHECKING:
    from ..loopback import RequestHandler

_SIGN_OF_LIFE = 10.0
_REST = 40
"""How many times as long as a look has taken is waited before the next one, at the least."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks: `one` at an execution that runs, `list` at a list, or at an execution that has ended and may
    be redriven. While nothing changes each is half as long again as the one before, up to `most` times the first."""

    one: float
    list: float
    most: float = 1.0


HERE = Pace(0.3, 1.0)
"""A store of this machine."""
FAR = Pace(1.0, 3.0, most=5.0)
"""A table of DynamoDB, where every look is billed: three reads at an execution, some twenty at a list."""


def stream(request: RequestHandler, console: Console, query: str, pace: Pace | None = None) -> None:
    """`execution` and `after` (a commit) follow one execution; without, the list that the other parameters ask for."""
    pace = pace or HERE
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
    quiet = 1.0
    while True:
        began = time.monotonic()
        try:
            told = follow.look()
        except Exception as error:  # the answer has begun: all that can be done is to end it
            logger.error("the changes cannot be followed", reason=f"{type(error).__name__}: {error}")
            return
        now = time.monotonic()
        if told is not None:
            _send(request, f"data: {json.dumps(told, ensure_ascii=False)}\n\n")
            spoke = now
            quiet = 1.0
        else:
            quiet = min(pace.most, quiet * 1.5)
        if told is None and now - spoke > _SIGN_OF_LIFE:
            _send(request, ": still here\n\n")  # fails where the browser has gone
            spoke = now
        time.sleep(max((pace.one if follow.live else pace.list) * quiet, _REST * (now - began)))


def _send(request: RequestHandler, text: str) -> None:
    request.wfile.write(text.encode())
    request.wfile.flush()


class _Execution:
    """Each look reads the commits that are new, and no others; whoever else follows it has read them as well."""

    def __init__(self, console: Console, parameters: dict[str, str]):
        self._console = console
        self._head = console.head(text(parameters, "execution"))
        self._seq = number(parameters, "after", 0, 2**31)
        self.live = True
        """Whether it runs."""

    def look(self) -> dict[str, Any] | None:
        with self._console.stories.read(self._console.store, self._head) as story:
            if story.seq <= self._seq:
                return None
            told = summary(story, self._seq)
            shown = overview(self._console, self._console.head(self._head.execution), story.redactor)
            self._seq = story.seq
        self.live = shown["status"] == "RUNNING"
        return {**shown, "story": told, "now": self._console.runtime.clock()}


class _List:
    live = False

    def __init__(self, console: Console, parameters: dict[str, str]):
        self._console = console
        self._parameters = parameters
        self._shown: tuple[Any, ...] = ()

    def look(self) -> dict[str, Any] | None:
        page = listed(self._console, self._parameters) if "limit" in self._parameters else None
        told = about(self._console, {})
        shown = (page, told["waiting"])
        if shown == self._shown:
            return None
        self._shown = shown
        return {"about": told, "list": page}
