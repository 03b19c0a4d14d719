"""A request to AWS as HTTP brings it, its response, and what a request says of itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

ACCOUNT = "123456789012"
REGION = "us-east-1"

_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/")
_ACCOUNT_ID = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the signature says; `service` is None for a request that is not signed."""

    account: str = ACCOUNT
    region: str = REGION
    service: str | None = None
    access_key: str | None = None


@dataclass(slots=True)
class Request:
    """`target` is path and query as they were sent; names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def caller(self) -> Caller:
        """From the `Authorization` header or a presigned URL. Region and service are those that it was signed for, the
        account is 123456789012 or the access key where that is an account's twelve digits. The signature itself is
        not checked."""
        found = _CREDENTIAL.search(self.headers.get("authorization", ""))
        if found is None and "X-Amz-Credential" in self.query:
            scope = parse_qs(self.query).get("X-Amz-Credential", [""])[0]
            found = _CREDENTIAL.search(f"Credential={scope}/")
        if found is None:
            return Caller()
        key, region, service = found.groups()
        account = key if _ACCOUNT_ID.fullmatch(key) else ACCOUNT
        return Caller(account, region, service, key)


@dataclass(slots=True)
class Response:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def json_response(status: int, value: Any, **headers: str) -> Response:
    """`headers` are named with underscores."""
    named = [(name.replace("_", "-"), text) for name, text in headers.items()]
    return Response(status, [("content-type", "application/json"), *named], json.dumps(value).encode())
