"""The format of a backup: one JSON object in a line, the last of which has the checksum of all before it.

| line | says |
|---|---|
| `{"stratum_backup": 1, "at", "tenants"}` | the first: the format's version, when it was begun (milliseconds), whose data there is |
| `{"tenant"}` | what follows is that tenant's |
| `{"log", "head"}` | what follows is of that log; `head` is null where there is none |
| `{"payload", "text"}` | a text that commits refer to by its digest |
| `{"commit", "digest", "body"}` | the commit of that `seq`, as it is stored |
| `{"record", "key", "version", "value"}` | a record of that kind |
| `{"end", "sha256"}` | the last: how many lines come before it, and their SHA-256 |
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import IO, Any

VERSION = 1
FIRST, LAST = "stratum_backup", "end"
_LONGEST = 1 << 28
"""Bytes of the longest line that is read: far more than any value may have."""


class Damaged(ValueError):
    """What should be a backup is none, or no longer what was written; the text says where."""


class Writer:
    """Writes lines, and counts them."""

    def __init__(self, out: IO[bytes]):
        self._out = out
        self._sum = hashlib.sha256()
        self._count = 0

    def line(self, **fields: Any) -> None:
        data = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        self._sum.update(data)
        self._count += 1
        self._out.write(data)

    def end(self) -> str:
        """Writes the last line; answers the checksum."""
        checksum = self._sum.hexdigest()
        self.line(**{LAST: self._count, "sha256": checksum})
        return checksum


def read(source: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines with their numbers, the last one too. Raises `Damaged`, for a wrong checksum only at the end."""
    checksum = hashlib.sha256()
    number = 0
    try:
        while True:
            data = source.readline(_LONGEST)
            if not data:
                raise Damaged(
                    f"it ends after line {number}, before its checksum: it was not written to its end"
                )
            number += 1
            line = _parse(data, number)
            if number == 1:
                _check_first(line)
            if LAST in line:
                if line.get("sha256") != checksum.hexdigest() or line[LAST] != number - 1:
                    raise Damaged("its checksum is not that of its lines: something in it was changed")
                if source.read(1):
                    raise Damaged(f"there is something behind its last line, {number}")
                yield number, line
                return
            checksum.update(data)
            yield number, line
    except (OSError, EOFError, zlib.error) as error:  # gzip's own
        raise Damaged(f"it cannot be read further than line {number}: {error}") from None


def _parse(data: bytes, number: int) -> dict[str, Any]:
    try:
        line = json.loads(data)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict):
        raise Damaged(f"line {number} is none of a backup's")
    return line


def _check_first(line: dict[str, Any]) -> None:
    version = line.get(FIRST)
    if not isinstance(version, int):
        raise Damaged("it is no backup of a store")
    if version > VERSION:
        raise Damaged(
            f"it was written by a newer Stratum (its format is {version}, this one knows {VERSION}): upgrade"
        )
