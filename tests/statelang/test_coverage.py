"""Coverage of workflows, the pure part: what there is to take, what histories have taken, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import Functions, commits_of
from stratum.statelang.compiler import compile_spec
from stratum.statelang.coverage import (
    KINDS,
    Coverage,
    Part,
    Taken,
    parts_of_definition,
    parts_of_spec,
    shown,
    times,
    total,
    violations_of,
)
from stratum.statelang.spec import load

SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
input: {total: number, answers: any}
steps:
  - id: first
    task: m.first
    output: {n: integer}
    ensure:
      - $result.n > 1
      - {that: $result.n < 9, otherwise: too many}
    retry: {attempts: 2, backoff: fixed, delay: 1s}
    on_error:
      - {next: failed}
  - id: extra
    when: $input.total > 3
    task: m.extra
    timeout: 30s
  - id: choose
    decision:
      - {when: $input.total > 1, next: last}
      - {when: $input.total > 0, next: last}
      - {next: last}
  - {id: last, succeed: 1}
  - {id: failed, fail: No}
"""


class Compiled:
    """The spec above, and coverage over executions of it."""

    def __init__(self) -> None:
        loaded = load(SPEC, "w.yaml")
        assert loaded.spec is not None, loaded.diagnostics
        compiled = compile_spec(loaded.spec, loaded.source)
        self.definition, self.source_map = compiled.definition, compiled.source_map
        self.taken = Taken(violations_of(self.source_map))

    def run(self, total: float, *answers: Any) -> Compiled:
        left = iter(answers)
        functions: Functions = {
            "m-first": lambda event, context: next(left),
            "m-extra": lambda event, context: 1,
        }
        run = self.taken.execution()
        for commit in commits_of(self.definition, {"total": total, "answers": None}, functions):
            run.feed(commit.events, commit.ways)
        return self

    @property
    def coverage(self) -> Coverage:
        return Coverage("w", parts_of_spec(self.source_map), self.taken.hits)

    @property
    def missing(self) -> list[str]:
        return [f"{part.line} {part.key}" for part in self.coverage.missing]


def test_what_a_spec_offers() -> None:
    assert [(part.line, part.kind, part.key) for part in Compiled().coverage.parts] == [
        (6, "steps", "first"),
        (8, "contracts", "first: output violated"),
        (10, "ensures", "first: ensure $result.n > 1 violated"),
        (11, "ensures", "first: ensure $result.n < 9 violated"),
        (12, "retries", "first: retry"),
        (14, "catches", "first: on_error every error"),
        (15, "steps", "extra"),
        (16, "choices", "extra: when"),
        (16, "choices", "extra: skipped"),
        (18, "timeouts", "extra: timeout"),
        (19, "steps", "choose"),
        (21, "choices", "choose: $input.total > 1"),
        (22, "choices", "choose: $input.total > 0"),
        (23, "choices", "choose: otherwise"),
        (24, "steps", "last"),
        (25, "steps", "failed"),
    ]


def test_of_a_step_that_never_ran_only_the_step_is_missing() -> None:
    assert Compiled().missing == ["6 first", "15 extra", "19 choose", "24 last", "25 failed"]
    assert Compiled().coverage.percent == 0


def test_what_runs_take_is_told_to_the_line() -> None:
    compiled = Compiled().run(1, {"n": 2})
    assert compiled.missing == [
        "10 first: ensure $result.n > 1 violated",
        "11 first: ensure $result.n < 9 violated",
        "12 first: retry",
        "14 first: on_error every error",
        "15 extra",
        "21 choose: $input.total > 1",
        "23 choose: otherwise",
        "25 failed",
    ]
    compiled.run(5, {"n": 0}, {"n": 3})  # one violation, then fine
    assert compiled.missing == [
        "11 first: ensure $result.n < 9 violated",
        "14 first: on_error every error",
        "23 choose: otherwise",
        "25 failed",
    ]
    assert compiled.coverage.of(["contracts", "timeouts"]) == (0, 2)
    compiled.run(0, {"n": 10}, {"n": "ten"}).run(0, {"n": 2})
    assert compiled.missing == []
    assert compiled.coverage.percent == 100
    assert compiled.coverage.of(["contracts", "timeouts"]) == (1, 2)


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def keys(definition: Mapping[str, Any]) -> list[str]:
    return [f"{part.kind} {part.key}" for part in parts_of_definition(definition)]


def test_what_a_definition_offers() -> None:
    inner = machine(I={"Type": "Pass", "End": True})
    definition = machine(
        T={
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 3, "HeartbeatSecondsPath": "$.h",
            "Retry": [{"ErrorEquals": ["Fatal"], "MaxAttempts": 0}, {"ErrorEquals": ["A", "B"]}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}], "Next": "C",
        },
        C={"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "P"}], "Default": "M"},
        P={"Type": "Parallel", "Branches": [inner, machine(J={"Type": "Pass", "End": True})], "End": True},
        M={"Type": "Map", "Iterator": machine(K={"Type": "Pass", "End": True}), "Next": "L"},
        L={
            "Type": "Map", "QueryLanguage": "JSONata", "Items": [1, 2], "End": True,
            "ItemProcessor": machine(N={"Type": "Pass", "End": True}),
        },
    )  # fmt: skip
    assert keys({**definition, "TimeoutSeconds": 60}) == [
        "steps T", "retries T: Retry[1] A, B", "catches T: Catch[0] States.ALL → C", "timeouts T: TimeoutSeconds",
        "heartbeats T: HeartbeatSeconds", "steps C", "choices C: Choices[0] → P", "choices C: Default → M", "steps P",
        "branches P: Branches[0]", "branches P: Branches[1]", "steps I", "steps J", "steps M", "items M: no items",
        "items M: one item", "items M: many items", "steps K", "steps L", "items L: many items", "steps N",
        "timeouts : TimeoutSeconds",
    ]  # fmt: skip


def test_what_runs_of_a_definition_take() -> None:
    choices = [{"Variable": "$.n", "NumericGreaterThan": limit, "Next": "B"} for limit in (9, 5)]
    definition = machine(
        A={"Type": "Choice", "Choices": choices, "Default": "B"}, B={"Type": "Pass", "End": True}
    )
    taken = Taken()
    for number in (6, 7):
        run = taken.execution()
        for commit in commits_of(definition, {"n": number}):
            run.feed(commit.events, commit.ways)
    assert taken.hits == {"A": {"": 2, "exited": 2, "Choices[1]": 2}, "B": {"": 2, "exited": 2}}
    assert (times(taken.hits, "B", "Next"), times(taken.hits, "C", "Next")) == (2, 0)
    coverage = Coverage("m", parts_of_definition(definition), taken.hits)
    assert [part.key for part in coverage.missing] == ["A: Choices[0] → B", "A: Default → B"]
    assert coverage.counts == (3, 5)
    assert Coverage("m", coverage.parts, taken.hits, ["steps"]).percent == 100


HITS = st.dictionaries(
    st.sampled_from("ABC"),
    st.dictionaries(st.sampled_from(["", "Default", "Retry[0]"]), st.integers(1, 9), min_size=1),
)


@given(st.lists(HITS), st.randoms(use_true_random=False))
def test_merging_comes_to_the_same_in_any_order(several: list[Any], random: Any) -> None:
    one, other = Taken(), Taken()
    for hits in several:
        one.merge(json.loads(json.dumps(hits)))
    shuffled = list(several)
    random.shuffle(shuffled)
    half = Taken()
    for hits in shuffled[::2]:
        half.merge(hits)
    for hits in shuffled[1::2]:
        other.merge(hits)
    other.merge(half.hits)
    assert one.hits == other.hits


@pytest.mark.parametrize(
    ("percent", "text"), [(0, "0%"), (0.1, "1%"), (49.6, "50%"), (99.9, "99%"), (100, "100%")]
)
def test_a_percentage_says_100_only_of_everything(percent: float, text: str) -> None:
    assert shown(percent) == text


def test_totals() -> None:
    part = Part("A", KINDS[0], "", None, (("A", ""),))
    whole, none = Coverage("a", [part], {"A": {"": 3}}), Coverage("b", [part, part, part], {})
    assert total([whole, none]) == {"taken": 1, "offered": 4, "percent": 25.0}
    assert total([])["percent"] == 100


WIDE = """\
stratum: "1"
workflow: wide
version: 1.0.0
input: {items: [number], fail: boolean}
steps:
  - id: book
    task: m.book
    compensate: {task: m.cancel}
  - id: both
    parallel:
      left: [{id: one, task: m.one}]
      right: [{id: two, wait: 1s}]
  - id: every
    map: {items: $input.items}
    steps: [{id: label, task: m.label, input: "{% $item %}"}]
  - id: search
    repeat: {until: $result.done, max: 3}
    steps: [{id: look, task: m.look}]
  - id: may
    task: m.may
    input: "{% $input.fail %}"
"""


def test_parallels_maps_loops_and_compensations() -> None:
    loaded = load(WIDE, "w.yaml")
    assert loaded.spec is not None, loaded.diagnostics
    compiled = compile_spec(loaded.spec, loaded.source)
    parts = parts_of_spec(compiled.source_map)
    assert [
        (part.line, part.kind, part.key) for part in parts if part.kind not in ("steps", "contracts")
    ] == [
        (8, "compensations", "book: compensated"),
        (11, "branches", "both: branch left"),
        (12, "branches", "both: branch right"),
        (14, "items", "every: no items"),
        (14, "items", "every: one item"),
        (14, "items", "every: many items"),
        (17, "choices", "search: again"),
    ]
    taken = Taken(violations_of(compiled.source_map))

    def run(items: list[int], fail: bool, looks: int) -> list[str]:
        left = iter([{"done": False}] * looks + [{"done": True}])

        def may(event: Any, context: Any) -> int:
            if event:
                raise ValueError("no")
            return 1

        functions: Functions = {"m-look": lambda event, context: next(left), "m-may": may} | {
            f"m-{name}": lambda event, context: 1 for name in ("book", "cancel", "one", "label")
        }
        following = taken.execution()
        for commit in commits_of(compiled.definition, {"items": items, "fail": fail}, functions):
            following.feed(commit.events, commit.ways)
        return [part.key for part in Coverage("w", parts, taken.hits).missing]

    assert run([], False, 0) == [
        "book: compensated",
        "every: one item",
        "every: many items",
        "label",
        "search: again",
    ]
    assert run([1], True, 1) == ["every: many items"]
    assert run([1, 2], False, 0) == []
