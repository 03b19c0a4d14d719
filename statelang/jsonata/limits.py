"""What an evaluation may cost: steps, depth of calls, size of values. All counted, nothing timed.

A budget that is counted stops the same expression on the same data at the same place on every machine. Only a
regular expression, whose cost cannot be counted from outside, is bounded by time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import JsonataError


@dataclass(frozen=True, slots=True)
class Limits:
    """`steps`: items handled and functions called. `depth`: calls within calls. `size`: items of an array or
    characters of a text that an evaluation may build. `regex_seconds`: for one search of a regular expression.
    """

    steps: int = 1_000_000
    depth: int = 500
    size: int = 2_000_000
    regex_seconds: float = 0.5


DEFAULT_LIMITS = Limits()


class Run:
    """One evaluation: what is left of its budget, and the time and entropy it was given."""

    __slots__ = ("depth", "entropy", "fuel", "limits", "now", "root")

    def __init__(
        self,
        limits: Limits,
        now: float | None,
        entropy: Callable[[], float] | random.Random | None,
        root: Any,
    ):
        self.limits = limits
        self.fuel = limits.steps
        self.depth = limits.depth
        self.now = now
        self.entropy = entropy
        self.root = root

    def spend(self, steps: int) -> None:
        """Takes `steps` off the budget. Raises U1001 when it is used up."""
        self.fuel -= steps
        if self.fuel < 0:
            raise JsonataError(
                "U1001", f"the evaluation takes more than {self.limits.steps} steps", limit="steps"
            )

    def room(self, size: int) -> None:
        """Asks for room for `size` items or characters, before they are made. Raises U1001."""
        if size > self.limits.size:
            raise JsonataError(
                "U1001",
                f"a value of {size} items or characters is larger than {self.limits.size}",
                limit="size",
            )
        self.spend(size >> 4)

    def enter(self) -> None:
        """A call within the present one begins; `depth` goes up again when it ends."""
        self.depth -= 1
        if self.depth < 0:
            raise JsonataError("U1001", f"calls are nested deeper than {self.limits.depth}", limit="depth")
        self.fuel -= 1
        if self.fuel < 0:
            self.spend(0)

    def draw(self) -> float:
        """A random number from 0 up to 1, of the entropy that was given."""
        if self.entropy is None:
            raise JsonataError("D3141", "there is no entropy to draw a random number from")
        return self.entropy.random() if isinstance(self.entropy, random.Random) else self.entropy()


class Frame:
    """Variables of one scope, within an outer one."""

    __slots__ = ("outer", "run", "variables")

    def __init__(self, run: Run, outer: Frame | None, variables: dict[str, Any]):
        self.run = run
        self.outer = outer
        self.variables = variables
