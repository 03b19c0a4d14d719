"""Definitions: what is refused, where, with which of AWS's codes; and what is only warned of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stratum.statelang.asl import InvalidDefinition, Problem, load_definition
from stratum.statelang.asl.validation import validate

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"


def machine(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A machine of one state, `S`, that ends it."""
    ends = state.get("Type") in ("Succeed", "Fail", "Choice") or "Next" in state or "End" in state
    return {"StartAt": "S", "States": {"S": {**state, **({} if ends else {"End": True})}}, **top}


def errors(definition: Any, **options: Any) -> list[tuple[str, str, str]]:
    found = validate(definition, **options)
    return [
        (problem.code, problem.message, problem.location) for problem in found if problem.severity == "ERROR"
    ]


def one_error(definition: Any, **options: Any) -> tuple[str, str, str]:
    [found] = errors(definition, **options)
    return found


def test_what_a_machine_must_have() -> None:
    assert one_error({}) == (SCHEMA, "These fields are required: [States, StartAt]", "/")
    assert one_error({"States": {"S": {"Type": "Succeed"}}}) == (
        SCHEMA,
        "These fields are required: [StartAt]",
        "/",
    )
    assert one_error({"StartAt": "S", "States": {}})[2] == "/States"
    assert one_error([]) == (SCHEMA, "Expected value of type [OBJECT]", "/")
    assert one_error(machine({"Type": "Pass"}, Extra=1)) == (SCHEMA, "Field 'Extra' is not supported", "/")


def test_where_states_lead() -> None:
    states = {"A": {"Type": "Pass", "Next": "Gone"}, "B": {"Type": "Succeed"}}
    assert errors({"StartAt": "A", "States": states}) == [
        (TARGET, "Missing 'Next' target: Gone", "/States/A/Next"),
        (TARGET, 'State "B" is not reachable.', "/States/B"),
    ]
    assert (TARGET, "Missing 'Next' target: X", "/StartAt") in errors(
        {"StartAt": "X", "States": {"A": {"Type": "Succeed"}}}
    )
    loop = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Next": "A"},
        "C": {"Type": "Pass", "Next": "A"},
    }
    assert errors({"StartAt": "A", "States": loop}) == [
        ("MISSING_END_STATE", "Workflow has no terminal state", "")
    ]
    both = machine({"Type": "Pass", "Next": "S", "End": True})
    assert errors(both)[0][2] == "/States/S"


@pytest.mark.parametrize(
    ("state", "message", "place"),
    [
        ({}, "These fields are required: [Type]", ""),
        ({"Type": "Nope"}, "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]", "/Type"),
        ({"Type": "Pass", "Retry": []}, "Field 'Retry' is not supported", ""),
        ({"Type": "Pass", "Output": 1}, "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage", ""),
        ({"Type": "Pass", "QueryLanguage": "JSONata", "InputPath": "$"}, "The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath' QueryLanguage", ""),
        ({"Type": "Pass", "Comment": 1}, "Expected value of type [STRING]", "/Comment"),
        ({"Type": "Pass", "Parameters": {"a": {"b.$": "nope"}}}, "The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call", "/Parameters/a"),
        ({"Type": "Wait", "Timestamp": "05-12-2016T21:29:29Z"}, "String does not match RFC3339 timestamp", "/Timestamp"),
        ({"Type": "Wait", "Timestamp": "{% $now() %}"}, "String does not match RFC3339 timestamp", "/Timestamp"),
        ({"Type": "Wait"}, "This object should have only one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]", ""),
        ({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.a"}, "There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]", ""),
        ({"Type": "Wait", "Seconds": -1}, "Minimum value is 0", "/Seconds"),
        ({"Type": "Wait", "Seconds": 100000000}, "Maximum value is 99999999", "/Seconds"),
        ({"Type": "Wait", "Seconds": "1"}, "Expected value of type Integer", "/Seconds"),
        ({"Type": "Task"}, "These fields are required: [Resource]", ""),
        ({"Type": "Task", "Resource": "f"}, "Value is not a valid resource ARN", "/Resource"),
        ({"Type": "Task", "Resource": LAMBDA, "Credentials": {}}, "The field 'RoleArn' is required but was missing", "/Credentials"),
        ({"Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": 5, "HeartbeatSeconds": 5}, "HeartbeatSeconds must be smaller than TimeoutSeconds", "/HeartbeatSeconds"),
        ({"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": []}]}, "Value cannot be empty", "/Retry[0]/ErrorEquals"),
        ({"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]}, "States.ALL must appear alone and at end of list", "/Retry[0]/ErrorEquals"),
        ({"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["A"], "BackoffRate": 0.5}]}, "Minimum value is 1.0", "/Retry[0]/BackoffRate"),
        ({"Type": "Task", "Resource": LAMBDA, "Catch": [{"ErrorEquals": ["A"]}]}, "These fields are required: [Next]", "/Catch[0]"),
        ({"Type": "Fail", "Error": "a", "ErrorPath": "$.a"}, "There should only be one of the following fields: [Error, ErrorPath]", ""),
        ({"Type": "Parallel"}, "These fields are required: [Branches]", ""),
        ({"Type": "Parallel", "Branches": []}, "Value cannot be empty", "/Branches"),
        ({"Type": "Map"}, "This object should have only one of the following fields: [ItemProcessor, Iterator]", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_state(state: dict[str, Any], message: str, place: str) -> None:
    assert one_error(machine(state)) == (SCHEMA, message, f"/States/S{place}")


def test_a_path_that_cannot_be_read() -> None:
    for field in ("InputPath", "OutputPath"):
        code, message, place = one_error(machine({"Type": "Pass", field: "$.a["}))
        assert (code, place) == (SCHEMA, f"/States/S/{field}")
        assert message == "Value must be a valid JSONPath."
    _, message, _ = one_error(machine({"Type": "Pass", "ResultPath": "$.a[*]"}))
    assert message.startswith("Value is not a Reference Path: ")


def test_an_expression_that_cannot_be_read() -> None:
    code, message, place = one_error(
        machine({"Type": "Pass", "Output": {"a": ["{% 1 + %}"]}}, QueryLanguage="JSONata")
    )
    assert (code, place) == ("INVALID_JSONATA_EXPRESSION", "/States/S/Output/a[0]")
    assert message == "Unexpected end of expression"


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("1 +", "INVALID_JSONATA_EXPRESSION", "Unexpected end of expression"),
        ("(1", "INVALID_JSONATA_EXPRESSION", 'Expected ")" before end of expression'),
        ("$$.a", "UNSUPPORTED_JSONATA_EXPRESSION", "Reference to '$$' is not supported."),
        (
            "phone",
            "UNSUPPORTED_JSONATA_EXPRESSION",
            "Reference to 'phone' at the top level is not supported.",
        ),
        (
            "$states.errorOutput",
            "UNSUPPORTED_JSONATA_EXPRESSION",
            "Field '$states.errorOutput' does not exist.",
        ),
        ("$states.nope", "UNSUPPORTED_JSONATA_EXPRESSION", "Field '$states.nope' does not exist."),
    ],
)
def test_expressions_that_are_refused(source: str, code: str, message: str) -> None:
    state = {"Type": "Pass", "Output": f"{{% {source} %}}"}
    assert one_error(machine(state, QueryLanguage="JSONata")) == (code, message, "/States/S/Output")


@pytest.mark.parametrize(
    "source",
    ["$states.input.(foo)", "$states.input.items[price > 1]{kind: $sum(price)}", "$states.context.Task"],
)
def test_expressions_that_are_not(source: str) -> None:
    assert errors(machine({"Type": "Pass", "Output": f"{{% {source} %}}"}, QueryLanguage="JSONata")) == []


def test_expressions_are_looked_at_when_all_else_is_right() -> None:
    state = {"Type": "Pass", "Output": "{% 1 + %}", "Retry": []}
    assert one_error(machine(state, QueryLanguage="JSONata")) == (
        SCHEMA,
        "Field 'Retry' is not supported",
        "/States/S",
    )
    half = machine({"Type": "Pass", "Output": "{% 1"}, QueryLanguage="JSONata")
    assert one_error(half) == (
        SCHEMA,
        "JSONata string must start with {% and end with %}",
        "/States/S/Output",
    )


@pytest.mark.parametrize(
    ("language", "name", "code", "message"),
    [
        ("JSONata", "states", "RESERVED_VARIABLE_NAME", "Cannot assign to reserved variable '$states'."),
        ("JSONPath", "a b", "INVALID_VARIABLE_NAME", "Invalid variable name 'a b': the variable name contains invalid characters."),
    ],
)  # fmt: skip
def test_names_that_variables_may_not_have(language: str, name: str, code: str, message: str) -> None:
    state = {"Type": "Pass", "Assign": {name: 1}}
    assert one_error(machine(state, QueryLanguage=language)) == (code, message, "/States/S/Assign")


SQS = "arn:aws:states:::sqs:sendMessage"


@pytest.mark.parametrize(
    ("state", "message", "place"),
    [
        ({"Resource": SQS}, f"Parameters field is required for resource ARN: {SQS}", ""),
        ({"Resource": SQS, "QueryLanguage": "JSONata"}, f"Arguments field is required for resource ARN: {SQS}", ""),
        ({"Resource": SQS, "Parameters": {"QueueUrl.$": "$.q"}}, "The field 'MessageBody' is required but was missing", "/Parameters"),
        ({"Resource": f"{SQS}.sync", "Parameters": {}}, f"The resource provided {SQS}.sync is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", "/Resource"),
        ({"Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "Credentials": {"RoleArn": "r"}}, "The field 'Credentials' is not supported for activities", ""),
    ],
)  # fmt: skip
def test_what_a_service_must_be_given(state: dict[str, Any], message: str, place: str) -> None:
    assert one_error(machine({"Type": "Task", **state})) == (SCHEMA, message, f"/States/S{place}")


def map_state(**fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Succeed"}},
    }
    return machine({"Type": "Map", "ItemProcessor": processor, **fields})


@pytest.mark.parametrize(
    ("fields", "message", "place"),
    [
        ({"MaxConcurrency": -1}, "Minimum value is 0", "/MaxConcurrency"),
        ({"ToleratedFailurePercentage": 101}, "Maximum value is 100.0", "/ToleratedFailurePercentage"),
        ({"ToleratedFailurePercentage": -1}, "Minimum value is 0.0", "/ToleratedFailurePercentage"),
        ({"MaxConcurrency": 1, "MaxConcurrencyPath": "$.a"}, "There should only be one of the following fields: [MaxConcurrency, MaxConcurrencyPath]", ""),
        ({"ItemsPath": "items"}, "Value is not a Reference Path: Reference path didn't start with '$'", "/ItemsPath"),
        ({"ItemReader": {"Resource": "arn:aws:states:::s3:putObject"}}, "The field 'Resource' does not match any of the allowed values", "/ItemReader/Resource"),
        ({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV"}}}, "The field 'CSVHeaderLocation' is required", "/ItemReader/ReaderConfig"),
        ({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}}}, "These fields are required: [CSVHeaders]", "/ItemReader/ReaderConfig"),
        ({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", "CSVHeaderLocation": "GIVEN"}}}, "Field 'CSVHeaderLocation' is not supported", "/ItemReader/ReaderConfig"),
        ({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "XML"}}}, "Value should be one of the following: [CSV, JSON, JSONL, MANIFEST, PARQUET]", "/ItemReader/ReaderConfig/InputType"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_map(fields: dict[str, Any], message: str, place: str) -> None:
    assert one_error(map_state(**fields)) == (SCHEMA, message, f"/States/S{place}")


def choice(rule: Any) -> dict[str, Any]:
    return {
        "StartAt": "S",
        "States": {"S": {"Type": "Choice", "Choices": [rule], "Default": "E"}, "E": {"Type": "Succeed"}},
    }


@pytest.mark.parametrize(
    "rule",
    [
        {"Next": "E"}, {"Variable": "$.a", "Next": "E"}, {"Variable": "$.a", "IsNull": True}, {"Variable": "$.a", "IsNull": "x", "Next": "E"},
        {"Variable": "$.a", "IsNull": True, "NumericEquals": 1, "Next": "E"}, {"Variable": "a", "IsNull": True, "Next": "E"},
        {"Variable": "$.a", "NumericEquals": "1", "Next": "E"}, {"Variable": "$.a", "TimestampEquals": "x", "Next": "E"},
        {"Variable": "$.a", "StringEqualsPath": "x", "Next": "E"}, {"And": [], "Next": "E"}, {"Not": [], "Next": "E"},
        {"And": [{"Variable": "$.a", "IsNull": True, "Next": "E"}], "Next": "E"}, {"Condition": "{% true %}", "Next": "E"}, 5,
    ],
)  # fmt: skip
def test_choice_rules_that_are_none(rule: Any) -> None:
    found = errors(choice(rule))
    assert found
    assert all(place.startswith("/States/S/Choices[0]") for _, _, place in found)


@pytest.mark.parametrize(
    ("rule", "message", "place"),
    [
        ({"Next": "E"}, "The object must have only one of the following fields, [And, Or, Not, Variable]", ""),
        ({"Not": {}, "And": [], "Next": "E"}, "The object must have only one of the following fields, [And, Or, Not, Variable]", ""),
        ({"Variable": "$.a", "NumericEquals": 1, "IsNull": True, "Next": "E"}, "There should only be one of the following fields: [IsNull, NumericEquals]", ""),
        ({"Condition": "{% true %}", "Next": "E"}, "The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the 'JSONata' QueryLanguage", ""),
        ({"Variable": "a", "IsNull": True, "Next": "E"}, "Value is not a Reference Path: Reference path didn't start with '$'", "/Variable"),
        ({"And": [{"Variable": "$.a", "IsNull": True, "Next": "E"}], "Next": "E"}, "Field 'Next' is not supported", "/And[0]"),
        ({"Or": [], "Next": "E"}, "Value cannot be empty", "/Or"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_choice_rule(rule: Any, message: str, place: str) -> None:
    assert one_error(choice(rule)) == (SCHEMA, message, f"/States/S/Choices[0]{place}")


def test_query_languages_of_states_within() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "QueryLanguage": "JSONPath", "End": True}}}
    found = errors(machine({"Type": "Parallel", "Branches": [inner]}, QueryLanguage="JSONata"))
    assert found == [
        (SCHEMA, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", "/States/S/Branches[0]/States/I")
    ]  # fmt: skip
    processor = {"QueryLanguage": "JSONata", "StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    assert one_error(machine({"Type": "Map", "ItemProcessor": processor}))[2] == "/States/S/ItemProcessor"


def test_names_are_unique_over_all_machines() -> None:
    branch = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    assert one_error(machine({"Type": "Parallel", "Branches": [branch, branch]}))[0] == "DUPLICATE_STATE_NAME"


def test_what_only_a_distributed_map_may_have() -> None:
    processor = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    state = {"Type": "Map", "ItemProcessor": processor, "ItemBatcher": {"MaxItemsPerBatch": 1}}
    assert (
        one_error(machine(state))[1]
        == "Field 'ItemBatcher' is only supported for a Map state in DISTRIBUTED mode"
    )
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert errors(machine({**state, "ItemProcessor": {**processor, "ProcessorConfig": config}})) == []
    assert (
        one_error(
            machine({**state, "ItemProcessor": {**processor, "ProcessorConfig": config}}), type="EXPRESS"
        )[2]
        == "/States/S/ItemProcessor/ProcessorConfig/Mode"
    )


@pytest.mark.parametrize("label", ["", "a b", "a:b", "x" * 41, "\x7f"])
def test_labels(label: str) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}, "ProcessorConfig": config}
    with pytest.raises(InvalidDefinition, match="Label"):
        load_definition(json.dumps(machine({"Type": "Map", "Label": label, "ItemProcessor": processor})))


# -- warnings ----------------------------------------------------------------------------------------------


def warnings(definition: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.location) for problem in validate(definition)]


@pytest.mark.parametrize(
    ("state", "code", "place"),
    [
        ({"Type": "Pass", "Parameters": {"a": "$.b"}}, "NO_DOLLAR", "/Parameters/a"),
        ({"Type": "Pass", "Result": {"a.$": "$.b"}}, "PASS_RESULT_IS_STATIC", "/Result/a.$"),
        ({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}}, "CALLBACK_WITHOUT_TIMEOUT", ""),
        ({"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["A", "B"]}, {"ErrorEquals": ["B"]}]}, "RETRY_NEVER_MATCHES", "/Retry[1]"),
        ({"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["State.ALL"]}]}, "RETRY_NEVER_MATCHES", "/Retry[0]"),
        ({"Type": "Task", "Resource": LAMBDA, "Retry": [{"ErrorEquals": ["States.Runtime"]}]}, "RETRY_NEVER_MATCHES", "/Retry[0]"),
    ],
)  # fmt: skip
def test_what_is_warned_of(state: dict[str, Any], code: str, place: str) -> None:
    assert warnings(machine(state)) == [(code, f"/States/S{place}")]


def test_a_choice_without_default() -> None:
    definition = choice({"Variable": "$.a", "IsNull": True, "Next": "E"})
    assert warnings(definition) == []
    del definition["States"]["S"]["Default"]
    assert warnings(definition) == [("CHOICE_WITHOUT_DEFAULT", "/States/S")]


# -- anything at all ---------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["StartAt", "States", "S", "Type", "Next", "End", "Choices", "Branches", "ItemProcessor", "ProcessorConfig", "Retry", "Catch", "ErrorEquals", "Resource", "Parameters", "a.$",
     "Assign", "Variable", "And", "Not", "Condition", "QueryLanguage", "Output", "Seconds", "ItemReader", "ReaderConfig", "ItemBatcher", "Credentials", "ResultPath", "Label"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from(["S", "Pass", "Task", "Map", "Parallel", "Choice", "Wait", "JSONata", "JSONPath", "$.a", "{% $a %}", "{% ( %}", "States.UUID()", "INLINE", "DISTRIBUTED", LAMBDA]),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(
    st.one_of(
        ANYTHING, st.builds(lambda state: machine(state) if isinstance(state, dict) else state, ANYTHING)
    )
)
def test_anything_gives_findings_and_never_an_exception(definition: Any) -> None:
    found = validate(definition)
    assert all(isinstance(problem, Problem) for problem in found)
    if not any(problem.severity == "ERROR" for problem in found) and isinstance(definition, dict):
        # What is not refused can be prepared.
        load_definition(json.dumps(definition))


def test_deep_nesting_is_refused() -> None:
    rule: Any = {"Variable": "$.a", "IsNull": True}
    value: Any = 1
    for _ in range(500):
        rule, value = {"Not": rule}, [value]
    assert errors(choice({**rule, "Next": "E"}))[0][0] == "TOO_DEEPLY_NESTED"
    assert one_error(machine({"Type": "Pass", "Parameters": value}))[0] == "TOO_DEEPLY_NESTED"
