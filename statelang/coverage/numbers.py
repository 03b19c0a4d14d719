"""How much of a workflow was taken: by kind of part, in percent, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .parts import COUNTED, Part
from .taken import Hits


@dataclass(frozen=True, slots=True)
class Coverage:
    """One workflow's parts and hits. Only parts of the kinds in `counted` count, though all of them are known."""

    name: str
    parts: Sequence[Part]
    hits: Hits
    counted: Sequence[str] = COUNTED

    def of(self, kinds: Iterable[str]) -> tuple[int, int]:
        """How many parts of these kinds were taken, and how many there are."""
        wanted = set(kinds)
        parts = [part for part in self.parts if part.kind in wanted]
        return sum(part.hits(self.hits) > 0 for part in parts), len(parts)

    @property
    def counts(self) -> tuple[int, int]:
        return self.of(self.counted)

    def counts_of(self, owner: str) -> tuple[int, int]:
        """The same for one step or state: its ways alone, without the step itself."""
        parts = [
            part
            for part in self.parts
            if part.owner == owner and part.kind != "steps" and part.kind in self.counted
        ]
        return sum(part.hits(self.hits) > 0 for part in parts), len(parts)

    @property
    def percent(self) -> float:
        return share(*self.counts)

    @property
    def missing(self) -> list[Part]:
        """What counts and was not taken, each step once: of a step that never ran, its ways are not told."""
        gone = {part.owner for part in self.parts if part.kind == "steps" and not part.hits(self.hits)}
        return [
            part
            for part in self.parts
            if part.kind in self.counted
            and not part.hits(self.hits)
            and (part.kind == "steps" or part.owner not in gone or "steps" not in self.counted)
        ]


def share(taken: int, offered: int) -> float:
    """Percent; of nothing, all of it. Never rounded up to 100 by whoever shows a whole number: see `shown`."""
    return 100.0 if not offered else 100 * taken / offered


def shown(percent: float) -> str:
    """A whole percentage that says 100 only where nothing is missing, and 0 only where nothing was taken."""
    whole = round(percent)
    if whole == 100 and percent < 100:
        whole = 99
    elif whole == 0 and percent > 0:
        whole = 1
    return f"{whole}%"


def total(coverages: Iterable[Coverage]) -> Mapping[str, float | int]:
    """`taken`, `offered` and `percent` of all of them together."""
    pairs = [coverage.counts for coverage in coverages]
    taken, offered = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    return {"taken": taken, "offered": offered, "percent": share(taken, offered)}
