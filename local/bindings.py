"""Mixed mode: which services, functions or states are answered somewhere else, while the rest stays here.

sqs=aws                          a service, by AWS itself, with the credentials of this process's environment
bedrock=aws:dev                  the same with those of a profile
s3=http://127.0.0.1:9000         a service that is served elsewhere
lambda:charge=aws                one function
state:Charge=aws                 whatever the state of that name calls
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ..handlers.functions import Functions
    from ..handlers.runtime import Clients

_OURS = ("states", "stepfunctions", "sfn")


class InvalidBinding(ValueError):
    """The text is no binding; it says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """AWS with the credentials of a profile (None: the environment's), or a URL."""

    profile: str | None = None
    url: str | None = None

    def client(self, service: str, account: str, region: str) -> Any:
        """boto3's client there; whose account it is, the credentials say."""
        return _client(self, service, region)


@dataclass(frozen=True, slots=True)
class Bindings:
    services: dict[str, Place] = field(default_factory=dict)
    functions_by_name: dict[str, Place] = field(default_factory=dict)
    states: dict[str, Place] = field(default_factory=dict)

    def clients(self, service: str, state: str) -> Clients | None:
        place = self.states.get(state) or self.services.get(service)
        return None if place is None else place.client

    def functions(self, function: str, state: str) -> Functions | None:
        from ..handlers.functions import function_name

        place = (
            self.states.get(state)
            or self.functions_by_name.get(function_name(function))
            or self.services.get("lambda")
        )
        return None if place is None else _functions(place)


def read_bindings(texts: Iterable[str]) -> Bindings:
    """Raises `InvalidBinding`."""
    bindings = Bindings()
    for text in texts:
        target, _, where = text.partition("=")
        target, where = target.strip(), where.strip()
        if not target or not where:
            raise InvalidBinding(
                f"'{text}' is no binding: it is written as sqs=aws, or s3=http://127.0.0.1:9000"
            )
        place = _place(text, where)
        kind, _, name = target.partition(":")
        if kind == "state" and name:
            bindings.states[name] = place
        elif kind == "lambda" and name:
            bindings.functions_by_name[name] = place
        else:
            bindings.services.update(dict.fromkeys(_services(text, target), place))
    return bindings


def _place(text: str, where: str) -> Place:
    if where == "aws":
        return Place()
    if where.startswith("aws:"):
        return Place(profile=where.removeprefix("aws:"))
    parts = urlsplit(where)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidBinding(f"'{text}': a place is aws, aws:PROFILE, or a URL such as http://127.0.0.1:9000")
    return Place(url=where)


def _services(text: str, name: str) -> list[str]:
    """The service by botocore's names, given by any that a Task's resource has for it."""
    from ..handlers.integrations.calls import botocore_service
    from ..handlers.integrations.optimized import SERVICES

    name = name.removeprefix("aws-sdk:")
    if name in _OURS:
        raise InvalidBinding(f"'{text}': Step Functions is what runs here")
    if name == "bedrock":
        return ["bedrock", "bedrock-runtime"]
    if name in SERVICES:
        return [SERVICES[name].botocore]
    found = botocore_service(name.replace("-", "")) or botocore_service(name)
    if found is None:
        raise InvalidBinding(f"'{text}': there is no AWS service '{name}'")
    return [found]


@cache
def _client(place: Place, service: str, region: str) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    # The environment may name this very endpoint for every service.
    config = Config(response_checksum_validation="when_required", ignore_configured_endpoint_urls=True)
    session = Session(profile_name=place.profile)
    options: dict[str, Any] = {}
    if place.url is not None:
        options["endpoint_url"] = place.url
        if session.get_credentials() is None:
            options |= {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return session.client(service, region_name=region, config=config, **options)  # pyright: ignore[reportCallIssue, reportArgumentType]


@cache
def _functions(place: Place) -> Functions:
    return BoundFunctions(place)


class BoundFunctions:
    """Functions of Lambda somewhere else; each call goes to the region that it is made in."""

    def __init__(self, place: Place):
        self._place = place

    def invoke(self, invocation: Any) -> Any:
        from ..handlers.aws_functions import LambdaFunctions

        return LambdaFunctions(_client(self._place, "lambda", invocation.region)).invoke(invocation)
