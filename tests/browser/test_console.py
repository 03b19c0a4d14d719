"""The console as people use it, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browsing import Browsing
from console_world import ADA, BOB, HOSTILE, INPUT, SHOP

pytestmark = pytest.mark.browser
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:shop:"


def test_an_execution_from_its_form_to_its_end(browsing: Browsing) -> None:
    """Started from the form, watched without reload, its failed attempt opened, its gate approved by another person, and
    forked at a step."""
    world = browsing.world
    page = browsing.page("#/workflows")
    page.get_by_role("button", name="Start shop").click()
    form = page.get_by_role("dialog")
    form.get_by_label("id").fill("o-7")
    form.get_by_label("card").fill("4111-1111")
    assert form.get_by_label("card").get_attribute("type") == "password"
    form.get_by_role("button", name="Add one").click()
    form.get_by_role("textbox", name="items 1").fill("a lamp")
    form.get_by_label("Name of the execution").fill("by-form")
    form.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("heading", name="by-form").wait_for()
    status = page.locator(".title-line .live")
    assert status.inner_text() == "Running"
    reloaded = page.evaluate("window.same = true")
    quote_node = page.locator("[data-node='step quote']")
    world.settle()
    page.locator("[data-node='step quote'].tone-retrying").wait_for()
    while not world.get("gates")["items"]:
        wake = world.cloud.queues.next_wake
        assert wake is not None
        world.cloud.clock.advance_to(wake)  # pyright: ignore[reportAttributeAccessIssue]
        world.settle()
    page.locator("[data-node='step approve'].tone-waiting").wait_for()
    assert "2 attempts" in (quote_node.get_attribute("aria-label") or "")

    quote_node.click()
    inspector = page.get_by_role("region", name="Step quote")
    inspector.get_by_text("1 violation").wait_for()
    assert "$result.price > 0" in inspector.locator(".violations").inner_text()
    inspector.get_by_role("button", name="Show what differs from attempt 1").click()
    assert "-1" in inspector.locator(".diff .minus").last.inner_text()
    assert "4111" not in page.content()
    inspector.get_by_role("button", name=re.compile("^Line ")).click()
    assert page.locator(".source-line.chosen").inner_text().split() == ["7", "-", "id:", "quote"]

    page.get_by_role("link", name="Gates", exact=True).click()
    page.get_by_text("You cannot decide this: ada has started this execution").wait_for()
    world.who = BOB
    gate = browsing.page("#/gates")
    gate.get_by_label("limit").fill("7")
    gate.get_by_role("button", name="Approve").click()
    gate.get_by_role("dialog").get_by_label("Comment").fill("go on")
    gate.get_by_role("dialog").get_by_role("button", name="Approve").click()
    gate.get_by_text("approve of by-form: approved").wait_for()
    gate.get_by_text("No gate waits for a decision").wait_for()

    page.evaluate("place => { location.hash = place }", f"#/execution/{quote(EXECUTION + 'by-form')}")
    page.get_by_role("heading", name="by-form").wait_for()
    world.finish()
    page.locator(".title-line .live", has_text="Succeeded").wait_for()
    assert page.evaluate("window.same") is reloaded is True
    page.get_by_role("tab", name="Input & output").click()
    page.get_by_role("group", name="Output").get_by_text('"price"').wait_for()

    page.locator("[data-node='step parcels']").click(position={"x": 8, "y": 8})
    page.get_by_role("button", name="Fork from here").click()
    fork = page.get_by_role("dialog")
    fork.get_by_label("Name of the new execution").fill("forked")
    fork.get_by_role("button", name="Fork it").click()
    page.get_by_role("heading", name="forked").wait_for()
    world.finish()
    page.locator(".title-line .live", has_text="Succeeded").wait_for()
    page.get_by_text("fork of by-form").wait_for()


def test_stopped_and_redriven_by_keyboard(browsing: Browsing) -> None:
    world = browsing.world
    execution, _ = world.to_the_gate("one")
    page = browsing.page(f"#/execution/{quote(execution)}")
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Why, for the log").fill("a mistake")
    page.keyboard.press("Enter")
    page.get_by_text("a mistake").wait_for()
    assert page.get_by_role("dialog").count() == 0
    page.get_by_role("button", name="Redrive").click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("button", name="Redrive").click()
    page.get_by_role("button", name="Redrive it").click()
    page.locator(".title-line .live", has_text="Running").wait_for()
    world.settle()
    # From node to node with the arrows; the tabs too.
    page.locator("[data-node='step quote']").click()
    page.locator("[data-node='step quote']").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("region", name="Step approve").wait_for()
    page.get_by_role("tab", name="Timeline").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("table", name="Events").wait_for()


def test_a_draft_is_broken_mended_and_run(browsing: Browsing, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    page = browsing.page("#/editor")
    page.set_input_files("input[type=file]", str(tmp_path / "shop.yaml"))
    page.locator("[data-node='step parcels']").wait_for()
    page.get_by_text("no findings").wait_for()
    text = page.get_by_role("textbox", name="Text of the workflow")
    text.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  - {id: more, task: nothing.here, input: {a: '{% $qoute.price %}'}}")
    page.locator(".findings li.error", has_text="did you mean").or_(
        page.locator(".findings li.error")
    ).first.wait_for()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(SHOP)
    page.get_by_text("no findings").wait_for()
    page.get_by_label("Input (JSON)").fill(json.dumps(INPUT))
    page.get_by_role("button", name="Run from the beginning").click()
    page.get_by_label("It answers (JSON)").fill('{"price": 5, "note": "n"}')
    page.get_by_role("button", name="Answer quote").click()
    page.get_by_role("button", name="approve", exact=True).wait_for()
    assert page.get_by_role("button", name="revise").count() == 0  # the gate has none
    page.get_by_role("button", name="approve", exact=True).click()
    page.get_by_label("It answers (JSON)").fill('"x"')
    page.get_by_role("button", name="Answer label").click()
    page.locator(".try .status", has_text="Succeeded").first.wait_for()
    for what, name in (
        ("asl", "shop.asl.json"),
        ("svg", "shop.svg"),
        ("png", "shop.png"),
        ("mermaid", "shop.mmd"),
    ):
        with page.expect_download() as download:
            page.locator(".export select").select_option(what)
        assert download.value.suggested_filename == name
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(
            {"asl": b"{", "svg": b"<svg", "png": b"\x89PNG", "mermaid": b"flowchart"}[what]
        )


def test_versions_side_by_side_and_an_alias_moved(browsing: Browsing) -> None:
    publish(browsing)
    page = browsing.page(f"#/workflow/{quote(browsing.world.machine)}")
    page.get_by_label("Compare 1.0.0").check()
    page.get_by_label("Compare 1.1.0").check()
    page.get_by_role("button", name="Compare the two that are marked").click()
    page.locator("li", has_text="step settle: wait: 1h, was 10m").wait_for()
    assert page.locator(".node.mark-changed").count() == 2
    page.get_by_role("tab", name="Text").click()
    assert "wait: 1h" in page.locator(".diff .plus").last.inner_text()
    page.go_back()
    page.get_by_role("button", name="A new alias").click()
    page.get_by_label("Name", exact=True).fill("prod")
    page.get_by_label("in percent").fill("100")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Move prod").wait_for()
    page.get_by_text("moved to 1.1.0 by ada").wait_for()


def publish(browsing: Browsing) -> None:
    from stratum.handlers.versions import publishing
    from stratum.handlers.workflows import check, workflow_of

    world = browsing.world
    for text in (SHOP, SHOP.replace("1.0.0", "1.1.0").replace("wait: 10m", "wait: 1h")):
        workflow = workflow_of(check(text.encode(), "shop.yaml"))
        publishing.publish(world.cloud.runtime, world.store.tenant, workflow, workflow.spec.version, ADA)


def test_hostile_content_is_text(browsing: Browsing) -> None:
    """In names of states, inputs, outputs, errors, comments and YAML; the page says so itself if anything of it runs."""
    world = browsing.world
    execution, gate = world.to_the_gate("hostile", id=HOSTILE, items=["bad"])
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", comment=HOSTILE, shown=gate["digest"])
    world.finish()
    page = browsing.page(f"#/execution/{quote(execution)}")
    page.get_by_text(HOSTILE).first.wait_for()
    for tab in ("Events", "YAML", "Input & output"):
        page.get_by_role("tab", name=tab).click()
    states = {HOSTILE: {"Type": "Fail", "Error": HOSTILE, "Cause": HOSTILE}}
    page = browsing.page("#/editor")
    text = page.get_by_role("textbox", name="Text of the workflow")
    text.click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(json.dumps({"StartAt": HOSTILE, "States": states}))
    page.locator(f"[data-node={json.dumps('state ' + HOSTILE)}]").wait_for()
    assert page.locator("script").count() == 1
    assert page.locator("img[onerror]").count() == 0


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (320, False)])
def test_axe_finds_nothing_serious(browsing: Browsing, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    world = browsing.world
    publish(browsing)
    world.post("alias", workflow="shop", alias="prod", version="1.1.0", weight=10)
    execution, _ = world.to_the_gate("one", items=["a", "bad"])
    world.start("two")
    page = browsing.page(width=width, dark=dark)
    found: list[str] = []

    def look(place: str) -> None:
        page.wait_for_timeout(300)
        for violation in axe.run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = "; ".join(node["html"][:200] for node in violation["nodes"][:3])
                found.append(f"{place}: {violation['id']}: {violation['help']}: {nodes}")

    for place in ("executions", f"execution/{quote(execution)}", "gates", "agents", "workflows", f"workflow/{quote(world.machine)}",
                  "compare?workflow=shop&old=1.0.0&new=1.1.0", "editor", "executions?name=nothing"):  # fmt: skip
        page.evaluate("place => { location.hash = place }", f"#/{place}")
        page.locator("main h1").wait_for()
        page.wait_for_timeout(500)
        look(place)
        if place.startswith("execution/"):
            page.locator("[data-node='step quote']").click()
            for tab in ("Events", "YAML", "Input & output"):
                page.get_by_role("tab", name=tab).click()
                look(f"{place}, {tab}")
            page.get_by_role("button", name="Fork from here").click()
            look(f"{place}, a dialog")
            page.keyboard.press("Escape")
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{place} is {over} pixels too wide"
    assert found == []


def test_the_list_is_live_searched_and_paged(browsing: Browsing) -> None:
    world = browsing.world
    for number in range(60):
        world.start(f"order-{number:02}")
    page = browsing.page()
    page.get_by_role("link", name="order-59").wait_for()
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("button", name="Earlier ones").click()
    page.get_by_role("link", name="order-00").wait_for()
    page.get_by_label("Name has").fill("order-1")
    page.get_by_role("link", name="order-10").wait_for()
    page.get_by_role("link", name="order-59").wait_for(state="detached")
    assert page.locator("tbody tr").count() == 10
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("link", name="order-59").wait_for()
    world.start("brand-new")
    page.get_by_role("link", name="brand-new").wait_for()


def _many(states: int) -> dict[str, Any]:
    chain = {
        f"State number {number} – ünïcödé 状態": {
            "Type": "Pass",
            **(
                {"End": True}
                if number == states - 1
                else {"Next": f"State number {number + 1} – ünïcödé 状態"}
            ),
        }
        for number in range(states)
    }
    return {"StartAt": "State number 0 – ünïcödé 状態", "States": chain}


def _map(item: dict[str, Any], **processor: Any) -> str:
    each = {"StartAt": "Item", "States": {"Item": {"End": True, **item}}, **processor}
    return json.dumps(
        {
            "StartAt": "Each",
            "States": {
                "Each": {"Type": "Map", "ItemProcessor": each, "ToleratedFailurePercentage": 50, "End": True}
            },
        }
    )


def test_much_stays_usable(browsing: Browsing) -> None:
    """A graph of 200 states, a Map of 3,000 items within one execution, and a distributed one of 1,000."""
    world = browsing.world
    fails = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:shop-label"}
    items = json.dumps([{"item": "bad" if at in (500, 700) else "good"} for at in range(1000)])

    def start(name: str, definition: str, input: str = "{}") -> str:
        machine = world.cloud.call(
            "CreateStateMachine", name=name, definition=definition, roleArn="arn:aws:iam::1:role/r"
        )
        return world.cloud.call(
            "StartExecution", stateMachineArn=machine["stateMachineArn"], name=name, input=input
        )["executionArn"]

    started = start("long", json.dumps(_many(200)))
    wide = start("wide", _map({"Type": "Pass"}), json.dumps(list(range(3000))))
    spread = start(
        "spread", _map(fails, ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}), items
    )
    world.finish()
    page = browsing.page(f"#/execution/{quote(started)}")
    page.locator(".node.tone-done").nth(199).wait_for()
    page.get_by_role("tab", name="Events").click()
    page.locator(".event", has_text="ExecutionStarted").wait_for()
    assert page.locator(".event").count() < 80

    page.evaluate("performance.clearResourceTimings()")
    page.evaluate("place => { location.hash = place }", f"#/execution/{quote(wide)}")
    page.get_by_text("×3,000").wait_for()
    sent = page.evaluate(
        "performance.getEntriesByType('resource').filter(each => each.name.includes('/api/execution?')).map(each => each.transferSize)"
    )
    assert 0 < sum(sent) < 60_000
    page.locator(".timeline-row.group").click()
    page.locator(".timeline-items .timeline-row").nth(39).wait_for()
    page.get_by_label("Go to the item of this number").fill("2990")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Item #2990: done").click()
    page.get_by_role("region", name="Step Item").get_by_text("#2990").first.wait_for()
    page.get_by_text("2,991 of 3,000").wait_for()
    page.get_by_role("tab", name="Events").click()
    page.locator(".events-box").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    page.locator(".event", has_text="ExecutionSucceeded").wait_for()

    page.evaluate("place => { location.hash = place }", f"#/execution/{quote(spread)}")
    page.locator("[data-node='state Each']").click(position={"x": 8, "y": 8})
    page.get_by_text("100 % of 1,000 items").wait_for()
    page.get_by_role("link", name="2 failed").click()
    page.get_by_role("link", name="Item 700").wait_for()
    assert page.locator("tbody tr").count() == 2
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Item number").fill("999")
    page.get_by_role("link", name="Item 999").click()
    page.get_by_role("link", name="item 999").wait_for()
