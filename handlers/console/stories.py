"""Stories that were read before: whoever looks again at an execution reads only what its log has got since."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from ..audit.redaction import redactor_of
from ..store import Head, Store
from ..workflows import source_map
from .story import Story

MOST = 200_000
"""Events of all stories that are kept."""
_FEW = 200
"""Stories that are kept at the most, however short."""


def story_of(store: Store, head: Head) -> Story:
    """One that is still to be fed."""
    return Story(source_map(store, head.definition), redactor_of(store, head.definition))


class _Kept:
    __slots__ = ("digest", "lock", "story")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.story: Story | None = None
        self.digest = ""


class Stories:
    """Of one store's executions. A log only grows: a story holds good as long as its last commit is still the one it was,
    which its digest says. Nothing here needs to be kept: without it, the log is read from its beginning."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def read(self, store: Store, head: Head) -> Iterator[Story]:
        """The story as far as the log goes now, for whoever asks alone."""
        with self._lock:
            kept = self._kept.setdefault((store.tenant, head.execution), _Kept())
            self._kept.move_to_end((store.tenant, head.execution))
        with kept.lock:
            yield self._brought_up(kept, store, head)
        self._trim()

    def _brought_up(self, kept: _Kept, store: Store, head: Head) -> Story:
        story = kept.story
        if story is not None:
            last = store.stored(head.execution, story.seq)
            if last is None or last[0] != kept.digest:
                story = None
        if story is None:
            story = story_of(store, head)
        kept.story = None  # if reading fails half-way, it is no story
        if commits := store.commits(head.execution, story.seq + 1):
            story.feed(commits)
            kept.digest = commits[-1].digest
        kept.story = story
        return story

    def _trim(self) -> None:
        with self._lock:
            sizes = [len(kept.story.rows) if kept.story is not None else 0 for kept in self._kept.values()]
            over = sum(sizes) - self._most
            for size in sizes[:-1]:
                if over <= 0 and len(self._kept) <= _FEW:
                    break
                self._kept.popitem(last=False)
                over -= size
