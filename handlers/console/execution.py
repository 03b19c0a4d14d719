"""One execution: its story, and the values at each of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..audit.redaction import Redactor, redactor_for, redactor_of
from ..audit.trail import Place, Reader
from ..store import Commit, Head, Store
from ..workflows import source_map
from .api import number, text
from .host import Console, Refusal
from .listing import row
from .secrets import parsed, shown
from .story import Story

_VARIABLES = 200


def execution(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The whole of what its page shows at first; values of steps are asked for one by one."""
    head = head_of(console.store, text(parameters, "execution"))
    story, redactor = story_of(console.store, head)
    told = story.feed(console.store.commits(head.execution))
    return {**overview(console, head, redactor), "story": told.to_json()}


def head_of(store: Store, execution: str) -> Head:
    """Raises `Refusal`."""
    head = store.head(execution)
    if head is None:
        raise Refusal(404, f"there is no execution {execution[:300]}")
    return head


def story_of(store: Store, head: Head) -> tuple[Story, Redactor]:
    redactor = redactor_of(store, head.definition)
    return Story(source_map(store, head.definition), redactor), redactor


def overview(console: Console, head: Head, redactor: Redactor) -> dict[str, Any]:
    """The execution without its story: it changes as the execution goes on. `redactor` has learnt its secrets."""
    store = console.store
    snapshot = console.executions.load(head.execution).snapshot
    about = snapshot["execution"]
    told: dict[str, Any] = {
        **row(store, head, {}),
        "status": snapshot["status"],
        "stopped": snapshot.get("stopped"),
        "definition": snapshot["definition"],
        "input": shown(redactor, parsed(about["input"])),
        "error": redactor.hide(snapshot.get("error")),
        "cause": redactor.hide_text(snapshot["cause"]) if snapshot.get("cause") is not None else None,
        "requester": snapshot.get("requester"),
        "origin": snapshot.get("forked"),
        "parent": (snapshot.get("parent") or {}).get("execution"),
        "redrives": snapshot.get("redrives"),
        "machine": snapshot["state_machine"]["id"],
        "kind": snapshot.get("kind"),
        "open": [item.id for item in console.desk.items.of_execution(console.executions.load(head.execution))]
        if snapshot["status"] == "RUNNING"
        else None,
    }
    if snapshot.get("output") is not None:
        told["output"] = shown(redactor, parsed(snapshot["output"]))
    if console.cost is not None and snapshot["status"] != "RUNNING":
        told["cost"] = console.cost(head)
    return {name: value for name, value in told.items() if value is not None}


def visit(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one visit: what went in, each attempt with what it was asked and what came back, what came out."""
    head = head_of(console.store, text(parameters, "execution"))
    wanted = number(parameters, "visit", 0, 2**31)
    commits = console.store.commits(head.execution)
    redactor = _redactor(console.store, head)
    story = Story(source_map(console.store, head.definition), Redactor())
    story.feed(commits)
    if wanted not in story.visits:
        raise Refusal(404, f"the execution never came to event {wanted}")
    return _Visit(story, wanted, redactor, bool(parameters.get("whole"))).told(console.store, head, commits)


def event(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """One history event with its details."""
    head = head_of(console.store, text(parameters, "execution"))
    wanted = number(parameters, "event", 0, 2**31)
    commits = console.store.commits(head.execution)
    redactor = _redactor(console.store, head)
    for commit in commits:
        for each in commit.events:
            if each["id"] == wanted:
                details = {
                    name: shown(redactor, _opened(value), whole=bool(parameters.get("whole")))
                    for name, value in _details(each).items()
                }
                return {
                    "id": wanted, "type": each["type"], "at": each["timestamp"], "previous": each["previousEventId"],
                    "seq": commit.seq, "digest": commit.digest, "details": details,
                }  # fmt: skip
    raise Refusal(404, f"the execution has no event {wanted}")


def value(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The execution's `input` or `output`, whole."""
    head = head_of(console.store, text(parameters, "execution"))
    name = text(parameters, "name")
    snapshot = console.executions.load(head.execution).snapshot
    found = {"input": snapshot["execution"]["input"], "output": snapshot.get("output")}.get(name)
    if found is None:
        raise Refusal(404, f"the execution has no {name[:40]}")
    redactor = _redactor(console.store, head)
    return {"value": redactor.hide_texts(parsed(found))}


def _redactor(store: Store, head: Head) -> Redactor:
    return redactor_for(store, head.execution, head.definition)


class _Visit:
    def __init__(self, story: Story, wanted: int, redactor: Redactor, whole: bool):
        self._visit = story.visits[wanted]
        self._story = story
        self._redactor = redactor
        self._whole = whole

    def told(self, store: Store, head: Head, commits: list[Commit]) -> dict[str, Any]:
        mapped = source_map(store, head.definition) or {}
        hidden = {each["violations"] for each in mapped.get("steps", {}).values() if "violations" in each}
        told: dict[str, Any] = {"events": [], "attempts": [], "violations": [], "ways": []}
        variables: dict[str, Any] = {}
        here: Place | None = None
        for commit, each, place in _events(mapped, commits):
            details = _details(each)
            mine = self._story._of_event.get(each["id"]) == self._visit.id
            if each["id"] == self._visit.id:
                here = place
                told["input"] = self._show(details.get("input"))
                told["variables"] = {
                    name: self._show(text)
                    for name, (text, at) in list(variables.items())[-_VARIABLES:]
                    if _in_scope(at, place) and name not in hidden
                }
            if each["type"].endswith("StateExited"):
                assigned = details.get("assignedVariables", {})
                if here is None:
                    variables.update({name: (text, place) for name, text in assigned.items()})
                if mine:
                    told["output"] = self._show(details.get("output"))
                    kept = {name: self._show(text) for name, text in assigned.items() if name not in hidden}
                    told["assigned"] = {**told.get("assigned", {}), **kept}
                    for name in assigned.keys() & hidden:
                        found = self._redactor.hide_texts(parsed(assigned[name])) or []
                        if found:
                            told["violations"].append(
                                {"attempt": len(told["attempts"]), "event": each["id"], "found": found}
                            )
            if mine:
                told["events"].append(each["id"])
                self._attempt(told["attempts"], each, details)
                told["ways"] += [
                    str(way) for entry, way in commit.ways if int(entry) == each["id"] and str(way)
                ]
        return told

    def _attempt(self, attempts: list[dict[str, Any]], event: Mapping[str, Any], details: Mapping[str, Any]):
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


def _events(
    mapped: Mapping[str, Any], commits: list[Commit]
) -> Iterator[tuple[Commit, Mapping[str, Any], Place]]:
    reader = Reader(mapped)
    for commit in commits:
        for each, place in reader.places(commit):
            yield commit, each, place


def _in_scope(at: Place, place: Place) -> bool:
    """Whether what was assigned in one place is seen from the other: it lies in the same scope or around it."""
    around: Place | None = place
    while around is not None:
        if (at.around.entry if at.around else 0) == (around.around.entry if around.around else 0):
            return at.iteration == around.iteration
        around = around.around
    return False


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((each for each in event.values() if isinstance(each, Mapping)), {})


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: parsed(each) for name, each in value.items()}
    return parsed(value)
