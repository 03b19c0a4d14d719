"""What executions fail with, in Step Functions' words."""

from __future__ import annotations

from typing import Any

import pytest
from api_calls import definition, run
from endpoint import Endpoint

ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"
ITEMS = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
CAUSE = "An error occurred while executing the state 'A' (entered at the event id #2). "
NO_PROPERTY = "The function '{}' had the following error: The JsonPath argument for the field '{}' could not be found in the input '{{\"a\":1}}'"


@pytest.mark.parametrize(
    ("state", "input", "text"),
    [
        ({"Type": "Wait", "SecondsPath": "$.s"}, {"s": -1}, "The SecondsPath parameter references a negative value: $.s == -1"),
        ({"Type": "Wait", "SecondsPath": "$.s"}, {"s": "1s"}, "The SecondsPath parameter cannot be parsed as a long value: $.s == 1s"),
        ({"Type": "Wait", "SecondsPath": "$.no"}, {}, "The SecondsPath parameter does not reference an input value: $.no"),
        ({"Type": "Task", "Resource": ACTIVITY, "TimeoutSecondsPath": "$.x"}, {}, "Invalid path '$.x' : No results for path: $['x']"),
        ({"Type": "Task", "Resource": ACTIVITY, "HeartbeatSecondsPath": "$.x.y"}, {}, "Invalid path '$.x.y' : Missing property in path $['x']"),
        ({"Type": "Map", "ItemProcessor": ITEMS, "ItemsPath": "$.i", "MaxConcurrencyPath": "$.n"}, {"i": [1], "n": "x"}, 'The MaxConcurrencyPath field refers to value "x" which is not a valid integer: $.n'),
        ({"Type": "Map", "ItemProcessor": ITEMS, "ItemsPath": "$.i", "MaxConcurrencyPath": "$.n"}, {"i": [1], "n": {}}, 'The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.n'),
        ({"Type": "Map", "ItemProcessor": ITEMS, "ItemsPath": "$.i", "MaxConcurrencyPath": "$.n"}, {"i": [1], "n": -1}, "Expected non-negative integer for MaxConcurrency, got '-1' instead."),
        ({"Type": "Pass", "Parameters": {"v.$": "States.Format('{}', $.b)"}}, {"a": 1}, NO_PROPERTY.format("States.Format('{}', $.b)", "$.b")),
        ({"Type": "Pass", "Parameters": {"v.$": "States.ArrayLength($$.B.C)"}}, {"a": 1}, NO_PROPERTY.format("States.ArrayLength($$.B.C)", "$.B.C")),
    ],
)  # fmt: skip
def test_paths(endpoint: Endpoint, sfn: Any, state: dict[str, Any], input: Any, text: str) -> None:
    described = run(endpoint, sfn, definition(state), input)
    assert (described["status"], described["error"], described["cause"]) == (
        "FAILED",
        "States.Runtime",
        f"{CAUSE}{text}",
    )


def test_a_text_of_digits_is_a_number(endpoint: Endpoint, sfn: Any) -> None:
    fields = {"MaxConcurrencyPath": "$.n", "ToleratedFailurePercentagePath": "$.n", "ItemsPath": "$.i"}
    processor = {**ITEMS, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    states = {"Type": "Wait", "SecondsPath": "$.n"}, {"Type": "Map", "ItemProcessor": processor, **fields}
    assert run(endpoint, sfn, definition(*states), {"i": [1], "n": "2"})["output"] == "[1]"


def test_an_item_that_an_array_does_not_have_is_null(endpoint: Endpoint, sfn: Any) -> None:
    state = {"Type": "Pass", "Parameters": {"v.$": "$.items[1]"}}
    assert run(endpoint, sfn, definition(state), {"items": [0]})["output"] == '{"v":null}'


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("$sum(['a'])", 'threw an error during evaluation. T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("$abs('a')", 'threw an error during evaluation. T0410: Argument 1 of function "abs" does not match function signature'),
        ("$nope(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$eval('1')", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$match(1)", 'threw an error during evaluation. T0410: Argument 1 of function "match" does not match function signature'),
        ("1 < 'a'", "threw an error during evaluation. T2009: The values 1 and \"a\" either side of operator \"<\" must be of the same data type"),
        ("$number('x')", 'threw an error during evaluation. D3030: Unable to cast value to a number: "x"'),
        ("$error('boom')", "threw an error during evaluation. D3137: boom"),
        ("($f := function($x) { 1 + $f($x) }; $f(1))", "threw an error during evaluation: Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive."),
        ("$sum", "returned an unsupported result type."),
        ("$states.input.no", "returned nothing (undefined)."),
    ],
)  # fmt: skip
def test_expressions(endpoint: Endpoint, sfn: Any, source: str, text: str) -> None:
    state = {"Type": "Pass", "Output": f"{{% {source} %}}"}
    described = run(endpoint, sfn, definition(state, QueryLanguage="JSONata"), {})
    assert (described["status"], described["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert (
        described["cause"]
        == f"{CAUSE}The JSONata expression '{source}' specified for the field 'Output' {text}"
    )
