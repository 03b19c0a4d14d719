"""The visits of an execution's steps: a page of them, and the values of one.

Where a visit's events are in the log, the story knows; so no more is read than the commits that have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from ..audit.redaction import Redactor
from ..audit.trail import Place
from ..store import Commit, Head, Store
from ..workflows import source_map
from .api import number, optional, text
from .host import Console, Refusal
from .secrets import parsed, shown
from .story import Story, details_of
from .summary import listed

_PAGE = 40
_MOST = 500
_VARIABLES = 200


def visits(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of one `step`, those that failed first; `status` and `item` choose some."""
    head = console.head(text(parameters, "execution"))
    with console.stories.read(console.store, head) as story:
        return listed(
            story, text(parameters, "step"), optional(parameters, "status"), optional(parameters, "item"),
            number(parameters, "offset", 0, 2**31), max(1, number(parameters, "limit", _PAGE, _MOST)),
        )  # fmt: skip


def visit(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one visit: what went in, each attempt with what it was asked and what came back, what came out.

    With `about`, the visit itself, and `among`, where it stands among those of its step.
    """
    head = console.head(text(parameters, "execution"))
    wanted = number(parameters, "visit", 0, 2**31)
    with console.stories.read(console.store, head) as story:
        if wanted not in story.visits:
            raise Refusal(404, f"the execution never came to event {wanted}")
        return _Values(story, wanted, bool(parameters.get("whole"))).told(console.store, head)


class _Values:
    def __init__(self, story: Story, wanted: int, whole: bool):
        self._visit = story.visits[wanted]
        self._story = story
        self._redactor: Redactor = story.redactor
        self._whole = whole

    def told(self, store: Store, head: Head) -> dict[str, Any]:
        mapped = source_map(store, head.definition) or {}
        hidden = {each["violations"] for each in mapped.get("steps", {}).values() if "violations" in each}
        told: dict[str, Any] = {
            "about": self._visit.to_json(), "among": self._among(), "events": self._visit.events, "attempts": [],
            "violations": [], "ways": [], "variables": {},
        }  # fmt: skip
        before = self._before(hidden)
        mine = set(self._visit.events)
        seqs = {row.seq for id in mine if (row := self._story.row(id)) is not None}
        seqs |= {seq for _, seq in before.values()}
        values: dict[tuple[int, str], str] = {}
        wanted = {id for id, _ in before.values()}
        for commit in _read(store, head.execution, sorted(seqs)):
            for each in commit.events:
                if each["id"] in mine:
                    self._take(told, each, commit, hidden)
                if each["id"] in wanted:
                    assigned = details_of(each).get("assignedVariables", {})
                    values |= {(each["id"], name): text for name, text in assigned.items()}
        told["variables"] = {
            name: self._show(values[id, name]) for name, (id, _) in before.items() if (id, name) in values
        }
        return told

    def _take(self, told: dict[str, Any], event: Mapping[str, Any], commit: Commit, hidden: set[str]) -> None:
        details = details_of(event)
        if event["id"] == self._visit.id:
            told["input"] = self._show(details.get("input"))
        if event["type"].endswith("StateExited"):
            assigned = details.get("assignedVariables", {})
            told["output"] = self._show(details.get("output"))
            kept = {name: self._show(text) for name, text in assigned.items() if name not in hidden}
            told["assigned"] = {**told.get("assigned", {}), **kept}
            for name in assigned.keys() & hidden:
                if found := self._redactor.hide_texts(parsed(assigned[name])) or []:
                    told["violations"].append(
                        {"attempt": len(told["attempts"]), "event": event["id"], "found": found}
                    )
        self._attempt(told["attempts"], event, details)
        told["ways"] += [str(way) for entry, way in commit.ways if int(entry) == event["id"] and str(way)]

    def _before(self, hidden: set[str]) -> dict[str, tuple[int, int]]:
        """The variables that the visit began with: the event and the commit that have last assigned each."""
        place = self._story.places[self._visit.id]
        found: dict[str, tuple[int, int]] = {}
        for each in self._story.assigned:
            if each.id >= self._visit.id:
                break
            if _in_scope(each.place, place):
                for name in set(each.names) - hidden:
                    found.pop(name, None)  # the latest are the last
                    found[name] = each.id, each.seq
        return dict(list(found.items())[-_VARIABLES:])

    def _among(self) -> dict[str, Any]:
        ids = self._story.of_step[self._visit.step]
        at = ids.index(self._visit.id)
        return {
            "at": at,
            "total": len(ids),
            "before": ids[at - 1] if at else None,
            "after": ids[at + 1] if at + 1 < len(ids) else None,
        }

    def _attempt(
        self, attempts: list[dict[str, Any]], event: Mapping[str, Any], details: Mapping[str, Any]
    ) -> None:
        kind = event["type"]
        if kind.endswith("Scheduled"):
            service = details.get("resourceType")
            attempts.append(
                {
                    "number": len(attempts) + 1, "event": event["id"], "start": event["timestamp"],
                    "resource": f"{service}:{details['resource']}" if service else details.get("resource"),
                    "arguments": self._show(details.get("parameters", details.get("input"))),
                }
            )  # fmt: skip
        elif attempts and kind.endswith(("Succeeded", "Failed", "TimedOut", "Submitted")):
            last = attempts[-1]
            if kind.endswith("Submitted"):
                last["submitted"] = self._show(details.get("output"))
                return
            last["end"] = event["timestamp"]
            if kind.endswith("Succeeded"):
                last["result"] = self._show(details.get("output"))
            else:
                last["error"] = details.get("error") or "States.Timeout"
                last["cause"] = self._show(details.get("cause"))

    def _show(self, value: Any) -> Any:
        return shown(self._redactor, parsed(value), whole=self._whole)


def _read(store: Store, execution: str, seqs: list[int]) -> Iterator[Commit]:
    """The commits of these numbers, those that follow each other in one go."""
    for _, run in groupby(enumerate(seqs), key=lambda pair: pair[1] - pair[0]):
        found = [seq for _, seq in run]
        yield from store.commits(execution, found[0], found[-1] + 1)


def _in_scope(at: Place, place: Place) -> bool:
    """Whether what was assigned in one place is seen from the other: it lies in the same branch or iteration, or around it."""
    around: Place | None = place
    while around is not None:
        if at.scope == around.scope:
            return True
        around = around.around
    return False
