"""A cloud for tests of the console: a workflow with a bit of everything, and ways to ask the console's API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from stratum.handlers.console import api
from stratum.handlers.console.host import Console
from stratum.handlers.console.stories import Stories
from stratum.handlers.identity import Identity
from stratum.handlers.work.answers import Desk
from stratum.handlers.workflows import check, deploy, workflow_of
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.console.tryout import try_out
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

ADA, BOB = Identity("ada", "console", "here"), Identity("bob", "console", "here")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SHOP = """\
stratum: "1"
workflow: shop
version: 1.0.0
types: {Order: {id: string, card: {type: string, secret: true}, items: [string]}}
input: Order
steps:
  - id: quote
    task: shop.quote
    input: {order: "{% $input.id %}", card: "{% $input.card %}"}
    output: {price: number, note: string}
    ensure: [$result.price > 0]
    retry: {attempts: 3, backoff: linear, delay: 1s}
  - id: approve
    gate:
      message: "{% 'Order ' & $input.id %}"
      approvers: ["*"]
      timeout: 24h
      on_timeout: reject
      form: {limit: {type: integer, minimum: 1}}
      values: {limit: 10}
  - id: parcels
    map: {items: $input.items, as: item}
    steps: [{id: label, task: shop.label, input: {item: "{% $item %}"}}]
  - {id: settle, wait: 10m}
  - {id: done, succeed: {price: "{% $quote.price %}"}}
"""
INPUT = {"id": "o-1", "card": "4111-1111-1111", "items": ["a", "b", "c"]}


class World:
    def __init__(self, store_url: str = "sqlite:///:memory:") -> None:
        self.prices = [-1, 7]
        self.store = open_store(store_url)
        self.cloud = LocalCloud(
            self.store,
            InProcessFunctions({"shop-quote": self._quote, "shop-label": self._label}),
            clock=VirtualClock(),
            workers=0,
        )
        self.who: Identity | None = ADA
        self.stories = Stories()
        self.machine = self.deploy(SHOP)

    def _quote(self, event: Any, context: Any) -> Any:
        price = self.prices.pop(0) if len(self.prices) > 1 else self.prices[0]
        return {"price": price, "note": f"{HOSTILE} {event['card']}"}

    def _label(self, event: Any, context: Any) -> Any:
        if event["item"] == "bad":
            raise ValueError(HOSTILE)
        return f"label of {event['item']}"

    def deploy(self, spec: str) -> str:
        checked = check(spec.encode(), "shop.yaml")
        assert checked.ok, checked.texts
        return deploy(self.cloud.runtime, self.store.tenant, workflow_of(checked))

    def console(self) -> Console:
        return Console(
            Desk(self.cloud.runtime, self.store.tenant), self.who, try_out=try_out, stories=self.stories
        )

    def settle(self) -> None:
        """Does what there is to do now, and lets no time pass."""
        while self.cloud._work():
            pass

    def finish(self) -> None:
        self.cloud.drain()

    def get(self, name: str, /, **parameters: Any) -> Any:
        return self._answered(self.raw("GET", name, urlencode(parameters)))

    def post(self, name: str, /, **body: Any) -> Any:
        return self._answered(self.raw("POST", name, body=json.dumps(body)))

    def raw(
        self, method: str, name: str, query: str = "", body: str = "", headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return api.handle(
            self.console(),
            {
                "rawPath": f"/anywhere/api/{name}", "rawQueryString": query, "body": body,
                "headers": {"x-stratum-console": "1"} if headers is None else headers,
                "requestContext": {"http": {"method": method}},
            },
        )  # fmt: skip

    def _answered(self, answer: dict[str, Any]) -> Any:
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])

    def refused(self, name: str, /, **body: Any) -> tuple[int, dict[str, Any]]:
        answer = self.raw("POST", name, body=json.dumps(body))
        assert answer["statusCode"] != 200, answer
        return answer["statusCode"], json.loads(answer["body"])

    def start(self, name: str = "first", **changed: Any) -> str:
        started = self.post("start", machine=self.machine, name=name, input={**INPUT, **changed})
        self.settle()
        return started["execution"]

    def to_the_gate(self, name: str = "first", **changed: Any) -> tuple[str, dict[str, Any]]:
        """An execution that has come to its gate, whose first quote was not as it should be; and the gate."""
        execution = self.start(name, **changed)
        clock = self.cloud.clock
        assert isinstance(clock, VirtualClock)
        while not (items := self.get("gates", execution=execution)["items"]):
            wake = self.cloud.queues.next_wake
            assert wake is not None
            clock.advance_to(wake)
            self.settle()
        return execution, items[0]
