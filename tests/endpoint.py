"""boto3's clients for a local cloud in this process: Step Functions alone, or all of AWS.

Nothing goes over a network: requests are taken out of botocore before they are sent, and given to the front door.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from stratum.handlers.api import front_door
from stratum.handlers.mocks import Mocks
from stratum.local.aws import Door
from stratum.local.aws.clients import Clients
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.functions.handler_runtime import Handler
from stratum.local.server import Endpoint as Served
from stratum.local.stores import open_store

ACCOUNT = "000000000000"


class _Raw:
    def __init__(self, body: bytes):
        self._body = body

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *args: Any) -> bytes:
        return self._body


class Endpoint:
    """boto3's client for Step Functions on a local cloud of its own, for the account of a request's key."""

    def __init__(self, mocks: Mocks | None = None, functions: Mapping[str, Handler] | None = None) -> None:
        self.cloud = LocalCloud(
            open_store("sqlite:///:memory:"),
            InProcessFunctions(functions),
            clock=VirtualClock(),
            workers=0,
            mocks=mocks,
        )

    def client(self, account: str = ACCOUNT) -> Any:
        client = boto3.client(
            "stepfunctions", region_name="us-east-1", endpoint_url="http://localhost:1", aws_access_key_id=account,
            aws_secret_access_key="x", config=Config(inject_host_prefix=False),
        )  # fmt: skip
        runtime = self.cloud.runtime_for(account, "us-east-1")

        def answer(request: Any, **kwargs: Any) -> AWSResponse:
            headers = {
                key: value.decode() if isinstance(value, bytes) else value
                for key, value in request.headers.items()
            }
            body = request.body or b""
            event = {
                "headers": headers, "body": base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode(),
                "isBase64Encoded": True,
            }  # fmt: skip
            given = front_door.handle(runtime, event)
            return AWSResponse(
                request.url, given["statusCode"], given["headers"], _Raw(given["body"].encode())
            )  # pyright: ignore[reportArgumentType]

        client.meta.events.register("before-send.*", answer)
        return client

    def settle(self, execution: str | None = None) -> None:
        """Does what there is to do, until the execution has ended."""
        self.cloud.drain()

    def close(self) -> None:
        self.cloud.close()


class Everything:
    """All of AWS: Lambda in worker processes, what moto has, and a port for what the functions call themselves.

    Starting one takes a while: `fresh` makes it forget everything, for the next test.
    """

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        self.door = Door(open_store("sqlite:///:memory:"), clock=self.clock, workers=8, **options)
        self.cloud = self.door.cloud
        # As a user's own client is made.
        self._clients = Clients(self.door.handle, response_checksum_validation="when_supported")
        self._served = Served(self.door)
        self._served.__enter__()

    def client(self, account: str = ACCOUNT) -> Any:
        return self.other("stepfunctions", account)

    def other(self, service: str, account: str = ACCOUNT) -> Any:
        return self._clients(service, account, "us-east-1")

    def fresh(self) -> Everything:
        self.door.reset()
        self.clock.pace = 1.0
        return self

    def settle(self, execution: str | None = None, seconds: float = 20) -> None:
        """Does what there is to do, until the execution has ended; a function that is still running may run on."""
        if execution is None:
            self.cloud.drain()
            return
        executions = self.cloud.runtime.executions()
        deadline = time.monotonic() + seconds
        while executions.load(execution).snapshot["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{execution} has not ended after {seconds} s"
            self.cloud.step(0.02)

    def close(self) -> None:
        self._served.__exit__()
        self.door.close()
