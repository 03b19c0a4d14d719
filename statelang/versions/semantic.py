"""Semantic versions (semver.org, 2.0.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering

_FORM = re.compile(
    r"(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)


@total_ordering
@dataclass(frozen=True, slots=True)
class SemanticVersion:
    """`before` is what stands behind the dash of a pre-release, by its parts; `build` what stands behind the plus sign, which
    makes no version come before another.
    """

    major: int
    minor: int
    patch: int
    before: tuple[str, ...] = ()
    build: str = field(default="", compare=False)

    @classmethod
    def read(cls, text: str) -> SemanticVersion:
        """Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"'{text}' is no semantic version: write MAJOR.MINOR.PATCH, such as 1.4.0")
        return cls(
            int(found[1]),
            int(found[2]),
            int(found[3]),
            tuple(found[4].split(".")) if found[4] else (),
            found[5] or "",
        )

    def __str__(self) -> str:
        before = f"-{'.'.join(self.before)}" if self.before else ""
        return f"{self.major}.{self.minor}.{self.patch}{before}" + (f"+{self.build}" if self.build else "")

    def __lt__(self, other: SemanticVersion) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[object, ...]:
        # A pre-release comes before its release; numbers before words, each compared as what they are.
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.before)
        return self.major, self.minor, self.patch, not self.before, parts

    def may_break(self, older: SemanticVersion) -> bool:
        """Whether those who rely on `older` must expect breaks: another major version, or still none (0.x)."""
        if self.major != older.major:
            return True
        return self.major == 0 and self.minor != older.minor

    def next_breaking(self) -> SemanticVersion:
        """The first version after this one that may break what relies on it."""
        return (
            SemanticVersion(0, self.minor + 1, 0)
            if self.major == 0
            else SemanticVersion(self.major + 1, 0, 0)
        )
