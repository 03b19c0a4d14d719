"""What the commands that read or run executions share: opening the store, finding an execution."""

from __future__ import annotations

import difflib
from pathlib import Path

from ...handlers.store import Head, Store, StoreError
from .problem import WrongRequest

RUN = "local-run"
"""Records of executions that `run` began: where the file was, so that `resume` finds the handlers again."""


def open_store(url: str, *, create: bool) -> Store:
    """The store at `url`. Raises `WrongRequest` for an address that is none, or where nothing is to be read."""
    from ..stores import StoreUrlError
    from ..stores import open_store as open_by_url

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
    """The execution with that ARN, name or beginning of a name."""
    if name.startswith("arn:"):
        head = store.head(name)
        if head is None:
            raise WrongRequest(f"there is no execution {name}; `stratum list` shows which there are")
        return head
    found: list[Head] = []
    names: list[str] = []
    token = None
    while True:
        page = store.heads(limit=500, token=token)
        names += [head.name for head in page.items]
        exact = [head for head in page.items if head.name == name]
        found += exact or [head for head in page.items if head.name.startswith(name)]
        token = page.token
        if token is None:
            break
    exact = [head for head in found if head.name == name]
    found = exact or found
    if len(found) == 1:
        return found[0]
    if found:
        several = "\n".join(f"  {head.execution}" for head in found[:10])
        raise WrongRequest(f"'{name}' may be any of {len(found)} executions; give an ARN:\n{several}")
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]}?" if close else "`stratum list` shows which there are"
    raise WrongRequest(f"there is no execution '{name}'; {hint}")
