"""Whose tenant a request of the API is for.

On AWS, IAM says who calls. A principal that the operator has made a caller of tenants is in these, whatever its request
says; all others are in the stage's own tenant. Where nobody says who calls, on this machine, the request says the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..identity import Identity
from ..store import Store
from . import registry
from .names import InvalidTenant, check_name

HEADER = "x-stratum-tenant"
_SESSION = re.compile(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/.*", re.S)


class NotYours(PermissionError):
    """The caller may not call for that tenant."""


def tenant_of(store: Store, caller: Identity | None, headers: Mapping[str, str]) -> str:
    """The tenant of a request with these headers (names in lower case). Raises `NotYours` and `InvalidTenant`."""
    asked = headers.get(HEADER)
    if asked is not None:
        check_name(asked)
    if caller is None or caller.user is None:
        return asked or store.tenant
    own = registry.tenants_of(store, principals(caller.user)) or [store.tenant]
    if asked is None:
        if len(own) > 1:
            raise NotYours(f"{caller.user} calls for several tenants: say which by the header {HEADER}")
        return own[0]
    if asked not in own:
        raise NotYours(f"User: {caller.user} is not authorized to call for the tenant {asked}")
    return asked


def principals(arn: str) -> list[str]:
    """What a caller can be registered as: its role or user, then its account. A session's ARN has no path of its role."""
    session = _SESSION.fullmatch(arn)
    if session is not None:
        partition, account, role = session.groups()
        return [f"arn:{partition}:iam::{account}:role/{role}", f"arn:{partition}:iam::{account}:root"]
    parts = arn.split(":")
    if len(parts) < 6:
        return [arn]
    return [arn, f"arn:{parts[1]}:iam::{parts[4]}:root"]


def check_caller(arn: str) -> str:
    """An ARN that a caller can be registered by. Raises `ValueError`."""
    if re.fullmatch(r"arn:[a-z-]+:iam::\d{12}:(root|role/[\w+=,.@-]+|user/[\w+=,.@/-]+)", arn) is None:
        raise ValueError(
            f"'{arn}' is no caller: it is arn:aws:iam::ACCOUNT:role/NAME (without a path), …:user/NAME or …:root"
        )
    return arn


__all__ = ["HEADER", "InvalidTenant", "NotYours", "check_caller", "principals", "tenant_of"]
