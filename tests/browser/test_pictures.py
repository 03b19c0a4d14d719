"""Pictures of every view, for people to look at: `STRATUM_PICTURES=DIR make browser` writes them into DIR.

What a test cannot say is whether a page is good to look at. This makes every page, each with what is hard for it, so
that somebody can.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browsing import Browsing
from console_world import ADA, BOB, HOSTILE, World
from stratum.handlers.console.host import Console
from stratum.handlers.identity import Identity
from stratum.handlers.versions import publishing
from stratum.handlers.workflows import check, workflow_of
from stratum.local.cli.cost import cost_line
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.console.server import ConsoleServer
from stratum.local.console.site import Site
from stratum.local.functions import InProcessFunctions

FOLDER = os.environ.get("STRATUM_PICTURES")
EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not FOLDER, reason="STRATUM_PICTURES names no folder"),
]
LONG = "The quick brown fox – Съешь ещё этих мягких французских булок – 快速的棕色狐狸 – الثعلب البني السريع"
LOOKS = ((1280, False), (1280, True), (320, False))
ROLE = "arn:aws:iam::123456789012:role/any"
NIGHTLY = """\
stratum: "1"
workflow: nightly
version: 2.3.1
description: Runs an order as an execution of its own, and prepares its parcels side by side.
input: {order: any}
steps:
  - id: order
    workflow: orders
    input: "{% $input.order %}"
  - id: prepare
    parallel:
      papers: [{id: print, task: shop.label, input: {item: "papers"}}]
      parcels:
        - {id: weigh, task: shop.label, input: {item: "weighed"}}
        - {id: cool, wait: 2h}
  - {id: done, succeed: {order: "{% $order %}"}}
"""


class Gallery(World):
    """The world of the console's tests, with the examples' workflows and functions in it."""

    def __init__(self, folder: Path):
        os.environ["STRATUM_EXAMPLE_DATA"] = str(folder)
        super().__init__()
        self.cloud = LocalCloud(
            self.store,
            InProcessFunctions(
                {"shop-quote": self._quote, "shop-label": self._label},
                [EXAMPLES / "orders", EXAMPLES / "release", EXAMPLES / "etl"],
            ),
            clock=VirtualClock(),
            workers=0,
        )
        for path in ("orders/orders.yaml", "release/reviewed.yaml", "etl/etl.yaml"):
            self.deploy((EXAMPLES / path).read_text())
        self.deploy(NIGHTLY)

    def console(self) -> Console:
        made = super().console()
        made.cost = lambda head: cost_line(self.store, head).removeprefix("cost: ")
        return made

    def begin(self, workflow: str, name: str, given: Any) -> str:
        machine = self.machine.replace(":shop", f":{workflow}")
        return self.post("start", machine=machine, name=name, input=given)["execution"]

    def until(self, done: Callable[[], bool]) -> None:
        self.settle()
        while not done():
            wake = self.cloud.queues.next_wake
            assert wake is not None
            self.cloud.clock.advance_to(wake)  # pyright: ignore[reportAttributeAccessIssue]
            self.settle()


class Photographer:
    def __init__(self, browsing: Browsing):
        self._browsing = browsing
        self.page = browsing.page()
        self._look = ""

    def look(self, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        self.page = self._browsing.page(width=width, height=height, dark=dark)
        self._look = f"{width}{'-dark' if dark else ''}-"

    def at(self, place: str) -> Any:
        self.page.evaluate("place => { location.hash = place }", f"#/{place}")
        self.page.locator("main h1").wait_for()
        self.page.wait_for_timeout(400)
        return self.page

    def take(self, name: str, *, full: bool = True) -> None:
        assert FOLDER is not None
        self.page.wait_for_timeout(250)
        size = self.page.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollHeight]"
        )
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], 2000)}
        path = str(Path(FOLDER) / f"{self._look}{name}.png")
        self.page.screenshot(path=path, full_page=full, **({"clip": clip} if full else {}))


@pytest.fixture
def gallery(chromium: Any, tmp_path: Path) -> Any:
    world = Gallery(tmp_path)
    with world.cloud, ConsoleServer(Site(world.console)) as server:
        made = Browsing(chromium, world, server)
        yield world, Photographer(made)
        made.close()
    assert made.complaints == []


def test_pictures(gallery: tuple[Gallery, Photographer]) -> None:
    world, photographer = gallery
    photographer.at("executions")
    photographer.take("executions-none")
    photographer.at("gates")
    photographer.take("gates-none")
    photographer.at("agents")
    photographer.take("agents-none")

    given = {
        name: json.loads((EXAMPLES / "orders" / name).read_text())
        for name in ("input.json", "declined.json", "out-of-stock.json")
    }
    for text in ((EXAMPLES / "orders" / "orders.yaml").read_text(),):
        for each in (
            text,
            text.replace("version: 1.0.0", "version: 1.1.0")
            .replace("cool_down, wait: 1s", "cool_down, wait: 5m")
            .replace("attempts: 4", "attempts: 6"),
        ):
            workflow = workflow_of(check(each.encode(), "orders.yaml"))
            publishing.publish(world.cloud.runtime, world.store.tenant, workflow, workflow.spec.version, ADA)
    world.post("alias", workflow="orders", alias="prod", version="1.0.0", reason="the first")
    world.post(
        "alias", workflow="orders", alias="prod", version="1.1.0", weight=10, reason="try the longer pause"
    )
    good = world.begin("orders", "order-1001", given["input.json"])
    declined = world.begin("orders", "order-1002", given["declined.json"])
    sold_out = world.begin("orders", "order-1003", given["out-of-stock.json"])
    nightly = world.begin("nightly", "night-of-tuesday", {"order": {**given["input.json"], "id": "o-77"}})
    world.finish()
    review = world.begin(
        "reviewed-release", "release-2.1.0", {"version": "2.1.0", "changes": ["faster start", "dark colours"]}
    )
    agents = world.get("agents")
    world.until(lambda: bool(world.get("agents")["items"]))
    agents = world.get("agents")["items"]
    world.console().desk.claim(
        agents[0]["handle"], Identity("ada", "mcp", "here", agent="claude-code"), "agent/1:writer"
    )
    shop, _ = world.to_the_gate("shop-1", items=["a lamp", "a book"])
    hostile, _ = world.to_the_gate(f"hostile-{'x' * 60}", id=HOSTILE, items=["<b>bold</b>", LONG])
    for number in range(70):
        world.start(f"order-{2000 + number}", id=f"o-{number}")
    etl = world.begin("etl", "zones-1970", json.loads((EXAMPLES / "etl" / "input.json").read_text()))
    world.settle()

    for width, dark in LOOKS:
        photographer.look(width, dark=dark)
        views(
            world,
            photographer,
            {
                "good": good,
                "declined": declined,
                "sold-out": sold_out,
                "nightly": nightly,
                "review": review,
                "shop": shop,
                "hostile": hostile,
                "etl": etl,
            },
        )


def views(world: Gallery, photographer: Photographer, executions: dict[str, str]) -> None:
    page = photographer.at("executions")
    photographer.take("executions-many")
    photographer.at("executions?status=FAILED")
    photographer.take("executions-filtered")
    photographer.at("executions?text=CardDeclined")
    page.locator("tbody tr").first.wait_for()
    photographer.take("executions-searched")
    photographer.at("executions?name=nothing-like-that")
    photographer.take("executions-none-like-that")
    for name, execution in executions.items():
        photographer.at(f"execution/{quote(execution)}")
        page.locator(".node").first.wait_for()
        photographer.take(f"execution-{name}")
    photographer.at(f"execution/{quote(executions['good'])}")
    page.locator("[data-node='step charge']").click()
    photographer.take("inspector-retried")
    for tab, name in (("Events", "events"), ("YAML", "yaml"), ("Input & output", "data")):
        page.get_by_role("tab", name=tab).click()
        photographer.take(f"execution-{name}")
    page.get_by_role("tab", name="Events").click()
    page.locator(".event .link").nth(4).click()
    photographer.take("event-whole")
    page.keyboard.press("Escape")
    photographer.at(f"execution/{quote(executions['shop'])}")
    page.locator("[data-node='step quote']").click()
    page.get_by_role("button", name="Show what differs from attempt 1").click()
    photographer.take("inspector-violation")
    page.get_by_role("button", name="Fork from here").click()
    photographer.take("dialog-fork", full=False)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Stop").click()
    photographer.take("dialog-stop", full=False)
    page.keyboard.press("Escape")
    photographer.at(f"execution/{quote(executions['declined'])}")
    page.get_by_role("button", name="Redrive").click()
    photographer.take("dialog-redrive", full=False)
    page.keyboard.press("Escape")
    world.who = BOB
    photographer.at("gates")
    photographer.take("gates", full=False)
    page.locator("details summary").first.click()
    photographer.take("gates-one", full=False)
    page.get_by_role("button", name="Approve").first.click()
    photographer.take("dialog-approve", full=False)
    page.keyboard.press("Escape")
    world.who = ADA
    photographer.at("agents")
    page.locator("details summary").first.click()
    photographer.take("agents")
    photographer.at("workflows")
    photographer.take("workflows")
    page.get_by_role("button", name="Start orders").click()
    photographer.take("dialog-start", full=False)
    page.keyboard.press("Escape")
    machine = world.machine.replace(":shop", ":orders")
    photographer.at(f"workflow/{quote(machine)}")
    photographer.take("workflow")
    page.get_by_role("button", name="Move prod").click()
    photographer.take("dialog-alias", full=False)
    page.keyboard.press("Escape")
    photographer.at("compare?workflow=orders&old=1.0.0&new=1.1.0")
    photographer.take("compare-graphs")
    page.get_by_role("tab", name="Text").click()
    photographer.take("compare-texts")
    photographer.at("editor")
    page.wait_for_timeout(600)
    photographer.take("editor")


def test_pictures_of_much(gallery: tuple[Gallery, Photographer]) -> None:
    world, photographer = gallery
    page = photographer.page
    chain: dict[str, dict[str, Any]] = {
        f"{number}. {LONG[22:-20] if number % 7 == 0 else 'Look again'}": {"Type": "Pass"}
        for number in range(200)
    }
    names = list(chain)
    for at, name in enumerate(names):
        chain[name] |= {"End": True} if at == len(names) - 1 else {"Next": names[at + 1]}

    def start(name: str, definition: dict[str, Any], given: Any) -> str:
        machine = world.cloud.call(
            "CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE
        )
        return world.cloud.call(
            "StartExecution", stateMachineArn=machine["stateMachineArn"], name=name, input=json.dumps(given)
        )["executionArn"]

    def over(states: dict[str, Any], **processor: Any) -> dict[str, Any]:
        item = {"StartAt": next(iter(states)), "States": states, **processor}
        return {
            "StartAt": "Every parcel",
            "States": {
                "Every parcel": {
                    "Type": "Map",
                    "ItemProcessor": item,
                    "ToleratedFailurePercentage": 20,
                    "End": True,
                }
            },
        }

    label = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:shop-label",
        "End": True,
    }
    caught = {**label, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Put aside"}]}
    items = [{"item": "bad" if at % 400 == 77 else f"parcel {at}"} for at in range(10_000)]
    long = start("two-hundred", {"StartAt": names[0], "States": chain}, {})
    inline = start(
        "inline-1000",
        over({"Print a label": caught, "Put aside": {"Type": "Pass", "End": True}}),
        items[:1000],
    )
    world.finish()
    wide = start(
        "distributed-10000",
        over({"Print a label": label}, ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}),
        items,
    )
    photographer.at(f"execution/{quote(wide)}")
    for _ in range(60):
        world.cloud._work()
    photographer.at("executions")
    photographer.at(f"execution/{quote(wide)}")
    page.locator("[data-node='state Every parcel']").click(position={"x": 8, "y": 8})
    photographer.take("map-running")
    world.finish()
    for width, dark in LOOKS:
        photographer.look(width, dark=dark)
        page = photographer.page
        photographer.at(f"execution/{quote(long)}")
        page.locator(".node").nth(199).wait_for()
        photographer.take("two-hundred", full=False)
        page.locator(".graph-box").evaluate("box => { box.scrollTop = 3000 }")
        page.locator(".node").nth(105).click()
        photographer.take("two-hundred-further", full=False)
        photographer.at(f"execution/{quote(inline)}")
        page.locator(".timeline-row.group").first.click()
        photographer.take("inline-1000")
        photographer.at(f"execution/{quote(wide)}")
        page.locator("[data-node='state Every parcel']").click(position={"x": 8, "y": 8})
        photographer.take("map-10000")
        page.get_by_role("link", name="The executions of its items").click()
        page.locator("tbody tr").first.wait_for()
        photographer.take("map-10000-items")
        page.get_by_role("link", name="failed").first.click()
        page.wait_for_timeout(500)
        photographer.take("map-10000-failed")
        page.locator("tbody a").first.click()
        page.locator(".node").first.wait_for()
        photographer.take("map-10000-one")
