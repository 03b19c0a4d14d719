"""Mails, kept in the ledger instead of being sent."""

from ledger import enter
from stratum import TaskContext, task


def _send(context: TaskContext, to: str | None, text: str) -> bool:
    """Whether there is anybody to send it to."""
    if to is not None:
        enter(context, "mail", to, text)
    return to is not None


@task
def receipt(to: str | None, context: TaskContext) -> bool:
    return _send(context, to, "your order is on its way")


@task
def declined(to: str | None, why: str, context: TaskContext) -> bool:
    return _send(context, to, f"your card was not accepted: {why}")
