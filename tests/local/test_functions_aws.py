"""Functions on Lambda: what is asked of its Invoke API and what its answers become."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from stratum.handlers.functions import FunctionNotFound, Functions, Invocation, InvocationResult, InvokeError

boto3 = pytest.importorskip("boto3")

from botocore.response import StreamingBody  # noqa: E402
from botocore.stub import ANY, Stubber  # noqa: E402
from stratum.handlers.aws_functions import LambdaFunctions  # noqa: E402

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders-validate:3"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client = boto3.client(
        "lambda", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    with Stubber(client) as stub:
        yield stub


@pytest.fixture
def functions(stub: Stubber) -> Functions:
    return LambdaFunctions(stub.client)


def body(payload: str) -> StreamingBody:
    data = payload.encode()
    return StreamingBody(io.BytesIO(data), len(data))


def test_answer_comes_with_version_and_log(stub: Stubber, functions: Functions) -> None:
    answer: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": "3",
        "Payload": body('{"ok":"größe"}'),
        "LogResult": base64.b64encode("gedruckt: ä\n".encode()).decode(),
    }
    asked = {
        "FunctionName": ARN,
        "InvocationType": "RequestResponse",
        "LogType": "Tail",
        "Payload": '{"größe":1}'.encode(),
        "ClientContext": ANY,
    }
    stub.add_response("invoke", answer, asked)
    sent: dict[str, Any] = {}
    stub.client.meta.events.register(
        "provide-client-params.lambda.Invoke", lambda params, **_: sent.update(params)
    )
    custom = {"idempotency_key": "execution/step/1"}
    result = functions.invoke(Invocation(ARN, '{"größe":1}', "r", custom))
    assert result == InvocationResult('{"ok":"größe"}', None, "3", "gedruckt: ä\n")
    assert json.loads(base64.b64decode(sent["ClientContext"])) == {"custom": custom}


def test_function_that_fails_is_a_result(stub: Stubber, functions: Functions) -> None:
    document = '{"errorMessage":"no","errorType":"ValueError","requestId":"r","stackTrace":[]}'
    stub.add_response("invoke", {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": body(document)})
    result = functions.invoke(Invocation("orders-validate", "{}", "r"))
    assert result.function_error == "Unhandled"
    assert result.payload == document


def test_function_that_is_not_there(stub: Stubber, functions: Functions) -> None:
    stub.add_client_error("invoke", "ResourceNotFoundException", f"Function not found: {ARN}", 404)
    with pytest.raises(FunctionNotFound, match=f"^Function not found: {ARN}$") as raised:
        functions.invoke(Invocation(ARN, "{}", "r"))
    assert raised.value.error == "Lambda.ResourceNotFoundException"


def test_other_refusals_are_errors_that_retry_can_name(stub: Stubber, functions: Functions) -> None:
    stub.add_client_error("invoke", "TooManyRequestsException", "Rate Exceeded.", 429)
    with pytest.raises(InvokeError, match=r"^Rate Exceeded\.$") as raised:
        functions.invoke(Invocation(ARN, "{}", "r"))
    assert raised.value.error == "Lambda.TooManyRequestsException"


def test_no_answer_is_an_sdk_client_exception() -> None:
    client = boto3.client(
        "lambda",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=boto3.session.Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(InvokeError) as raised:
        LambdaFunctions(client).invoke(Invocation(ARN, "{}", "r"))
    assert raised.value.error == "Lambda.SdkClientException"
