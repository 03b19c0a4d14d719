"""The carrier, whose office is closed at first."""

import zlib

from shop import count_call


class CarrierUnavailable(Exception):
    pass


def ship(event, context):
    calls = count_call(context, "ship")
    if calls <= 2:
        raise CarrierUnavailable(f"the carrier's office is closed (call {calls})")
    return {"tracking": f"PK{zlib.crc32(event['order'].encode()) % 1_000_000:06d}", "carrier": "Packet Post"}
