"""Retention: what has ended is forgotten in time, with all that belongs to it, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from stratum.handlers import retention, timers
from stratum.handlers.api.errors import ApiError
from stratum.handlers.api.front_door import call
from stratum.handlers.work.journal import Journal
from stratum.handlers.workflows import ROLE, check, deploy, workflow_of
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

DAY = 86_400_000
FAILS_ONCE = {
    "StartAt": "work",
    "States": {
        "work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "work"},
            "End": True,
        }
    },
}
MANY = {
    "StartAt": "all",
    "States": {
        "all": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "one",
                "States": {"one": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}
GATED = """\
stratum: "1"
workflow: gated
version: 1.0.0
input: {secret: string}
steps:
  - {id: may, gate: {approvers: [ada], shows: "{% $input.secret %}", timeout: 1h, on_timeout: reject}}
result: {by: "{% $may.outcome %}"}
"""


class World:
    def __init__(self) -> None:
        self.broken = False
        self.store = open_store("sqlite:///:memory:")
        self.clock = VirtualClock()
        functions = InProcessFunctions({"work": self._work})
        self.cloud = LocalCloud(self.store, functions, clock=self.clock, workers=0)
        self.runtime = self.cloud.runtime
        self.runtime.retention = 7 * DAY

    def _work(self, event: Any, context: Any) -> Any:
        if self.broken:
            raise ValueError("not now")
        return "done"

    def run(self, definition: dict[str, Any], name: str, input: Any = None) -> str:
        try:
            machine = call(
                self.runtime, "CreateStateMachine", {"name": "m", "definition": json.dumps(definition), "roleArn": ROLE}, "default"
            )["stateMachineArn"]  # fmt: skip
        except ApiError:  # it is there, with another definition
            machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
        request = {"stateMachineArn": machine, "name": name, "input": json.dumps(input)}
        execution = call(self.runtime, "StartExecution", request, "default")["executionArn"]
        self.cloud.drain()
        return execution

    def later(self, days: float) -> None:
        """So many days on, with the sweeper at the end of them."""
        self.clock.advance_to(self.clock() + int(days * DAY))
        timers.handle(self.runtime, {})
        self.cloud.drain()

    def logs(self) -> set[str]:
        return {key for kind, key in self.store.kept() if kind == "log"}


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.cloud.close()


def test_what_has_ended_is_forgotten_when_it_is_time(world: World) -> None:
    execution = world.run(FAILS_ONCE, "one")
    world.later(6.9)
    assert world.store.head(execution) is not None
    world.later(0.2)
    assert (world.store.head(execution), world.logs()) == (None, set())
    assert world.store.records(retention.KIND).items == []
    # A message that comes late wakes nobody, and is no failure; the name may be used again.
    world.runtime.outbox.advance([{"tenant": "default", "execution": execution, "message": {"type": "tick"}}])
    world.cloud.drain()
    assert world.run(FAILS_ONCE, "one") == execution
    assert world.runtime.executions().load(execution).snapshot["status"] == "SUCCEEDED"


def test_one_that_was_redriven_stays_for_as_long_again(world: World) -> None:
    world.broken = True
    execution = world.run(FAILS_ONCE, "one")
    world.clock.advance_to(world.clock() + 5 * DAY)
    world.broken = False
    call(world.runtime, "RedriveExecution", {"executionArn": execution}, "default")
    world.cloud.drain()
    world.later(5)
    assert world.runtime.executions().load(execution).snapshot["status"] == "SUCCEEDED"
    assert len(world.store.records(retention.KIND).items) == 1  # the time of its first end is over
    world.later(3)
    assert world.store.head(execution) is None


def test_nothing_is_forgotten_where_nobody_has_asked_for_it(world: World) -> None:
    world.runtime.retention = None
    execution = world.run(FAILS_ONCE, "one")
    world.later(400)
    assert world.store.head(execution) is not None
    assert world.store.records(retention.KIND).items == []


def test_the_children_of_a_map_go_with_their_parent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_CHILDREN", 4)  # of 10: it takes some messages
    world.run(MANY, "one", list(range(10)))
    assert len(world.logs()) == 11
    world.later(8)
    assert world.logs() == set()
    assert "map-run" not in {key for kind, key in world.store.kept() if kind == "record"}


def test_what_people_were_shown_and_said_goes_too(world: World) -> None:
    checked = check(GATED.encode(), "gated.yaml")
    machine = deploy(world.runtime, "default", workflow_of(checked))
    request = {"stateMachineArn": machine, "name": "one", "input": '{"secret": "the plan"}'}
    execution = call(world.runtime, "StartExecution", request, "default")["executionArn"]
    world.cloud.drain()  # the gate's time is over
    assert Journal(world.runtime.executions()).read(execution)
    world.later(8)
    assert world.logs() == set()
    left = [
        record.value
        for kind, key in list(world.store.kept())
        if kind == "record"
        for record in world.store.records(key).items
    ]
    assert "the plan" not in json.dumps(left)
    assert execution not in json.dumps(left)
