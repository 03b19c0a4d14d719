"""The carrier, who takes an item at a time."""

import zlib

from orders import Item
from stratum import task


class TooHeavy(Exception):
    pass


@task
def label(event: Item) -> str:
    """The label of an item's parcel."""
    if event.sku == "piano" and event.qty > 1:
        raise TooHeavy("one piano at a time")
    return f"PK{zlib.crc32(f'{event.sku} {event.qty}'.encode()) % 1_000_000:06d}"
