"""Whether a backup is whole: its checksum, its form, and every digest of its logs computed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, Any

from ..store import Head
from ..store.codec import digest_of, references, text_digest
from .lines import FIRST, LAST, Damaged, read


@dataclass(slots=True)
class Contents:
    """What is in a backup. `at` is in milliseconds; `running` are executions that go on once they are restored."""

    at: int = 0
    sha256: str = ""
    tenants: list[str] = field(default_factory=list)
    logs: int = 0
    commits: int = 0
    records: int = 0
    running: int = 0
    broken: list[str] = field(default_factory=list)
    """Logs that were damaged when they were backed up, with what is wrong: the backup is as the store was."""


def check(source: IO[bytes]) -> Contents:
    """Reads it all. Raises `Damaged`."""
    contents = Contents()
    log: _Log | None = None
    for number, line in read(source):
        try:
            if FIRST in line:
                contents.at, contents.tenants = int(line["at"]), [str(each) for each in line["tenants"]]
                continue
            if "payload" in line or "commit" in line:
                if log is None:
                    raise Damaged(f"line {number} belongs to no log")
                log.take(line)
                contents.commits += "commit" in line
                continue
            if log is not None:
                contents.broken += log.end()
                log = None
            if "log" in line:
                log = _Log(str(line["log"]), None if line["head"] is None else Head(**line["head"]))
                contents.logs += 1
                contents.running += log.head is not None and log.head.status == "RUNNING"
            elif "record" in line:
                _check_record(line)
                contents.records += 1
            elif LAST in line:
                contents.sha256 = line["sha256"]
            elif line.get("tenant") not in contents.tenants:
                raise Damaged(f"line {number} is none of a backup's")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, Damaged):
                raise
            raise Damaged(f"line {number} is none of a backup's") from None
    return contents


def _check_record(line: dict[str, Any]) -> None:
    if not (isinstance(line["key"], str) and isinstance(line["value"], dict) and int(line["version"]) >= 1):
        raise ValueError


class _Log:
    """One log, as its lines come."""

    def __init__(self, name: str, head: Head | None):
        self.name = name
        self.head = head
        self._previous = ""
        self._seq = 0
        self._payloads: set[str] = set()
        self._wrong: str | None = None

    def take(self, line: dict[str, Any]) -> None:
        if "payload" in line:
            if line["text"] is None or text_digest(line["text"]) != line["payload"]:
                self._wrong = self._wrong or f"the payload {line['payload'][:12]}… is not what was written"
            self._payloads.add(line["payload"])
            return
        body = line["body"].encode("latin-1")
        if line["commit"] != self._seq:
            raise Damaged(f"{self.name}: commit {self._seq} is missing")
        if digest_of(self._previous.encode() + body) != line["digest"]:
            self._wrong = self._wrong or f"the digest of commit {self._seq} is not that of its content"
        elif not self._payloads.issuperset(references(body)):
            raise Damaged(f"{self.name}: a payload of commit {self._seq} is missing")
        if self.head is not None and self.head.seq == self._seq and self.head.digest != line["digest"]:
            self._wrong = self._wrong or f"the head knows commit {self._seq} by another digest"
        self._previous = line["digest"]
        self._seq += 1

    def end(self) -> list[str]:
        if self.head is not None and self.head.seq >= self._seq:
            self._wrong = self._wrong or f"commit {self._seq} is missing: the head knows of it"
        return [] if self._wrong is None else [f"{self.name}: {self._wrong}"]
