"""Whether all that the store keeps of an execution is what was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...statelang.asl import digest_of
from ..store import Head, Store, verify
from ..work.journal import NOWHERE
from .trail import JOURNAL


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what was written: in the `log`, the `journal` or the `definition`; `seq` is the commit."""

    execution: str
    part: str
    reason: str
    seq: int | None = None

    def __str__(self) -> str:
        where = f", commit {self.seq}" if self.seq is not None else ""
        return f"{self.execution}: {self.part}{where}: {self.reason}"


def verify_execution(store: Store, execution: str) -> list[Finding]:
    """Every digest of the execution computed again; what does not hold, the first broken commit of a log first."""
    findings = [Finding(execution, "log", each.reason, each.seq) for each in verify(store, execution)]
    findings += [
        Finding(execution, "journal", each.reason, each.seq)
        for each in verify(store, f"{execution}{JOURNAL}")
    ]
    findings += _end_of_journal(store, execution, f"{execution}{JOURNAL}")
    head = store.head(execution)
    if head is None:
        return [*findings, Finding(execution, "log", "its head is gone")]
    record = store.get("definition", head.definition)
    if record is None:
        findings.append(Finding(execution, "definition", f"the definition {head.definition[:12]}… is gone"))
    elif digest_of(record.value["definition"]) != head.definition:
        findings.append(Finding(execution, "definition", "it is not the one that the execution ran"))
    return findings


def verify_refusals(store: Store) -> list[Finding]:
    """The journal of what was refused on behalf of no execution, likewise."""
    findings = [Finding(NOWHERE, "journal", each.reason, each.seq) for each in verify(store, NOWHERE)]
    return [*findings, *_end_of_journal(store, NOWHERE, NOWHERE)]


def _end_of_journal(store: Store, execution: str, key: str) -> Iterator[Finding]:
    """A journal has no head; a pointer says how long it is at the least."""
    pointer = store.get("work-journal", key)
    if pointer is None:
        return
    seq = pointer.value["seq"]
    found = store.stored(key, seq)
    if found is None:
        yield Finding(execution, "journal", f"it is missing: there were commits up to {seq}", seq)
    elif found[0] != pointer.value["digest"]:
        yield Finding(execution, "journal", "the pointer knows this commit by another digest", seq)


def heads_of(store: Store) -> Iterator[Head]:
    """Every execution in the store, newest first."""
    token = None
    while True:
        page = store.heads(limit=500, token=token)
        yield from page.items
        token = page.token
        if token is None:
            return
