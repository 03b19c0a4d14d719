"""The warehouse: items are set aside for an order, or put back."""

from dataclasses import asdict, dataclass

from ledger import enter, new_id, void
from orders import Item
from stratum import TaskContext, task


@dataclass
class Reservation:
    id: str
    items: int


@task
def release(reservation: str) -> None:
    void("reservation", reservation)


@task(compensate=(release, lambda reserved: {"reservation": reserved.id}))
def reserve(items: list[Item], context: TaskContext) -> Reservation:
    id = new_id("r", context)
    enter(context, "reservation", id, [asdict(item) for item in items])
    return Reservation(id, sum(item.qty for item in items))
