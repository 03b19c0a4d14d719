"""What executions cost: counted in histories, estimated from definitions, put into dollars."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import Functions, commits_of
from stratum.statelang.asl import dump, load_definition
from stratum.statelang.asl.machine import transitions
from stratum.statelang.compiler import compile_spec
from stratum.statelang.cost import (
    Counts,
    InvalidPrices,
    Usage,
    count,
    estimate,
    express,
    express_memory,
    handlers,
    prices_of,
    standard,
)
from stratum.statelang.engine import decide, messages
from stratum.statelang.spec import load

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
TABLE: dict[str, Any] = {
    "as_of": "2026-10",
    "default": {
        "standard_transition": 0.000025, "express_request": 0.000001, "express_gb_hour": [[1000, 0.06], [5000, 0.03], 0.01642],
        "lambda_request": 0.0000002, "lambda_gb_second": 0.00001, "sqs_request": 0.0000004, "dynamodb_write": 0.000001,
        "dynamodb_read": 0.0000001, "dynamodb_gb_month": 0.25,
    },
    "regions": {"here": {}, "there": {"standard_transition": 0.00003}},
    "free": {"standard_transitions": 4000, "lambda_requests": 1000},
    "handlers": {
        "memory_mb": 1024, "front_door_ms": 10, "advance_ms": 10, "tasks_ms": 10, "cold_share": 0.5, "kept_months": 1,
        "commit_bytes": 1000,
    },
}  # fmt: skip
PRICES = prices_of(TABLE, "here")


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def end(**fields: Any) -> dict[str, Any]:
    return {**fields, "End": True}


# -- counting ----------------------------------------------------------------------------------------------


def counts(definition: dict[str, Any], input: Any = None, functions: Functions | None = None) -> Counts:
    commits = commits_of(definition, input, functions)
    children = sum(command["type"] == "start_child" for commit in commits for command in commit.commands)
    return count([event for commit in commits for event in commit.events], children)


def test_states_and_retries_are_transitions() -> None:
    answers = iter([ValueError(), ValueError(), 1])

    def work(event: Any, context: Any) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    task = {"Type": "Task", "Resource": f"{FUNCTION}work", "Retry": [{"ErrorEquals": ["States.ALL"]}], "Next": "W"}  # fmt: skip
    found = counts(machine(T=task, W=end(Type="Wait", Seconds=7)), functions={"work": work})
    assert (found.transitions, found.retries, found.tasks, found.waits) == (4, 2, 3, 1)
    assert found.seconds == 1 + 2 + 7
    assert found.task_seconds == 0


def test_inline_iterations_and_branches_count_by_their_states() -> None:
    inner = machine(A={"Type": "Pass", "Next": "B"}, B=end(Type="Pass"))
    other = machine(C=end(Type="Pass"))
    found = counts(
        machine(P={"Type": "Parallel", "Branches": [inner, other], "ResultPath": None, "Next": "M"},
                M=end(Type="Map", ItemProcessor=machine(D=end(Type="Pass")))),
        [1, 2, 3],
    )  # fmt: skip
    assert (found.transitions, found.steps, found.children) == (1 + 3 + 1 + 3, 2, 0)


def test_a_distributed_map_counts_the_children_that_it_starts() -> None:
    each = {
        **machine(D=end(Type="Pass")),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    found = counts(machine(M=end(Type="Map", ItemProcessor=each)), [1, 2, 3])
    assert (found.transitions, found.children) == (4, 3)


def test_a_history_of_aws_itself_with_a_redrive() -> None:
    def event(id: int, kind: str, before: int, **details: Any) -> dict[str, Any]:
        return {
            "id": id,
            "type": kind,
            "previousEventId": before,
            "timestamp": 1_700_000_000.5 + id,
            **details,
        }

    history = [
        event(1, "ExecutionStarted", 0), event(2, "TaskStateEntered", 0), event(3, "LambdaFunctionScheduled", 2),
        event(4, "LambdaFunctionStarted", 3), event(5, "LambdaFunctionFailed", 4), event(6, "ExecutionFailed", 5),
        event(7, "ExecutionRedriven", 6), event(8, "TaskStateEntered", 7), event(9, "LambdaFunctionScheduled", 8),
        event(10, "LambdaFunctionSucceeded", 9), event(11, "TaskStateExited", 10), event(12, "ExecutionSucceeded", 11),
    ]  # fmt: skip
    found = count(history)
    assert (found.transitions, found.tasks, found.seconds, found.task_seconds) == (3, 2, 11.0, 3.0)
    assert count([]) == Counts()


# -- estimating --------------------------------------------------------------------------------------------


def numbers(definition: dict[str, Any], **options: Any) -> tuple[float, float, float | None]:
    found = estimate(definition, **options)
    most = found.most.transitions if found.most is not None else None
    return found.least.transitions, round(found.typical.transitions, 6), most


def test_choices_are_even_and_errors_are_left_to_the_most() -> None:
    task = {"Type": "Task", "Resource": "r", "Retry": [{"ErrorEquals": ["A"]}, {"ErrorEquals": ["B"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "X"}], "Next": "C"}  # fmt: skip
    rule = {"Variable": "$", "IsNull": True, "Next": "E"}
    definition = machine(
        T=task, C={"Type": "Choice", "Choices": [rule], "Default": "D"}, D={"Type": "Pass", "Next": "E"},
        E={"Type": "Succeed"}, X={"Type": "Pass", "Next": "Y"}, Y={"Type": "Pass", "Next": "Z"}, Z={"Type": "Fail"},
    )  # fmt: skip
    assert numbers(definition) == (3, 3.5, 5 + 3)


def test_maps_take_the_items_that_are_known_or_assumed() -> None:
    each = machine(A=end(Type="Pass"))
    distributed = {**each, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    inline = {"Type": "Map", "QueryLanguage": "JSONata", "Items": [1, 2], "ItemProcessor": each}
    assert numbers(machine(M=end(**inline))) == (3, 3, 3)
    many = machine(M=end(Type="Map", ItemProcessor=distributed))
    assert numbers(many, items=lambda name: {"M": 100}[name]) == (201, 201, 201)
    batched = machine(M=end(Type="Map", ItemProcessor=distributed, ItemBatcher={"MaxItemsPerBatch": 30}))
    assert numbers(batched, items=lambda name: 100) == (9, 9, 9)
    assert estimate(many).maps == ("M",)
    small = {**distributed, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    found = estimate(machine(M=end(Type="Map", ItemProcessor=small)), items=lambda name: 5).typical
    assert (found.transitions, found.express_children) == (6, 5)


def test_a_loop_without_a_bound_has_no_most_and_is_named() -> None:
    rule = {"Variable": "$", "IsNull": True, "Next": "E"}
    definition = machine(
        A={"Type": "Task", "Resource": "r", "Next": "C"}, C={"Type": "Choice", "Choices": [rule], "Default": "W"},
        W={"Type": "Wait", "Seconds": 5, "Next": "A"}, E={"Type": "Succeed"},
    )  # fmt: skip
    found = estimate(definition)
    assert found.most is None
    assert set(found.loops) == {"A", "C", "W"}
    assert found.least.transitions == 3
    assert found.typical.transitions == pytest.approx(2 + 2 + 1 + 1)
    for_ever = machine(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"})
    assert estimate(for_ever).most is None


@st.composite
def machines(draw: st.DrawFn, depth: int = 2, prefix: str = "") -> dict[str, Any]:
    """Machines that go on by themselves, without a loop."""
    count = draw(st.integers(1, 4))
    names = [f"{prefix}{number}" for number in range(count)]
    states: dict[str, Any] = {}
    for number, name in enumerate(names):
        onward = names[number + 1 :]
        kind = draw(st.sampled_from(["Pass", "Choice", "Parallel", "Map"] if depth else ["Pass", "Choice"]))
        if kind == "Choice" and onward:
            rules = [
                {"Condition": f"{{% $states.context.Execution.Input[{draw(st.integers(0, 5))}] %}}", "Next": draw(st.sampled_from(onward))}
                for _ in range(draw(st.integers(1, 3)))
            ]  # fmt: skip
            states[name] = {"Type": "Choice", "Choices": rules, "Default": draw(st.sampled_from(onward))}
            continue
        body: dict[str, Any] = {"Type": "Pass"}
        if kind == "Parallel":
            branches = [
                draw(machines(depth - 1, f"{name}.{branch}.")) for branch in range(draw(st.integers(1, 2)))
            ]
            body = {"Type": "Parallel", "Branches": branches}
        elif kind == "Map":
            items = list(range(draw(st.integers(0, 3))))
            body = {"Type": "Map", "Items": items, "ItemProcessor": draw(machines(depth - 1, f"{name}.i."))}
        states[name] = {**body, **({"Next": draw(st.sampled_from(onward))} if onward else {"End": True})}
    reached = {names[0]}
    for name in names:
        if name in reached:
            reached |= {target for _, target in transitions(states[name])}
    return {"StartAt": names[0], "States": {name: states[name] for name in names if name in reached}}


@settings(deadline=None, max_examples=60)
@given(machines(), st.lists(st.booleans(), min_size=6, max_size=6))
def test_every_run_lies_between_the_least_and_the_most(definition: dict[str, Any], input: list[bool]) -> None:
    definition = {"QueryLanguage": "JSONata", **definition}
    start = messages.start(f"{MACHINE.replace('stateMachine', 'execution')}:x", MACHINE, json.dumps(input))
    decision = decide(load_definition(dump(definition)), None, start, 1_767_225_600_000)
    assert decision.snapshot["status"] == "SUCCEEDED"
    found = estimate(definition)
    assert found.most is not None
    least, typical, most = (each.transitions for each in (found.least, found.typical, found.most))
    assert least <= count(decision.events).transitions <= most
    assert least - 1e-6 <= typical <= most + 1e-6


# -- dollars -----------------------------------------------------------------------------------------------


def test_the_examples_of_the_pricing_page() -> None:
    # 50 KB of definition, 400 map steps of 32 KB: 62.85 MB, billed as 64.
    assert express_memory(50 * 1024, 32 * 1024, 400) == 64
    # 100 million workflows of 10 s at 64 MB: $100 for the requests, $382.97 for 17,361.11 GB-hours by tiers.
    bill = express(PRICES, 10, 64, 100_000_000)
    assert [round(item.dollars, 2) for item in bill.items] == [100, 382.97]
    assert round(bill.dollars, 2) == 482.97


@pytest.mark.parametrize(
    ("seconds", "billed"), [(0, 0.1), (0.1, 0.1), (0.1001, 0.2), (0.2, 0.2), (1.99, 2.0)]
)
def test_express_rounds_up_to_100_milliseconds(seconds: float, billed: float) -> None:
    assert express(PRICES, seconds, 64).items[1].amount == pytest.approx(billed * 64 / 1024)


@pytest.mark.parametrize(
    ("data", "steps", "memory"), [(0, 0, 64), (2**20, 14, 64), (2**20, 15, 128), (2**18, 1000, 320)]
)
def test_express_memory_comes_in_chunks(data: int, steps: int, memory: int) -> None:
    assert express_memory(0, data, steps) == memory


def test_what_is_free_is_told_apart() -> None:
    bill = standard(PRICES, Counts(transitions=5), 1000)
    assert bill.dollars == pytest.approx(0.125)
    assert bill.after_free == pytest.approx(0.025)
    assert standard(PRICES, Counts(transitions=5), 10).after_free == 0


def test_express_children_are_billed_by_requests_and_duration() -> None:
    bill = standard(PRICES, Counts(transitions=3, express_children=2, express_seconds=0.3), 10)
    assert [(item.what, item.amount) for item in bill.items] == [
        ("state transitions", 30), ("Express children, requests", 20), ("Express children, duration", 20 * 0.2 * 64 / 1024),
    ]  # fmt: skip


def test_our_handlers() -> None:
    usage = Usage(invocations=3, gb_seconds=0.5, writes=4, reads=2, requests=6, bytes=2**30)
    amounts = {item.what: (item.amount, item.dollars) for item in handlers(PRICES, usage, 2).items}
    assert amounts == {
        "Lambda requests": (6, pytest.approx(0.0000012)), "Lambda duration": (1, pytest.approx(0.00001)),
        "DynamoDB writes": (8, pytest.approx(0.000008)), "DynamoDB reads": (4, pytest.approx(0.0000004)),
        "DynamoDB storage": (2, pytest.approx(0.5)), "SQS requests": (12, pytest.approx(0.0000048)),
    }  # fmt: skip


# -- prices ------------------------------------------------------------------------------------------------


def test_regions_and_own_prices_say_what_differs() -> None:
    assert prices_of(TABLE, "there")["standard_transition"] == 0.00003
    own = {"regions": {"mine": {"lambda_request": 0}}, "handlers": {"memory_mb": 256}, "as_of": "today"}
    mine = prices_of(TABLE, "mine", own)
    assert (mine["lambda_request"], mine["express_request"], mine.handlers["memory_mb"], mine.as_of) == (0, 0.000001, 256, "today")  # fmt: skip


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ([], "the table must hold names and values"),
        ({"regions": {"here": {"sqs_request": "0.1"}}}, "regions.here.sqs_request must be a number"),
        ({"default": {"sqs_request": -1}}, "must be a number that is not below zero, not -1"),
        ({"default": {"sqs_request": float("nan")}}, "not nan"),
        ({"default": {"express_gb_hour": 0.06}}, "must be a list such as"),
        ({"default": {"express_gb_hour": [0.06, 0.03]}}, "is a pair of an amount and a price, not 0.06"),
        ({"default": {"express_gb_hour": [[5, 1], [1, 1], 1]}}, "the amounts must grow"),
        ({"handlers": {"memory_mb": None}}, "handlers.memory_mb must be a number"),
        ({"free": 3}, "free must hold names and values"),
        ({"regions": 3}, "regions must hold names and values"),
    ],
)
def test_wrong_tables_are_told(own: Any, said: str) -> None:
    with pytest.raises(InvalidPrices, match=said):
        prices_of(TABLE, "here", own)
    with pytest.raises(InvalidPrices, match="there are no prices for moon; there are for here, there"):
        prices_of(TABLE, "moon")


SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
steps:
  - id: first
    task: m.first
    ensure: [$result > 1]
    retry: {attempts: 4, backoff: linear, delay: 1s}
    compensate: {task: m.undo}
  - id: second
    needs: {that: $first = 5, within: 30s, every: 10s}
    when: $first > 0
    task: m.second
    retry: {attempts: 3, delay: 1s}
"""


def test_loops_of_a_spec_have_the_bounds_that_it_gives() -> None:
    loaded = load(SPEC, "w.yaml")
    assert loaded.spec is not None, loaded.diagnostics
    compiled = compile_spec(loaded.spec, loaded.source)
    found = estimate(compiled.definition, compiled.source_map)
    assert found.most is not None
    assert found.loops == ()
    answers = iter([0, 0, 0, 2])
    functions: Functions = {
        "m-first": lambda event, context: next(answers),
        "m-undo": lambda event, context: 1,
    }
    ran = counts(compiled.definition, {}, functions)
    assert ran.tasks == 8  # four tries, and each is undone, as the second step's condition never held
    assert found.least.transitions < ran.transitions <= found.most.transitions
    fine: Functions = {f"m-{name}": lambda event, context: 5 for name in ("first", "second")}
    well = counts(compiled.definition, {}, fine)
    assert well.transitions == found.typical.transitions
