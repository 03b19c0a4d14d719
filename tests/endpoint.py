"""boto3's client for Step Functions on a local cloud in this process.

Nothing goes over a network: requests are taken out of botocore before they are sent, and given to the front door.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from stratum.handlers.api import front_door
from stratum.handlers.mocks import Mocks
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.functions.handler_runtime import Handler
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

    def close(self) -> None:
        self.cloud.close()
