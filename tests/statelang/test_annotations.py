"""Annotations as contracts: what they refuse, and values on the way to JSON and back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import typing
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union

import pytest
import typing_extensions
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator
from stratum.statelang.python.annotations import AnnotationError, ContractViolated, Shape, record_of
from stratum.statelang.spec import violations

jsonschema = pytest.importorskip("jsonschema")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Line:
    sku: str
    qty: Annotated[int, Field(ge=1)]
    note: str | None = None


class Customer(BaseModel):
    name: str
    color: Color = Color.RED
    since: dt.datetime | None = None


class Address(typing.TypedDict):
    street: str
    zip: typing.NotRequired[str]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    lines: list[Line]
    customer: Customer
    paid: Literal["yes", "no"] = "no"

    @field_validator("id")
    @classmethod
    def _an_id(cls, value: str) -> str:
        if not value.startswith("o-"):
            raise ValueError("an order's id begins with o-")
        return value


@dataclasses.dataclass
class Tree:
    value: int
    children: list[Tree] = dataclasses.field(default_factory=list)


def shape(annotation: Any) -> Shape:
    return Shape(annotation, "it")


def refused(annotation: Any, value: Any) -> list[str]:
    with pytest.raises(ContractViolated) as caught:
        shape(annotation).decode(value)
    return [f"{each.path}: {each.message}" for each in caught.value.violations]


# -- there and back --------------------------------------------------------------------------------------------

TIMES = st.datetimes(min_value=dt.datetime(1900, 1, 1), timezones=st.just(dt.UTC))
LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text(max_size=5)), (int, st.integers(-(2**53), 2**53)), (bool, st.booleans()), (None, st.none()),
    (float, st.floats(allow_nan=False, allow_infinity=False)), (Color, st.sampled_from(Color)), (Level, st.sampled_from(Level)),
    (Literal["a", "b"], st.sampled_from("ab")), (dt.datetime, TIMES), (dt.date, st.dates()),
    (Annotated[int, Field(ge=0, le=9)], st.integers(0, 9)), (Annotated[str, Field(max_length=2)], st.text(max_size=2)),
    (Line, st.builds(Line, st.text(max_size=3), st.integers(1, 5), st.none() | st.text(max_size=2))),
    (Customer, st.builds(Customer, name=st.text(max_size=3), color=st.sampled_from(Color), since=st.none() | TIMES)),
    (Address, st.fixed_dictionaries({"street": st.text(max_size=3)}, optional={"zip": st.text(max_size=3)})),
]  # fmt: skip

Typed = tuple[Any, st.SearchStrategy[Any]]


def _wider(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda each: (list[each[0]], st.lists(each[1], max_size=3))),
        inner.map(
            lambda each: (dict[str, each[0]], st.dictionaries(st.text(max_size=2), each[1], max_size=3))
        ),
        inner.map(lambda each: (Optional[each[0]], st.none() | each[1])),  # noqa: UP045 - made of what is known only now
        st.tuples(inner, inner).map(
            lambda two: (tuple[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))
        ),
    )


TYPED = st.recursive(st.sampled_from(LEAVES), _wider, max_leaves=4)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_value_comes_back_as_it_went_out(data: st.DataObject) -> None:
    annotation, values = data.draw(TYPED)
    made = shape(annotation)
    value = data.draw(values)
    written = json.loads(json.dumps(made.encode(value)))
    assert violations(made.contract, written) == []
    assert jsonschema.Draft202012Validator(made.schema).is_valid(written)
    assert made.decode(written) == value


@given(
    TYPED,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["sku", "qty", "name"]), inner, max_size=3)
        ),
    ),
)
@settings(deadline=None, max_examples=100)  # fmt: skip
def test_any_json_is_decoded_or_refused_with_its_places(typed: Typed, value: Any) -> None:
    made = shape(typed[0])
    places: list[str] = []
    try:
        decoded = made.decode(value)
    except ContractViolated as refusal:
        places = [each.path for each in refusal.violations]
    else:
        assert violations(made.contract, json.loads(json.dumps(made.encode(decoded)))) == []
        return
    assert places
    assert all(place.startswith("$") for place in places)


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "value", "told"),
    [
        (Line, {"sku": 1, "qty": 0}, ["$.sku: expected string, got number", "$.qty: expected integer (minimum 1), got number"]),
        (Order, {"id": "o-1", "lines": [{"sku": "a"}], "customer": {}, "more": 1},
         ["$.lines[0].qty: is missing", "$.customer.name: is missing", "$.more: is not expected"]),
        (Order, {"id": "1", "lines": [], "customer": {"name": "x"}}, ["$.id: an order's id begins with o-"]),
        (dict[str, int], {"a": 1, "b": "x"}, ["$.b: expected integer, got string"]),
        (Union[int, Line], "x", ["$: expected integer | Line, got string"]),  # noqa: UP007
        (Literal["a", 1], "b", ["$: expected one of 'a', 1, got string"]),
        (Color, "green", ["$: expected one of 'red', 'blue', got string"]),
        (dt.datetime, "2026-01-31T12:00:00",
         ["$: expected date-time, got string (a time with its zone, such as 2026-01-31T12:00:00Z)"]),
        (dt.date, "yesterday", ["$: input should be a valid date in the format YYYY-MM-DD, input is too short"]),
        (set[int], [1, 1], ["$: expected [integer] (uniqueItems true), got array"]),
        (Address, {"zip": 1}, ["$.street: is missing", "$.zip: expected optional string, got number"]),
        (bool, 1, ["$: expected boolean, got number"]),
        (None, 0, ["$: expected null, got number"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_field(annotation: Any, value: Any, told: list[str]) -> None:
    assert refused(annotation, value) == told


def test_an_integer_may_be_written_with_a_point() -> None:
    assert shape(list[int]).decode([3.0]) == [3]
    assert refused(int, 3.5) == ["$: expected integer, got number"]


def test_an_answer_is_checked_too() -> None:
    line = Line("a", 0, note=typing.cast(Any, 7))
    with pytest.raises(
        ContractViolated, match=r"it: \$.qty: expected integer \(minimum 1\), got number; \$.note: expected"
    ):
        shape(Line).encode(line)
    with pytest.raises(ContractViolated, match="is no JSON"):
        shape(int).encode(object())
    with pytest.raises(ContractViolated, match="a time with its zone"):
        shape(dt.datetime).encode(dt.datetime(2026, 1, 1))
    assert shape(Decimal).encode(Decimal("1.50")) == "1.50"


def test_what_comes_round_to_itself_has_an_end_in_its_contract() -> None:
    made = shape(Tree)
    deep = Tree(1, [Tree(2, [Tree(3)])])
    assert made.decode(made.encode(deep)) == deep
    assert refused(Tree, {"value": 1, "children": [{"value": "x"}]}) == [
        "$.children[0].value: input should be a valid integer"
    ]


def test_both_typed_dicts_are_read() -> None:
    class New(typing_extensions.TypedDict):
        a: int
        inner: typing_extensions.NotRequired[Address]

    new: Any = record_of(
        "New", typing_extensions.get_type_hints(New, globals(), locals(), include_extras=True)
    )
    assert shape(list[new]).decode([{"a": 1, "inner": {"street": "x"}}]) == [
        {"a": 1, "inner": {"street": "x"}}
    ]
    assert refused(new, {"a": 1, "inner": {}}) == ["$.inner.street: is missing"]
    assert refused(Annotated[dict[str, Address], Field(min_length=1)], {"x": {}}) == [
        "$.x.street: is missing"
    ]


def test_what_no_json_is_for_is_refused_by_name() -> None:
    class Plain:
        pass

    with pytest.raises(AnnotationError, match=r"it: there is no JSON for <class '.*Plain'>"):
        shape(Plain)
