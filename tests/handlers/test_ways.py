"""Which way each state went, where AWS's events do not tell: kept in the log beside them."""

from __future__ import annotations

from typing import Any

import pytest
from logs import Functions, commits_of

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


class Odd(Exception):
    pass


def ways(
    states: dict[str, Any],
    input: Any = None,
    functions: Functions | None = None,
    **fields: Any,
) -> list[tuple[str, str]]:
    """The state and the place of each way that an execution took, out of its log; `` is the machine."""
    definition = {"StartAt": next(iter(states)), "States": states, **fields}
    commits = commits_of(definition, input, functions)
    entered = {0: ""} | {
        event["id"]: event["stateEnteredEventDetails"]["name"]
        for commit in commits
        for event in commit.events
        if event["type"].endswith("StateEntered")
    }
    return [(entered[int(entry)], str(place)) for commit in commits for entry, place in commit.ways]


def choice(*conditions: str) -> dict[str, Any]:
    rules = [{"Condition": condition, "Next": "B"} for condition in conditions]
    body = {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": rules, "Default": "B"}
    return {"A": body, "B": {"Type": "Pass", "End": True}}


@pytest.mark.parametrize(("input", "place"), [(1, "Choices[0]"), (2, "Choices[1]"), (3, "Default")])
def test_rules_that_lead_to_one_state_are_told_apart(input: int, place: str) -> None:
    states = choice("{% $states.input = 1 %}", "{% $states.input = 2 %}")
    assert ways(states, input) == [("A", place)]


def test_retriers_and_catchers() -> None:
    errors = iter([Odd(), ValueError(), ValueError()])

    def fail(event: Any, context: Any) -> None:
        raise next(errors)

    task = {
        "Type": "Task", "Resource": FUNCTION + "fail", "End": True,
        "Retry": [{"ErrorEquals": ["KeyError"]}, {"ErrorEquals": ["Odd", "ValueError"], "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["Odd"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}],
    }  # fmt: skip
    states = {"A": task, "B": {"Type": "Pass", "End": True}}
    assert ways(states, functions={"fail": fail}) == [("A", "Retry[1]"), ("A", "Retry[1]"), ("A", "Catch[1]")]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"TimeoutSeconds": 60}, "TimeoutSeconds"),
        ({"TimeoutSeconds": 60, "HeartbeatSeconds": 10}, "HeartbeatSeconds"),
    ],
)
def test_a_missed_heartbeat_is_told_from_a_timeout(fields: dict[str, int], place: str) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:us-east-1:123456789012:activity:a",
        "End": True,
        **fields,
    }
    assert ways({"A": task}) == [("A", place)]


def test_the_timeout_of_the_machine() -> None:
    assert ways({"A": {"Type": "Wait", "Seconds": 90, "End": True}}, TimeoutSeconds=60) == [
        ("", "TimeoutSeconds")
    ]


def test_branches_that_came_to_their_end() -> None:
    def branch(name: str, **body: Any) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: body}}

    fine = branch("fine", Type="Pass", End=True)
    slow = branch("slow", Type="Wait", Seconds=9, End=True)
    states = {"A": {"Type": "Parallel", "Branches": [slow, fine], "End": True}}
    assert ways(states) == [("A", "Branches[1]"), ("A", "Branches[0]")]
    broken = branch("broken", Type="Fail", Error="No")
    states = {"A": {"Type": "Parallel", "Branches": [slow, fine, broken], "End": True}}
    assert ways(states) == [("A", "Branches[1]")]


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
@pytest.mark.parametrize(("items", "place"), [([], "no items"), ([1], "one item"), ([1, 2, 3], "many items")])
def test_how_many_items_a_map_had(mode: str, items: list[int], place: str) -> None:
    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    processor = {
        "ProcessorConfig": config,
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "End": True}},
    }
    assert ways({"A": {"Type": "Map", "ItemProcessor": processor, "End": True}}, items) == [("A", place)]
