"""JSON Schema as contracts, beside a JSON Schema validator, in Python and in the JSONata that comes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.statelang import jsonata
from stratum.statelang.compiler import compile_spec
from stratum.statelang.compiler.predicates import violations_expression
from stratum.statelang.compiler.rewriting import Names
from stratum.statelang.spec import Contract, contracts_of, load, violations
from stratum.statelang.spec.schema_files import SchemaUnreadable
from stratum.statelang.spec.schema_reader import DIALECT, SchemaReader

jsonschema = pytest.importorskip("jsonschema")


def read(schema: Any) -> tuple[Contract, list[str]]:
    found: list[Any] = []
    contract = SchemaReader(schema, ("types", "T"), found).contract()
    return contract, [f"{each.code} {each.message}" for each in found]


def in_jsonata(contract: Contract, value: Any) -> list[Any]:
    written = violations_expression(contract, [], "$v", Names({}))
    return jsonata.compile(written).evaluate({"v": value})


# -- against a validator ---------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "id"])
SCALAR_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 2.0, "", "a", "bb", "xyz"])
)
VALUES = st.recursive(
    SCALAR_VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
SCALARS = st.one_of(
    st.sampled_from([{}, {"type": "null"}, {"type": "boolean"}, {"type": "string"}, {"type": "integer"}]),
    st.builds(lambda n: {"type": "string", "minLength": n}, st.integers(0, 2)),
    st.builds(lambda n: {"type": "number", "exclusiveMaximum": n}, st.integers(-1, 2)),
    st.builds(lambda n: {"type": "integer", "multipleOf": n}, st.integers(1, 2)),
    st.builds(lambda values: {"enum": values}, st.lists(SCALAR_VALUES, min_size=1, max_size=3)),
    st.builds(lambda value: {"const": value}, VALUES),
    st.sampled_from([{"type": ["string", "null"]}, {"type": ["integer", "array"], "maxItems": 1}]),
    st.just({"type": "string", "pattern": "^[ab]"}),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(KEYS, inner, max_size=3)
    rest = st.one_of(
        st.just({}), st.builds(lambda more: {"additionalProperties": more}, inner | st.just(False))
    )
    objects = st.builds(
        lambda properties, required, rest: {"type": "object", "properties": properties, "required": required, **rest},
        fields, st.lists(KEYS, max_size=2, unique=True), rest,
    )  # fmt: skip
    arrays = st.builds(
        lambda items, more: {"type": "array", "items": items, **more},
        inner, st.sampled_from([{}, {"minItems": 1}, {"maxItems": 1}, {"uniqueItems": True}]),
    )  # fmt: skip
    choices = st.builds(
        lambda word, parts: {word: parts},
        st.sampled_from(["anyOf", "oneOf"]),
        st.lists(inner, min_size=1, max_size=3),
    )
    maps = st.builds(lambda more: {"type": "object", "additionalProperties": more}, inner)
    return st.one_of(objects, arrays, choices, maps)


SCHEMAS = st.recursive(SCALARS, _containers, max_leaves=6)


def as_we_read_it(schema: Any) -> Any:
    """What the reader says of itself: a property that is not required may be null too."""
    if not isinstance(schema, dict):
        return schema
    made = {
        key: as_we_read_it(part) if key in ("items", "additionalProperties") else part
        for key, part in schema.items()
    }
    for word in ("anyOf", "oneOf", "allOf"):
        if word in made:
            made[word] = [as_we_read_it(part) for part in made[word]]
    if "properties" in made:
        required = made.get("required", [])
        made["properties"] = {
            name: as_we_read_it(part)
            if name in required
            else {"anyOf": [as_we_read_it(part), {"type": "null"}]}
            for name, part in made["properties"].items()
        }
    return made


@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=5))
@settings(deadline=None, max_examples=200)
def test_a_schema_means_what_json_schema_says(schema: Any, values: list[Any]) -> None:
    contract, findings = read(schema)
    if findings:
        assert all("nothing can be" in each for each in findings)
        return
    validator = jsonschema.Draft202012Validator(as_we_read_it(schema))
    for value in values:
        wanted = validator.is_valid(value)
        assert (violations(contract, value) == []) == wanted, (schema, value)
        assert (in_jsonata(contract, value) == []) == wanted, (schema, value)


@given(st.lists(SCHEMAS.filter(lambda schema: "type" in schema), min_size=2, max_size=2), VALUES)
@settings(deadline=None, max_examples=150)
def test_all_of_is_both(parts: list[Any], value: Any) -> None:
    schema = {"allOf": parts}
    contract, findings = read(schema)
    if findings:  # told instead of done: a keyword twice, or what nothing can be
        return
    assert (violations(contract, value) == []) == jsonschema.Draft202012Validator(
        as_we_read_it(schema)
    ).is_valid(value)


@given(SCHEMAS)
@settings(deadline=None, max_examples=100)
def test_a_contract_is_the_schema_that_it_says_it_is(schema: Any) -> None:
    contract, told = read(schema)
    if told:
        return
    again, findings = read(json.loads(json.dumps(contract.to_json_schema())))
    assert findings == []
    assert in_jsonata(again, {"a": [None]}) == in_jsonata(contract, {"a": [None]})


# -- what is told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "text"}, "S307 /type: there is no type 'text' in JSON Schema"),
        ({"type": "object", "properties": []}, "S307 the schema: `properties` is an object, and `required` a list of names"),
        ({"not": {"type": "null"}}, "W903 the schema: `not` is not checked"),
        ({"type": "object", "properties": {"a": {"type": "array", "prefixItems": []}}}, "W903 /properties/a: `prefixItems` is not checked"),
        ({"$ref": "#/$defs/No"}, "S307 /$ref: '#/$defs/No' leads to nothing"),
        ({"$ref": "other.json"}, "S307 /$ref: there is no document 'other.json'"),
        ({"$ref": "#/$defs/T", "$defs": {"T": {"properties": {"up": {"$ref": "#/$defs/T"}}}}}, "S303 /$defs/T refers to itself"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "S307 the schema: nothing can be both string and null"),
        ({"allOf": [{"type": "integer"}, {"type": "string"}]}, "S307 the schema: nothing can be both integer and string"),
        ({"pattern": "("}, "S307 /pattern: not a regular expression that is known here: missing ), unterminated subpattern at position 0"),
        ({"enum": []}, "S307 /enum: a list of at least one value is wanted"),
        (False, "S307 the schema: `false` allows no value at all"),
        (17, "S307 the schema: a schema is an object or true, not number"),
        ({"minLength": "2"}, "S307 /minLength: not a number that can be used: '2'"),
        ({"multipleOf": 0}, "S307 /multipleOf: not a number that can be used: 0"),
        ({"anyOf": {}}, "S307 /anyOf: a list of at least one schema is wanted"),
        ({"$ref": 3}, "S307 /$ref: a text is wanted"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_checked_is_told(schema: Any, told: str) -> None:
    _, findings = read(schema)
    assert findings == [told]


def test_a_deep_schema_is_refused() -> None:
    schema: Any = {}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    _, findings = read(schema)
    assert ["nested deeper than 24 levels" in each for each in findings] == [True]


# -- in a spec -------------------------------------------------------------------------------------------------

SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
types:
  Order: {$ref: ./schemas/order.schema.json}
  Item: {$ref: "./schemas/order.schema.json#/$defs/Line"}
  Prices: {type: object, additionalProperties: number}
input: Order
steps:
  - id: price
    task: shop.price
    input: {skus: "{% $input.lines.sku %}", by: "{% $input.customer.name %}"}
    output: {prices: Prices, first: Item}
  - id: done
    succeed: {lamp: "{% $price.prices.lamp %}", first: "{% $price.first.sku %}"}
"""
FILES = {
    "schemas/order.schema.json": {
        "$schema": DIALECT,
        "type": "object",
        "properties": {
            "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
            "customer": {"$ref": "../people.json#/definitions/Person"},
        },
        "required": ["lines", "customer"],
        "$defs": {"Line": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}},
    },
    "people.json": {
        "definitions": {"Person": {"type": "object", "properties": {"name": {"type": "string"}}}}
    },
}


def files(path: str) -> Any:
    if path not in FILES:
        raise SchemaUnreadable(f"there is no file {path}")
    return FILES[path]


def test_files_are_contracts_of_a_spec() -> None:
    loaded = load(SPEC, schemas=files)
    assert [each.message for each in loaded.diagnostics] == []
    assert loaded.spec is not None
    contract = contracts_of(loaded.spec, []).input
    assert contract is not None
    assert contract.name == "Order"
    assert violations(contract, {"lines": [{"sku": "a"}], "customer": {}}) == []
    told = [f"{each.path} {each.message}" for each in violations(contract, {"lines": [{}, {"sku": 1}]})]
    assert told == [
        "$.lines[0].sku is missing",
        "$.lines[1].sku expected string, got number",
        "$.customer is missing",
    ]
    # What comes of it stands on its own: compiling reads no file.
    assert "_is_Item" in json.dumps(compile_spec(loaded.spec).definition)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("$input.lines.sku", "$input.lines.skuu", "Line has no field `skuu`"),
        ("$input.customer.name", "$input.customer.nam", "Person has no field `nam`"),
        ("./schemas/order.schema.json}", "./nowhere.json}", "there is no file nowhere.json"),
        ("./schemas/order.schema.json}", "https://example.com/order.json}", "https://example.com/order.json is not looked up: a contract is read from files alone"),
        ("./schemas/order.schema.json}", "17}", "17 names no file"),
        ("input: Order", "input: {$ref: ./schemas/order.schema.json}", "'./schemas/order.schema.json' is not looked up here"),
        ("additionalProperties: number", "additionalProperties: numbr", "there is no type `numbr`"),
        ("$price.prices.lamp", "$price.prices.lamp.watts", "`$price.prices.lamp` is a number: it has no field `watts`"),
    ],
)  # fmt: skip
def test_references_are_checked_through_files(before: str, after: str, told: str) -> None:
    loaded = load(SPEC.replace(before, after), schemas=files)
    assert [each.message for each in loaded.diagnostics] == [told]


def test_two_types_of_one_name_are_told_apart() -> None:
    """The spec's `Line` and that of the file are checked each as its own."""
    text = SPEC.replace("Item: ", "Line: {n: integer}\n  Item: ").replace(
        "first: Item}", "first: Item, own: Line}"
    )
    loaded = load(text, schemas=files)
    assert loaded.ok
    assert loaded.spec is not None
    contract = contracts_of(loaded.spec, []).steps["price"]
    value = {"prices": {"lamp": 3}, "first": {"sku": "a"}, "own": {"n": 1}}
    assert in_jsonata(contract, value) == []
    [bad] = in_jsonata(contract, {**value, "own": {"n": "x"}})
    assert bad["path"] == "$.own.n"
