"""Specs run to their end: what every feature of the language does, under a virtual clock and with real handlers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import Busy, Fatal, Ran, answers
from stratum.statelang.asl.fields import JSONATA as FIELDS
from stratum.statelang.spec import violations
from stratum.statelang.spec.contracts import TypeReader


def test_data_flows_from_step_to_step() -> None:
    ran = Ran(
        "steps:\n"
        "  - {id: double, task: m.double, input: {n: '{% $input.n %}'}}\n"
        "  - {id: facts, set: {n: '{% $double %}', all: ['{% $input.n %}', '{% $double %}']}}\n"
        "  - {id: again, task: m.double, input: {n: '{% $facts.n %}'}}\n",
        {"n": 3},
        {"m.double": lambda event, context: event["n"] * 2},
    )
    assert ran.output == 12
    assert ran.calls == [{"n": 3}, {"n": 6}]


def test_a_skipped_step_is_null() -> None:
    spec = (
        "steps:\n  - {id: extra, when: $input.vip, task: m.f}\n"
        "result: {extra: '{% $extra %}', had: '{% $extra != null %}'}\n"
    )
    assert Ran(spec, {}, {"m.f": answers(1)}).output == {"extra": None, "had": False}
    assert Ran(spec, {"vip": True}, {"m.f": answers(1)}).output == {"extra": 1, "had": True}


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        ("backoff: fixed, delay: 5s", [5, 5, 5]),
        ("backoff: linear, delay: 5s", [5, 10, 15]),
        ("backoff: exponential, delay: 5s", [5, 10, 20]),
        ("backoff: exponential, delay: 5s, rate: 3, max_delay: 20s", [5, 15, 20]),
        ("backoff: linear, delay: 10s, max_delay: 15s", [10, 15, 15]),
    ],
)
def test_back_off(retry: str, waits: list[int]) -> None:
    spec = f"steps:\n  - {{id: a, task: m.f, retry: {{attempts: 4, {retry}}}}}\n"
    ran = Ran(spec, {}, {"m.f": answers(Busy(), Busy(), Busy(), "fine")})
    assert ran.output == "fine"
    assert ran.seconds == sum(waits)


@pytest.mark.parametrize("backoff", ["linear", "exponential"])
def test_what_is_retried_and_what_is_fatal(backoff: str) -> None:
    spec = (
        f"steps:\n  - id: a\n    task: m.f\n    retry: {{on: [Busy], never: [Fatal], attempts: 3, delay: 1s, backoff: {backoff}}}\n"
        "    on_error: [{match: [Fatal], next: sorry}]\n    next: end\n  - {id: sorry, succeed: '{% $error.Error %}'}\n"
    )
    assert Ran(spec, {}, {"m.f": answers(Busy(), Fatal())}).output == "Fatal"
    other = Ran(spec, {}, {"m.f": answers(KeyError("x"))})
    assert (other.error, len(other.calls)) == ("KeyError", 1)
    assert Ran(spec, {}, {"m.f": answers(Busy())}).error == "Busy"


def test_each_attempt_sees_the_violations_of_the_one_before() -> None:
    ran = Ran(
        "types: {Answer: {score: {type: integer, minimum: 1}, tags: [string]}}\n"
        "steps:\n  - id: ask\n    task: m.f\n    input: {attempt: '{% $attempt %}', wrong: '{% $violations %}'}\n"
        "    output: Answer\n    ensure: [{that: $result.score > 5, otherwise: \"{% 'only ' & $result.score %}\"}]\n"
        "    retry: {attempts: 4, delay: 1s, backoff: fixed}\n",
        {},
        {
            "m.f": answers(
                {"score": "x", "tags": [1, "a"]},
                {"score": 3, "tags": []},
                Busy(),
                {"score": 9, "tags": ["a"]},
            )
        },
    )
    assert ran.output == {"score": 9, "tags": ["a"]}
    assert [call["attempt"] for call in ran.calls] == [1, 2, 3, 4]
    assert ran.calls[0]["wrong"] == []
    assert [wrong["path"] for wrong in ran.calls[1]["wrong"]] == ["$.score", "$.tags[0]"]
    assert ran.calls[2]["wrong"] == [
        {"code": "Stratum.PostconditionFailed", "that": "$result.score > 5", "message": "only 3"}
    ]
    assert ran.calls[3]["wrong"] == []
    assert ran.seconds == 3


def test_a_violation_can_be_caught_by_name_and_lists_everything() -> None:
    spec = (
        "steps:\n  - id: ask\n    task: m.f\n    output: {a: string, b: number}\n    ensure: [$result.b > 1, $result.b > 2]\n"
        "    on_error: [{match: [Stratum.PostconditionFailed], next: sorry}]\n    next: end\n  - {id: sorry, succeed: '{% $parse($error.Cause) %}'}\n"
    )
    caught = Ran(spec, {}, {"m.f": answers({"a": "", "b": 1})}).output
    assert [wrong["that"] for wrong in caught["violations"]] == ["$result.b > 1", "$result.b > 2"]
    failed = Ran(spec, {}, {"m.f": answers({"a": 1})})
    assert failed.error == "Stratum.ContractViolated"
    assert [wrong["path"] for wrong in json.loads(failed.cause or "")["violations"]] == ["$.a", "$.b"]


def test_thirty_days_of_waiting_take_no_time() -> None:
    ran = Ran(
        "steps:\n  - {id: weeks, wait: 4w}\n"
        "  - {id: ask, task: m.f, retry: {attempts: 3, backoff: linear, delay: 12h}}\n  - {id: rest, wait: 12h}\n",
        {},
        {"m.f": answers(Busy(), Busy(), "done")},
    )
    assert ran.status == "SUCCEEDED"
    assert ran.seconds == 30 * 86_400
    assert ran.events[-1]["timestamp"] - ran.events[0]["timestamp"] == pytest.approx(30 * 86_400)
    times = [event["timestamp"] for event in ran.events]
    assert times == sorted(times)


def test_nothing_but_asl_comes_out() -> None:
    ran = Ran(
        "timeout: 1h\ndefaults: {timeout: 5s, heartbeat: 2s}\nsteps:\n"
        "  - {id: a, when: $input.x, needs: {that: $input.x, within: 1m}, task: m.f, output: string, ensure: [$result != ''], retry: {attempts: 2, jitter: full}, on_error: [{next: c}]}\n"
        "  - {id: b, task: 'aws-sdk:sts:getCallerIdentity', when: $input.y}\n  - {id: c, succeed: 1}\n",
        {},
        {"m.f": answers("x")},
    )
    assert ran.output == 1
    assert set(ran.definition) <= {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds"}
    for state in ran.definition["States"].values():
        assert set(state) <= FIELDS[state["Type"]]


TYPES = st.recursive(
    st.sampled_from(["string", "number", "integer", "boolean", "any", "null", "object", "optional string", "string | number"])
    | st.just({"type": "integer", "minimum": 2}),
    lambda parts: st.lists(parts, min_size=1, max_size=1) | st.dictionaries(st.sampled_from(["a", "b", "in", "c d"]), parts, max_size=3),
    max_leaves=5,
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.just(1.5) | st.sampled_from(["", "x"]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "in", "c d"]), parts, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(TYPES, VALUES)
def test_the_compiled_predicate_says_what_the_contract_says(written: Any, value: Any) -> None:
    from stratum.statelang.compiler.predicates import violations_expression
    from stratum.statelang.compiler.rewriting import Names
    from stratum.statelang.jsonata import compile

    contract = TypeReader({}, []).read(written, ())
    found = compile(violations_expression(contract, [], "$v", Names({}))).evaluate({"v": value})
    assert isinstance(found, list)
    assert {each["path"] for each in found} == {each.path for each in violations(contract, value)}
