"""What costs money in an execution, counted in its history.

AWS counts a transition each time that a state is entered, and each time that it is tried again; inline iterations
count by their states alone; a distributed map counts one for each child execution that it starts, and a redrive is
one too. See the guide, "Transitions" (concepts-transitions). The pricing page says "each time a step of your
workflow is executed"; that the beginning and the end of an execution are none of their own is what users find on
their bills.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Counts:
    """`transitions` are all that AWS bills for a Standard workflow, `retries` and `children` among them.

    `tasks` were scheduled, `waits` began; `children` are executions that distributed maps started, of which
    `express_children` are Express ones, which took `express_seconds` in all; `steps` are the Parallel and Map states
    that were run. `seconds` is how long it took, branches and items one after the other in an estimate;
    `task_seconds` how long its tasks did.
    """

    transitions: float = 0
    retries: float = 0
    tasks: float = 0
    waits: float = 0
    children: float = 0
    express_children: float = 0
    express_seconds: float = 0
    steps: float = 0
    seconds: float = 0
    task_seconds: float = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in Counts.__slots__))

    def __mul__(self, times: float) -> Counts:
        return Counts(*(getattr(self, name) * times for name in Counts.__slots__))


_TASKS = ("Task", "LambdaFunction", "Activity")


def count(events: Iterable[Mapping[str, Any]], children: int = 0) -> Counts:
    """The counts of a history, AWS's own or ours; `timestamp` may be in milliseconds or in seconds.

    `children` is how many executions its distributed maps started, which no event tells. A try that failed before
    its task was scheduled (an expression did) leaves no event either, and is not counted.
    """
    task_time = 0.0
    begun: dict[int, float] = {}
    entered = tries = tasks = waits = steps = redrives = 0
    scheduled: dict[int, int] = {}
    state_of: dict[int, int] = {}
    first = last = None
    for event in events:
        kind, id = event["type"], event["id"]
        last = event["timestamp"]
        first = last if first is None else first
        state_of[id] = state_of.get(event["previousEventId"], 0)
        if kind.endswith("StateEntered"):
            entered += 1
            state_of[id] = id
            waits += kind.startswith("Wait")
        elif kind in _SCHEDULED or kind in ("ParallelStateStarted", "MapStateStarted"):
            entry = state_of[id]
            # The first try is the entry itself.
            tries += scheduled.get(entry, 0) > 0
            scheduled[entry] = scheduled.get(entry, 0) + 1
            tasks += kind in _SCHEDULED
            steps += kind not in _SCHEDULED
            if kind in _SCHEDULED:
                begun[entry] = last
        elif kind in _ENDED:
            task_time += last - begun.pop(state_of[id], last)
        elif kind == "ExecutionRedriven":
            redrives += 1
    return Counts(
        transitions=entered + tries + redrives + children, retries=tries, tasks=tasks, waits=waits, children=children,
        steps=steps, seconds=_seconds(first or 0, (last or 0) - (first or 0)), task_seconds=_seconds(first or 0, task_time),
    )  # fmt: skip


_SCHEDULED = tuple(f"{kind}Scheduled" for kind in _TASKS)
_ENDED = tuple(f"{kind}{end}" for kind in _TASKS for end in ("Succeeded", "Failed", "TimedOut"))
_MILLISECONDS = 100_000_000_000
"""More than any time in seconds, less than any of this century in milliseconds."""


def _seconds(first: float, span: float) -> float:
    """The span in seconds; `first` is a time of the history, which tells the unit."""
    return span / (1000 if first > _MILLISECONDS else 1)
