"""What people and agents did about an execution's work items, refusals too, in the order in which they did it.

It is a log of its own beside the execution's, of the same commits: each digest covers the one before, so that
`verify` holds for it as well. What was refused on behalf of no item stands in a journal of the tenant.
"""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..executions import Executions
from ..runtime import Runtime
from ..store import Commit, Conflict, Entry

POINTER = "work-journal"
"""Records that say how long a journal is at the least, as a journal has no head."""
NOWHERE = "work/refused"
"""The journal of refusals that belong to no execution."""

Note = dict[str, Any]


def journal_key(execution: str | None) -> str:
    """The key of the log that holds an execution's journal: for `Store.commits` and `verify`."""
    return NOWHERE if execution is None else f"{execution}/work"


def is_journal(key: str) -> bool:
    """Whether a log is a journal, and not an execution's."""
    return key == NOWHERE or key.endswith("/work")


class Journal:
    """The journals of one tenant. Notes of several threads that come together are one commit."""

    def __init__(self, executions: Executions):
        self._store = executions.store
        self._waiting: defaultdict[str, list[Note]] = defaultdict(list)
        self._lock = threading.Lock()
        self._writing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def note(self, execution: str | None, now: int, type: str, **fields: Any) -> None:
        """Writes one note down; when this returns it is stored."""
        key = journal_key(execution)
        note = {
            "type": type,
            "at": now,
            **{name: value for name, value in fields.items() if value is not None},
        }
        with self._lock:
            self._waiting[key].append(note)
            writing = self._writing[key]
        with writing:
            with self._lock:
                notes = self._waiting.pop(key, [])
            if notes:  # otherwise another thread has written ours with its own
                self._append(key, notes)

    def _append(self, key: str, notes: Sequence[Note]) -> None:
        while True:
            seq, digest = self._end(key)
            commit = Commit(seq, notes[-1]["at"], list(notes), [], [], None, None)
            [answer] = self._store.append([Entry(key, commit, digest)])
            if not isinstance(answer, Conflict):
                self._store.put(POINTER, key, {"seq": seq, "digest": answer.digest})
                return

    def _end(self, key: str) -> tuple[int, str]:
        """The seq that comes next, and the digest before it."""
        pointer = self._store.get(POINTER, key)
        seq, digest = (pointer.value["seq"] + 1, pointer.value["digest"]) if pointer else (0, "")
        while (found := self._store.stored(key, seq)) is not None:
            seq, digest = seq + 1, found[0]
        return seq, digest

    def read(self, execution: str | None) -> list[Note]:
        """Every note, in order."""
        return [note for commit in self._store.commits(journal_key(execution)) for note in commit.messages]


_journals: weakref.WeakKeyDictionary[Executions, Journal] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def journal_of(runtime: Runtime, tenant: str) -> Journal:
    """The one journal of the tenant in this process, so that what is noted at once is written at once."""
    executions = runtime.executions(tenant)
    with _making:
        found = _journals.get(executions)
        if found is None:
            found = _journals[executions] = Journal(executions)
        return found
