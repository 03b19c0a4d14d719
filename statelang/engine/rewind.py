"""An execution as it stood in the middle of a commit: just before some state was entered.

A commit holds the snapshot after all that its messages led to. As `decide` is pure, what came before a state was
entered can be had by deciding the same messages again, up to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..asl.states import StateMachine
from .decide import begin, take
from .messages import Message
from .turn import Turn

Event = dict[str, Any]


def before_event(
    machine: StateMachine,
    snapshot: dict[str, Any] | None,
    messages: Sequence[Message],
    events: Sequence[Event],
    now: int,
    event: int,
) -> dict[str, Any] | None:
    """The snapshot before the state was entered whose entry is the history event `event`.

    `snapshot` is that of the commit before (None where `messages` begin the execution), `messages`, `events` and `now`
    are the commit's. Answers None where the messages, as the log keeps them, do not lead to the same events again.
    """
    recorded = {each["id"]: each for each in events}
    turn = Turn(machine, begin(machine, messages[0], now) if snapshot is None else snapshot, now)
    turn.stop_before = event
    for message in messages:
        if turn.stands_still:
            break
        whole = _whole(message, recorded.get(turn.next_event, {}))
        if whole is None:
            return None
        take(turn, whole)
    expected = [each for each in events if each["id"] < event]
    return turn.after() if turn.events == expected and turn.next_event == event else None


def _whole(message: Message, event: Event) -> Message | None:
    """The message with what a task answered, which the log keeps in the event that it led to.

    None for one whose answer stands in no event (the items and children of a distributed map).
    """
    kind = message["type"]
    if kind in ("items_read", "child_finished", "results_written"):
        return None
    details = next((value for value in event.values() if isinstance(value, dict)), {})
    if kind in ("task_succeeded", "task_submitted"):
        return {**message, "output": details.get("output", "null")}
    if kind in ("task_failed", "items_failed", "results_failed"):
        return {**message, "cause": details.get("cause")}
    return message
