"""What the commands that read or run executions share: opening the store, finding an execution."""

from __future__ import annotations

from pathlib import Path

from ...handlers.store import Head, Store, StoreError
from .parsers.adding import STAGE
from .problem import WrongRequest


def open_store(url: str, *, create: bool) -> Store:
    """The store at `url`. Raises `WrongRequest` for an address that is none, or where nothing is to be read."""
    from ..stores import StoreUrlError
    from ..stores import open_store as open_by_url

    if url.startswith(STAGE):
        from .stages import open_stage

        return open_stage(url).store

    if not create and url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///").partition("?")[0])
        if not path.exists():
            raise WrongRequest(
                f"there is no store at {path} yet: `stratum run FILE` makes it, and --store names another"
            )
    try:
        return open_by_url(url)
    except (StoreUrlError, StoreError) as error:
        raise WrongRequest(str(error)) from None


def find_execution(store: Store, name: str) -> Head:
    """The execution with that ARN, name or beginning of a name. Raises `WrongRequest`."""
    from ...handlers.lookup import NoSuchExecution
    from ...handlers.lookup import find_execution as find

    try:
        return find(store, name)
    except NoSuchExecution as error:
        hint = "" if error.has_hint else "; `stratum list` shows which there are"
        raise WrongRequest(f"{error}{hint}") from None
