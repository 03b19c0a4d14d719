"""A store by its address: `sqlite:///path` or `dynamodb://table`. Only the form that is asked for is imported."""

from __future__ import annotations

from ..handlers.store import Store


class StoreUrlError(ValueError):
    """The address is none of a store; the text says what one looks like."""


def open_store(url: str, tenant: str = "default") -> Store:
    """Opens the store.

    - `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`; `?sync=normal` gives up the
      last commits on a power cut (not on a crash) for speed.
    - `dynamodb://table?region=…&endpoint=…&bucket=…`; the bucket takes what is too large for an item.

    Raises `StoreUrlError`, or `StoreError` when there is something else at that address.
    """
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
