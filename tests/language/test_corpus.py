"""Made-up specs: whatever they are, they compile, their machines are valid and end, and nothing done is left over."""

from __future__ import annotations

import json
import os
from typing import Any

from corpus import CHILD, specs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import Busy, Fatal, Ran, decided
from stratum.local.clock import VirtualClock

EXAMPLES = int(os.environ.get("STRATUM_EXAMPLES", "0"))
"""How many specs are made up; by default a few, the same every time. `make corpus` makes thousands, others every time."""


class World:
    """What the tasks of a made-up spec do, as their plan says; and what was done and undone."""

    def __init__(self, plan: dict[str, list[str]]):
        self.plan = plan
        self.clock = VirtualClock()
        self.calls: dict[str, int] = {}
        self.done: dict[str, str] = {}
        self.times: dict[str, int] = {}
        self.undone: list[str] = []
        self.wholes: list[str] = []
        self.odd: list[str] = []

    def outcome(self, id: str) -> str:
        planned = self.plan[id]
        at = self.calls[id] = self.calls.get(id, 0) + 1
        return planned[min(at, len(planned)) - 1]

    def do(self, event: Any, context: Any) -> Any:
        for ref, value in event["seen"].items():
            # What is referred to has run, or is null; a step that holds others has the result of one of them.
            if ref in self.plan and isinstance(value, dict) and "token" in value:
                if value["step"] != ref or value["token"] not in self.done:
                    self.odd.append(f"{event['what']} was given {value} as {ref}")
        return self.come_out(event["what"], self.outcome(event["what"]))

    def come_out(self, id: str, outcome: str) -> Any:
        if outcome == "busy":
            raise Busy(id)
        if outcome == "fatal":
            raise Fatal(id)
        token = f"{id}#{self.calls[id]}"
        self.done[token] = id
        self.times[token] = self.clock()
        return {"n": {"wrong": 0, "odd": "odd"}.get(outcome, 1), "token": token, "step": id}

    def undo(self, event: Any, context: Any) -> None:
        if "whole" in event:
            if event["what"] in self.wholes or event["n"] != [3]:
                self.odd.append(f"undone: {event}")
            self.wholes.append(event["what"])
            return
        if event["token"] in self.undone or event["n"] != [3]:
            self.odd.append(f"undone: {event}")
        self.undone.append(event["token"])

    def answer(self, item: dict[str, Any]) -> Any:
        outcome = self.outcome(item["step"])
        if item["kind"] == "gate":
            said = {"ok": "approve", "fatal": "reject", "revise": "revise"}.get(outcome)
            if said == "revise" and "revise" not in item["outcomes"]:
                said = "approve"
            return None if said is None else decided(said, item)
        try:
            return {
                "result": self.come_out(item["step"], outcome),
                "by": {"agent": "a"},
                "at": "now",
                "usage": {"usd": 1},
            }
        except Exception as error:
            return error


def committed(spec: dict[str, Any], world: World) -> set[str]:
    """What was done and has a compensation, also where the answer was not as ensured."""
    found: set[str] = set()

    def look(steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if "compensate" in step and step["id"] in world.plan:
                found.update(token for token, id in world.done.items() if id == step["id"])
            for inner in step.get("parallel", {}).values():
                look(inner)
            look(step.get("steps", []))

    look(spec["steps"])
    return found


def tolerant(spec: dict[str, Any]) -> bool:
    return "tolerate" in json.dumps(spec)


@settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(specs(), st.booleans())
def test_made_up_specs(made: tuple[dict[str, Any], dict[str, list[str]]], restarts: bool) -> None:
    spec, plan = made
    world = World(plan)
    functions = {"m.do": world.do, "m.undo": world.undo}
    ran = Ran(
        json.dumps(spec),
        {"n": 3},
        functions,
        world.answer,
        restarts=restarts,
        clock=world.clock,
        children={"child": CHILD},
    )
    assert world.odd == []
    assert ran.status in ("SUCCEEDED", "FAILED", "TIMED_OUT")
    done = committed(spec, world)
    assert set(world.undone) <= done
    if ran.status == "FAILED":
        assert set(world.undone) == done, (ran.error, ran.cause)
        times = [world.times[token] for token in world.undone]
        assert tolerant(spec) or times == sorted(times, reverse=True)
        assert ran.error is not None
        assert not ran.error.startswith("States.") or not done, (ran.error, ran.cause)
    elif ran.status == "SUCCEEDED" and not tolerant(spec):
        assert not world.undone
        assert not world.wholes
