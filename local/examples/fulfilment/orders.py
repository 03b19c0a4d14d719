"""Orders: what one is, and whether it is in order."""

from dataclasses import asdict, dataclass
from typing import Annotated

from ledger import enter
from pydantic import Field
from stratum import TaskContext, task

PRICES = {"book": 20, "lamp": 45, "desk": 480, "piano": 5200}


@dataclass
class Item:
    sku: str
    qty: Annotated[int, Field(ge=1)]


@dataclass
class Order:
    id: str
    items: list[Item]
    total: Annotated[float, Field(ge=0)]
    email: str | None = None


@dataclass
class Checked:
    ok: bool
    errors: list[str]


@task
def validate(order: Order, context: TaskContext) -> Checked:
    """Checks an order and opens it: the handlers after this one find it under the execution."""
    errors = [f"nobody sells {item.sku}" for item in order.items if item.sku not in PRICES]
    if not order.items:
        errors.append("there is nothing in it")
    worth = sum(PRICES.get(item.sku, 0) * item.qty for item in order.items)
    if not errors and worth != order.total:
        errors.append(f"its items cost {worth}, not {order.total:g}")
    if not errors:
        enter(context, "order", order.id, asdict(order))
    return Checked(not errors, errors)
