"""`stratum up`: Step Functions on a port of this machine, for every AWS SDK and the AWS CLI."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ..owners import OwnedElsewhere, Owner
from ..runs import Unclaimed
from .opening import open_store
from .problem import WrongRequest
from .serving_checks import check_loopback

if TYPE_CHECKING:
    from ..aws import Door

PORT = 8083
"""The port that Step Functions has always had on developers' machines."""


def up(options: argparse.Namespace) -> int:
    from ...handlers.console.stories import Stories
    from ..aws.snapshots import UnreadableSnapshot
    from ..console import Site
    from ..console.server import console_of, person
    from ..desk import desk_of
    from ..server import Endpoint, Service

    check_loopback(
        options.host, insecure=options.insecure_bind,
        hint=", and nothing here asks who they are; --insecure-bind does it all the same",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="stratum-") as unkept, contextlib.ExitStack() as stack:
        store_url = _store_url(options, unkept)
        kept = unkept not in store_url
        stack.enter_context(_alone(store_url) if kept else contextlib.nullcontext())
        owns = Unclaimed(lambda: door.cloud.runtime.executions(door.cloud.store.tenant)) if kept else None
        door = _door(options, store_url, owns)
        place = store_url if kept else "stratum up, nothing is kept"
        stories = Stories()
        site = Site(
            lambda: console_of(door.cloud.runtime, store_url, who=person(), place=place, stories=stories)
        )
        port = options.port if options.port is not None else 0 if options.run else PORT
        try:
            endpoint = Endpoint(
                door, options.host, port, open=options.insecure_bind,
                desk=lambda: desk_of(door.cloud.runtime, store_url), site=site,
            )  # fmt: skip
        except OSError as error:
            door.close()
            raise WrongRequest(
                f"{options.host}:{port} cannot be listened on: {error.strerror or error}; --port 0 takes a free one"
            ) from None
        try:
            door.open()
        except UnreadableSnapshot as error:
            door.close()
            raise WrongRequest(str(error)) from None
        service = Service(door, owns)
        running = service.start()
        try:
            with endpoint:
                if options.run:
                    return _run(options.run, endpoint.url)
                _until_ended(
                    _banner(
                        endpoint.url, site.link(endpoint.url), store_url if kept else None, running, options
                    )
                )
        finally:
            service.close()
        print(
            "stopped" + ("; what was running goes on with the next `stratum up`" if kept else ""), flush=True
        )
        return 0


def endpoint_environment(url: str) -> dict[str, str]:
    """What makes AWS's SDKs and CLI call `url`."""
    return {
        "AWS_ENDPOINT_URL": url,
        # Otherwise start-sync-execution and test-state are sent to `sync-` before the host's name.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""Nothing checks them, but no SDK calls without."""


def _until_ended(banner: str) -> None:
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    print(banner, flush=True)
    ended.wait()


def _run(command: list[str], url: str) -> int:
    """Runs the program to its end; answers its exit code, as a shell does."""
    try:
        program = subprocess.Popen(command, env={**CREDENTIALS, **os.environ, **endpoint_environment(url)})
    except OSError as error:
        raise WrongRequest(f"{command[0]} cannot be run: {error.strerror or error}") from None

    def pass_on(number: int, frame: FrameType | None) -> None:
        program.send_signal(number)

    # A Ctrl-C reaches the program by itself, being of our own group; what it makes of it is its own affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, pass_on)
    code = program.wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _alone(store_url: str) -> Iterator[None]:
    """Serves a store that no other `stratum up` of this machine serves: both would perform the same tasks."""
    try:
        with Owner(store_url, "stratum up"):
            yield
    except OwnedElsewhere:
        raise WrongRequest(
            f"another `stratum up` serves {store_url}: use that one, or another --data or --store"
        ) from None


def _door(options: argparse.Namespace, store_url: str, owns: Callable[[str], bool] | None) -> Door:
    from ..aws import Door
    from ..clock import RealClock, VirtualClock

    mocks = _mocks(options.mock_config)
    for option in ("functions", "layer"):
        for folder in getattr(options, option):
            if not Path(folder).is_dir():
                raise WrongRequest(f"--{option} {folder}: there is no such folder")
    return Door(
        open_store(store_url, create=True),
        folders=[Path(folder) for folder in options.functions],
        layers=[Path(folder) for folder in options.layer],
        data=Path(options.data) if options.data else None,
        clock=VirtualClock() if options.clock == "virtual" else RealClock(),
        workers=options.workers,
        mocks=mocks,
        elsewhere=_elsewhere(options),
        owns=owns,
    )


def _elsewhere(options: argparse.Namespace):
    given = [text for text in os.environ.get("STRATUM_BIND", "").split(",") if text.strip()]
    if not given and not options.bind:
        return None
    from ..bindings import InvalidBinding, read_bindings

    try:
        return read_bindings([*given, *options.bind])
    except InvalidBinding as error:
        raise WrongRequest(f"--bind {error}") from None


def _store_url(options: argparse.Namespace, unkept: str) -> str:
    if options.data is None and options.store:
        return options.store
    folder = Path(options.data or unkept)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongRequest(f"--data {folder} cannot be made: {error.strerror}") from None
    return f"sqlite:///{folder / 'stratum.db'}"


def _mocks(path: str | None):
    if path is None:
        return None
    from ...handlers.mocks import InvalidMocks, load_mocks

    try:
        return load_mocks(path)
    except InvalidMocks as error:
        raise WrongRequest(f"--mock-config: {error}") from None


def _banner(url: str, console: str, store: str | None, running: int, options: argparse.Namespace) -> str:
    lines = [f"AWS is at {url}: Step Functions, Lambda, and by moto everything else", ""]
    lines += [
        f"  export {name}={value}" for name, value in {**endpoint_environment(url), **CREDENTIALS}.items()
    ]
    lines += [
        "",
        f"console: {console}",
        f"store: {store or 'none; --data DIR keeps everything'}   clock: {options.clock}",
        "account: 123456789012, or the access key where that is an account's twelve digits",
    ]
    if options.functions:
        lines.append(f"functions: {', '.join(options.functions)}")
    if running:
        lines.append(f"{running} executions were running, and go on")
    lines.append("Ctrl-C stops it")
    return "\n".join(lines)
