"""moto's server, in a process of its own, with our table in it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from stratum.handlers.store.table import create_table


@contextmanager
def moto_table() -> Iterator[str]:
    """Answers the address of a store that several processes can open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "none")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "moto.server", "-p", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait_for(port)
            create_table(boto3.client("dynamodb", endpoint_url=endpoint), "stratum")
            yield f"dynamodb://stratum?region=us-east-1&endpoint={endpoint}"
        finally:
            server.kill()
            server.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)  # another process is starting: there is nothing to be told by
    raise TimeoutError("moto's server does not answer")
