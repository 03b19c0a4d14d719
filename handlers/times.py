"""Times as people and JSON have them."""

from __future__ import annotations

import re
from datetime import UTC, datetime


def rfc3339(milliseconds: int) -> str:
    """`2026-01-02T03:04:05.678Z`, from milliseconds since the epoch."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def from_rfc3339(text: str) -> int:
    """Milliseconds since the epoch. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return round(at.timestamp() * 1000)


def read_time(text: str, now: int) -> int:
    """Milliseconds since the epoch of a date, a time, or so long before `now` (`2h`, `7d`). Raises ValueError."""
    ago = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if ago is not None:
        return now - int(ago[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[ago[2]] * 1000
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time: write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago, such as 2h or 7d"
        ) from None
