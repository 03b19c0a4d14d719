"""`stratum backup` and `stratum restore`: a whole store in one file, and back."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

from ...handlers.backup import Contents, Damaged, NotEmpty, check, restore, write
from ...handlers.backup.restoring import NotRestored
from ...handlers.store import StoreError
from .counter import Counter
from .executions import shown_time
from .opening import open_store
from .problem import WrongRequest

_COMPRESSION = 6


def backup(options: argparse.Namespace) -> int:
    """The file is there once it is whole, or not at all; one that is there is not written over."""
    path = Path(options.file)
    if path.exists():
        raise WrongRequest(f"{path} is there already: name another file")
    store = open_store(options.store, create=False)
    store.freeze()
    tenants = store.tenants()
    if unknown := [each for each in options.tenant if each not in tenants]:
        raise WrongRequest(
            f"there is nothing of the tenant '{unknown[0]}': there are {', '.join(tenants) or 'none'}"
        )
    part = path.with_name(path.name + ".part")
    try:
        with Counter() as counter, part.open("wb") as file:
            counter.begin("backing up", "logs")
            # Without a time in it, the same store gives the same bytes.
            with gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0) as out:
                checksum = write(
                    store, cast("IO[bytes]", out), at=time.time_ns() // 1_000_000,
                    tenants=options.tenant or tenants, progress=lambda log: counter.add(),
                )  # fmt: skip
            file.flush()
            os.fsync(file.fileno())
            contents = _checked(part, counter)
        part.replace(path)
    except OSError as error:
        raise WrongRequest(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    assert contents.sha256 == checksum
    return _report(contents, options, f"{path}")


def restore_(options: argparse.Namespace) -> int:
    """Everything of the backup, checked before the first is written, and verified when it is there."""
    path = Path(options.file)
    if not path.is_file():
        raise WrongRequest(f"there is no file {path}")
    try:
        with Counter() as counter:
            contents = _checked(path, counter)
        if unknown := [each for each in options.tenant if each not in contents.tenants]:
            raise WrongRequest(
                f"there is nothing of the tenant '{unknown[0]}' in {path}: there are {', '.join(contents.tenants) or 'none'}"
            )
        if options.check:
            return _report(contents, options, str(path))
        _restore(path, contents, options)
    except Damaged as damaged:
        raise WrongRequest(f"{path} cannot be restored: {damaged}") from None
    except NotEmpty as error:
        raise WrongRequest(str(error)) from None
    except NotRestored as error:
        raise StoreError(str(error)) from None
    return _report(contents, options, options.store)


def _restore(path: Path, contents: Contents, options: argparse.Namespace) -> None:
    if options.create_table:
        _create_table(options.store)
    url, made = options.store, None
    if url.startswith("sqlite:///"):
        name, _, query = url.removeprefix("sqlite:///").partition("?")
        if not Path(name).exists():
            # A file of its own until it is whole: nobody runs half of it.
            made = (Path(f"{name}.restoring"), Path(name))
            url = f"sqlite:///{made[0]}" + (f"?{query}" if query else "")
    store = open_store(url, create=True)
    try:
        with Counter() as counter, _opened(path) as source:
            counter.begin("restoring", "logs", None if options.tenant else contents.logs)
            restore(
                store, source, contents, tenants=options.tenant or None, progress=lambda log: counter.add()
            )
    finally:
        store.close()
    if made is not None:
        made[0].replace(made[1])


def _create_table(url: str) -> None:
    if not url.startswith("dynamodb://"):
        raise WrongRequest("--create-table is for dynamodb://TABLE")
    from ...handlers.store.dynamodb import from_url

    from_url(url).create_table()


def _checked(path: Path, counter: Counter) -> Contents:
    with _opened(path, counter) as source:
        return check(source)


def _opened(path: Path, counter: Counter | None = None) -> IO[bytes]:
    try:
        if counter is None:
            return cast("IO[bytes]", gzip.open(path, "rb"))
        counter.begin("checking", "", path.stat().st_size)
        return cast("IO[bytes]", gzip.GzipFile(fileobj=counter.reading(path.open("rb")), mode="rb"))
    except OSError as error:
        raise WrongRequest(f"{path} cannot be read: {error.strerror or error}") from None


def _report(contents: Contents, options: argparse.Namespace, where: str) -> int:
    if options.json:
        told = {name: getattr(contents, name) for name in Contents.__slots__}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(
            f"{where}: {contents.logs} logs with {contents.commits} commits and {contents.records} records of"
            f" {_listed(contents.tenants)}, as of {shown_time(contents.at)}; {contents.running} executions run; every digest is"
            f" {'right' if not contents.broken else 'as it was'}"
        )
    for each in contents.broken:
        print(f"was BROKEN in the store that was backed up: {each}", file=sys.stderr)
    return 0 if not contents.broken else 1


def _listed(tenants: Sequence[str]) -> str:
    return "the tenant " + tenants[0] if len(tenants) == 1 else f"{len(tenants)} tenants"
