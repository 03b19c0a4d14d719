"""JSONata as the rest of the language uses it: values, limits, references, Step Functions' additions."""

from __future__ import annotations

import json
import random
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stratum.statelang.jsonata import UNDEFINED, JsonataError, Limits, compile, free_variables, uses_context

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda n: not n.is_integer())
)
JSON = st.recursive(SCALARS, lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts), max_leaves=10)


def evaluate(source: str, **bindings: Any) -> Any:
    return compile(source).evaluate(bindings, now=0, entropy=random.Random(1))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$states.input.order.total + 1", 43),
        ("$states.input.order.items[qty > 1].sku", "b"),
        ("$states.input.order.items.sku", ["a", "b"]),
        ("$sum($states.input.order.items.(qty * 2))", 6),
        ("{'n': $states.input.order.total & '!'}", {"n": "42!"}),
        ("$states.input.missing", UNDEFINED),
        ("$states.input.nothing", None),
        ("10 / 4", 2.5),
        ("10 / 2", 5),
        ("$states.input.big", 2**63),
        ("$states.input.order.items[0].qty = 1 ? 'one' : 'more'", "one"),
        ("$map([1..3], function($v, $i){ $v * $i })", [0, 2, 6]),
    ],
)
def test_expressions_of_asl(source: str, value: Any) -> None:
    order = {"total": 42, "items": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2}]}
    assert evaluate(source, states={"input": {"order": order, "nothing": None, "big": 2**63}}) == value


@given(JSON)
def test_what_passes_through_stays_what_it_is(value: Any) -> None:
    before = json.dumps(value)
    assert json.dumps(evaluate("$x", x=value)) == before
    assert json.dumps(evaluate("{'a': [$x]}.a", x={"v": value}).__getitem__(0)) == json.dumps({"v": value})
    assert json.dumps(value) == before


@pytest.mark.parametrize(
    "source",
    [
        "($f := function($n){ $f($n + 1) }; $f(0))",
        "($f := function($n){ 1 + $f($n + 1) }; $f(0))",
        "($f := function($a, $n){ $n = 0 ? $a : $f($a & $a, $n - 1) }; $f('xxxxxxxx', 60))",
        "($f := function($a, $n){ $n = 0 ? $a : $f($append($a, $a), $n - 1) }; $f([1], 60))",
        "[1..9000000]",
        "$count([1..1000].([1..1000]).([1..1000]))",
        "$pad('x', 1000000000)",
        "$join([1..100000].$pad('x', 1000))",
        "$match($pad('', 60, 'a') & '!', /^(a|aa)+$/)",
        "$reduce([1..100000], function($a, $b){ $a & 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' })",
        "$map([1..100000], function($v){ $map([1..100000], function($w){ $w }) })",
        "($y := function($f){ $f($f) }; $y($y))",
        "$replace($pad('', 100000, 'a'), 'a', $pad('', 100000, 'b'))",
        "[1..1000000].{'a': [1..1000000]}",
        "$string([1..1900000].{'a': 1})",
        "(" * 3000 + "1" + ")" * 3000,
        "[" * 3000 + "]" * 3000,
        " + ".join("1" for _ in range(5000)),
    ],
)
def test_a_hostile_expression_is_stopped(source: str) -> None:
    before = sys.getrecursionlimit()
    with pytest.raises(JsonataError) as stopped:
        evaluate(source)
    assert stopped.value.code in ("U1001", "D1004")
    assert sys.getrecursionlimit() == before


def outcome(source: str) -> str:
    try:
        return "undefined" if evaluate(source, x={"a": 1}) is UNDEFINED else "a value"
    except JsonataError as error:
        return error.code


def test_the_process_is_out_of_reach() -> None:
    for source in ("$eval('1')", "$__import__('os')", "$x.__class__", "$x.keys"):
        assert outcome(source) in ("undefined", "D3121", "T1006")


def test_deep_calls_within_the_limit_work() -> None:
    assert evaluate("($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f(400))") == 400
    with pytest.raises(JsonataError, match="deeper than 50"):
        compile("($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f(400))").evaluate(
            {}, limits=Limits(depth=50)
        )


def test_one_expression_from_many_threads() -> None:
    expression = compile("($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f($n))")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(expression.evaluate({"n": n}) - n))
        for n in range(0, 200, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [0] * 20


def test_references_have_places_and_paths() -> None:
    source = "$charge.receipt.id & ($x := $input.a; $x.b) & $map($items, function($v){ $v.sku & $other })"
    found = free_variables(compile(source).ast)
    assert [(each.name, each.builtin) for each in found] == [
        ("charge", False), ("input", False), ("map", True), ("items", False), ("other", False),
    ]  # fmt: skip
    for each in found:
        assert source[each.start : each.end] == f"${each.name}"
        for segment in each.path:
            assert source[segment.start : segment.end] == segment.name
    assert [segment.name for segment in found[0].path] == ["receipt", "id"]


def test_where_an_input_document_would_be_needed() -> None:
    assert [
        use.text for use in uses_context(compile("total > 1 and $$.x and $items[price > 1].(qty)").ast)
    ] == ["total", "$$"]


def test_what_step_functions_adds() -> None:
    assert evaluate("$partition([1..5], 2)") == [[1, 2], [3, 4], [5]]
    assert evaluate("$range(0, 10, 5)") == [0, 5, 10]
    assert evaluate("$hash('abc', 'SHA-256')").startswith("ba7816bf")
    assert evaluate("$parse('{\"a\": [1]}').a") == [1]
    assert len(evaluate("$uuid()")) == 36
    assert evaluate("$random(7) = $random(7)") is True
    with pytest.raises(JsonataError, match="not supported"):
        evaluate("$eval('1 + 1')")


def test_an_error_has_its_place() -> None:
    with pytest.raises(JsonataError) as failed:
        compile("$input.total >")
    assert (failed.value.code, failed.value.position) == ("S0207", 14)
