"""Specs in tests, by their steps: nested ones, people and agents, compensation, and specs built in Python."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from stratum import Workflow
from stratum.local.testing import SetupError, TestCloud, after, iterations, never, sequence

EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"
EARLIER = Path(__file__).resolve().parents[1] / "statelang" / "earlier"
HEAD = 'stratum: "1"\nworkflow: w\nversion: 1.0.0\n'
NESTED = (
    HEAD
    + """
input: {items: [integer]}
steps:
  - id: labels
    map: {items: $input.items, as: item}
    steps:
      - {id: label, task: a.label, input: "{% $item %}", output: string, retry: {attempts: 2, delay: 1s}}
      - {id: pause, wait: 1m}
  - id: both
    parallel:
      left: [{id: one, task: a.one}]
      right: [{id: two, task: a.two}, {id: three, set: {n: 3}}]
  - id: rounds
    repeat: {until: $look.done, max: 3}
    steps: [{id: look, task: a.look, output: {done: boolean}}]
"""
)
WORK = (
    HEAD
    + """
steps:
  - id: book
    task: a.book
    compensate: {task: a.unbook, input: {id: "{% $book %}"}}
  - id: approve
    gate: {approvers: [ops@example.com], timeout: 24h, on_timeout: reject}
  - id: agree
    agent: claude
    intent: Think about it.
    output: {n: integer}
    ensure: [$result.n > 1]
    attempts: 2
  - {id: pay, task: a.pay}
"""
)


def test_nested_steps(stratum: TestCloud) -> None:
    done, not_yet = {"done": True}, {"done": False}
    result = stratum.run(
        NESTED,
        {"items": [1, 2]},
        mocks={
            "label": iterations("a", sequence(ValueError("no"), "b")),
            "one": 1,
            "two": 2,
            "look": sequence(not_yet, done),
        },
    ).succeeded()
    assert result.path == [
        "labels", "label", "pause", "label", "pause", "both", "one", "two", "three", "rounds", "look", "look",
    ]  # fmt: skip
    assert result.step("label").outputs == ["a", "b"]
    assert [visit.iteration for visit in result.step("label").visits] == [0, 1]
    assert result.step("look").attempts == 2


def test_people_and_agents_are_mocked(stratum: TestCloud) -> None:
    mocks: dict[str, Any] = {"book": "b-1", "approve": after("4h", "approve"), "agree": {"n": 2}, "pay": None}
    result = stratum.run(WORK, mocks=mocks).succeeded()
    assert result.path == ["book", "approve", "agree", "pay"]
    assert result.duration == timedelta(hours=4)
    assert result.step("approve").output["by"]["user"] == "ops@example.com"
    again = stratum.run(WORK, mocks={**mocks, "agree": sequence({"n": 1}, {"n": 5})}).succeeded()
    assert again.step("agree").attempts == 2
    assert again.step("agree").calls[1]["violations"]


def test_what_was_done_is_taken_back(stratum: TestCloud) -> None:
    back = {"book": "b-1", "book: compensate": None}
    for answer in ("reject", never):
        result = stratum.run(WORK, mocks={**back, "approve": answer}, all_mocks_used=True).failed()
        assert result.path == ["book", "approve", "book: compensate"]
        assert result.step("book: compensate").input == {"id": "b-1"}


def test_people_and_agents_answer_step_by_step(stratum: TestCloud) -> None:
    execution = stratum.start(WORK, mocks={"book": "b-1", "pay": None})
    [gate] = execution.waiting
    assert (gate.step, gate.input["approvers"]) == ("approve", ["ops@example.com"])
    execution.advance("2h")
    execution.send_task_success("approve")
    [work] = execution.waiting
    assert work.input["intent"] == "Think about it."
    execution.send_task_success({"n": 3}).succeeded()


@pytest.mark.parametrize("given", ["orders/flow.py", "orders/flow.py:orders"])
def test_specs_that_are_built_in_python(given: str) -> None:
    with TestCloud([EXAMPLES]) as stratum:
        order = {"id": "o", "customer": "a", "card": "4", "items": [{"sku": "lamp", "qty": 1}], "total": 1}
        mocks = {"validate": {"ok": False, "errors": ["no"]}}
        result = stratum.run(given, order, mocks=mocks).failed("Stratum.PostconditionFailed")
        assert result.path == ["validate"]
        with pytest.raises(SetupError, match="has no `nothing`"):
            stratum.run("orders/flow.py:nothing", order)


def test_a_builder_itself(stratum: TestCloud) -> None:
    wf = Workflow("built", version="1.0.0", input={"n": "integer"})
    wf.task("twice", "a.twice", input={"n": wf.input.n})
    result = stratum.run(wf, {"n": 2}, tasks={"a.twice": lambda event, context: event["n"] * 2})
    result.succeeded(4)
    assert result.path == ["twice"]


def thrice(event: Any, context: Any) -> Any:
    return event["n"] * 3


def test_a_builder_with_its_function(stratum: TestCloud) -> None:
    wf = Workflow("built", version="1.0.0", input={"n": "integer"})
    wf.task("times", thrice, input={"n": wf.input.n})
    stratum.run(wf, {"n": 2}).succeeded(6)


def test_a_spec_of_the_earlier_stratum_runs_once_it_is_rewritten(stratum: TestCloud) -> None:
    from stratum.statelang.earlier import rewrite

    specs = rewrite((EARLIER / "build-0.2.stratum.yaml").read_bytes()).specs
    phase = {"artifact": "a.md", "outcome": "complete", "summary": "a summary of it all"}
    mocks: dict[str, Any] = {
        "design": sequence({**phase, "summary": "short"}, phase, phase),
        "design_gate": sequence("revise", "approve"),
        "implement": phase,
        "check": {"Output": {"clean": True, "findings": []}},
        "ship": phase,
        "ship_gate": "approve",
    }
    result = stratum.run(specs["build"], {"feature": "f-1"}, mocks=mocks).succeeded()
    assert result.path == [
        "design",
        "design_gate",
        "design",
        "design_gate",
        "implement",
        "check",
        "ship",
        "ship_gate",
    ]
    assert result.output == phase
    rounds = sequence({"clean": False, "findings": ["a"]}, {"clean": True, "findings": []})
    review = stratum.run(specs["review_check"], {"task": "t"}, mocks={"review_round": rounds}).succeeded()
    assert review.output == {"clean": True, "findings": []}
