"""The workflow that the simulation runs: every kind of waiting, a saga, a child, and handlers that fail as planned."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

CHILD = """
stratum: "1"
workflow: parcel
version: 1.0.0
input: {number: integer}
steps:
  - {id: dry, wait: 90s}
  - {id: label, task: shop.label, input: {number: "{% $input.number %}"}, output: string}
result: "{% $label %}"
"""
SPEC = """
stratum: "1"
workflow: purchase
version: 1.0.0
input: {number: integer}
output: {receipt: string, packed: [integer], label: any}
steps:
  - id: charge
    task: shop.charge
    input: {number: "{% $input.number %}", attempt: "{% $attempt %}"}
    output: string
    retry: {on: [Busy], attempts: 4, backoff: linear, delay: 30s}
    compensate: {task: shop.refund, input: {receipt: "{% $charge %}"}}
  - id: packed
    map: {items: "[1..4]", as: item, max_concurrency: 3}
    steps:
      - id: pack
        task: shop.pack
        input: {number: "{% $input.number %}", item: "{% $item %}"}
        output: integer
        retry: {on: [Jammed], attempts: 6, delay: 1s}
  - id: both
    parallel:
      slow:
        - {id: rest, wait: 10m}
        - {id: told, task: shop.tell, input: {number: "{% $input.number %}"}}
      quick:
        - {id: noted, task: shop.note, input: {number: "{% $input.number %}"}}
  - {id: parcel, when: $input.number % 3 = 0, workflow: parcel, input: {number: "{% $input.number %}"}}
  - {id: overnight, wait: 8h}
  - id: ship
    task: shop.ship
    input: {number: "{% $input.number %}"}
result: {receipt: "{% $charge %}", packed: "{% $packed %}", label: "{% $parcel %}"}
"""
PERIOD = 15
"""Purchases whose numbers differ by this end alike."""


class Busy(Exception):
    """The till is busy."""


class Jammed(Exception):
    """The packing machine is jammed."""


class Lost(Exception):
    """The parcel is lost, for good."""


def handlers(ledger: Ledger) -> dict[str, Callable[[Any, Any], Any]]:
    """By the names of their functions."""
    performed: dict[str, Callable[[Any], Any]] = {
        "shop-charge": _charge,
        "shop-refund": lambda event: event["receipt"],
        "shop-pack": lambda event: event["item"] * event["number"],
        "shop-tell": lambda event: None,
        "shop-note": lambda event: None,
        "shop-label": lambda event: f"parcel {event['number']}",
        "shop-ship": _ship,
    }
    return {name: ledger.kept(name, handler) for name, handler in performed.items()}


def _charge(event: Any) -> str:
    if event["attempt"] <= event["number"] % 3:
        raise Busy("try again")
    return f"receipt {event['number']}"


def _ship(event: Any) -> None:
    if event["number"] % 5 == 0:
        raise Lost(f"parcel {event['number']}")


def outcome(number: int) -> Any:
    """The output of a purchase, or the name of its error."""
    if number % 5 == 0:
        return "Lost"
    label = f"parcel {number}" if number % 3 == 0 else None
    return {
        "receipt": f"receipt {number}",
        "packed": [number * item for item in (1, 2, 3, 4)],
        "label": label,
    }


class Ledger:
    """What the handlers have done, in a file that several processes write to.

    A handler does its work once under an idempotency key and answers the same each time, as a good handler does;
    how often it was asked is counted.
    """

    def __init__(self, path: str):
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def kept(self, name: str, handler: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def call(event: Any, context: Any) -> Any:
            key = context.client_context.custom["idempotency_key"]
            self._file().execute(
                "insert into done values (?, ?, 1) on conflict do update set asked = asked + 1", (key, name)
            )
            return handler(event)

        return call

    def asked(self) -> Mapping[str, int]:
        """How often, by key."""
        return dict(self._file().execute("select key, asked from done"))

    def _file(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=60)
            self._connection.execute("pragma synchronous = off")
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute(
                "create table if not exists done (key text primary key, name text, asked integer)"
            )
        return self._connection
