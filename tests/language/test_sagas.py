"""What was done is undone when the workflow fails: latest first, each once, whatever else happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import Busy, Fatal, Ran, answers, echo
from stratum.handlers.store import Store
from stratum.local.stores import open_store


@pytest.fixture(params=["sqlite", "dynamodb"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Store]]:
    """Opens the store: the same one every time."""
    if request.param == "sqlite":
        yield lambda: open_store(f"sqlite:///{tmp_path}/store.db")
        return
    import boto3
    from moto import mock_aws
    from stratum.handlers.store.table import create_table

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        yield lambda: open_store("dynamodb://stratum?region=us-east-1")


class World:
    """What is there: `do` makes something, `undo` takes it away, once."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.undone: list[str] = []
        self.functions = {"m.do": self.do, "m.undo": self.undo, "m.broken": answers(Fatal("no"))}

    def do(self, event: Any, context: Any) -> Any:
        assert event["what"] not in self.there
        self.there.add(event["what"])
        return event

    def undo(self, event: Any, context: Any) -> None:
        self.there.remove(event["what"])
        self.undone.append(event["what"])


def made(id: str, what: str = "") -> str:
    """A step that makes something, and can undo it."""
    return (
        f'{{id: {id}, task: m.do, input: {{what: "{what or id}"}},'
        f' compensate: {{task: m.undo, input: {{what: "{{% ${id}.what %}}"}}}}}}'
    )


BRANCHES = f"""
steps:
  - id: both
    parallel:
      first: [{made("a")}, {made("b")}]
      second: [{{id: pause, wait: 5s}}, {{id: broken, task: m.broken}}]
      third: [{made("c")}, {{id: long, wait: 1h}}, {made("never")}]
"""


@pytest.mark.parametrize("restarts", [False, True])
def test_a_branch_that_fails_leaves_nothing_of_the_others(
    opened: Callable[[], Store], restarts: bool
) -> None:
    world = World()
    ran = Ran(BRANCHES, {}, world.functions, restarts=restarts, opened=opened)
    assert (ran.status, ran.error) == ("FAILED", "Fatal")
    assert world.there == set()
    # A branch that had not failed came to its end, so that it is known what it did.
    assert world.undone[0] == "never"
    assert sorted(world.undone[1:]) == ["a", "b", "c"]
    assert world.undone.index("b") < world.undone.index("a")


NESTED = f"""
steps:
  - {made("first")}
  - id: all
    map: {{items: "[1..3]", max_concurrency: 2}}
    steps:
      - {made("a", "{% 'a' & $item %}")}
      - id: inner
        parallel:
          left: [{made("b", "{% 'b' & $item %}")}]
          right:
            - id: rounds
              repeat: {{max: 2}}
              steps: [{made("c", "{% 'c' & $item & $round %}")}]
      - {{id: ask, when: $item = 2, task: m.broken}}
"""


def test_nothing_is_left_of_maps_parallels_and_repeats_within_each_other(run: Callable[..., Ran]) -> None:
    world = World()
    ran = run(NESTED, {}, world.functions)
    assert (ran.status, ran.error, world.there) == ("FAILED", "Fatal", set())
    assert len(world.undone) == 1 + 3 * 4
    assert world.undone[-1] == "first"
    for item in "123":
        order = [what for what in world.undone if what[1:2] == item]
        assert order[-1] == f"a{item}"
        assert order.index(f"c{item}2") < order.index(f"c{item}1")


def test_items_that_may_fail_are_undone_and_the_workflow_goes_on(run: Callable[..., Ran]) -> None:
    world = World()
    spec = (
        NESTED.replace("max_concurrency: 2", "tolerate: 1")
        + "  - {id: fine, succeed: '{% $count($all) %}'}\n"
    )
    ran = run(spec, {}, world.functions)
    assert ran.output == 2
    assert sorted(world.undone) == ["a2", "b2", "c21", "c22"]
    assert world.there == {"first"} | {f"{what}{item}" for item in "13" for what in "ab"} | {
        f"c{item}{round}" for item in "13" for round in "12"
    }


CHARGED = """
steps:
  - id: charge
    task: m.charge
    output: {id: string, amount: number}
    ensure: [$result.amount = 5]
    retry: {attempts: 3, delay: 1s, never: [Fatal]}
    compensate: {task: m.refund, input: {id: "{% $charge.id %}"}}
"""


def test_an_answer_that_is_refused_was_given_all_the_same_and_is_undone(run: Callable[..., Ran]) -> None:
    """The card was charged, whatever the contract says of the receipt."""
    functions = {
        "m.charge": answers(
            {"id": "c1", "amount": "5"}, {"id": "c2", "amount": 4}, {"id": "c3", "amount": 3}
        ),
        "m.refund": echo,
    }
    ran = run(CHARGED, {}, functions)
    assert (ran.status, ran.error) == ("FAILED", "Stratum.PostconditionFailed")
    refunds = [call for name, call in zip(ran.called, ran.calls, strict=True) if name == "m.refund"]
    assert refunds == [{"id": "c3"}, {"id": "c2"}, {"id": "c1"}]


def test_what_an_answer_lacks_is_left_out_of_what_undoes_it(run: Callable[..., Ran]) -> None:
    ran = run(
        CHARGED.replace("attempts: 3", "attempts: 2"), {}, {"m.charge": answers({"sum": 5}), "m.refund": echo}
    )
    assert ran.error == "Stratum.ContractViolated"
    assert [call for call in ran.calls if call] == []
    assert ran.count("m.refund") == 2


def test_a_refused_answer_that_was_caught_is_undone_when_the_workflow_fails_later(
    run: Callable[..., Ran],
) -> None:
    spec = CHARGED.replace(
        "    retry: {attempts: 3, delay: 1s, never: [Fatal]}\n", "    on_error: [{next: ask}]\n"
    )
    functions = {
        "m.charge": answers({"id": "c1", "amount": 4}),
        "m.refund": echo,
        "m.ask": answers(Fatal("no")),
    }
    ran = run(spec + "  - {id: ask, task: m.ask}\n", {}, functions)
    assert (ran.error, ran.count("m.refund")) == ("Fatal", 1)


COMPUTED = """
steps:
  - {id: a, task: m.do, compensate: {task: m.undo, input: {sum: "{% $sum($a.lines.price) %}", who: "{% $input.who %}"}}}
  - id: rows
    map: {items: "[1, 2]"}
    steps:
      - {id: b, task: m.do, compensate: {task: m.undo, input: {n: "{% $number($b.n) + $item %}", all: "{% $string($b) %}"}}}
  - {id: c, task: m.do, compensate: {task: m.undo, input: {n: "{% $number($c.n) %}"}}}
  - {id: broken, task: m.broken}
"""


def test_what_may_fail_in_the_input_of_a_compensation_is_computed_when_it_runs(
    run: Callable[..., Ran],
) -> None:
    """`$number` of no number would fail in the task that is done already, and it would not be undone."""
    done = answers(
        {"lines": [{"price": 1}, {"price": 2}]}, {"n": "10"}, {"n": "20"}, {"n": "30"}, {"n": "none"}
    )
    functions = {"m.do": done, "m.undo": echo, "m.broken": answers(Fatal("no"))}
    ran = run(COMPUTED, {"who": "ada"}, functions)
    undone = [call for name, call in zip(ran.called, ran.calls, strict=True) if name == "m.undo"]
    assert ran.error == "Fatal"
    assert undone[0] == {"n": 30}
    assert sorted(each["n"] for each in undone[1:3]) == [11, 22]
    assert undone[3] == {"sum": 3, "who": "ada"}


def test_a_compensation_whose_input_cannot_be_computed_is_told_and_the_others_go_on_after_a_redrive(
    run: Callable[..., Ran],
) -> None:
    def functions() -> dict[str, Any]:
        done = answers({"lines": [{"price": 1}]}, {"n": "1"}, {"n": "2"}, {"n": "no number"})
        return {"m.do": done, "m.undo": echo, "m.broken": answers(Fatal("why"))}

    stuck = run(COMPUTED, {"who": "ada"}, functions())
    cause = json.loads(stuck.cause)
    assert stuck.error == "Stratum.CompensationFailed"
    assert (cause["step"], cause["error"]["Error"]) == ("c", "Fatal")
    assert cause["compensation"]["Error"] == "States.QueryEvaluationError"
    assert (sorted(cause["left"]), stuck.count("m.undo")) == (["a", "b", "b"], 0)
    redriven = run(COMPUTED, {"who": "ada"}, functions(), redrives=1)
    assert (redriven.error, redriven.count("m.undo")) == ("Fatal", 3)


STUCK = f"""
steps:
  - {made("first")}
  - id: all
    map: {{items: "[1, 2]"}}
    steps:
      - {made("a", "{% 'a' & $item %}")}
      - id: inner
        parallel:
          left: [{made("b", "{% 'b' & $item %}").replace("task: m.undo", "retry: {attempts: 2, delay: 1s}, task: m.stuck")}]
          right: [{{id: pause, wait: 1s}}]
  - {{id: broken, task: m.broken}}
"""


@pytest.mark.parametrize("redrives", [0, 1, 2])
def test_a_compensation_within_others_that_fails_for_good_stops_the_saga_until_a_redrive(
    run: Callable[..., Ran], redrives: int
) -> None:
    world = World()
    tries: list[str] = []

    def stuck(event: Any, context: Any) -> None:
        tries.append(event["what"])
        if len(tries) <= 4:  # two tries at first, and two after the first redrive
            raise Busy("not now")
        world.undo(event, context)

    ran = run(STUCK, {}, {**world.functions, "m.stuck": stuck}, redrives=redrives)
    if redrives < 2:
        cause = json.loads(ran.cause)
        assert (ran.error, cause["step"]) == ("Stratum.CompensationFailed", "b")
        assert (cause["error"]["Error"], cause["compensation"]["Error"]) == ("Fatal", "Busy")
        assert sorted(cause["left"]) == ["a", "a", "b", "b", "first"]
        assert world.undone == []
    else:
        assert (ran.error, world.there) == ("Fatal", set())
        assert sorted(world.undone) == ["a1", "a2", "b1", "b2", "first"]
        assert world.undone[-1] == "first"


def test_a_back_off_ends_at_the_workflows_deadline_and_everything_is_undone(run: Callable[..., Ran]) -> None:
    for backoff in ("fixed", "linear", "exponential"):
        world = World()
        spec = (
            f"timeout: 1h\nsteps:\n  - {made('a')}\n"
            f"  - {{id: b, task: m.broken, retry: {{attempts: 9, delay: 25m, backoff: {backoff}}}}}\n"
        )
        ran = run(spec, {}, world.functions)
        assert (ran.error, ran.seconds, world.there) == ("Stratum.WorkflowTimedOut", 3600, set()), backoff


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


def test_items_of_the_same_millisecond_are_undone_from_the_last_on() -> None:
    spec = """
input: {items: [integer]}
steps:
  - id: all
    map: {items: $input.items, as: item, max_concurrency: 1}
    steps:
      - id: do
        task: a.do
        input: {n: "{% $item %}"}
        output: {n: integer}
        compensate: {task: a.undo, input: {n: "{% $do.n %}"}}
  - {id: boom, task: a.boom}
"""
    undone: list[int] = []

    def boom(event: Any, context: Any) -> Any:
        raise Fatal("no")

    def undo(event: Any, context: Any) -> None:
        undone.append(event["n"])

    ran = Ran(spec, {"items": [1, 2, 3]}, {"a.do": echo, "a.undo": undo, "a.boom": boom})
    assert (ran.status, undone) == ("FAILED", [3, 2, 1])
