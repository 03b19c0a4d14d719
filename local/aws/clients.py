"""boto3's clients whose requests come in at a door of this process, without a network."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from .messages import ACCOUNT, Request, Response

UNUSED_URL = "http://127.0.0.1:1"
"""What an address must look like that nothing is sent to."""


class Clients:
    """`handle` answers requests. A client is made once for each service, account and region; `config` is botocore's."""

    def __init__(self, handle: Callable[[Request], Response], **config: Any):
        self._handle = handle
        # Unless told otherwise S3 is asked for checksums that tasks' results do not have on AWS.
        self._config = {"response_checksum_validation": "when_required", **config}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._making = threading.Lock()
        self.url = UNUSED_URL

    def __call__(self, service: str, account: str, region: str) -> Any:
        """Raises botocore's `UnknownServiceError`."""
        key = (service, account, region)
        found = self._clients.get(key)
        if found is None:
            with self._making:
                found = self._clients.get(key) or self._make(*key)
                self._clients[key] = found
        return found

    def url_of(self, host: str) -> str:
        """The URL of a host whose name is below this machine's own."""
        return f"http://{host}.localhost:{urlsplit(self.url).port}/"

    def _make(self, service: str, account: str, region: str) -> Any:
        from boto3.session import Session
        from botocore.config import Config

        client = Session().client(  # pyright: ignore[reportCallIssue]
            service,  # pyright: ignore[reportArgumentType]
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="test" if account == ACCOUNT else account,
            aws_secret_access_key="test",
            config=Config(
                inject_host_prefix=False,
                retries={"total_max_attempts": 1},
                **self._config,
                s3={"addressing_style": "path"},
            ),
        )
        client.meta.events.register("before-send.*", self._answer)
        return client

    def _answer(self, request: Any, **kwargs: Any) -> Any:
        return answer(self._handle, request)


def answer(handle: Callable[[Request], Response], request: Any) -> Any:
    """botocore's response to botocore's prepared request."""
    body: Any = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    url = urlsplit(request.url)
    headers.setdefault("host", url.netloc)
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    return to_botocore(request.url, handle(Request(request.method, target, headers, bytes(body))))


def to_botocore(url: str, response: Response) -> Any:
    """A response as botocore has those that it gets."""
    from botocore.awsrequest import AWSResponse, HeadersDict

    given = HeadersDict()
    for name, value in response.headers:
        given[name] = value
    return AWSResponse(url, response.status, given, _Raw(response.body))  # pyright: ignore[reportArgumentType]


class _Raw(io.BytesIO):
    """A body as botocore takes it off a connection."""

    def stream(self, amount: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        while chunk := self.read(amount):
            yield chunk
