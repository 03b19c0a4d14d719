"""How long a retrier waits: interval, back-off, cap and jitter (AWS guide, "Retrying after an error")."""

from __future__ import annotations

import random
from collections.abc import Callable

from ..asl.states import Retrier


def delay(retrier: Retrier, count: int, entropy: Callable[[], random.Random]) -> int:
    """Milliseconds before the retry after `count` earlier ones. Full jitter draws from nothing up to it."""
    seconds = retrier.interval_seconds * _power(retrier.backoff_rate, count)
    if retrier.max_delay_seconds is not None:
        seconds = min(seconds, retrier.max_delay_seconds)
    seconds = min(seconds, 99999999)
    if retrier.jitter_strategy == "FULL":
        seconds = entropy().uniform(0, seconds)
    return round(seconds * 1000)


def _power(rate: float, count: int) -> float:
    try:
        return rate**count
    except OverflowError:
        return float("inf")
