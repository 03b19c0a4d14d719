"""The console's editor: steps are edited in the graph, and the YAML follows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import Browsing
from stratum.statelang.spec import load_data

pytestmark = pytest.mark.browser

ORDER = """\
# An order.
stratum: "1"
workflow: order
version: 1.0.0
steps:
  # what it costs
  - id: quote
    task: shop.quote   # a function

  - id: charge
    task: shop.charge
    input: {price: "{% $quote %}"}

  - id: tell
    parallel:
      mail: [{id: mail, task: shop.mail}, {id: mailed, wait: 1m}]
      # where it can be found
      index:
        - id: put
          task: search.put   # 状態
"""


class Editor:
    def __init__(self, page: Any, text: str):
        self.page = page
        self.write(text)

    def write(self, text: str) -> None:
        box = self.page.get_by_role("textbox", name="Text of the workflow")
        box.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)
        self.until(lambda: self.text() == text)

    def text(self) -> str:
        return self.page.evaluate("sessionStorage.getItem('stratum-draft')")

    def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(300):
            if holds():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(self.text())

    def has(self, part: str) -> None:
        self.until(lambda: part in self.text())

    def order(self, steps: list[str]) -> None:
        self.until(lambda: [step["id"] for step in load_data(self.text())["steps"]] == steps)

    def has_focus(self, name: str) -> None:
        told = "document.activeElement.dataset.node || document.activeElement.id"
        self.until(lambda: self.page.evaluate(told) == name)

    def node(self, step: str) -> Any:
        return self.page.locator(f"[data-node='step {step}']")

    def said(self, words: str) -> None:
        self.page.get_by_role("status").filter(has_text=words).wait_for()

    def drag(self, start: Any, over: Any, *, x: float = 0.5, y: float = 0.5) -> None:
        a, b = start.bounding_box(), over.bounding_box()
        self.page.mouse.move(a["x"] + a["width"] / 2, a["y"] + min(12, a["height"] / 2))
        self.page.mouse.down()
        self.page.mouse.move(b["x"] + b["width"] * x, b["y"] + b["height"] * y, steps=5)
        self.page.mouse.up()


def test_steps_are_edited_in_the_graph_and_the_yaml_follows(browsing: Browsing) -> None:
    """Added, renamed, connected, moved and deleted; comments stay, each is undone as one, a refusal is told in place."""
    page = browsing.page("#/editor")
    editor = Editor(page, ORDER)
    editor.node("quote").click()
    page.get_by_label("Kind of the new step").select_option("wait")
    page.get_by_role("button", name="Add after quote").click()
    editor.said("new_wait was added, line 10")
    added = "    task: shop.quote   # a function\n\n  - id: new_wait\n    wait: 1m\n\n  - id: charge\n"
    editor.has(added)
    editor.node("new_wait").wait_for()
    assert page.locator(".cm-activeLine").inner_text().strip() == "wait: 1m"

    page.get_by_label("Name", exact=True).fill("settle")
    page.keyboard.press("Enter")
    editor.node("settle").wait_for()
    assert page.evaluate("document.activeElement.id") == "step-name"
    page.get_by_label("then").select_option("tell")
    editor.said("settle leads to tell")
    editor.has("    wait: 1m\n    next: tell\n")
    editor.node("charge").and_(page.locator(".mark-wrong")).wait_for()  # drawn, though nothing leads to it
    page.get_by_text("1 error").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("no findings").wait_for()

    editor.node("quote").click()
    page.get_by_label("Name", exact=True).fill("offer")
    page.get_by_role("button", name="Rename").click()
    editor.said("quote is now offer")
    editor.has('input: {price: "{% $offer %}"}')
    editor.has("# what it costs\n  - id: offer\n")

    page.get_by_label("on error").fill("Busy, Closed")
    page.get_by_label("Step that it leads to").select_option("tell")
    page.get_by_role("button", name="Connect").click()
    editor.said("offer leads to tell")
    editor.has("    on_error:\n      - match: [Busy, Closed]\n        next: tell\n")
    page.get_by_role("button", name="Take away: on Busy, Closed").click()
    editor.said("a way of offer was taken away")

    editor.node("put").click()
    page.get_by_role("button", name="Delete put").click()
    editor.said("put was deleted")
    editor.node("mailed").click()
    page.get_by_role("button", name="Delete mailed").click()
    editor.said("mailed was deleted")
    editor.node("mail").click()
    page.get_by_role("button", name="Delete mail").click()
    page.get_by_role("alert").filter(has_text="`mail` is the only step of `tell`").wait_for()

    for _ in range(7):
        page.get_by_role("button", name="Undo").click()
    editor.until(lambda: editor.text() == ORDER)
    page.get_by_role("button", name="Redo").click()
    editor.until(lambda: "new_wait" in editor.text())


def test_steps_are_edited_by_keyboard_alone(browsing: Browsing) -> None:
    page = browsing.page("#/editor")
    editor = Editor(page, ORDER)
    editor.node("charge").wait_for()
    editor.node("charge").focus()
    assert "Alt+ArrowUp" in editor.node("charge").get_attribute("aria-keyshortcuts")
    page.keyboard.press("Alt+ArrowUp")
    editor.said("charge was moved")
    editor.has_focus("step charge")
    editor.order(["charge", "quote", "tell"])
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowUp")  # as fast as anyone types
    editor.until(lambda: editor.text() == ORDER)
    editor.has_focus("step charge")
    inside = page.locator("[data-node='step tell'] ~ g [data-node='step charge']")
    page.keyboard.press("Alt+ArrowRight")  # into the list beside it: the first branch, written in brackets
    editor.has("wait: 1m}, {id: charge")
    inside.wait_for()
    editor.has_focus("step charge")
    page.keyboard.press("Alt+ArrowLeft")
    editor.until(
        lambda: editor.text().endswith('- {id: charge, task: shop.charge, input: {price: "{% $quote %}"}}\n')
    )
    inside.wait_for(state="detached")
    editor.has_focus("step charge")
    page.keyboard.press("F2")
    editor.has_focus("step-name")
    page.keyboard.type("pay")
    page.keyboard.press("Enter")
    editor.node("pay").wait_for()
    editor.node("pay").focus()
    page.keyboard.press("Insert")
    editor.has_focus("new-kind")
    page.keyboard.type("gate")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    editor.node("new_gate").wait_for()
    editor.node("new_gate").focus()
    page.keyboard.press("Delete")
    editor.said("new_gate was deleted")
    editor.has_focus("step pay")
    editor.order(["quote", "tell", "pay"])


def test_steps_are_dragged(browsing: Browsing) -> None:
    page = browsing.page("#/editor", height=1400)
    editor = Editor(page, ORDER)
    editor.node("mailed").wait_for()
    page.get_by_role("button", name="Smaller").click()
    page.get_by_role("button", name="Smaller").click()
    editor.drag(editor.node("charge").locator(".shape"), editor.node("quote").locator(".shape"), y=0.1)
    editor.said("charge was moved")
    editor.order(["charge", "quote", "tell"])
    page.wait_for_timeout(300)
    editor.drag(editor.node("charge").locator(".shape"), editor.node("tell").locator(".shape"), x=0.85, y=0.8)
    editor.until(lambda: re.search(r"search.put.*\n *- id: charge", editor.text()) is not None)
    page.wait_for_timeout(300)
    editor.node("quote").click()
    editor.drag(page.locator("[data-handle='step quote']"), editor.node("tell").locator(".shape"), y=0.05)
    editor.said("quote leads to tell")
    editor.has("# what it costs\n  - id: quote\n    task: shop.quote   # a function\n    next: tell\n")


def test_files_are_opened_and_saved_as_they_are(browsing: Browsing, tmp_path: Path) -> None:
    """Line ends of the file come back; ASL is pasted, drawn and run step by step, and edited in its text."""
    (tmp_path / "order.yaml").write_bytes(ORDER.replace("\n", "\r\n").encode())
    page = browsing.page("#/editor")
    page.set_input_files("input[type=file]", str(tmp_path / "order.yaml"))
    page.locator("[data-node='step quote']").click()
    page.get_by_role("button", name="Add after quote").click()
    page.locator("[data-node='step new_task']").wait_for()
    page.get_by_text("no findings").wait_for()
    with page.expect_download() as download:
        page.locator(".export select").select_option("spec")
    saved = Path(download.value.path()).read_bytes().decode()
    task = "  - id: new_task\r\n    task: module.function\r\n\r\n  - id: charge"
    assert saved == ORDER.replace("\n", "\r\n").replace("  - id: charge", task)

    asl = {"StartAt": "Größe 状態", "States": {
        "Größe 状態": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Next": "Warten"},
        "Warten": {"Type": "Wait", "Seconds": 86400, "Next": "Ende"}, "Ende": {"Type": "Succeed"}}}  # fmt: skip
    editor = Editor(page, json.dumps(asl, ensure_ascii=False, indent=1))
    page.locator("[data-node='state Größe 状態']").wait_for()
    page.get_by_text("A definition in Amazon States Language is edited in its text").wait_for()
    assert page.get_by_role("button", name=re.compile("^Add")).count() == 0
    page.get_by_role("button", name="Run from the beginning").click()
    page.get_by_label("It answers (JSON)").fill('{"ok": true}')
    page.get_by_role("button", name="Answer Größe 状態").click()
    page.locator(".try .status", has_text="Succeeded").first.wait_for()
    assert "of virtual time" in page.locator(".try .title-line").inner_text()
    for what in ("asl", "mermaid", "svg", "png"):
        with page.expect_download() as download:
            page.locator(".export select").select_option(what)
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(b"\x89PNG") if what == "png" else "Größe 状態" in content.decode()
    assert json.loads(editor.text()) == asl


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (320, False)])
def test_axe_finds_nothing_serious_in_the_tools(browsing: Browsing, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browsing.page("#/editor", width=width, dark=dark)
    editor = Editor(page, ORDER.replace("shop.charge", "shop.charge\n    next: nowhere"))
    editor.node("charge").and_(page.locator(".mark-wrong")).wait_for()
    for step in ("tell", "charge"):
        editor.node(step).focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name=f"Add after {step}").wait_for()
        found = axe.run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    page.get_by_label("Name", exact=True).fill("a b")
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="cannot be a step's id").wait_for()
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0
