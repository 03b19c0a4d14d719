"""Workflows that are built in Python: references write JSONata, steps the document of a spec."""

from __future__ import annotations

import operator
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum import InvalidWorkflow, Workflow, choose, contained, expression, fn, null, task
from stratum.statelang import jsonata
from stratum.statelang.compiler import compile_spec
from stratum.statelang.python.references import Expression, bare, template, variable
from stratum.statelang.spec import load

# -- references --------------------------------------------------------------------------------------------------

x, y = variable("x"), variable("y")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (x.total > 1000, "$x.total > 1000"),
        ((x.a > 1) & (y.b < 2) | ~fn.exists(y), "$x.a > 1 and $y.b < 2 or $not($exists($y))"),
        ((x.a | x.b) & x.c, "($x.a or $x.b) and $x.c"),
        ((x.a + x.b) * 2, "($x.a + $x.b) * 2"),
        (x.a - (y - 1), "$x.a - ($y - 1)"),
        (-x.a % 3, "-$x.a % 3"),
        (1 - x, "1 - $x"),
        (x["two words"]["items"][0].function, "$x.`two words`.items[0].`function`"),
        ((x + y).total, "($x + $y).total"),
        (x["items"][expression("qty > 1")].sku, "$x.items[qty > 1].sku"),
        (choose(x != null, x, y) == 1, "($x != null ? $x : $y) = 1"),
        ("a" + x, "'a' & $x"),
        (x + "it's", '$x & "it\'s"'),
        (contained(x.sku, ["a", "b"]), "$x.sku in ['a', 'b']"),
        (fn.join(x.errors, "; "), "$join($x.errors, '; ')"),
        (x == {"a": y.b, "c": [1, -2.5, None, True]}, "$x = {'a': $y.b, 'c': [1, -2.5, null, true]}"),
        (expression("$x > 1") & y, "($x > 1) and $y"),
        (expression(f"$count({x.a + 1}) > 1"), "$count(($x.a + 1)) > 1"),
    ],
)  # fmt: skip
def test_operators_write_jsonata(made: Expression, text: str) -> None:
    assert bare(made) == text
    jsonata.compile(text)


def test_data_with_references() -> None:
    @dataclass
    class Point:
        x: int

    made = template(
        {
            "a": f"order {x.id} costs {x.n + 1}",
            "b": f"{x.id}",
            "c": [x, (1, 2)],
            "d": "plain {x}",
            "e": Point(1),
        }
    )
    assert made == {
        "a": "{% 'order ' & $x.id & ' costs ' & ($x.n + 1) %}", "b": "{% $string($x.id) %}", "c": ["{% $x %}", [1, 2]],
        "d": "plain {x}", "e": {"x": 1},
    }  # fmt: skip
    for bad in (object(), float("nan"), {1: 2}):
        with pytest.raises(TypeError):
            template({"a": bad})


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (lambda: bool(x.a), "write & for `and`"),
        (lambda: 1 < x < 3, "a chain of comparisons as two"),
        (lambda: list(x), "`wf.map` goes through them later"),
        (lambda: 1 in x, r"write contained\(item, items\)"),
        (lambda: len(x), "write fn.count or fn.length"),
        (lambda: x.keys(), r"fn.keys\(…\)"),
        (lambda: f"{x:.2f}", "fn.formatNumber does that later"),
        (lambda: x[True], "a field's name, a number or a condition is wanted"),
        (lambda: x["a`b"], "JSONata has no way"),
        (lambda: x.a == object(), "is no JSON data"),
    ],
)  # fmt: skip
def test_what_a_reference_cannot_do_is_told_with_the_way_on(use: Callable[[], Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        use()


NUMBERS = st.integers(-9, 9)
ARITHMETIC = [operator.add, operator.sub, operator.mul]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
Pair = tuple[Any, Any]


def _sum(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def both(apply: Callable[[Any, Any], Any], one: Pair, other: Pair) -> Pair:
        return apply(one[0], other[0]), apply(one[1], other[1])

    negated = inner.map(lambda pair: (-pair[0], -pair[1]))
    return st.builds(both, st.sampled_from(ARITHMETIC), inner, inner) | negated


SUMS = st.recursive(
    st.sampled_from([(x, 3), (y, -2)]) | NUMBERS.map(lambda n: (n + x * 0, n)), _sum, max_leaves=8
)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> Pair:
    """A condition as an expression, and what it comes to for x = 3 and y = -2."""
    how = draw(st.sampled_from(["compare", "and", "or", "not", "choose"] if depth else ["compare"]))
    if how == "compare":
        apply, one, other = draw(st.sampled_from(COMPARISONS)), draw(SUMS), draw(SUMS)
        return apply(one[0], other[0]), apply(one[1], other[1])
    one, other = draw(conditions(depth=depth - 1)), draw(conditions(depth=depth - 1))
    if how == "and":
        return one[0] & other[0], one[1] and other[1]
    if how == "or":
        return one[0] | other[0], one[1] or other[1]
    if how == "not":
        return ~one[0], not one[1]
    third = draw(conditions(depth=depth - 1))
    return choose(one[0], other[0], third[0]) == True, other[1] if one[1] else third[1]  # noqa: E712 - JSONata's


@given(conditions())
@settings(deadline=None, max_examples=150)
def test_what_python_would_compute_is_what_jsonata_computes(pair: Pair) -> None:
    assert jsonata.compile(bare(pair[0])).evaluate({"x": 3, "y": -2}) == pair[1]


# -- documents ---------------------------------------------------------------------------------------------------


class Order(TypedDict):
    id: str
    total: float


class Declined(Exception):
    pass


@task(
    retry={"on": [OSError], "never": [Declined], "delay": timedelta(seconds=2)},
    timeout="10s",
    ensure=lambda result: result.total > 0,
)
def price(order: str) -> Order:
    return {"id": order, "total": 1}


def plain(event: Any, context: Any) -> list[Order]:
    return []


def document(workflow: Workflow) -> dict[str, Any]:
    return workflow.load().source.data


def small() -> Workflow:
    return Workflow("small", version="1.0.0", input=Order)


def test_a_task_brings_what_its_decorator_says() -> None:
    wf = small()
    first = wf.task("first", price, input={"order": wf.input.id})
    wf.task(
        "second",
        price,
        output=None,
        retry="none",
        ensure=[wf.result.total == first.total],
        timeout=timedelta(minutes=1),
    )
    wf.task("third", plain)
    wf.task("fourth", "shop.other", output={"n": int, "orders": [Order]})
    made = document(wf)
    name = f"{__name__}.price"
    assert made["steps"] == [
        {"id": "first", "task": name, "output": "Order", "input": {"order": "{% $input.id %}"},
         "ensure": ["$result.total > 0"], "retry": {"on": ["OSError"], "never": ["Declined"], "delay": 2}, "timeout": "10s"},
        {"id": "second", "task": name, "ensure": ["$result.total = $first.total"], "retry": "none", "timeout": 60},
        {"id": "third", "task": f"{__name__}.plain", "output": ["Order"]},
        {"id": "fourth", "task": "shop.other", "output": {"n": "integer", "orders": ["Order"]}},
    ]  # fmt: skip
    assert list(made["types"]) == ["Order"]
    assert set(wf.functions) == {name, f"{__name__}.plain"}


def test_what_a_task_says_of_its_compensation_holds_unless_the_step_says_otherwise() -> None:
    @task(
        name="shop.hold", compensate=(plain, lambda held: {"id": held.id, "why": f"{held.total} is too much"})
    )
    def hold(order: str) -> Order: ...

    @task(name="shop.keep", compensate={"task": "shop.drop", "input": {"n": 1}, "retry": {"attempts": 9}})
    def keep(order: str) -> Order: ...

    @task(name="shop.mark", compensate=price)
    def mark(order: str) -> Order: ...

    wf = small()
    wf.task("first", hold, input={"order": wf.input.id})
    wf.task("second", hold, input={"order": wf.input.id}, compensate=None)
    wf.task("third", keep, input={"order": wf.input.id})
    wf.task("fourth", mark, input={"order": wf.input.id})
    wf.task("fifth", "shop.other", compensate=(mark, lambda other: {"order": other.id}))
    undo = [step.get("compensate") for step in document(wf)["steps"]]
    assert undo == [
        {"task": f"{__name__}.plain", "input": {"id": "{% $first.id %}", "why": "{% $first.total & ' is too much' %}"}},
        None,
        {"task": "shop.drop", "input": {"n": 1}, "retry": {"attempts": 9}},
        {"task": f"{__name__}.price"},
        {"task": "shop.mark", "input": {"order": "{% $fifth.id %}"}},
    ]  # fmt: skip
    assert {"shop.mark", f"{__name__}.price", f"{__name__}.plain"} <= set(wf.functions)


def test_every_kind_of_step_is_written() -> None:
    wf = small()
    wf.set("limits", {"low": wf.input.total / 2})
    wf.decision(
        "route",
        (wf.input.total > 5, "later"),
        (wf["limits"].low < 1, wf["done"]),
        otherwise="done",
        when="$input.id != ''",
    )
    wf.wait("later", timedelta(hours=1), needs=[(wf.input.total > 0, f"{wf.input.id} is free")])
    wf.wait("until", until=wf.input.id)
    with wf.parallel("both", on_error={("A", Declined): "gone"}) as branch:
        with branch("left"):
            wf.task("one", "shop.one", compensate=(price, {"order": wf["one"].id}))
        with branch("right"):
            wf.task(
                "two", "shop.two", compensate={"task": plain, "input": {"n": 1}, "retry": {"on": [Declined]}}
            )
    orders = wf.map("orders", wf.input["items"], as_="order", max_concurrency=5, tolerate="10%", next="rest")
    with orders as order:
        wf.task("label", "shop.label", input=order.id)
    with wf.repeat(
        "rest", max=3, until=wf["found"].count == 0, collect={"items": wf["found"].things, "key": "$item.id"}
    ):
        wf.task("found", "shop.found")
    wf.gate(
        "ask",
        approvers=["ops"],
        timeout="1d",
        on_timeout="reject",
        reminders=["4h"],
        form=Order,
        revise=wf["later"],
        when=wf.input.total > 1,
    )
    wf.agent(
        "look",
        "claude",
        intent=f"check {wf.input.id}",
        output=Order,
        attempts=3,
        budget={"usd": 0.5, "time": timedelta(hours=1)},
    )
    wf.workflow("child", small(), input={"id": orders})
    wf.succeed("done", {"orders": orders})
    wf.fail("gone", Declined, because=f"{wf.error.Cause}!")
    steps = {step["id"]: step for step in document(wf)["steps"]}
    assert steps["route"] == {
        "id": "route", "decision": [{"when": "$input.total > 5", "next": "later"}, {"when": "$limits.low < 1", "next": "done"}, {"next": "done"}],
        "when": "$input.id != ''",
    }  # fmt: skip
    assert steps["later"] == {
        "id": "later",
        "wait": 3600,
        "needs": [{"that": "$input.total > 0", "otherwise": "{% $input.id & ' is free' %}"}],
    }
    assert steps["until"]["wait"] == {"until": "{% $input.id %}"}
    assert steps["both"] == {
        "id": "both",
        "parallel": {
            "left": [{"id": "one", "task": "shop.one", "compensate": {"task": f"{__name__}.price", "input": {"order": "{% $one.id %}"}}}],
            "right": [{"id": "two", "task": "shop.two", "compensate": {"task": f"{__name__}.plain", "input": {"n": 1}, "retry": {"on": ["Declined"]}}}],
        },
        "on_error": [{"match": ["A", "Declined"], "next": "gone"}],
    }  # fmt: skip
    assert steps["orders"] == {
        "id": "orders", "map": {"items": "$input.items", "as": "order", "max_concurrency": 5, "tolerate": "10%"}, "next": "rest",
        "steps": [{"id": "label", "task": "shop.label", "input": "{% $order.id %}"}],
    }  # fmt: skip
    assert steps["rest"] == {
        "id": "rest", "repeat": {"max": 3, "until": "$found.count = 0", "collect": {"items": "$found.things", "key": "$item.id"}},
        "steps": [{"id": "found", "task": "shop.found"}],
    }  # fmt: skip
    assert steps["ask"] == {
        "id": "ask", "when": "$input.total > 1",
        "gate": {"approvers": ["ops"], "timeout": "1d", "on_timeout": "reject", "reminders": ["4h"], "form": "Order", "revise": "later"},
    }  # fmt: skip
    assert steps["look"] == {
        "id": "look", "agent": "claude", "intent": "{% 'check ' & $input.id %}", "output": "Order", "attempts": 3,
        "budget": {"usd": 0.5, "time": 3600},
    }  # fmt: skip
    assert steps["child"] == {"id": "child", "workflow": "small", "input": {"id": "{% $orders %}"}}
    assert steps["gone"] == {"id": "gone", "fail": "Declined", "because": "{% $error.Cause & '!' %}"}


def test_it_compiles_to_what_the_yaml_does() -> None:
    wf = Workflow("small", version="1.0.0", description="Small.", input=Order, timeout="1h")
    first = wf.task(
        "first",
        "shop.price",
        input={"order": wf.input.id},
        output=Order,
        ensure=lambda result: (result.total > 0, f"{result.id} is free"),
    )
    wf.returns({"total": first.total})
    spec = load(textwrap.dedent("""\
        stratum: "1"
        workflow: small
        version: 1.0.0
        description: Small.
        types: {Order: {id: string, total: number}}
        input: Order
        timeout: 1h
        steps:
          - id: first
            task: shop.price
            input: {order: "{% $input.id %}"}
            output: Order
            ensure: [{that: $result.total > 0, otherwise: "{% $result.id & ' is free' %}"}]
        result: {total: "{% $first.total %}"}
        """)).spec  # fmt: skip
    assert spec is not None
    compiled = wf.compile()
    assert compiled.definition == compile_spec(spec).definition
    assert compiled.source_map["file"] == __file__
    assert (
        Path(__file__)
        .read_text()
        .splitlines()[compiled.source_map["steps"]["first"]["line"] - 1]
        .startswith("    first = wf.task(")
    )


# -- what is wrong -----------------------------------------------------------------------------------------------


def findings(workflow: Workflow, *, read: bool = True) -> list[str]:
    """Each finding as `code text-that-it-points-at`."""
    text = Path(__file__).read_text()
    loaded = workflow.load(read=(lambda file: text) if read else None)
    made: list[str] = []
    for each in loaded.diagnostics:
        place = each.position
        assert place is not None
        line = text.splitlines()[place.line - 1]
        made.append(
            f"{each.code} {line[place.column - 1 : place.end_column - 1] if place.line == place.end_line else line.strip()}"
        )
    return made


def test_findings_point_into_the_python_file() -> None:
    wf = small()
    wf.task("first", "shop.price", input={"n": "{% $input.totl + 1 %}", "m": wf.input.idd}, retyr="none")  # pyright: ignore[reportCallIssue]
    wf.task("second", "shop price", ensure=["$result.ok", "$frist.ok"], when="$input.id ==")
    wf.decision("route", (wf.input.total > 1, "nowhere"), (wf.input.total > 2, "last"), otherwise="twice")
    wf.task("twice", "shop.x", output={"n": "numbr"}, retry={"attempts": "3"})  # pyright: ignore[reportArgumentType]
    wf.task("last", "shop.x", input={"ä": ["{% $input.totl %}"]}, on_error={"A": "nowhere"})
    told = findings(wf)
    assert told == [
        "S305 totl", "S305 wf.input.idd", "S201 retyr", 'S203 "shop price"', "S502 $frist", "S501 =", 'S401 "nowhere"',
        'S301 "numbr"', 'S203 "3"', "S305 totl", 'S401 {"A": "nowhere"}',
    ]  # fmt: skip
    other = small()
    other.wait("é", "1.5s", next="twice")
    assert findings(other)[0] == 'S206 "é"'


def test_without_the_text_findings_have_their_calls() -> None:
    wf = small()
    wf.task("first", "shop.price", input=wf.input.idd)
    assert findings(wf, read=False) == ['S305 wf.task("first", "shop.price", input=wf.input.idd)']
    with pytest.raises(
        InvalidWorkflow,
        match=r"has 1 error\n\n.*test_workflow_builder.py:\d+:5: error S305: Order has no field `idd`",
    ):
        wf.compile()


def test_a_step_that_a_function_adds_has_the_place_of_its_call() -> None:
    wf = Workflow("w", version="1.0.0")
    namespace: dict[str, Any] = {}
    exec(compile("def add(wf): wf.task('a', 'x.y', input='{% $no %}')", "elsewhere.py", "exec"), namespace)
    namespace["add"](wf)
    assert findings(wf) == ['S502 namespace["add"](wf)']


def test_an_annotation_that_is_no_contract_is_a_finding() -> None:
    class Odd:
        pass

    wf = Workflow("w", version="1.0.0", input=Odd)
    wf.task("a", "x.y", output=list[Odd])
    assert [code.split()[0] for code in findings(wf)] == ["S302", "S302"]
    wf = Workflow("w", version="1.0.0", input=Order, types={"Order": {"n": int}})
    wf.task("a", "x.y")
    assert [each.message for each in wf.load().diagnostics] == ["there is a class `Order` as well"]


def test_a_condition_that_is_known_already_is_refused() -> None:
    wf = small()
    with pytest.raises(TypeError, match="has come out as True already"):
        wf.task("a", "x.y", ensure=[1 < 2])  # pyright: ignore[reportArgumentType]
