"""Charging cards, once each."""

import hashlib

from shop import count_call, once, run_of


class GatewayBusy(Exception):
    pass


class CardDeclined(Exception):
    pass


def charge(event, context):
    if event["card"].endswith("0000"):
        raise CardDeclined(f"the bank declined the card {event['card'][-4:]}")
    if count_call(context, "charge") == 1:
        raise GatewayBusy("the payment gateway is busy, come again")
    key = context.client_context.custom["idempotency_key"]
    charge_id = "ch_" + hashlib.sha256(key.encode()).hexdigest()[:12]

    def work(shop):
        shop.execute("INSERT INTO charges VALUES (?, ?, ?)", (charge_id, run_of(context), event["amount"]))
        return {"charge_id": charge_id, "amount": event["amount"]}

    return once(context, work)
