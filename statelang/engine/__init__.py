"""The engine core: what happens next in an execution, as one pure function.

    decide(machine, snapshot, messages, now) -> Decision(snapshot, changes, events, commands, wake_at)

A *snapshot* is all there is to know about a live execution, a *message* is something that happened to it,
*events* are what its history records (AWS's types, fields and order), and *commands* are what somebody must
now do for it. The caller stores the decision, then carries the commands out; their results come back as
messages. Everything is JSON; times are whole milliseconds since the epoch.
"""

from .changes import apply_changes
from .decide import Decision, decide, pending_commands, wake_at
from .errors import DATA_LIMIT, HISTORY_LIMIT
from .fork import CannotFork
from .fork import check as check_fork
from .rewind import before_event
from .tokens import is_genuine, make_token, read_token

__all__ = [
    "DATA_LIMIT",
    "HISTORY_LIMIT",
    "CannotFork",
    "Decision",
    "apply_changes",
    "before_event",
    "check_fork",
    "decide",
    "is_genuine",
    "make_token",
    "pending_commands",
    "read_token",
    "wake_at",
]
