"""Logs that may hold what is searched for: a look at what is stored, which is far cheaper than to read it.

It leaves out no log that would be found; numbers are looked for as they are written in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..store import Store
from ..time_travel import checkpoints
from ..workflows import source_map
from .trail import JOURNAL, VOCABULARY

if TYPE_CHECKING:
    from .search import Query

_RUN = re.compile(r"[A-Za-z0-9]{3,}")
_WRITTEN_OTHERWISE = re.compile(
    rb"\\u(00[3-7]|00df|0130|0149|017f|01f0|1e9|212a|fb0)"
    rb"|\xc3\x9f|\xc4\xb0|\xc5\x89|\xc5\xbf|\xc7\xb0|\xe1\xba|\xe2\x84\xaa|\xef\xac",
    re.IGNORECASE,
)
"""Letters and digits as escapes, and letters that have ASCII's in another case: then nothing can be said."""


class Likely:
    """Whether a log is worth reading for a query."""

    def __init__(self, store: Store, query: Query):
        self._store = store
        self._query = query
        self._needed: dict[str, list[list[bytes]]] = {}

    def __call__(self, execution: str, definition: str) -> bool:
        """`definition` is a digest: its steps and states stand in entries, whatever the log has."""
        if definition not in self._needed:
            self._needed[definition] = list(self._words(source_map(self._store, definition) or {}))
        left = self._needed[definition]
        if not left:
            return True
        for text in self._stored(execution):
            if _WRITTEN_OTHERWISE.search(text):
                return True
            low = text.lower()
            left = [words for words in left if not any(word in low for word in words)]
            if not left:
                return True
        return False

    def _words(self, mapped: Mapping[str, Any]) -> Iterator[list[bytes]]:
        """Lists of words: of each, one must be in the log."""
        query, states = self._query, mapped.get("states", {})
        if query.text is not None:
            about = " ".join((*VOCABULARY, *states, *mapped.get("steps", {}))).casefold()
            runs = (run.lower() for run in _RUN.findall(query.text))
            yield from ([run.encode()] for run in runs if run not in about)
        if query.error is not None:
            yield from ([run.lower().encode()] for run in _RUN.findall(query.error))
        if query.step is not None:
            names = [query.step, *(name for name, each in states.items() if each.get("step") == query.step)]
            words = [max(_RUN.findall(name), key=len, default="").lower().encode() for name in names]
            if all(words):
                yield words

    def _stored(self, execution: str) -> Iterator[bytes]:
        yield from self._store.texts(execution)
        yield from self._store.texts(f"{execution}{JOURNAL}")
        for mark in checkpoints.of(self._store, execution):
            yield f"{mark.name} {mark.note} {mark.by}".encode("utf-8", "surrogatepass")
