"""The payment gateway, which has the cards of the shop's customers on file."""

from dataclasses import dataclass

from ledger import calls, enter, entries, new_id, void
from stratum import TaskContext, task

BLOCKED = {"spent@example.com"}
"""Customers whose bank accepts nothing more."""


class Throttled(Exception):
    """The gateway takes no more calls at the moment."""


class CardDeclined(Exception):
    pass


@dataclass
class Receipt:
    charge_id: str
    amount: float


@task
def refund(id: str) -> None:
    void("charge", id)


@task(compensate=(refund, lambda receipt: {"id": receipt.charge_id}))
def charge(context: TaskContext) -> Receipt:
    """Charges the order that this execution has opened. The first call of each is one too many for the gateway."""
    if calls(context, "charge") == 1:
        raise Throttled("the gateway takes no more calls now")
    [order] = entries(context, "order")
    if order["email"] in BLOCKED:
        raise CardDeclined(f"the bank of {order['email']} declined the card")
    receipt = Receipt(new_id("ch", context), order["total"])
    enter(context, "charge", receipt.charge_id, receipt.amount)
    return receipt
