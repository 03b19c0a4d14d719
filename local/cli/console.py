"""`stratum console`: the web console over a store."""

from __future__ import annotations

import argparse
import signal
import threading
from types import FrameType

from ..desk import Unreadable
from .opening import open_store
from .problem import WrongRequest
from .serving_checks import check_loopback


def console(options: argparse.Namespace) -> int:
    from ..console.server import ConsoleServer, console_of, person
    from ..console.site import Site
    from .executions import runtime_on

    check_loopback(options.host)
    store = open_store(options.store, create=False)
    engine = None
    who = None
    if not options.read_only:
        from ..engine import Engine

        engine, who = Engine(store, options.store, workers=options.workers), person()
    runtime = engine.runtime if engine is not None else runtime_on(store)
    try:
        made = console_of(runtime, options.store, who=who, place=options.store, engine=engine)
        server = ConsoleServer(Site(lambda: made), options.host, options.port)
    except Unreadable as error:
        raise WrongRequest(str(error)) from None
    except OSError as error:
        raise WrongRequest(
            f"{options.host}:{options.port} cannot be listened on: {error.strerror or error}; --port 0 takes a free one"
        ) from None
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if engine is not None:
        engine.start()
    try:
        with server:
            _say(server.link, options)
            ended.wait()
    finally:
        if engine is not None:
            engine.close()
        store.close()
    return 0


def _say(link: str, options: argparse.Namespace) -> None:
    print(f"the console is at {link}", flush=True)
    print(
        f"store: {options.store}{'   read-only' if options.read_only else ''}\n"
        "the link is a key to it: keep it to yourself; Ctrl-C stops it",
        flush=True,
    )
    if options.open:
        import webbrowser

        webbrowser.open(link)
