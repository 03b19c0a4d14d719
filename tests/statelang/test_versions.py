"""Semantic versions, what a change of contracts breaks, and differences in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stratum.statelang.spec.contracts import Contract, TypeReader, violations
from stratum.statelang.versions import SemanticVersion, breaks, differences


def contract(written: Any) -> Contract:
    findings: list[Any] = []
    made = TypeReader({}, findings).read(written, ())
    assert not findings
    return made


def test_versions_are_ordered() -> None:
    texts = ["0.1.0", "0.9.12", "1.0.0-1", "1.0.0-2", "1.0.0-11", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.0.10",
             "1.2.0", "10.0.0"]  # fmt: skip
    versions = [SemanticVersion.read(text) for text in texts]
    assert sorted(versions, key=lambda each: (each, id(each))) == versions
    assert [str(version) for version in versions] == texts


@pytest.mark.parametrize(
    "text",
    ["1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0+", "1.0.0+x..y", "", "１.0.0", "1.0.0\n"],
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="no semantic version"):
        SemanticVersion.read(text)


@pytest.mark.parametrize(
    ("older", "newer", "may"),
    [
        ("1.2.3", "1.3.0", False),
        ("1.2.3", "2.0.0", True),
        ("0.2.0", "0.3.0", True),
        ("0.2.0", "0.2.1", False),
    ],
)
def test_which_versions_may_break(older: str, newer: str, may: bool) -> None:
    assert SemanticVersion.read(newer).may_break(SemanticVersion.read(older)) is may


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": "string"}, {"a": "string"}, []),
        ({"a": "string"}, {"a": "string", "b": "optional string"}, []),
        ({"a": "string"}, {"a": "string", "b": "string"}, ["`input.b` must be given now (string)"]),
        ({"a": "optional string"}, {"a": "string"}, ["`input.a` must be given now, it was optional"]),
        ({"a": "integer"}, {"a": "number"}, []),
        ({"a": "number"}, {"a": "integer"}, ["`input.a` takes integer now, it took number"]),
        ({"a": "string"}, {"a": "any"}, []),
        ({"a": "any"}, {"a": "string"}, ["`input.a` takes string now, it took any"]),
        ({"a": "string"}, {}, []),
        ({"a": {"enum": ["x", "y"]}}, {"a": {"enum": ["x", "y", "z"]}}, []),
        ({"a": {"enum": ["x", "y"]}}, {"a": {"enum": ["x"]}}, ["takes less than it did"]),
        ({"a": {"enum": ["x", "y"]}}, {"a": "string"}, []),
        ({"a": {"type": "integer", "minimum": 1}}, {"a": {"type": "integer", "minimum": 0}}, []),
        (
            {"a": {"type": "integer", "minimum": 1}},
            {"a": {"type": "integer", "minimum": 2}},
            ["takes less than it did"],
        ),
        ({"a": ["string"]}, {"a": [{"type": "string", "maxLength": 3}]}, ["`input.a[]` takes less"]),
        ({"a": "string | integer"}, {"a": "string"}, ["takes less than it did"]),
        ({"a": "string"}, {"a": "string | integer"}, []),
        ({"a": {"b": "string"}}, {"a": {"b": "integer"}}, ["`input.a.b` takes integer now, it took string"]),
    ],
)
def test_what_an_input_contract_breaks(old: Any, new: Any, told: list[str]) -> None:
    found = breaks(contract(old), contract(new), None, None)
    assert len(found) == len(told)
    assert all(part in line for part, line in zip(told, found, strict=True)), found


def test_an_output_contract_is_judged_the_other_way_round() -> None:
    narrow, wide = contract({"a": "integer", "b": "string"}), contract({"a": "number"})
    assert breaks(None, None, wide, narrow) == []
    assert breaks(None, None, narrow, wide) == [
        "`output.a` is number now, it was integer",
        "`output.b` is not promised any more (it was string)",
    ]
    assert breaks(None, None, contract("string"), None) == ["`output` is any now, it was string"]
    assert breaks(None, None, None, contract("string")) == []


types = st.recursive(
    st.sampled_from(["string", "number", "integer", "boolean", "null", "any", "optional string", "string | integer"])
    | st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(0, 3))
    | st.lists(st.sampled_from(["x", "y", 1, None]), min_size=1, max_size=3, unique=True).map(lambda values: {"enum": values}),
    lambda inner: st.lists(inner, min_size=1, max_size=1) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 4) | st.sampled_from(["x", "y", 0.5]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(types, types, values)
def test_where_nothing_breaks_every_old_input_is_taken(old: Any, new: Any, value: Any) -> None:
    before, after = contract(old), contract(new)
    if not violations(before, value) and not breaks(before, after, None, None):
        assert not violations(after, value)


@given(types)
def test_a_contract_does_not_break_itself(written: Any) -> None:
    made = contract(written)
    assert breaks(made, made, made, made) == []


def spec(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"stratum": "1", "workflow": "w", "version": "1.0.0", "steps": list(steps), **more}


def task(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "task": f"m.{id}", **more}


def test_differences_in_words() -> None:
    old = spec(
        task("a", retry={"attempts": 3}),
        task("b"),
        task("c"),
        task("d", timeout=30),
        types={"T": {"x": "string"}},
    )
    new = spec(
        task("a", retry={"attempts": 5}),
        task("c"),
        task("b"),
        task("e"),
        types={"T": {"x": "integer"}},
        timeout=60,
    )
    assert differences(old, new) == [
        "timeout: 60, was not there",
        "type `T`: x: integer, was string",
        "step `d` is gone",
        "step `e` is new, after `b`",
        "step `c` now comes after `a`",
        "step `a`: retry.attempts: 5, was 3",
    ]
    assert differences(old, old) == []
    renamed = spec({"id": "first", "task": "m.a"})
    assert differences(spec({"id": "firsts", "task": "m.a"}), renamed) == [
        "step `firsts` is gone; `first` is the same by another name",
        "step `first` is new, at the beginning",
    ]


def test_steps_within_steps_are_told_by_the_way_to_them() -> None:
    old = spec(
        {"id": "p", "parallel": {"one": [task("x")], "two": [task("y")]}},
        {"id": "m", "map": {"items": "$i"}, "steps": [task("z")]},
    )
    new = spec(
        {"id": "p", "parallel": {"one": [task("x", timeout=3)]}},
        {"id": "m", "map": {"items": "$j"}, "steps": [task("z"), task("q")]},
    )
    assert differences(old, new) == [
        "step `p / two / y` is gone",
        "step `m / q` is new, after `m / z`",
        'step `p`: parallel: ["one"], was ["one", "two"]',
        "step `p / one / x`: timeout: 3, was not there",
        "step `m`: map.items: $j, was $i",
    ]


def test_definitions_are_told_by_state() -> None:
    old = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Wait", "Seconds": 3, "End": True}},
    }
    new = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Wait", "Seconds": 5, "End": True}},
    }
    assert differences(old, new) == ["state `B`: Seconds: 5, was 3"]
