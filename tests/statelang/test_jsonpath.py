"""JSONPath: paths, reference paths, payload templates, intrinsic functions, conditions."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stratum.statelang.jsonpath import (
    FieldNotFound,
    Intrinsic,
    IntrinsicFailure,
    InvalidPath,
    Path,
    PathNotFound,
    PayloadTemplate,
    ResultPathMismatch,
    parse_reference,
    prepare_condition,
    put,
)
from stratum.statelang.jsonpath.choice import ChoicePathInvalid, matches

STORE = {
    "books": [
        {"title": "A", "price": 5, "tags": ["new", "red"]},
        {"title": "B", "price": 15, "tags": []},
        {"title": "C", "price": 25},
    ],
    "owner": {"name": "Ann", "odd key": 1, "null": None},
}


class Scope:
    """What a test's paths see."""

    def __init__(self, root: Any, **variables: Any):
        self.root = root
        self._variables = variables
        self._draw = random.Random(1)

    def context(self) -> Any:
        return {"Execution": {"Name": "x"}}

    def lookup(self, name: str) -> Any:
        if name not in self._variables:
            raise PathNotFound(name)
        return self._variables[name]

    def draw(self) -> float:
        return self._draw.random()


def get(path: str, root: Any = STORE, **variables: Any) -> Any:
    return Path.parse(path).evaluate(Scope(root, **variables))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", STORE),
        ("$.owner.name", "Ann"),
        ("$['owner']['odd key']", 1),
        ('$["owner"].name', "Ann"),
        ("$.owner.null", None),
        ("$.books[0].title", "A"),
        ("$.books[-1].title", "C"),
        ("$.books[0,2].title", ["A", "C"]),
        ("$.books[1:].title", ["B", "C"]),
        ("$.books[:2].price", [5, 15]),
        ("$.books[*].price", [5, 15, 25]),
        ("$.books[*].nothing", []),
        ("$..price", [5, 15, 25]),
        ("$..books[0].title", ["A"]),
        ("$.owner['name','odd key']", [{"name": "Ann", "odd key": 1}]),
        ("$.owner.*", ["Ann", 1, None]),
        ("$.books.length()", 3),
        ("$.books[*].price.sum()", 45.0),
        ("$.books[*].price.max()", 25.0),
        ("$.books[?(@.price > 5)].title", ["B", "C"]),
        ("$.books[?(@.price >= 5 && @.price < 20)].title", ["A", "B"]),
        ("$.books[?(@.title == 'A' || @.title == 'C')].price", [5, 25]),
        ("$.books[?(!(@.price > 5))].title", ["A"]),
        ("$.books[?(@.tags)].title", ["A", "B"]),
        ("$.books[?(@.title in ['A', 'B'])].price", [5, 15]),
        ("$.books[?(@.tags contains 'red')].title", ["A"]),
        ("$.books[?(@.tags empty true)].title", ["B"]),
        ("$.books[?(@.tags size 2)].title", ["A"]),
        ("$.books[?(@.title =~ /[ab]/i)].price", [5, 15]),
        ("$.books[?(@.price == $.books[0].price)].title", ["A"]),
        ("$.nowhere[*].x", []),
        ("$.nowhere[1:3]", []),
        ("$$.Execution.Name", "x"),
        ("$kept.a[1]", 2),
    ],
)
def test_paths(path: str, value: Any) -> None:
    assert get(path, kept={"a": [1, 2]}) == value


@pytest.mark.parametrize("path", ["$.nowhere", "$.owner.name.first", "$.books[3]", "$.owner[0]", "$unknown"])
def test_a_definite_path_that_leads_nowhere_is_an_error(path: str) -> None:
    with pytest.raises(PathNotFound):
        get(path)


@pytest.mark.parametrize(
    "text",
    ["", "a", "$.", "$..", "$[", "$[]", "$['a", "$.a b", "$.a[1,]", "$.a[?(]", "$.a[?(@.b >)]", "$.a.nope()", "$.a[1:2:0]", "$.a[?(@.b =~ /[/)]", "$.a]"],
)  # fmt: skip
def test_what_is_no_path_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InvalidPath):
        Path.parse(text)


def test_paths_are_bounded() -> None:
    many = list(range(300_000))
    with pytest.raises(PathNotFound, match="looks at more than"):
        get("$[*]..*..*", [many, many, many])
    slow = {"a": "a" * 40 + "b"}
    with pytest.raises(PathNotFound, match="too long"):
        get("$[?(@.a =~ /(a|a)*$/)]", slow)


@given(st.text())
def test_reading_a_path_never_fails_otherwise(text: str) -> None:
    with contextlib.suppress(InvalidPath):
        assert Path.parse(f"${text}").text == f"${text}"


# -- reference paths ---------------------------------------------------------------------------------------


def test_a_result_is_put_where_its_path_says() -> None:
    given = {"a": {"b": 1}, "list": [1, 2]}
    assert put(given, parse_reference("$.a.c"), 2) == {"a": {"b": 1, "c": 2}, "list": [1, 2]}
    assert put(given, parse_reference("$.new.deep"), 1) == {**given, "new": {"deep": 1}}
    assert put(given, parse_reference("$.list[1]"), 9) == {"a": {"b": 1}, "list": [1, 9]}
    assert put(given, parse_reference("$"), 5) == 5
    assert given == {"a": {"b": 1}, "list": [1, 2]}
    for path in ("$.list.x", "$.list[7]", "$.a.b.c"):
        with pytest.raises(ResultPathMismatch):
            put(given, parse_reference(path), 1)


@pytest.mark.parametrize("text", ["$$.a", "$.a[*]", "$.a[1:]", "$..a", "$x.a", "$.a.length()", "$.a[?(@.b)]"])
def test_what_names_no_one_place_is_no_reference_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_reference(text)


names = st.lists(st.text("ab'\\ .[", min_size=1, max_size=4), min_size=1, max_size=4)


@given(names, st.integers())
def test_what_was_put_is_found_again(keys: list[str], value: int) -> None:
    path = "$" + "".join("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']" for key in keys)
    assert get(path, put({}, parse_reference(path), value)) == value


# -- templates and intrinsic functions ---------------------------------------------------------------------


def test_a_template_computes_the_keys_that_end_in_dollars() -> None:
    template = PayloadTemplate(
        {
            "a.$": "$.owner.name",
            "b": {"c.$": "States.MathAdd(1, 2)", "d": "$.owner"},
            "e": [{"f.$": "$$.Execution.Name"}],
        }
    )
    assert template.evaluate(Scope(STORE)) == {"a": "Ann", "b": {"c": 3, "d": "$.owner"}, "e": [{"f": "x"}]}
    with pytest.raises(FieldNotFound) as missing:
        PayloadTemplate({"a": {"b.$": "$.no"}}).evaluate(Scope({}))
    assert (missing.value.path, missing.value.field) == ("$.no", "b.$")


def call(text: str, root: Any = None) -> Any:
    return Intrinsic.parse(text).evaluate(Scope(root))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Format('Hi {}, {}', 'A', 1)", "Hi A, 1"),
        (r"States.Format('\{\} it\'s {}', true)", "{} it's true"),
        ("States.Format('{}', $.object)", "{a=[1,{\"b\":2}], c=null}"),
        ("States.StringToJson('[1, {\"a\": null}]')", [1, {"a": None}]),
        ("States.JsonToString($.object)", '{"a":[1,{"b":2}],"c":null}'),
        ("States.Array()", []),
        ("States.Array(1, 'x', $.list)", [1, "x", [1, 2, 2]]),
        ("States.ArrayPartition($.list, 2)", [[1, 2], [2]]),
        ("States.ArrayContains($.list, 2)", True),
        ("States.ArrayContains($.list, true)", False),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayRange(3, 1, -1)", [3, 2, 1]),
        ("States.ArrayGetItem($.list, 1)", 2),
        ("States.ArrayLength($.list)", 3),
        ("States.ArrayUnique($.list)", [1, 2]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "Data to encode"),
        ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("States.JsonMerge($.object, $.other, false)", {"a": 2, "c": None}),
        ("States.MathAdd(111, -1)", 110),
        ("States.StringSplit('1.2.3.4', '.')", ["1", "2", "3", "4"]),
        ("States.StringSplit('This.is+a,test=string', '.+,=')", ["This", "is", "a", "test", "string"]),
        ("States.ArrayGetItem(States.StringSplit('a-b', '-'), States.MathAdd(0, 1))", "b"),
    ],
)  # fmt: skip
def test_intrinsic_functions(text: str, value: Any) -> None:
    assert (
        call(text, {"object": {"a": [1, {"b": 2}], "c": None}, "other": {"a": 2}, "list": [1, 2, 2]}) == value
    )


def test_intrinsic_functions_that_draw() -> None:
    assert 1 <= call("States.MathRandom(1, 999)") < 999
    assert call("States.MathRandom(1, 999, 5)") == call("States.MathRandom(1, 999, 5)")
    assert len(call("States.UUID()")) == 36


@pytest.mark.parametrize(
    "text",
    ["States.ArrayGetItem($.list, 9)", "States.ArrayLength('x')", "States.ArrayRange(1, 5000, 1)", "States.ArrayRange(1, 2, 0)", "States.ArrayPartition($.list, 0)",
     "States.Base64Decode('%')", "States.Hash('x', 'SHA-9')", "States.JsonMerge($.list, $.list, false)", "States.MathAdd('a', 1)", "States.StringToJson('{')",
     "States.Format('{} {}', 1)", "States.Format('{}', 1, 2)", "States.Base64Encode($.long)"],
)  # fmt: skip
def test_an_intrinsic_function_that_cannot_be_applied(text: str) -> None:
    with pytest.raises(IntrinsicFailure, match="The Intrinsic Function"):
        call(text, {"list": [1], "long": "x" * 10_001})


@pytest.mark.parametrize(
    "text",
    ["States.Nope()", "States.Format", "States.Format(", "States.Format('a' 'b')", "States.MathAdd(1)", "States.UUID(1)", "States.Format(\"a\")", "States.Format('a') x",
     "States.Array(" * 11 + ")" * 11, r"States.Format('a\nb')", r"""States.StringToJson('{\"a\":1}')"""],
)  # fmt: skip
def test_what_is_no_intrinsic_function_is_refused(text: str) -> None:
    with pytest.raises(InvalidPath):
        Intrinsic.parse(text)


# -- conditions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"StringEquals": "x"}, "x"),
        ({"StringLessThan": "b"}, "a"),
        ({"StringGreaterThanEquals": "b"}, "b"),
        ({"StringMatches": "log-*.txt"}, "log-1.txt"),
        ({"NumericEquals": 1}, 1.0),
        ({"NumericGreaterThan": 1}, 2),
        ({"BooleanEquals": False}, False),
        ({"TimestampEquals": "2020-01-01T00:00:00Z"}, "2020-01-01T01:00:00+01:00"),
        ({"TimestampLessThan": "2020-01-02T00:00:00Z"}, "2020-01-01T00:00:00.5Z"),
        ({"IsNull": True}, None),
        ({"IsString": True}, ""),
        ({"IsNumeric": False}, True),
        ({"IsBoolean": True}, True),
        ({"IsTimestamp": True}, "2020-01-01T00:00:00Z"),
        ({"IsTimestamp": False}, "2020-01-01"),
        ({"StringEqualsPath": "$.other"}, "o"),
        ({"NumericLessThanPath": "$.two"}, 1),
    ],
)
def test_comparisons(rule: dict[str, Any], value: Any) -> None:
    condition = prepare_condition({"Variable": "$.value", **rule})
    assert condition(Scope({"value": value, "other": "o", "two": 2}))
    assert not prepare_condition({"Not": {"Variable": "$.value", **rule}})(
        Scope({"value": value, "other": "o", "two": 2})
    )


def test_types_that_do_not_go_together_are_not_equal() -> None:
    for rule in ({"StringEquals": "1"}, {"NumericEquals": 1}, {"TimestampEquals": "2020-01-01T00:00:00Z"}):
        assert not prepare_condition({"Variable": "$", **rule})(Scope(True))


def test_presence_and_what_is_not_there() -> None:
    assert prepare_condition({"Variable": "$.no", "IsPresent": False})(Scope({}))
    assert prepare_condition({"Variable": "$.a", "IsPresent": True})(Scope({"a": None}))
    with pytest.raises(ChoicePathInvalid, match=r"\$\.no"):
        prepare_condition({"Variable": "$.no", "StringEquals": "x"})(Scope({}))
    # And and Or look no further than they must.
    either = {"Or": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.no", "IsNull": True}]}
    assert prepare_condition(either)(Scope({"a": 1}))


@given(st.text("ab*\\"))
def test_a_pattern_with_everything_escaped_matches_itself_alone(text: str) -> None:
    pattern = text.replace("\\", "\\\\").replace("*", "\\*")
    assert matches(text, pattern)
    assert not matches(text + "c", pattern)


@given(st.lists(st.text("ab", max_size=3), min_size=2, max_size=5), st.text("ab", max_size=3))
def test_a_star_stands_for_anything(parts: list[str], filling: str) -> None:
    assert matches(filling.join(parts), "*".join(parts))
