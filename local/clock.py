"""The two clocks of the local cloud. Times are milliseconds since the epoch."""

from __future__ import annotations

import time
from collections.abc import Callable

EPOCH = 1_767_225_600_000
"""2026-01-01T00:00:00Z: where a virtual clock begins unless told otherwise."""


class RealClock:
    """The system's time."""

    virtual = False

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000


class VirtualClock:
    """Time that stands still while there is work, and jumps to what is due next when there is none.

    A function in a process of its own takes time all the same: `pace` of this clock's seconds for each real one.
    """

    virtual = True

    def __init__(self, start: int = EPOCH, *, pace: float = 1.0):
        self._now = start
        self.pace = pace
        self.passing: Callable[[int], None] | None = None
        """Is told where the time is about to jump to, while it is still now."""

    def __call__(self) -> int:
        return self._now

    def advance_to(self, at: int) -> None:
        """Moves forward to `at`; never back."""
        if self.passing is not None and at > self._now:
            self.passing(at)
        self._now = max(self._now, at)


Clock = RealClock | VirtualClock
