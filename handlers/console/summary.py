"""What a page is given of a story at once: its visits, and where a step has many, how they stand together.

An execution may have 25,000 events. The page gets what its graph and its timeline show, and asks for the visits of a step
and for events by the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from .story import FAILED, RETRYING, RUNNING, STOPPED, WAITING, Story, Visit

MANY = 50
"""Visits of one step that a page is told one by one; of more it is told together."""
_STRETCHES = 60
_FIRST = (FAILED, RETRYING, WAITING, RUNNING, STOPPED)
"""The states that are looked for before any other."""


def summary(story: Story, after: int = -1) -> dict[str, Any]:
    """What has changed after the commit `after`: `{"seq", "events", "visits", "groups", "taken"}`; `events` is how many there are."""
    visits: list[dict[str, Any]] = []
    steps: set[str] = set()
    for id, seq in reversed(story.touched.items()):
        if seq <= after:
            break
        visit = story.visits[id]
        if len(story.of_step[visit.step]) > MANY:
            steps.add(visit.step)
        else:
            visits.append(visit.to_json())
    return {
        "seq": story.seq,
        "events": len(story.rows),
        "visits": sorted(visits, key=lambda each: each["id"]),
        "groups": [_group(story, step) for step in sorted(steps)],
        "taken": [way for way, seq in story.taken.items() if seq > after],
    }


def _group(story: Story, step: str) -> dict[str, Any]:
    """Many visits of a step together. `last` is the latest of them, `bad` the latest that was not as it should be."""
    visits = [story.visits[id] for id in story.of_step[step]]
    bad = next((each for each in reversed(visits) if each.status == FAILED or each.violations), None)
    told: dict[str, Any] = {
        "step": step,
        "kind": visits[0].kind,
        "first": visits[0].id,
        "depth": _depth(story, visits[0]),
        "total": len(visits),
        "counts": Counter(each.status for each in visits),
        "tries": sum(each.tries for each in visits),
        "violations": sum(each.violations for each in visits),
        "last": visits[-1].to_json(),
        "lane": _lane(visits, story.rows[-1].at),
    }
    if bad is not None:
        told["bad"] = bad.to_json()
    return told


def _depth(story: Story, visit: Visit) -> int:
    depth = 0
    while visit.parent is not None:
        visit = story.visits[visit.parent]
        depth += 1
    return depth


def _lane(visits: Iterable[Visit], now: int) -> dict[str, Any]:
    """How many were under way in each stretch of the time from the first to the last, and where some failed."""
    spans = [(each.start, now if each.end is None else each.end, each.status == FAILED) for each in visits]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    wide = max(1, end - start) / _STRETCHES
    changes, failed = [0] * (_STRETCHES + 1), set[int]()
    for begun, ended, bad in spans:
        last = min(_STRETCHES - 1, int((ended - start) / wide))
        changes[min(_STRETCHES - 1, int((begun - start) / wide))] += 1
        changes[last + 1] -= 1
        if bad:
            failed.add(last)
    weights: list[int] = []
    for change in changes[:-1]:
        weights.append((weights[-1] if weights else 0) + change)
    return {"from": start, "to": end, "weights": weights, "failed": sorted(failed)}


def listed(
    story: Story, step: str, status: str | None, item: str | None, offset: int, limit: int
) -> dict[str, Any]:
    """A page of a step's visits, those that failed first: `{"items", "total", "offset"}`. `item` is the number of one item; with several
    maps within each other its numbers, as in `3/1`, or the last of them."""
    found = [story.visits[id] for id in story.of_step.get(step, ())]
    if status is not None:
        found = [each for each in found if each.status == status]
    if item is not None:
        found = [
            each for each in found if item in (each.iteration, (each.iteration or "").rpartition("/")[2])
        ]
    found.sort(key=lambda each: _FIRST.index(each.status) if each.status in _FIRST else len(_FIRST))
    return {
        "items": [each.to_json() for each in found[offset : offset + limit]],
        "total": len(found),
        "offset": offset,
    }
