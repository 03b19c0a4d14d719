"""Forks through the handlers: at every place of a history, within branches, and never with another's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_calls import create
from endpoint import Endpoint
from stratum.handlers.identity import Identity
from stratum.handlers.store import verify
from stratum.handlers.time_travel import forks, points
from stratum.handlers.time_travel.replay import replay
from stratum.statelang.asl import load_definition
from stratum.statelang.engine import CannotFork

ME = Identity("ada", "cli")
LAMBDA = "arn:aws:states:::lambda:invoke"


def task(n: str, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": "double", "Payload": n},
        "Output": "{% $states.result.Payload %}", **fields,
    }  # fmt: skip


WIDE = {
    "QueryLanguage": "JSONata",
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Assign": {"mark": "{% $uuid() %}"}, "Next": "B"},
        "B": task("{% $states.input %}", Assign={"b": "{% $states.result.Payload %}"}, Next="P"),
        "P": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "X", "States": {"X": task("{% $b %}", Next="X2"), "X2": task("{% $states.input %}", End=True)}},
                {
                    "StartAt": "Y",
                    "States": {
                        "Y": {"Type": "Wait", "Seconds": 3600, "Next": "Z"},
                        "Z": {"Type": "Pass", "Output": "{% $mark %}", "End": True},
                    },
                },
            ],
            "Next": "M",
        },
        "M": {
            "Type": "Map",
            "Items": [1, 2, 3],
            "ItemProcessor": {"StartAt": "I", "States": {"I": task("{% $states.input %}", End=True)}},
            "Output": "{% {'wide': $states.input[0], 'mark': $states.input[1], 'each': $states.result} %}",
            "End": True,
        },
    },
}  # fmt: skip


def run(endpoint: Endpoint, sfn: Any, definition: dict[str, Any], input: Any = 1) -> str:
    machine = create(sfn, json.dumps(definition))
    arn = sfn.start_execution(stateMachineArn=machine, name="one", input=json.dumps(input))["executionArn"]
    endpoint.cloud.drain()
    return arn


def fork(endpoint: Endpoint, execution: str, at: str | None, name: str, **more: Any) -> dict[str, Any]:
    made, _ = forks.fork(endpoint.cloud.runtime, "default", execution, at, name, ME, **more)
    endpoint.cloud.drain()
    return endpoint.cloud.runtime.executions().load(made.execution).snapshot


def test_from_every_place_a_fork_comes_to_the_same_end(endpoint: Endpoint, sfn: Any) -> None:
    original = run(endpoint, sfn, WIDE)
    output = sfn.describe_execution(executionArn=original)["output"]
    mark = json.loads(output)["mark"]
    store = endpoint.cloud.store
    places = points.points(store, original)[:-1]
    assert [place.state for place in places] == ["A", "B", "P", "X", "Y", "X2", "Z", "M", "I", "I", "I"]
    for place in places:
        made = fork(endpoint, original, str(place.event), f"fork-{place.event}")
        assert made["status"] == "SUCCEEDED"
        assert made["forked"] == {
            "execution": original,
            "event": place.event,
            "how": "fork",
            "by": ME.to_json(),
        }
        new = json.loads(made["output"])
        assert (new["mark"] == mark) == (place.state != "A")
        assert [new["wide"], new["each"]] == [8, [2, 4, 6]]
        execution = made["execution"]["id"]
        assert verify(store, execution) == []
        events = sfn.get_execution_history(executionArn=execution)["events"]
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        # A fork's own history can be forked too, before the place where it left the other and after.
        for other in points.points(store, execution)[:-1:3]:
            again = fork(endpoint, execution, str(other.event), f"fork-{place.event}-{other.event}")
            assert json.loads(again["output"])["each"] == [2, 4, 6]
    assert sfn.describe_execution(executionArn=original)["output"] == output
    assert verify(store, original) == []


def test_another_input_is_seen_from_the_place_on(endpoint: Endpoint, sfn: Any) -> None:
    states = {
        **WIDE["States"],
        "A": {"Type": "Pass", "Assign": {"input": "{% $states.input %}", "mark": 0}, "Next": "B"},
    }
    states["B"] = task("{% $input %}", Assign={"b": "{% $states.result.Payload %}"}, Next="P")
    original = run(endpoint, sfn, {**WIDE, "States": states})
    assert json.loads(fork(endpoint, original, "B", "two", input="100")["output"])["wide"] == 800
    # What was computed before the place stays as it was.
    assert json.loads(fork(endpoint, original, "M", "three", input="100")["output"])["wide"] == 8


def test_a_fork_asks_for_its_own_approval(endpoint: Endpoint, sfn: Any) -> None:
    waiting = {
        "Type": "Task", "Resource": f"{LAMBDA}.waitForTaskToken", "TimeoutSeconds": 60, "End": True,
        "Arguments": {"FunctionName": "double", "Payload": ["{% $states.context.Task.Token %}"]},
    }  # fmt: skip
    machine = create(
        sfn, json.dumps({"QueryLanguage": "JSONata", "StartAt": "Gate", "States": {"Gate": waiting}})
    )
    original = sfn.start_execution(stateMachineArn=machine, name="one")["executionArn"]
    cloud = endpoint.cloud

    def token(execution: str) -> str:
        cloud.run(
            lambda: (
                cloud.runtime.executions().load(execution).snapshot["frames"]["0"]["task"].get("submitted")
            )
        )
        return cloud.runtime.executions().load(execution).snapshot["frames"]["0"]["token"]

    first = token(original)
    pending, _ = forks.fork(cloud.runtime, "default", original, None, "two", ME)
    second = token(pending.execution)
    assert second != first
    sfn.send_task_success(taskToken=first, output='"approved"')
    cloud.run(lambda: cloud.runtime.executions().load(original).snapshot["status"] == "SUCCEEDED")
    assert sfn.describe_execution(executionArn=pending.execution)["status"] == "RUNNING"
    # The answer came after the place: a fork from there does not have it.
    third, _ = forks.fork(cloud.runtime, "default", original, "Gate", "three", ME)
    assert sfn.describe_execution(executionArn=third.execution)["status"] == "RUNNING"
    assert token(third.execution) not in (first, second)
    sfn.send_task_success(taskToken=token(third.execution), output='"yes"')
    cloud.run(lambda: cloud.runtime.executions().load(third.execution).snapshot["status"] == "SUCCEEDED")


def test_a_name_that_is_taken_changes_nothing(endpoint: Endpoint, sfn: Any) -> None:
    original = run(endpoint, sfn, WIDE)
    fork(endpoint, original, "M", "two")
    before = endpoint.cloud.store.head(original.replace(":one", ":two"))
    for name in ("two", "one"):
        with pytest.raises(forks.ExecutionExists):
            fork(endpoint, original, "B", name)
    assert endpoint.cloud.store.head(original.replace(":one", ":two")) == before


def test_the_start_of_a_fork_that_was_lost_on_the_way_can_be_made_again(endpoint: Endpoint, sfn: Any) -> None:
    original = run(endpoint, sfn, WIDE)
    store = endpoint.cloud.store
    executions = endpoint.cloud.runtime.executions()
    place = points.find(store, original, "M")
    _, shared = points.snapshot_at(executions, original, place)
    assert executions._copy(original.replace(":one", ":two"), shared[:2]) is not None
    assert fork(endpoint, original, "M", "two")["status"] == "SUCCEEDED"
    assert verify(store, original.replace(":one", ":two")) == []


def test_within_a_distributed_map_there_is_no_place(endpoint: Endpoint, sfn: Any) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}},
    }  # fmt: skip
    spread = {"Type": "Map", "Items": [1, 2], "ItemProcessor": processor, "End": True}
    machine = create(sfn, json.dumps({"QueryLanguage": "JSONata", "StartAt": "D", "States": {"D": spread}}))
    original = sfn.start_execution(stateMachineArn=machine, name="one")["executionArn"]
    with pytest.raises(CannotFork, match="distributed map 'D' was under way"):
        forks.fork(endpoint.cloud.runtime, "default", original, None, "two", ME)
    endpoint.cloud.drain()
    assert fork(endpoint, original, "D", "three")["status"] == "SUCCEEDED"


def test_a_replay_on_the_same_definition_goes_the_same_way(endpoint: Endpoint, sfn: Any) -> None:
    original = run(endpoint, sfn, {**WIDE, "StartAt": "A"})
    executions = endpoint.cloud.runtime.executions()
    machine = executions.load(original).machine
    made = replay(executions, original, machine, None)
    # The mark is drawn anew for a place in the history, and comes out the same.
    assert made.same, made
    assert made.new.path == ["A", "B", "P", "X", "Y", "X2", "Z", "M", "I"]
    assert made.new.output["each"] == [2, 4, 6]
    failing = {"StartAt": "F", "States": {"F": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:fail",
               "Retry": [{"ErrorEquals": ["ValueError"], "MaxAttempts": 2}], "End": True}}}  # fmt: skip
    machine_arn = create(sfn, json.dumps(failing), "f")
    second = sfn.start_execution(stateMachineArn=machine_arn, name="two", input="1")["executionArn"]
    endpoint.cloud.drain()
    loaded = executions.load(second)
    again = replay(executions, second, loaded.machine, None)
    assert again.same
    assert again.new.error == "ValueError"
    failing["States"]["F"]["Retry"][0]["MaxAttempts"] = 3
    longer = replay(executions, second, load_definition(json.dumps(failing)), None)
    assert (longer.new.status, longer.new.waits_at) == ("WAITING", ("F",))
