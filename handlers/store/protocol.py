"""The `Store` protocol: what the handlers need of persistence, and the shapes of what they keep.

One execution is one append-only log of commits. Appending is one conditional put of the next `seq`, which is
the lock, the checkpoint and the outbox in one write. A head is a projection of a log, and may lag behind it.
Times are whole milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from ...statelang.engine.ways import Way

T = TypeVar("T")


class Conflict(Exception):
    """Somebody else was first: the sequence number is taken, or the record has another version."""


class InvalidToken(ValueError):
    """A page token that this store did not give."""


class StoreError(RuntimeError):
    """The store cannot be used: it is not there, no store, newer than this code, or full. The text says which."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One item of an execution's log.

    `messages` were decided together and gave `events` and `commands`. `changes` say how the snapshot differs
    from that of the commit before, or `snapshot` holds the whole of it. `digest` is filled in by `append`: the
    SHA-256, in hex, of the digest before and this commit as it is stored. `ways` are what the events do not tell:
    which choice rules, retriers and catchers were taken (`statelang.engine.ways`).
    """

    seq: int
    at: int
    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    changes: dict[str, Any] | None
    snapshot: dict[str, Any] | None
    digest: str = ""
    ways: list[Way] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Head:
    """An execution at a glance; `execution` and `state_machine` are ARNs, `definition` a digest.

    `seq` and `digest` are of the last commit that the head knows of, `snapshot_seq` is the last one with a
    whole snapshot, `wake_at` when it wants a tick, and `fields` hold what it can be searched by. Of an execution that Step
    Functions runs `seq` is -1, and there is no digest.
    """

    execution: str
    name: str
    state_machine: str
    status: str
    started_at: int
    stopped_at: int | None
    definition: str
    seq: int
    digest: str
    snapshot_seq: int
    wake_at: int | None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def workflow(self) -> str:
        """The workflow's name, which a stage on Step Functions has in a longer one of its state machine."""
        return self.fields.get("workflow") or self.state_machine.rpartition(":")[2]

    @property
    def has_log(self) -> bool:
        """Whether its log is in the store, commit by commit with digests; if not, its history is Step Functions'."""
        return self.seq >= 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What to append: the commit, the digest of the one before (`""` for the first), and the head after it."""

    execution: str
    commit: Commit
    previous: str
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A document such as a state machine. `version` counts its writes from 1."""

    kind: str
    key: str
    value: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A commit in its stored form: its digest, and the text that this is taken over (after the digest before)."""

    seq: int
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `token` asks for what follows, and is None where nothing does."""

    items: list[T]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A place at which a log is not what was written."""

    seq: int
    reason: str

    def __str__(self) -> str:
        return f"commit {self.seq}: {self.reason}"


class Store(Protocol):
    """Everything is one tenant's; another tenant's keys cannot be reached from here."""

    @property
    def tenant(self) -> str: ...

    def for_tenant(self, tenant: str) -> Store:
        """The same store for another tenant."""
        ...

    def append(self, entries: Sequence[Entry]) -> list[Commit | Conflict]:
        """Appends each commit unless its `seq` is taken. The head goes with it, digest filled in."""
        ...

    def commits(self, execution: str, start: int = 0, stop: int | None = None) -> list[Commit]:
        """The commits `start` up to before `stop`, in order and without a gap; to the end of the log without one."""
        ...

    def texts(self, execution: str) -> Iterator[bytes]:
        """All that the log has, as the JSON and the payloads that are stored, in no order: to see whether a word is in it
        at all, which is far cheaper than to read it as commits."""
        ...

    def head(self, execution: str) -> Head | None: ...

    def put_head(self, head: Head) -> None:
        """Writes the head, unless the store has one of a later `seq`."""
        ...

    def heads(
        self,
        *,
        state_machine: str | None = None,
        status: str | None = None,
        limit: int = 100,
        token: str | None = None,
        children: bool = True,
    ) -> Page[Head]:
        """Heads, the latest start first; without `children` none of a distributed map's items. Raises `InvalidToken`."""
        ...

    def due(self, now: int, limit: int = 100) -> list[Head]:
        """Running executions whose `wake_at` is not after `now`, the longest overdue first."""
        ...

    def put(self, kind: str, key: str, value: dict[str, Any], *, expect: int | None = None) -> Record:
        """Writes a record. `expect` is the version that must be there, 0 for none; else raises `Conflict`."""
        ...

    def get(self, kind: str, key: str) -> Record | None: ...

    def records(
        self, kind: str, prefix: str = "", *, limit: int = 100, token: str | None = None
    ) -> Page[Record]:
        """The records of a kind whose key begins with `prefix`, by key. Raises `InvalidToken`."""
        ...

    def delete(self, kind: str, key: str) -> None: ...

    def forget(self, execution: str, limit: int) -> bool:
        """Deletes a log with its payloads and its head, about `limit` items at a time; answers whether nothing is left. Its
        first commit and its head go last, and together: until then its name is taken."""
        ...

    def stored(self, execution: str, seq: int) -> tuple[str, bytes] | None:
        """The digest and the stored form of a commit, for `verify`. None where there is none."""
        ...

    def payload(self, execution: str, digest: str) -> str | None:
        """The text that was stored under `digest`."""
        ...

    def running(self) -> int:
        """How many executions run, those of distributed maps excepted. Reads all of them."""
        ...

    def count(self, counter: str, amount: int, *, floor: int = 0, most: int | None = None) -> int | None:
        """Moves a counter from where it stands, or from `floor` where that is higher, by `amount`: atomically, as one write.

        Answers where it stands then, or None where that would be above `most`: then nothing has changed.
        """
        ...

    def counted(self, counter: str) -> int:
        """Where a counter stands; 0 where it never moved."""
        ...

    def tenants(self) -> list[str]:
        """Every tenant that has something here, by name. May read all there is: for whoever runs the store."""
        ...

    def kept(self) -> Iterator[tuple[str, str]]:
        """What there is of this tenant: each log, with or without a head, as `("log", its key)`, and each kind of record as
        `("record", kind)`, in no order. May read all there is."""
        ...

    def freeze(self) -> None:
        """Lets reads from now on see the store as it is now, whatever others write; where a form cannot, it is as it was."""
        ...

    def restore_log(
        self, execution: str, commits: Sequence[Stored], payloads: Mapping[str, str], head: Head | None = None
    ) -> None:
        """Writes what `stored` and `payload` gave of a log, byte by byte; what is there already stays."""
        ...

    def restore_records(self, records: Sequence[Record]) -> None:
        """Writes records with the versions that they have."""
        ...

    def revision(self) -> int | None:
        """A number that is another one whenever another connection has written; None where that cannot be told
        cheaply. It only saves looking."""
        ...

    def clear(self) -> None:
        """Forgets everything of this tenant. For local use: nothing deployed calls it."""
        ...

    def close(self) -> None: ...
