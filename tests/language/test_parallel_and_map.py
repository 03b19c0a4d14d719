"""Branches and items: what they come to, what they see, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from runs import Busy, Fatal, Ran, answers, compiled, echo

Run = Callable[..., Ran]


def test_branches_run_at_the_same_time_and_come_to_a_result_each(run: Run) -> None:
    ran = run(
        """
steps:
  - {id: base, set: {n: "{% $input.n %}"}}
  - id: both
    parallel:
      slow: [{id: nap, wait: 10s}, {id: a, task: m.echo, input: {n: "{% $base.n + 1 %}"}}]
      fast: [{id: b, wait: 4s}, {id: c, set: {list: [1, 2], one: [7]}}]
  - {id: after, task: m.echo, input: {a: "{% $both.slow.n %}", c: "{% $both.fast.list %}", one: "{% $both.fast.one %}"}}
""",
        {"n": 1},
        {"m.echo": echo},
    )
    assert ran.output == {"a": 2, "c": [1, 2], "one": [7]}
    assert ran.seconds == 10


def test_a_branch_ends_by_succeed_by_next_or_with_nothing(run: Run) -> None:
    spec = """
steps:
  - id: p
    parallel:
      chosen: [{id: d, decision: [{when: $input.n > 1, next: yes_}, {next: no_}]}, {id: yes_, succeed: big}, {id: no_, set: {is: small}}]
      left: [{id: x, set: {a: 1}, next: end}, {id: y, wait: 1s}]
      skipped: [{id: z, when: $input.n > 100, set: {a: 1}}]
"""
    with pytest.raises(AssertionError, match="nothing leads to the step `y`"):
        run(spec, {"n": 5})
    spec = spec.replace(", next: end}, {id: y, wait: 1s}", "}")
    assert run(spec, {"n": 5}).output == {"chosen": "big", "left": {"a": 1}, "skipped": None}
    assert run(spec, {"n": 1}).output == {"chosen": {"is": "small"}, "left": {"a": 1}, "skipped": None}


FAILS = """
steps:
  - id: p
    parallel: {one: [{id: a, task: m.bad}], two: [{id: b, wait: 1h}, {id: late, task: m.late}]}
    on_error: [{match: [Busy], next: sorry}]
  - {id: fine, succeed: fine}
  - {id: sorry, succeed: {error: "{% $error.Error %}"}}
"""


def test_a_branch_that_fails_ends_the_others_and_its_error_is_caught_by_name(run: Run) -> None:
    ran = run(FAILS, {}, {"m.bad": answers(Busy("x")), "m.late": echo})
    assert ran.output == {"error": "Busy"}
    assert (ran.seconds, ran.count("m.late")) == (0, 0)
    ran = run(FAILS, {}, {"m.bad": answers(Fatal("x")), "m.late": echo})
    assert (ran.status, ran.error) == ("FAILED", "Fatal")


def test_the_error_of_an_inner_route_is_the_inner_one(run: Run) -> None:
    ran = run(
        """
steps:
  - {id: first, task: m.busy, on_error: [{next: p}]}
  - id: p
    parallel:
      outer: [{id: o, set: {e: "{% $error.Error %}"}}]
      inner:
        - {id: i, task: m.fatal, on_error: [{next: told}]}
        - {id: told, set: {e: "{% $error.Error %}"}}
""",
        {},
        {"m.busy": answers(Busy()), "m.fatal": answers(Fatal())},
    )
    assert ran.output == {"outer": {"e": "Busy"}, "inner": {"e": "Fatal"}}


MAP = """
input: {items: [{n: integer}], more: optional string}
steps:
  - id: all
    map: {items: $input.items, as: thing%s}
    steps:
      - {id: double, task: m.double, input: {n: "{%% $thing.n %%}", at: "{%% $index %%}", more: "{%% $input.more %%}"}, output: {n: integer}}
      - {id: kept, when: $double.n > 2, set: {n: "{%% $double.n %%}"}}
  - {id: after, succeed: "{%% $all %%}"}
"""


def double(event: Any, context: Any) -> Any:
    if event["n"] == 13:
        raise Fatal("thirteen")
    return {"n": event["n"] * 2}


@pytest.mark.parametrize(
    "more",
    [
        "",
        ", max_concurrency: 1",
        ", mode: distributed",
        ", tolerate: 1",
        ", tolerate: 50%, mode: distributed",
    ],
)
def test_a_map_yields_what_its_steps_come_to(run: Run, more: str) -> None:
    spec = MAP % more
    assert run(spec, {"items": [{"n": 1}, {"n": 2}]}, {"m.double": double}).output == [None, {"n": 4}]
    assert run(spec, {"items": []}, {"m.double": double}).output == []
    ran = run(spec, {"items": [{"n": 5}], "more": "x"}, {"m.double": double})
    assert ran.output == [{"n": 10}]
    assert ran.calls == [{"n": 5, "at": 0, "more": "x"}]


@pytest.mark.parametrize(
    "items",
    ["$input.items[n > 3]", "$filter($input.items, function($i) {$i.n > 3})", "$input.items[n > 3].{'n': n}"],
)
def test_a_filter_that_finds_one_item_or_none_is_an_array_all_the_same(run: Run, items: str) -> None:
    """JSONata makes a value of an array of one, and nothing of an empty one; a map goes through one, or none."""
    spec = (MAP % "").replace("$input.items", json.dumps(items))
    for found in ([], [4], [4, 5]):
        given = [{"n": n} for n in (1, *found)]
        assert run(spec, {"items": given}, {"m.double": double}).output == [{"n": n * 2} for n in found]


@pytest.mark.parametrize("mode", ["inline", "distributed"])
def test_so_many_items_may_fail(run: Run, mode: str) -> None:
    items = [{"n": n} for n in (3, 13, 4, 5)]
    for tolerate, enough in ((0, False), (1, True), ("24%", False), ("25%", True)):
        spec = MAP % f", tolerate: {tolerate}, mode: {mode}"
        ran = run(spec, {"items": items}, {"m.double": double})
        if enough:
            assert ran.output == [{"n": 6}, {"n": 8}, {"n": 10}]
            continue
        assert (ran.status, ran.error) == ("FAILED", "Stratum.StepFailed") if mode == "inline" else "FAILED"
        spec += "  - {id: sorry, succeed: '{% $error.Error %}'}\n"
        spec = spec.replace("    steps:\n", "    on_error: [{next: sorry}]\n    steps:\n", 1)
        assert (
            run(spec, {"items": items}, {"m.double": double}).output
            == "States.ExceedToleratedFailureThreshold"
        )


def test_arrays_of_arrays_stay_what_they_are(run: Run) -> None:
    """Wrapped results go through JSONata, which likes to pour arrays into each other."""
    spec = """
steps:
  - id: all
    map: {items: "$input.lists", as: list, tolerate: 1}
    steps: [{id: same, task: m.echo, input: {list: "{% $list %}"}, compensate: {task: m.echo}}, {id: out, succeed: "{% $same.list %}"}]
  - {id: fine, succeed: "{% $all %}"}
"""
    for lists in (
        [],
        [[]],
        [[5]],
        [[[1, 2]]],
        [[1], []],
        [[[]], [[1], [2, 3]]],
        [[None], [1, None]],
        [[{"a": [1]}], [[0]]],
    ):
        assert run(spec, {"lists": lists}, {"m.echo": echo}).output == lists


def test_maps_and_parallels_within_each_other(run: Run) -> None:
    ran = run(
        """
steps:
  - id: rows
    map: {items: "[1..2]", as: row}
    steps:
      - id: cells
        map: {items: "[1..2]", as: cell}
        steps:
          - id: parts
            parallel:
              sum: [{id: s, set: {v: "{% $row + $cell %}"}}]
              where: [{id: w, set: {v: "{% $string($row) & $string($cell) & $string($index) %}"}}]
  - {id: fine, succeed: "{% $rows %}"}
""",
    )
    assert [[cell["where"]["v"] for cell in row] for row in ran.output] == [["110", "121"], ["210", "221"]]
    assert [[cell["sum"]["v"] for cell in row] for row in ran.output] == [[2, 3], [3, 4]]


def test_needs_when_and_retry_within_items(run: Run) -> None:
    spec = """
steps:
  - id: all
    map: {items: "[1..3]"}
    steps:
      - {id: a, when: $item > 1, needs: {that: $item < 9, otherwise: "{% 'nine' & $item %}"}, task: m.a, input: {n: "{% $item %}"}, retry: {attempts: 3, backoff: linear, delay: 2s}}
      - {id: b, set: {a: "{% $a %}"}}
  - {id: fine, succeed: "{% $all.a %}"}
"""
    seen: dict[int, int] = {}

    def a(event: Any, context: Any) -> Any:
        seen[event["n"]] = seen.get(event["n"], 0) + 1
        if seen[event["n"]] < event["n"]:
            raise Busy
        return event["n"]

    ran = run(spec, {}, {"m.a": a})
    assert ran.output == [None, 2, 3]
    assert ran.seconds == 6
    assert run(spec.replace("< 9", "< 3"), {}, {"m.a": echo}).error == "Stratum.PreconditionFailed"


def test_states_have_readable_names_that_are_there_once() -> None:
    names: list[str] = []

    def look(machine: dict[str, Any]) -> None:
        for name, state in machine["States"].items():
            names.append(name)
            for inner in [
                *state.get("Branches", []),
                *([state["ItemProcessor"]] if "ItemProcessor" in state else []),
            ]:
                look(inner)

    look(compiled(MAP % ", tolerate: 1"))
    assert sorted(names) == [
        "after", "all", "all.thing: done", "all.thing: end", "all.thing: failed", "all.thing: start", "all: failed", "all: join",
        "double", "double: check", "kept", "kept: when", "workflow: check", "workflow: refused", "workflow: start",
    ]  # fmt: skip
    long = "x" * 60
    compiled(
        f"steps:\n  - id: {long}\n    parallel: {{{long}: [{{id: a, when: $input.x, wait: 1s}}, {{id: b, set: {{x: 1}}}}]}}\n"
    )
    assert max(map(len, names)) <= 80


def test_variables_of_a_scope_are_not_those_of_one_around_it() -> None:
    """AWS refuses a definition in which an inner scope assigns a name that an outer one has."""

    def assigned(state: dict[str, Any]) -> set[str]:
        found = set(state.get("Assign", {}))
        for key in ("Choices", "Catch"):
            for entry in state.get(key, []):
                found |= set(entry.get("Assign", {}))
        return found

    def look(machine: dict[str, Any], outer: set[str]) -> None:
        own = set().union(*map(assigned, machine["States"].values()))
        assert not own & outer
        for state in machine["States"].values():
            for inner in state.get("Branches", []):
                look(inner, outer | own)
            if "ItemProcessor" in state:
                distributed = state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
                look(state["ItemProcessor"], set() if distributed else outer | own)

    for spec in (MAP % "", MAP % ", tolerate: 1", MAP % ", mode: distributed", FAILS):
        look(compiled(spec), set())
    assert json.dumps(compiled(MAP % ", mode: distributed")["States"]["all"]["ItemSelector"])
