"""Places in an execution's history: just before a state is entered, or after a commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...statelang.engine import CannotFork, before_event
from ..executions import Executions
from ..store import Commit, Store
from ..workflows import source_map
from . import checkpoints


class NoSuchPoint(ValueError):
    """The execution has no such place. The text says which it has."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a fork can begin.

    `event` is the id of the first event that the fork does not share; `seq` the commit that has it, which is one past
    the last commit where the place is the end of the log. `state` is the state that is entered there.
    """

    seq: int
    event: int
    at: int
    state: str | None = None
    step: str | None = None
    checkpoint: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    def __str__(self) -> str:
        where = f"before the state '{self.state}'" if self.state else "at its end"
        return f"event {self.event}, {where}"


def points(store: Store, execution: str) -> list[Point]:
    """Every place that the execution can be forked at, in order."""
    return list(_points(store, store.commits(execution), execution))


def _points(store: Store, commits: Sequence[Commit], execution: str) -> Iterator[Point]:
    states: dict[str, Any] = {}
    definition = None
    named = {each.event: each.name for each in checkpoints.of(store, execution)}
    last = 0
    for commit in commits:
        if commit.snapshot is not None and commit.snapshot["definition"] != definition:
            definition = commit.snapshot["definition"]
            states = (source_map(store, definition) or {}).get("states", {})
        for event in commit.events:
            last = event["id"]
            if event["type"].endswith("StateEntered"):
                name = event["stateEnteredEventDetails"]["name"]
                step = states.get(name, {}).get("step")
                yield Point(commit.seq, last, event["timestamp"], name, step, named.get(last))
    if commits:
        end = commits[-1]
        yield Point(end.seq + 1, last + 1, end.at, checkpoint=named.get(last + 1))


def find(store: Store, execution: str, at: str | None) -> Point:
    """The place that `at` names: an event's id, a step, a state or a checkpoint, `STEP#2` for the second time there.

    Of a step that was come to several times it is the last time. None is the end: where the execution stands now.
    Raises `NoSuchPoint`.
    """
    found = points(store, execution)
    if not found:
        raise NoSuchPoint(f"{execution} has no history")
    if at is None:
        return found[-1]
    if at.isdigit():
        return _by_event(found, int(at))
    name, _, count = at.rpartition("#") if at.rpartition("#")[2].isdigit() and "#" in at else (at, "", "")
    matching = [point for point in found if point.checkpoint == name] or _entries(found, name)
    if not matching:
        import difflib

        names = dict.fromkeys(
            each for point in found for each in (point.checkpoint, point.step, point.state) if each
        )
        close = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"it has been at {', '.join(list(names)[:20])}"
        raise NoSuchPoint(f"the execution was never at '{name}'; {hint}")
    if count and not 1 <= int(count) <= len(matching):
        raise NoSuchPoint(f"the execution was at '{name}' {len(matching)} times, not {count}")
    return matching[int(count) - 1] if count else matching[-1]


def _entries(found: Sequence[Point], name: str) -> list[Point]:
    """The places at which a step (or a state) was begun: the first of the states that it was in, each time."""
    entries = [point for point in found if point.state == name]
    steps = [
        point
        for before, point in zip([None, *found], found, strict=False)
        if point.step == name and (before is None or before.step != name)
    ]
    return steps or entries


def _by_event(found: Sequence[Point], event: int) -> Point:
    exact = [point for point in found if point.event == event]
    if exact:
        return exact[0]
    if event < 1 or event >= found[-1].event:
        raise NoSuchPoint(f"there is no event {event}: the history has {found[-1].event - 1}")
    before = [str(point) for point in found if point.event < event][-1:]
    after = [str(point) for point in found if point.event > event][:1]
    raise NoSuchPoint(
        f"no state is entered at event {event}; the nearest places are {' and '.join(before + after)}"
    )


def snapshot_at(executions: Executions, execution: str, point: Point) -> tuple[dict[str, Any], list[Commit]]:
    """The execution's state at that place, and the commits that led to it: whole ones, and the part of the last.

    Raises `CannotFork` where the log does not tell what the state was there.
    """
    commits = executions.store.commits(execution, 0, point.seq + 1)
    shared = [commit for commit in commits if commit.seq < point.seq]
    if len(shared) == len(commits):
        return executions.at(execution, point.seq - 1).snapshot, shared
    inside = commits[-1]
    earlier = executions.at(execution, point.seq - 1).snapshot if shared else None
    messages = list(inside.messages)
    if messages and messages[0]["type"] == "fork":
        messages[0] = {**messages[0], "base": earlier}
        earlier = None
    machine = executions.at(execution, point.seq).machine
    snapshot = before_event(machine, earlier, messages, inside.events, inside.at, point.event)
    if snapshot is None:
        raise CannotFork(
            f"what stood before event {point.event} cannot be told from the log alone; fork at another step"
        )
    events = [event for event in inside.events if event["id"] < point.event]
    ways = [way for way in inside.ways if isinstance(way[0], int) and way[0] < point.event]
    part = Commit(inside.seq, inside.at, inside.messages, events, [], None, snapshot, ways=ways)
    return snapshot, [*shared, part]
