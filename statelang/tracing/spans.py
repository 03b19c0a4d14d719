"""Spans out of a history.

An event belongs to the span of the state that it is led to by. Those of a Task are its attempts, from the moment in which
one was scheduled; what lies between two attempts is back-off, and nobody's.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .attributes import Value, of_attempt, of_result

Event = Mapping[str, Any]

INTERNAL, CLIENT = 1, 3
_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED", "ExecutionFailed": "FAILED", "ExecutionAborted": "ABORTED", "ExecutionTimedOut": "TIMED_OUT",
}  # fmt: skip
_HOLDERS = ("Map", "Parallel", "Wait")


@dataclass(frozen=True, slots=True)
class Link:
    """A span of another trace."""

    trace: str
    span: str


@dataclass(frozen=True, slots=True)
class Span:
    """Ids are hexadecimal, times milliseconds since the epoch. `error` is the error's name, "" where nothing failed."""

    trace: str
    id: str
    parent: str | None
    name: str
    kind: int
    start: int
    end: int | None = None
    error: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


def trace_id(execution: str) -> str:
    return _hash("trace", execution)[:32]


def span_id(execution: str, event: int | str) -> str:
    """The id of the span that begins with that event; of the execution's own with `"root"`."""
    return _hash("span", execution, str(event))[:16]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def spans_of(
    execution: str,
    events: Iterable[Event],
    source_map: Mapping[str, Any] | None = None,
    *,
    attributes: Mapping[str, Value] | None = None,
    parent: Mapping[str, Any] | None = None,
) -> list[Span]:
    """The spans of an execution, in the order in which they ended, its own last.

    `events` are the history, as the engine has them (times in milliseconds). `attributes` go to the execution's own span,
    `parent` is what its snapshot says of the execution that waits for it. Of one that still runs, only what has ended is
    answered.
    """
    reader = _Reader(execution, source_map or {})
    for event in events:
        reader.take(event)
    return reader.finish(attributes or {}, parent)


class _Reader:
    def __init__(self, execution: str, mapped: Mapping[str, Any]):
        self._execution = execution
        self._trace = trace_id(execution)
        self._root = span_id(execution, "root")
        self._states: Mapping[str, Any] = mapped.get("states", {})
        self._spec = bool(self._states)
        self._open: dict[str, Span] = {}
        self._done: list[Span] = []
        self._around: dict[int, str] = {0: self._root}
        """By event: the span of the container that what follows it is in."""
        self._outside: dict[str, str] = {}
        """By the span of a container: the one that it is in."""
        self._attempt: dict[int, str] = {}
        """By event: the attempt that it belongs to."""
        self._state: dict[int, str] = {}
        self._tries: Counter[tuple[str, str]] = Counter()
        self._failure = "States.Error"
        """What failed last: a Parallel or a Map that fails does not say with what."""
        self._begun: Event | None = None
        self._ended: Event | None = None

    def take(self, event: Event) -> None:
        kind, id, previous = event["type"], event["id"], event["previousEventId"]
        around = self._around.get(previous, self._root)
        attempt = self._attempt.get(previous)
        state = self._state.get(previous, "")
        details = _details(event)
        if kind == "ExecutionStarted":
            self._begun = event
        elif kind in _ENDS:
            self._ended = event
        elif kind == "ExecutionRedriven":
            self._ended = None
        elif kind.endswith("StateEntered"):
            state, attempt = details["name"], None
            if kind.removesuffix("StateEntered") in _HOLDERS:
                around = self._hold(event, kind.removesuffix("StateEntered"), state, around)
        elif kind == "MapIterationStarted":
            around = self._hold(event, "Iteration", f"{details['name']} [{details['index']}]", around)
        elif kind.startswith("MapIteration"):
            around = self._leave(around, event, "" if kind.endswith("Succeeded") else kind)
        elif kind.endswith("StateExited"):
            attempt = None
            if kind.removesuffix("StateExited") in _HOLDERS:
                around = self._leave(self._holder_of(around, details["name"]), event, "")
        elif kind in ("MapStateFailed", "ParallelStateFailed"):
            self._fail(self._holder_of(around, state), details)
        elif kind.endswith("Scheduled"):
            attempt = self._schedule(event, state, around, details)
        elif attempt is not None and kind.endswith(("Succeeded", "Failed", "TimedOut")):
            self._end_attempt(attempt, event, details)
            attempt = None
        self._around[id], self._state[id] = around, state
        if attempt is not None:
            self._attempt[id] = attempt

    def _hold(self, event: Event, type: str, name: str, around: str) -> str:
        id = span_id(self._execution, event["id"])
        self._open[id] = Span(
            self._trace, id, around, name, INTERNAL, event["timestamp"], attributes={**self._named(name), "stratum.type": type}
        )  # fmt: skip
        self._outside[id] = around
        return id

    def _holder_of(self, span: str, name: str) -> str:
        """The container of that name that the span is, or is in."""
        at = span
        while at in self._outside:
            if (known := self._open.get(at)) is not None and known.name == name:
                return at
            at = self._outside[at]
        return span

    def _leave(self, span: str, event: Event, error: str) -> str:
        known = self._open.pop(span, None)
        if known is not None:
            self._done.append(replace(known, end=event["timestamp"], error=known.error or error))
        return self._outside.get(span, self._root)

    def _fail(self, span: str, details: Mapping[str, Any]) -> None:
        if (known := self._open.get(span)) is not None:
            self._open[span] = replace(known, error=details.get("error") or self._failure)

    def _schedule(self, event: Event, state: str, around: str, details: Mapping[str, Any]) -> str:
        id = span_id(self._execution, event["id"])
        step = str(self._named(state).get("stratum.step", state))
        self._tries[around, step] += 1
        kind, name, attributes = of_attempt(event["type"], details)
        self._open[id] = Span(
            self._trace, id, around, name or step, CLIENT if kind == "client" else INTERNAL, event["timestamp"],
            attributes={**self._named(state), "stratum.attempt": self._tries[around, step], **attributes},
        )  # fmt: skip
        return id

    def _end_attempt(self, attempt: str, event: Event, details: Mapping[str, Any]) -> None:
        known = self._open.pop(attempt, None)
        if known is None:
            return
        error = "" if event["type"].endswith("Succeeded") else str(details.get("error") or "States.Timeout")
        self._failure = error or self._failure
        attributes = {**known.attributes, **of_result(details.get("output"), known.attributes)}
        self._done.append(replace(known, end=event["timestamp"], error=error, attributes=attributes))

    def _named(self, state: str) -> dict[str, Value]:
        mapped = self._states.get(state, {})
        step = mapped.get("step") if self._spec else state
        named: dict[str, Value] = {"stratum.state": state}
        if step:
            named["stratum.step"] = str(step)
        return named

    def finish(self, attributes: Mapping[str, Value], parent: Mapping[str, Any] | None) -> list[Span]:
        if self._ended is None or self._begun is None:
            return self._done
        status, at = _ENDS[self._ended["type"]], self._ended["timestamp"]
        details = _details(self._ended)
        # Whatever was going on ended with the execution, or when its neighbour failed: the history does not say more.
        for span in reversed(self._open.values()):
            self._done.append(replace(span, end=at, error=span.error or "Stratum.Abandoned"))
        links: tuple[Link, ...] = ()
        if parent is not None:
            # A child of a distributed map is one of thousands, whose attempt has no span of its own.
            waiting = "root" if "map_run" in parent else parent.get("task", "root")
            links = (Link(trace_id(parent["execution"]), span_id(parent["execution"], waiting)),)
            attributes = {**attributes, "stratum.parent": parent["execution"]}
        error = "" if status == "SUCCEEDED" else str(details.get("error") or status)
        root = Span(
            self._trace, self._root, None, self._execution.split(":")[6], INTERNAL, self._begun["timestamp"], at, error,
            {"stratum.execution": self._execution, "stratum.status": status, **attributes}, links,
        )  # fmt: skip
        return [*self._done, root]


def _details(event: Event) -> Mapping[str, Any]:
    return next(
        (value for key, value in event.items() if key.endswith("EventDetails") and isinstance(value, dict)),
        {},
    )
