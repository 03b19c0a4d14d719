"""Executions as their logs tell them: the last whole snapshot, and the changes of the commits since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..statelang.asl import StateMachine, load_definition
from ..statelang.engine import apply_changes
from .store import Commit, Head, Store


class ExecutionNotFound(LookupError):
    """There is no execution of that ARN."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An execution as its log tells it up to commit `seq`.

    `head` is the last one written, `snapshot_seq` the last commit with a whole snapshot, `weight` what the
    changes since then weigh, `armed` the tick that has been asked for.
    """

    execution: str
    machine: StateMachine
    snapshot: dict[str, Any]
    seq: int
    digest: str
    head: Head | None
    snapshot_seq: int
    snapshot_weight: int
    weight: int
    armed: int | None = None


def load(store: Store, execution: str, seq: int | None = None) -> Loaded:
    """The execution as it stands in the store, or as it stood after commit `seq`. Raises `ExecutionNotFound`."""
    if seq is None:
        head = store.head(execution)
        commits = store.commits(execution, head.snapshot_seq if head else 0)
    else:
        head, commits = None, store.commits(execution, 0, seq + 1)
    if not commits:
        raise ExecutionNotFound(execution)
    return _replay(store, execution, commits, head)


def machine_of(store: Store, digest: str) -> StateMachine:
    """The prepared definition that is known by `digest`."""
    record = store.get("definition", digest)
    if record is None:
        raise LookupError(f"the definition {digest} is not in the store")
    return load_definition(record.value["definition"])


def _replay(store: Store, execution: str, commits: Sequence[Commit], head: Head | None) -> Loaded:
    snapshot: dict[str, Any] | None = None
    snapshot_seq = snapshot_weight = weight = 0
    for commit in commits:
        if commit.snapshot is not None:
            snapshot, snapshot_seq, weight = commit.snapshot, commit.seq, 0
            snapshot_weight = weigh(commit.snapshot)
        elif commit.changes is not None and snapshot is not None:
            snapshot = apply_changes(snapshot, commit.changes)
            weight += weigh(commit.changes)
    if snapshot is None:
        raise LookupError(f"the log of {execution} does not begin with a snapshot")
    last = commits[-1]
    machine = machine_of(store, snapshot["definition"])
    return Loaded(
        execution, machine, snapshot, last.seq, last.digest, head, snapshot_seq, snapshot_weight, weight
    )


def weigh(part: Mapping[str, Any]) -> int:
    """About how many characters a snapshot or changes take in the store, where long texts are kept apart."""
    weight = 200 * len(part["frames"])
    for frame in part["frames"].values():
        if frame is not None:
            weight += _text_weight(frame.get("input", "")) + _text_weight(frame.get("output", ""))
            if "task" in frame:
                weight += _text_weight(frame["task"]["arguments"])
    for text in part["variables"].values():
        weight += 40 + _text_weight(text or "")
    return weight


def _text_weight(text: str) -> int:
    return len(text) if len(text) <= 1024 else 80
