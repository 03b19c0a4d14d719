"""Bills of a definition before it runs, and of an execution after it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...handlers.store import Head, Store
from ...statelang.cost import (
    Bill,
    Counts,
    Prices,
    count,
    estimate,
    estimated_usage,
    express,
    express_memory,
    handlers,
    logged_usage,
    standard,
)

TYPICAL_DATA = 2048
"""Bytes that an execution's data is taken to have where nothing has run yet."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one execution comes to, and the bills for so many of them: Standard, Express, our own handlers."""

    counts: Counts
    bills: tuple[Bill, Bill, Bill]


@dataclass(frozen=True, slots=True)
class Range:
    """The figures of the least, the typical and the most (None without a bound), with what was assumed."""

    least: Figures
    typical: Figures
    most: Figures | None
    loops: tuple[str, ...]
    maps: tuple[str, ...]


def of_definition(
    prices: Prices,
    definition: Mapping[str, Any],
    source_map: Mapping[str, Any] | None = None,
    *,
    executions: float = 1,
    items: Callable[[str], int] = lambda name: 10,
    task_seconds: float = 0.2,
) -> Range:
    """An estimate from the definition alone."""
    from ...statelang.asl import dump, measure

    found = estimate(definition, source_map, items=items, task_seconds=task_seconds)
    size = measure(dump(definition))

    def figures(counts: Counts) -> Figures:
        memory = express_memory(size, TYPICAL_DATA, counts.steps)
        return Figures(
            counts,
            (
                standard(prices, counts, executions),
                express(prices, counts.seconds, memory, executions),
                handlers(prices, estimated_usage(prices, counts), executions),
            ),
        )

    most = None if found.most is None else figures(found.most)
    return Range(figures(found.least), figures(found.typical), most, found.loops, found.maps)


def of_execution(prices: Prices, store: Store, head: Head, *, executions: float = 1) -> Figures:
    """The figures of an execution that has ended, or as far as it has come, with its distributed maps' children."""
    counts = Counts()
    commits: list[int] = []
    payloads: list[int] = []
    snapshot: dict[str, Any] = {}
    for each, own, is_child in _with_children(store, head):
        log = store.commits(each.execution)
        children = sum(command["type"] == "start_child" for commit in log for command in commit.commands)
        events = [event for commit in log for event in commit.events]
        counted = count(events, children)
        if is_child and own.get("kind") == "EXPRESS":
            counted = Counts(
                express_children=1, express_seconds=counted.seconds, tasks=counted.tasks, waits=counted.waits,
                task_seconds=counted.task_seconds,
            )  # fmt: skip
        elif is_child:
            counted += Counts(seconds=-counted.seconds)  # it ran while its parent waited
        else:
            snapshot = own
        counts += counted
        sizes, texts = _sizes(log)
        commits += sizes
        payloads += texts
    usage = logged_usage(prices, counts, commits, payloads)
    memory = express_memory(_definition_size(store, head), _data_size(snapshot), counts.steps)
    return Figures(
        counts,
        (
            standard(prices, counts, executions),
            express(prices, counts.seconds, memory, executions),
            handlers(prices, usage, executions),
        ),
    )


def _with_children(store: Store, head: Head) -> Iterator[tuple[Head, dict[str, Any], bool]]:
    """The execution and those that its distributed maps started, theirs too, each with its first snapshot."""
    waiting = [(head, False)]
    while waiting:
        each, is_child = waiting.pop()
        first = store.commits(each.execution, 0, 1)
        yield each, (first[0].snapshot or {}) if first else {}, is_child
        runs = {
            details["mapRunArn"]
            for commit in store.commits(each.execution)
            for event in commit.events
            if (details := event.get("mapRunStartedEventDetails")) is not None
        }
        for run in runs:
            token = None
            while True:
                page = store.heads(state_machine=run, limit=500, token=token)
                waiting += [(child, True) for child in page.items]
                token = page.token
                if token is None:
                    break


def _sizes(log: list[Any]) -> tuple[list[int], list[int]]:
    """Bytes of each commit as DynamoDB stores it, and of each value that is kept apart."""
    from ...handlers.store.codec import encode_commit, pack, pack_text

    commits: list[int] = []
    payloads: dict[str, int] = {}
    for commit in log:
        _, body, texts = encode_commit(commit, commit.digest)
        commits.append(len(pack(body)) + _KEYS)
        payloads.update({key: len(pack_text(text)) + _KEYS for key, text in texts.items()})
    return commits, list(payloads.values())


_KEYS = 250
"""Bytes of an item's keys, names and digest: an execution's ARN is most of them."""


def _definition_size(store: Store, head: Head) -> int:
    from ...statelang.asl import measure

    record = store.get("definition", head.definition)
    return measure(record.value["definition"]) if record is not None else 0


def _data_size(snapshot: dict[str, Any]) -> int:
    from ...statelang.asl import measure

    return measure(snapshot.get("execution", {}).get("input", ""))
