"""`stratum console`: the web console over a store, or over a stage on AWS with the operator's own credentials."""

from __future__ import annotations

import argparse
import signal
import threading
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from ..desk import Unreadable
from .opening import open_store
from .parsers.adding import STAGE
from .problem import WrongRequest
from .serving_checks import check_loopback

if TYPE_CHECKING:
    from ...handlers.console.host import Console
    from ...handlers.store import Store
    from ..console.server import ConsoleServer
    from ..engine import Engine
    from .stages import Stage

ALIAS = "live"
"""What a deployment leads, and so what is started on a stage."""


@dataclass(slots=True)
class Opened:
    """What `stratum console` serves. `engine` runs what is started on a local store, and is not there where this only looks."""

    store: Store
    console: Console
    server: ConsoleServer
    engine: Engine | None = None
    stage: Stage | None = None


def console(options: argparse.Namespace) -> int:
    opened = open_console(options)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if opened.engine is not None:
        opened.engine.start()
    try:
        with opened.server:
            print("\n".join(told(opened)), flush=True)
            if options.open:
                import webbrowser

                webbrowser.open(opened.server.link)
            ended.wait()
    finally:
        if opened.engine is not None:
            opened.engine.close()
        opened.store.close()
    return 0


def open_console(options: argparse.Namespace) -> Opened:
    """The console that was asked for, which serves nobody yet. Raises `WrongRequest`."""
    from ..console.server import ConsoleServer
    from ..console.site import Site
    from ..console.stream import FAR, HERE

    check_loopback(options.host)
    store = open_store(options.store, create=False)
    stage = engine = None
    try:
        if options.store.startswith(STAGE):
            made, stage = _over_stage(store, options)
        else:
            made, engine = _over_store(store, options)
        pace = HERE if stage is None else FAR
        server = ConsoleServer(Site(lambda: made, pace), options.host, options.port)
    except Unreadable as error:
        raise WrongRequest(str(error)) from None
    except OSError as error:
        raise WrongRequest(
            f"{options.host}:{options.port} cannot be listened on: {error.strerror or error}; --port 0 takes a free one"
        ) from None
    return Opened(store, made, server, engine, stage)


def _over_store(store: Store, options: argparse.Namespace) -> tuple[Console, Engine | None]:
    from ..console.server import console_of, person
    from .executions import runtime_on

    if options.read_only:
        return console_of(runtime_on(store), options.store, who=None, place=options.store), None
    from ..engine import Engine

    engine = Engine(store, options.store, workers=options.workers)
    return console_of(engine.runtime, options.store, who=person(), place=options.store, engine=engine), engine


def _over_stage(store: Store, options: argparse.Namespace) -> tuple[Console, Stage]:
    """What is done here is handed to the stage's queues, so that it runs there."""
    from ..console.server import console_of, person
    from .stages import stage_of

    stage = stage_of(store)
    assert stage is not None
    who = None if options.read_only else person(stage.caller)
    return console_of(stage.runtime, options.store, who=who, place=stage.place, alias=ALIAS), stage


def told(opened: Opened) -> list[str]:
    """What is said of it where it was started."""
    who, stage = opened.console.who, opened.stage
    lines = [
        f"the console is at {opened.server.link}",
        f"store: {opened.console.place}{'   read-only' if who is None else ''}",
    ]
    if stage is not None and who is not None:
        lines.append(f"what is done there bears the name of {who.user}")
    if stage is not None and stage.found.target != "engine":
        lines.append(
            "its executions are Step Functions' own, which AWS's console shows; here are its gates, and what agents work on"
        )
    return [*lines, "the link is a key to it: keep it to yourself; Ctrl-C stops it"]
