"""What a handler may do and what comes of it: the same in a worker process and in this one."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stratum.handlers.functions import FunctionNotFound, Functions, Invocation, InvocationResult
from stratum.local.functions import InProcessFunctions, WorkerFunctions

HANDLERS = """
import datetime, decimal, sys

def echo(event, context):
    return event

def describe(event, context):
    custom = context.client_context and context.client_context.custom
    return {
        "name": context.function_name,
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "group": context.log_group_name,
        "stream": context.log_stream_name,
        "identity": context.identity.cognito_identity_id,
        "custom": custom,
        "remaining": context.get_remaining_time_in_millis(),
    }

class OutOfStock(Exception):
    pass

def reserve(event, context):
    take(event["items"])

def take(items):
    raise OutOfStock(f"no {items[0]} left")

class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

def unprintable(event, context):
    raise Unprintable

def surrogate(event, context):
    raise ValueError("file \\udcff.txt")

def verbose(event, context):
    raise ValueError("x" * 10_000_000)

def deep(event, context):
    return even(500)

def even(left):
    return odd(left - 1) if left else 1 / 0

def odd(left):
    return even(left - 1)

def one_argument(event):
    return event

def answer(event, context):
    circle = []
    circle.append(circle)
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return {
        "set": {1, 2},
        "bytes": b"abc",
        "datetime": datetime.datetime(2026, 1, 1),
        "nan": float("nan"),
        "infinity": [float("inf")],
        "object": object(),
        "key": {(1, 2): 3},
        "circle": circle,
        "nested": nested,
        "surrogate": "\\ud800",
        "coroutine": wait,
        "decimals": [decimal.Decimal("1.25"), decimal.Decimal("7"), decimal.Decimal("1E+3")],
        "decimal nan": decimal.Decimal("NaN"),
        "number keys": {1: "a", True: "b", None: "c"},
        "tuple": (1, "zwei", None),
        "large": "x" * 7_000_000,
        "large in bytes": "\\u00e9" * 3_200_000,
        "largest": "x" * (6_291_556 - 2),
    }[event]

def wait(event, context):
    pass

def leave(event, context):
    sys.exit(event)

not_callable = "text"
"""

Call = Callable[..., InvocationResult]


@pytest.fixture(params=["workers", "in process"], scope="module")
def functions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Functions]:
    folder = tmp_path_factory.mktemp("code")
    (folder / "orders.py").write_text(HANDLERS)
    (folder / "broken.py").write_text("def handler(event, context):\n    return (\n")
    (folder / "needy.py").write_text("import package_that_is_not_there\n")
    (folder / "failing.py").write_text("LIMIT = int('many')\n")
    (folder / "shop" / "stock").mkdir(parents=True)
    (folder / "shop" / "__init__.py").write_text("def ping(event, context):\n    return 'shop'\n")
    (folder / "shop" / "stock" / "shelf.py").write_text(
        textwrap.dedent("""
        from .. import ping
        from .label import LABEL

        def read(event, context):
            from . import late
            import neighbour
            return [ping(event, context), LABEL, late.LATE, neighbour.NAME]
        """)
    )
    (folder / "shop" / "stock" / "label.py").write_text("LABEL = 'A1'\n")
    (folder / "shop" / "stock" / "late.py").write_text("LATE = True\n")
    (folder / "neighbour.py").write_text("NAME = 'neighbour'\n")
    if request.param == "workers":
        with WorkerFunctions([folder], timeout=30) as workers:
            yield workers
    else:
        yield InProcessFunctions(folders=[folder])


@pytest.fixture
def call(functions: Functions) -> Call:
    def call(function: str, event: Any = None, **more: Any) -> InvocationResult:
        return functions.invoke(Invocation(function, json.dumps(event), "request-1", **more))

    return call


def error(result: InvocationResult) -> dict[str, Any]:
    assert result.function_error == "Unhandled"
    return json.loads(result.payload)


def test_answer_is_json_text_of_what_the_handler_returns(call: Call) -> None:
    result = call("orders-echo", {"id": "7", "größe": "λ 🚀", "n": [1, 2.5, None, True]})
    assert result.function_error is None
    assert result.payload == '{"id": "7", "größe": "λ 🚀", "n": [1, 2.5, null, true]}'
    assert result.executed_version == "$LATEST"


ARN = "arn:aws:lambda:eu-central-1:210987654321:function:orders-echo"


@pytest.mark.parametrize("function", ["orders-echo", "orders.echo", "orders-echo:PROD", ARN, f"{ARN}:3"])
def test_a_function_is_found_by_name_dotted_name_and_arn(call: Call, function: str) -> None:
    assert call(function, 1).payload == "1"


def test_functions_in_packages_reach_their_neighbours(call: Call) -> None:
    assert call("shop-ping").payload == '"shop"'
    assert json.loads(call("shop-stock-shelf-read").payload) == ["shop", "A1", True, "neighbour"]


def test_context_has_what_lambdas_has(call: Call) -> None:
    custom = {"idempotency_key": "execution/step/1", "attempt": 2}
    seen = json.loads(call("orders-describe", client_context=custom, timeout=20).payload)
    assert 0 < seen.pop("remaining") <= 20_000
    assert re.fullmatch(r"local|\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen.pop("stream"))
    assert seen == {
        "name": "orders-describe",
        "version": "$LATEST",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:orders-describe",
        "memory": "1024",
        "request": "request-1",
        "group": "/aws/lambda/orders-describe",
        "identity": None,
        "custom": custom,
    }
    assert json.loads(call("orders-describe").payload)["custom"] is None


def test_exception_is_lambdas_error_document_with_the_handlers_frames(call: Call) -> None:
    document = error(call("orders-reserve", {"items": ["apple"]}))
    stack = document.pop("stackTrace")
    assert document == {
        "errorMessage": "no apple left",
        "errorType": "OutOfStock",
        "requestId": "request-1",
    }
    assert [frame.split(", ")[-1] for frame in stack] == [
        'in reserve\n    take(event["items"])\n',
        'in take\n    raise OutOfStock(f"no {items[0]} left")\n',
    ]
    assert stack[0].startswith('  File "')
    assert 'orders.py", line ' in stack[0]


def test_handler_that_takes_other_arguments_fails_with_no_frames_of_ours(call: Call) -> None:
    document = error(call("orders-one_argument"))
    assert document["errorType"] == "TypeError"
    assert document["stackTrace"] == []


def test_something_that_cannot_be_called_fails(call: Call) -> None:
    assert error(call("orders-not_callable"))["errorMessage"] == "'str' object is not callable"


def test_exception_whose_text_fails_still_has_its_type(call: Call) -> None:
    document = error(call("orders-unprintable"))
    assert document["errorType"] == "Unprintable"
    assert document["errorMessage"] == "<Unprintable whose text cannot be had>"


def test_error_documents_can_be_stored_and_stay_small(call: Call) -> None:
    assert error(call("orders-surrogate"))["errorMessage"] == "file ?.txt"
    long = error(call("orders-verbose"))["errorMessage"]
    assert long == "x" * 32_768 + " [9967232 characters cut off]"
    stack = error(call("orders-deep"))["stackTrace"]
    assert len(stack) == 101
    assert stack[50] == "  [402 frames cut off]\n"
    assert "1 / 0" in stack[-1]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("set", "Object of type set is not JSON serializable"),
        ("bytes", "Object of type bytes is not JSON serializable"),
        ("datetime", "Object of type datetime is not JSON serializable"),
        ("object", "Object of type object is not JSON serializable"),
        ("coroutine", "Object of type function is not JSON serializable"),
        ("nan", "Out of range float values are not JSON compliant"),
        ("infinity", "Out of range float values are not JSON compliant"),
        ("decimal nan", "Out of range float values are not JSON compliant"),
        ("key", "keys must be str, int, float, bool or None, not tuple"),
        ("circle", "Circular reference detected"),
        ("nested", ""),
        ("surrogate", "'utf-8' codec can't encode character '\\ud800'"),
    ],
)
def test_answer_that_is_no_json_is_a_marshal_error(call: Call, event: str, reason: str) -> None:
    document = error(call("orders-answer", event))
    assert document["errorType"] == "Runtime.MarshalError"
    assert document["errorMessage"].startswith(f"Unable to marshal response: {reason}")
    assert document["stackTrace"] == []
    assert call("orders-answer", "tuple").payload == '[1, "zwei", null]', "the next call works"


def test_decimals_are_numbers_and_keys_become_text(call: Call) -> None:
    assert call("orders-answer", "decimals").payload == "[1.25, 7, 1000]"
    assert json.loads(call("orders-answer", "number keys").payload) == {"1": "b", "null": "c"}


@pytest.mark.parametrize("event", ["large", "large in bytes"])
def test_answer_above_six_megabytes_is_refused(call: Call, event: str) -> None:
    assert error(call("orders-answer", event)) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }


def test_answer_of_just_six_megabytes_comes_through(call: Call) -> None:
    assert len(call("orders-answer", "largest").payload) == 6_291_556


@pytest.mark.parametrize("payload", ["", "{", "{'a': 1}", "[" * 100_000])
def test_payload_that_is_no_json_is_an_unmarshal_error(functions: Functions, payload: str) -> None:
    document = error(functions.invoke(Invocation("orders-echo", payload, "r")))
    assert document["errorType"] == "Runtime.UnmarshalError"
    assert document["errorMessage"].startswith("Unable to unmarshal input: ")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (3, "Runtime exited with error: exit status 3"),
        ("bye", "Runtime exited with error: exit status 1"),
        (0, "Runtime exited without providing a reason"),
        (None, "Runtime exited without providing a reason"),
    ],
)
def test_sys_exit_is_the_end_of_the_runtime_and_not_of_the_functions(
    call: Call, event: Any, reason: str
) -> None:
    assert error(call("orders-leave", event)) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: request-1 Error: {reason}",
    }
    assert call("orders-echo", 1).payload == "1"


def test_module_that_needs_what_is_not_there(call: Call) -> None:
    document = error(call("needy-handler"))
    assert document["errorType"] == "Runtime.ImportModuleError"
    assert (
        document["errorMessage"]
        == "Unable to import module 'needy': No module named 'package_that_is_not_there'"
    )


def test_module_with_a_syntax_error(call: Call) -> None:
    document = error(call("broken-handler"))
    assert document["errorType"] == "Runtime.UserCodeSyntaxError"
    assert document["errorMessage"].startswith("Syntax error in module 'broken': '(' was never closed")
    assert document["stackTrace"][0].endswith('broken.py" Line 2\n        return (\n')


def test_module_that_fails_when_imported(call: Call) -> None:
    document = error(call("failing-handler"))
    assert document["errorType"] == "ValueError"
    assert len(document["stackTrace"]) == 1
    assert "LIMIT = int('many')" in document["stackTrace"][0]


def test_module_without_the_handler_suggests_another(call: Call) -> None:
    document = error(call("orders-reserved"))
    assert document["errorType"] == "Runtime.HandlerNotFound"
    assert document["errorMessage"] == (
        "Handler 'reserved' missing on module 'orders'; did you mean 'reserve'?"
    )


def test_function_that_is_not_there_suggests_another(call: Call) -> None:
    with pytest.raises(FunctionNotFound) as raised:
        call("order-validate")
    text = str(raised.value)
    assert text.startswith(
        "Function not found: arn:aws:lambda:us-east-1:123456789012:function:order-validate (there is no module"
    )
    assert text.endswith("did you mean 'orders-validate'?)")
    assert raised.value.error == "Lambda.ResourceNotFoundException"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda values: st.lists(values) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_every_json_value_comes_back_as_it_went(functions: Functions, value: Any) -> None:
    result = functions.invoke(Invocation("orders-echo", json.dumps(value), "r"))
    assert json.loads(result.payload) == value
