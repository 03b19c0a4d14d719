"""How an answer is refused: nothing has changed, and the text says why and what can be done."""

from __future__ import annotations

from typing import Any

NOT_FOUND = "NotFound"
ANSWERED = "AlreadyAnswered"
LATE = "TooLate"
CLAIMED = "ClaimedByAnother"
NOT_ALLOWED = "NotAllowed"
INVALID = "Invalid"
CHANGED = "Changed"
FORGED = "Forged"
EXPIRED = "Expired"
USED = "AlreadyUsed"


class Refused(Exception):
    """`reason` is one of the names above; `violations` are `{"path", "message"}` of a value that is not as wanted."""

    def __init__(self, reason: str, message: str, violations: list[dict[str, Any]] | None = None):
        super().__init__(message)
        self.reason = reason
        self.violations = violations or []
