"""Times as people and JSON have them."""

from __future__ import annotations

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
