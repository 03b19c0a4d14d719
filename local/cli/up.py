"""`stratum up`: Step Functions on a port of this machine, for every AWS SDK and the AWS CLI."""

from __future__ import annotations

import argparse
import ipaddress
import signal
import threading
from pathlib import Path
from types import FrameType

from .opening import open_store
from .problem import WrongRequest


def up(options: argparse.Namespace) -> int:
    from ..clock import RealClock, VirtualClock
    from ..cloud import LocalCloud
    from ..functions import WorkerFunctions
    from ..server import Endpoint, Service

    _check_host(options)
    store_url = _store_url(options)
    mocks = _mocks(options.mock_config)
    folders = [Path(folder) for folder in options.functions]
    for folder in folders:
        if not folder.is_dir():
            raise WrongRequest(f"--functions {folder}: there is no such folder")
    cloud = LocalCloud(
        open_store(store_url, create=True),
        WorkerFunctions(folders),
        clock=VirtualClock() if options.clock == "virtual" else RealClock(),
        workers=options.workers,
        mocks=mocks,
    )
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    try:
        endpoint = Endpoint(cloud, options.host, options.port, open=options.insecure_bind)
    except OSError as error:
        cloud.close()
        raise WrongRequest(
            f"{options.host}:{options.port} cannot be listened on: {error.strerror or error}; --port 0 takes a free one"
        ) from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    service = Service(cloud)
    running = service.start()
    with endpoint:
        print(_banner(endpoint.url, store_url, running, options), flush=True)
        ended.wait()
    service.close()
    print("stopped; what was running goes on with the next `stratum up`", flush=True)
    return 0


def _store_url(options: argparse.Namespace) -> str:
    if options.data is None:
        return options.store
    folder = Path(options.data)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'stratum.db'}"


def _check_host(options: argparse.Namespace) -> None:
    try:
        loopback = options.host == "localhost" or ipaddress.ip_address(options.host).is_loopback
    except ValueError:
        raise WrongRequest(f"--host {options.host} is no address") from None
    if not loopback and not options.insecure_bind:
        raise WrongRequest(
            f"--host {options.host} would let other machines in, and nothing here asks who they are; --insecure-bind does it all the same"
        )


def _mocks(path: str | None):
    if path is None:
        return None
    from ...handlers.mocks import InvalidMocks, load_mocks

    try:
        return load_mocks(path)
    except InvalidMocks as error:
        raise WrongRequest(f"--mock-config: {error}") from None


def _banner(url: str, store: str, running: int, options: argparse.Namespace) -> str:
    lines = [
        f"Step Functions is at {url}",
        "",
        f"  export AWS_ENDPOINT_URL_SFN={url}",
        "  export AWS_DISABLE_HOST_PREFIX_INJECTION=true   # for start-sync-execution and test-state",
        "  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1",
        "",
        f"store: {store}   clock: {options.clock}   account: 123456789012, or the access key where that is one",
    ]
    if options.functions:
        lines.append(f"functions: {', '.join(options.functions)}")
    if running:
        lines.append(f"{running} executions were running, and go on")
    lines.append("Ctrl-C stops it; nothing is lost")
    return "\n".join(lines)
