"""The workflow of orders.yaml, built in Python: it compiles to the very same machine.

stratum run flow.py:orders --input @input.json
"""

from typing import Annotated, TypedDict

import mail
import orders as checks
import payments
import shipping
import stock
from pydantic import Field
from stratum import Workflow, fn, null


class Item(TypedDict):
    sku: str
    qty: Annotated[int, Field(ge=1)]


class Order(TypedDict):
    id: str
    customer: str
    card: str
    items: list[Item]
    total: Annotated[float, Field(ge=0)]


class Checked(TypedDict):
    ok: bool
    errors: list[str]


class Reservation(TypedDict):
    id: str
    items: Annotated[int, Field(ge=1)]


class Receipt(TypedDict):
    charge_id: str
    amount: float


class Parcel(TypedDict):
    tracking: Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{6}$")]
    carrier: str


orders = Workflow(
    "orders",
    version="1.0.0",
    description="Checks an order, reserves its items, charges the card, hands the parcel to a carrier that is down at "
    "first, and tells the customer. The state of the shop is in a real table; try declined.json and out-of-stock.json "
    "as well.",
    input=Order,
    output={"order": str, "receipt": Receipt, "tracking": str, "gift": bool},
    defaults={"timeout": "30s"},
)
order = orders.input

orders.task(
    "validate",
    checks.validate,
    description="A check that the handler answers, and that the workflow insists on.",
    input={"order": order},
    output=Checked,
    ensure=lambda result: (result.ok, f"the order is not valid: {fn.join(result.errors, '; ')}"),
)
orders.task(
    "reserve",
    stock.reserve,
    input={"order": order.id, "items": order["items"]},
    output=Reservation,
    on_error={stock.OutOfStock: "tell_out_of_stock"},
)
gift = orders.task(
    "gift",
    stock.pack_gift,
    description="A present for large orders; small ones skip this step.",
    when=order.total >= 100,
    input={"order": order.id},
)
charge = orders.task(
    "charge",
    payments.charge,
    description="The gateway is busy now and then; a declined card stays declined.",
    input={"order": order.id, "card": order.card, "amount": order.total},
    output=Receipt,
    retry={
        "on": [payments.GatewayBusy],
        "never": [payments.CardDeclined],
        "attempts": 4,
        "backoff": "linear",
        "delay": "1s",
    },
    on_error={payments.CardDeclined: "release"},
)
orders.wait("cool_down", "1s")
ship = orders.task(
    "ship",
    shipping.ship,
    description="The carrier's office is closed for the first two calls.",
    input={"order": order.id, "customer": order.customer},
    output=Parcel,
    retry={"on": [shipping.CarrierUnavailable], "attempts": 5, "delay": "1s", "max_delay": "4s"},
)
orders.task("notify", mail.shipped, input={"to": order.customer, "tracking": ship.tracking})
orders.succeed(
    "done", {"order": order.id, "receipt": charge, "tracking": ship.tracking, "gift": gift != null}
)

orders.task(
    "release",
    stock.release,
    description="Nothing is kept for an order that is not paid.",
    input={"order": order.id},
)
orders.task("tell_declined", mail.declined, input={"to": order.customer, "why": orders.error.Error})
orders.fail("declined", payments.CardDeclined, because=f"the card of order {order.id} was declined")

orders.task("tell_out_of_stock", mail.out_of_stock, input={"to": order.customer})
orders.fail("out_of_stock", stock.OutOfStock, because=f"order {order.id} cannot be filled")
