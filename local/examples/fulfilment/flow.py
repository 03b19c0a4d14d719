"""The workflow of order.yaml, built in Python: it compiles to the very same machine.

stratum validate flow.py
"""

import mail
import orders as checks
import parcel
import payments
import stock
from orders import Order
from payments import CardDeclined, Receipt
from stratum import Workflow, choose, fn, null

orders = Workflow(
    "order-fulfilment",
    version="1.4.0",
    description="Validate, reserve, approve, charge and ship an order.",
    input=Order,
    output={"receipt": Receipt, "parcels": [str]},
    defaults={
        "timeout": "30s",
        "retry": {
            "on": ["Transient"],
            "attempts": 3,
            "backoff": "exponential",
            "delay": "1s",
            "max_delay": "20s",
            "jitter": "full",
        },
    },
)
order = orders.input

orders.task(
    "validate",
    checks.validate,
    input={"order": order},
    ensure=lambda result: (result.ok, f"rejected: {fn.join(result.errors, '; ')}"),
)

reserve = orders.task("reserve", stock.reserve, output=None, input={"items": order["items"]})

orders.gate(
    "approve",
    when=order.total > 1000,
    approvers=["ops@example.com"],
    timeout="24h",
    on_timeout="reject",
    reminders=["4h"],
)
orders.decision("route", (order.total > 5000, "manual"), otherwise="charge")

charge = orders.task(
    "charge",
    payments.charge,
    retry={
        "on": [payments.Throttled],
        "never": [CardDeclined],
        "attempts": 5,
        "backoff": "linear",
        "delay": "2s",
    },
    on_error={CardDeclined: "tell_customer"},
    next="parcels",
)
manual = orders.agent(
    "manual",
    "claude",
    intent="Check this large order for fraud and charge it by hand.",
    input={"order": order},
    output=Receipt,
    ensure=lambda result: result.amount == order.total,
    attempts=3,
    budget={"usd": 0.50, "tokens": 20000},
)

with orders.map("parcels", order["items"], max_concurrency=5, tolerate="10%") as item:
    orders.task("label", parcel.label, input=item)

orders.wait("settle", "10m")

with orders.parallel("wrap_up") as branch:
    with branch("mail"):
        orders.task("send", mail.receipt, output=None, input={"to": order.email})
    with branch("index"):
        orders.task(
            "put", "aws-sdk:dynamodb:putItem", input={"TableName": "orders", "Item": {"id": {"S": order.id}}}
        )

orders.succeed("shipped", {"receipt": choose(charge != null, charge, manual), "parcels": orders["parcels"]})

orders.task("tell_customer", mail.declined, output=None, input={"to": order.email, "why": orders.error.Cause})
orders.fail("declined", CardDeclined, because=f"the card of order {order.id} was declined")
