"""Redriving: an execution that did not succeed goes on from where it failed, within its tenant's limits."""

from __future__ import annotations

from ...statelang.engine import messages
from ..executions import Executions
from ..identity import Identity
from ..tenancy.limits import counts


def redrive(executions: Executions, execution: str, by: Identity) -> None:
    """Goes on with it, for `by`; it is one of those that run again, and counts as one that is started.

    Raises `LimitReached` where its tenant may run no more, and what the execution itself refuses.
    """
    message = messages.redrive(by.to_json())

    def begin() -> bool:
        for failure in executions.advance({execution: [message]}).values():
            raise failure
        return True

    if counts(executions.load(execution).snapshot):
        executions.limiter.admit(begin)
    else:
        begin()
