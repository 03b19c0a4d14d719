"""What was done is undone when the workflow fails: latest first, each once, whatever else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from runs import Busy, Fatal, Ran, answers, echo

PARALLEL = """
steps:
  - id: both
    parallel:
      left:
        - {id: a, task: m.do, input: {what: a}, compensate: {task: m.undo, input: {what: "{% $a.what %}"}}}
        - {id: b, task: m.do, input: {what: b}, compensate: {task: m.undo, input: {what: "{% $b.what %}"}}}
      middle: [{id: pause, wait: 5s}, {id: broken, task: m.broken}]
      right: [{id: c, task: m.do, input: {what: c}}]
"""


@pytest.mark.parametrize("restarts", [False, True])
def test_a_branch_that_fails_leaves_nothing_of_the_others(restarts: bool) -> None:
    there: set[str] = set()

    def do(event: Any, context: Any) -> Any:
        there.add(event["what"])
        return event

    def undo(event: Any, context: Any) -> None:
        there.remove(event["what"])

    ran = Ran(PARALLEL, {}, {"m.do": do, "m.undo": undo, "m.broken": answers(Fatal("no"))}, restarts=restarts)
    assert (ran.status, ran.error, ran.seconds) == ("FAILED", "Fatal", 5)
    assert there == {"c"}  # nobody said how that is undone
    assert [call["what"] for name, call in zip(ran.called, ran.calls, strict=True) if name == "m.undo"] == [
        "b",
        "a",
    ]


def test_every_compensation_is_tried_again_and_the_error_stays() -> None:
    spec = """
steps:
  - {id: a, task: m.do, compensate: {task: m.undo, input: {what: "{% $a %}"}}}
  - {id: broken, task: m.broken}
"""
    ran = Ran(
        spec,
        {},
        {"m.do": answers("A"), "m.undo": answers(Busy(), Busy(), None), "m.broken": answers(Fatal("why"))},
    )
    assert (ran.error, json.loads(ran.cause)["errorMessage"], ran.count("m.undo")) == ("Fatal", "why", 3)
    assert ran.seconds == 3  # one second, then two


def test_a_compensation_that_fails_for_good_tells_both_errors_and_goes_on_after_a_redrive() -> None:
    spec = """
steps:
  - {id: a, task: m.do, compensate: {task: m.undo, input: {what: a}, retry: none}}
  - {id: b, task: m.do, compensate: {task: m.undo, input: {what: b}, retry: none}}
  - {id: c, task: m.do, compensate: {task: m.undo, input: {what: c}, retry: none}}
  - {id: broken, task: m.broken}
"""
    tried: list[str] = []

    def undo(event: Any, context: Any) -> None:
        tried.append(event["what"])
        if event["what"] == "b" and tried.count("b") < 3:
            raise Busy("not now")

    functions = {"m.do": echo, "m.undo": undo, "m.broken": answers(Fatal("why"))}
    stuck = Ran(spec, {}, functions)
    assert (stuck.status, stuck.error) == ("FAILED", "Stratum.CompensationFailed")
    cause = json.loads(stuck.cause)
    assert (cause["step"], cause["left"]) == ("b", ["b", "a"])
    assert (cause["error"]["Error"], cause["compensation"]["Error"]) == ("Fatal", "Busy")
    assert tried == ["c", "b"]
    for restarts in (False, True):
        tried.clear()
        redriven = Ran(spec, {}, functions, redrives=2, restarts=restarts)
        assert tried == ["c", "b", "b", "b", "a"]
        assert (redriven.status, redriven.error) == ("FAILED", "Fatal")
