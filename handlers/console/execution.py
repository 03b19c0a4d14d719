"""One execution at a glance, its events by the page, and single values of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..audit.redaction import Redactor
from .api import number, optional, text
from .host import Console, Refusal
from .listing import row
from .secrets import parsed, shown
from .story import details_of
from .summary import summary

if TYPE_CHECKING:
    from ..store import Head
    from .story import Row

_PAGE = 200
_MOST = 1000


def execution(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What its page shows at first. Events, visits of a step that has many, and values are asked for one by one."""
    head = console.head(text(parameters, "execution"))
    with console.stories.read(console.store, head) as story:
        return {**overview(console, head, story.redactor), "story": summary(story)}


def overview(console: Console, head: Head, redactor: Redactor) -> dict[str, Any]:
    """The execution without its story: it changes as the execution goes on. `redactor` has learnt its secrets."""
    loaded = console.executions.load(head.execution)
    snapshot = loaded.snapshot
    about = snapshot["execution"]
    told: dict[str, Any] = {
        **row(console.store, head, {}),
        "status": snapshot["status"],
        "stopped": snapshot.get("stopped"),
        "definition": snapshot["definition"],
        "input": shown(redactor, parsed(about["input"])),
        "error": redactor.hide(snapshot.get("error")),
        "cause": redactor.hide_text(snapshot["cause"]) if snapshot.get("cause") is not None else None,
        "requester": snapshot.get("requester"),
        "origin": snapshot.get("forked"),
        "parent": (snapshot.get("parent") or {}).get("execution"),
        "item": (snapshot.get("parent") or {}).get("index"),
        "map_run": (snapshot.get("parent") or {}).get("map_run"),
        "redrives": snapshot.get("redrives"),
        "machine": snapshot["state_machine"]["id"],
        "kind": snapshot.get("kind"),
        "open": [item.id for item in console.desk.items.of_execution(loaded)]
        if snapshot["status"] == "RUNNING"
        else None,
    }
    if snapshot.get("output") is not None:
        told["output"] = shown(redactor, parsed(snapshot["output"]))
    return {name: value for name, value in told.items() if value is not None}


def cost(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`{"cost": a line or None}`. All of the log is read for it, and those of the children of its maps."""
    head = console.head(text(parameters, "execution"))
    return {"cost": None if console.cost is None else console.cost(head)}


def events(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of its events: `{"items", "total", "offset"}`. `visit` are those of one, `find` is looked for in what is listed."""
    head = console.head(text(parameters, "execution"))
    visit, words = optional(parameters, "visit"), (optional(parameters, "find") or "").casefold()
    offset = number(parameters, "offset", 0, 2**31)
    limit = max(1, number(parameters, "limit", _PAGE, _MOST))
    with console.stories.read(console.store, head) as story:
        found = story.rows
        if visit is not None:
            wanted = number(parameters, "visit", 0, 2**31)
            found = [row for row in found if row.visit == wanted]
        if words:
            found = [row for row in found if any(words in each.casefold() for each in _texts(row))]
        page = [row.to_json() for row in found[offset : offset + limit]]
        if story.redactor:
            for each in page:
                if "cause" in each:
                    each["cause"] = story.redactor.hide_text(each["cause"])
        return {"items": page, "total": len(found), "offset": offset}


def _texts(row: Row) -> list[str]:
    return [each for each in (row.type, row.state, row.error, row.cause, row.resource) if each]


def event(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """One history event with its details."""
    head = console.head(text(parameters, "execution"))
    wanted = number(parameters, "event", 0, 2**31)
    with console.stories.read(console.store, head) as story:
        found = story.row(wanted)
        if found is None:
            raise Refusal(404, f"the execution has no event {wanted}")
        [commit] = console.store.commits(head.execution, found.seq, found.seq + 1)
        each = next(each for each in commit.events if each["id"] == wanted)
        details = {
            name: shown(story.redactor, _opened(value), whole=bool(parameters.get("whole")))
            for name, value in details_of(each).items()
        }
    return {
        "id": wanted, "type": each["type"], "at": each["timestamp"], "previous": each["previousEventId"], "seq": commit.seq,
        "digest": commit.digest, "details": details,
    }  # fmt: skip


def value(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The execution's `input` or `output`, whole."""
    head = console.head(text(parameters, "execution"))
    name = text(parameters, "name")
    snapshot = console.executions.load(head.execution).snapshot
    found = {"input": snapshot["execution"]["input"], "output": snapshot.get("output")}.get(name)
    if found is None:
        raise Refusal(404, f"the execution has no {name[:40]}")
    with console.stories.read(console.store, head) as story:
        return {"value": story.redactor.hide_texts(parsed(found))}


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: parsed(each) for name, each in value.items()}
    return parsed(value)
