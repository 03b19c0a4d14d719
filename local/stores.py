"""A store by its address: `sqlite:///path` or `dynamodb://table`. Only the form that is asked for is imported."""

from __future__ import annotations

import os

from ..handlers.store import Store
from ..handlers.tenancy.names import InvalidTenant, check_name

TENANT = "STRATUM_TENANT"
"""The environment's variable that names the tenant of a store that is opened; "default" without it."""


class StoreUrlError(ValueError):
    """The address is none of a store; the text says what one looks like."""


def open_store(url: str, tenant: str | None = None) -> Store:
    """Opens the store, of `tenant` or of `STRATUM_TENANT`.

    - `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`; `?sync=normal` gives up the
      last commits on a power cut (not on a crash) for speed.
    - `dynamodb://table?region=…&endpoint=…&bucket=…`; the bucket takes what is too large for an item.

    Raises `StoreUrlError`, or `StoreError` when there is something else at that address.
    """
    tenant = tenant or named_tenant()
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from .sqlite_store import from_url

        return from_url(url, tenant)
    if scheme == "dynamodb" and rest:
        try:
            from ..handlers.store import dynamodb
        except ImportError:
            raise StoreUrlError("a DynamoDB store needs boto3: install stratum-workflows[aws]") from None
        return dynamodb.from_url(url, tenant)
    raise StoreUrlError(
        f"'{url}' is not the address of a store: it is sqlite:///path/to/file.db or dynamodb://table"
    )


def named_tenant() -> str:
    """Whose store is opened where nobody says it. Raises `StoreUrlError`."""
    try:
        return check_name(os.environ.get(TENANT) or "default")
    except InvalidTenant as error:
        raise StoreUrlError(f"{TENANT}: {error}") from None
