"""The desk of a local store: where people and agents of this machine find work and answer it.

Beside a SQLite store lie the key that links are signed with (`stratum.db.key`, for its owner alone) and, where
somebody has written it, `people.json`: who stands behind the names of approvers, `{"ops@example.com": ["ada"]}`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..handlers.runtime import Runtime
from ..handlers.work.answers import Desk
from ..handlers.work.links import KEY, KEY_SECRET, key_of
from .link_keys import file_key, key_path, store_path
from .owners import is_held

PEOPLE = "STRATUM_PEOPLE"


class Unreadable(ValueError):
    """The people's file cannot be used; the text says why."""


def desk_of(
    runtime: Runtime,
    store_url: str,
    tenant: str | None = None,
    link_key: Callable[[], bytes] | None = None,
) -> Desk:
    """`link_key` gives the key of links where it is neither the environment's nor the store's. Raises `Unreadable`."""
    return Desk(
        runtime,
        tenant or runtime.store.tenant,
        people=people_of(store_url),
        is_gone=lambda worker: is_gone(store_url, worker),
        link_key=link_key or link_key_of(runtime, store_url),
    )


def is_gone(store_url: str, worker: str) -> bool:
    """Whether a worker whose process holds a lock while it lives (`agent/PROCESS:NAME`) has ended. Of any other
    nothing is known; nor of those who work on a stage on AWS, from whatever machine."""
    if store_url.startswith("stage://"):
        return False
    return worker.startswith("agent/") and not is_held(store_url, worker.partition(":")[0])


def people_of(store_url: str, environ: Mapping[str, str] = os.environ) -> dict[str, list[str]]:
    """`STRATUM_PEOPLE` (JSON, or `@` and a file of it), else `people.json` beside the store. Raises `Unreadable`."""
    text = environ.get(PEOPLE, "")
    path = Path(text[1:]) if text.startswith("@") else None
    if (
        not text
        and (beside := store_path(store_url)) is not None
        and (beside.parent / "people.json").is_file()
    ):
        path = beside.parent / "people.json"
    try:
        people: Any = json.loads(path.read_text(encoding="utf-8") if path is not None else text or "{}")
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path or PEOPLE}: {error}") from None
    if not isinstance(people, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in people.values()
    ):
        raise Unreadable(f'{path or PEOPLE}: it is {{"a name of approvers": ["account", …]}}')
    return people


def link_key_of(
    runtime: Runtime, store_url: str, environ: Mapping[str, str] = os.environ
) -> Callable[[], bytes]:
    """The key as the environment gives it, else that of the store's own file, made when it is first asked for."""
    path = key_path(store_url)
    if environ.get(KEY) or environ.get(KEY_SECRET) or path is None:
        return lambda: key_of(runtime, environ)
    return lambda: file_key(path)
