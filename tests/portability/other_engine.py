"""Another engine: that of moto's Step Functions (LocalStack's, once), with a JSONata and functions of this process.

What moto leaves to be filled in, and is filled in here:

- It has no JSONata: the library `jsonata-python` evaluates, which is a port of the reference implementation.
- Texts in variables are put into expressions without escapes, so that a quote in one breaks it: they are written as JSON.
- Functions run in Docker, or answer at random: they are called here.
- Waiting takes real time: retries and waits are cut to an instant.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from portable import Portable, Tasks
from runs import WORK, compiled

LIBRARY = Path(__file__).resolve().parents[2] / ".venv" / "portability"
ROLE = "arn:aws:iam::123456789012:role/any"
_SECONDS = 20


def is_installed() -> bool:
    return (LIBRARY / "jsonata").is_dir()


class OtherRun:
    """One run there: how it ended. `tables` are made in DynamoDB before."""

    def __init__(self, portable: Portable, tasks: Tasks, tables: tuple[str, ...] = ()):
        import boto3

        with _moto(tasks):
            for table in tables:
                boto3.client("dynamodb", region_name="us-east-1").create_table(
                    TableName=table,
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    BillingMode="PAY_PER_REQUEST",
                )
            client: Any = boto3.client("stepfunctions", region_name="us-east-1")
            specs = {**(portable.children or {}), "w": portable.spec}
            machines = {
                name: client.create_state_machine(
                    name=name, definition=json.dumps(compiled(spec)), roleArn=ROLE
                )["stateMachineArn"]
                for name, spec in specs.items()
            }
            input = json.dumps({} if portable.input is None else portable.input)
            execution = client.start_execution(stateMachineArn=machines["w"], input=input)["executionArn"]
            until = time.monotonic() + _SECONDS
            while (ended := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
                if time.monotonic() > until:
                    client.stop_execution(executionArn=execution)
                    raise TimeoutError(f"after {_SECONDS} s it still runs")
                time.sleep(0.02)
        self.status: str = ended["status"]
        self.output = _output(ended.get("output", "null"))
        self.error: str | None = ended.get("error")
        self.cause: str = ended.get("cause") or ""


def _output(text: str) -> Any:
    """An output that is a text comes without its quotes."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@contextlib.contextmanager
def _moto(tasks: Tasks) -> Iterator[None]:
    from unittest import mock

    from moto import mock_aws
    from moto.awslambda_simple.models import LambdaSimpleBackend
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
    from moto.stepfunctions.parser.asl.jsonata import jsonata
    from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

    functions = {name.replace(".", "-"): handler for name, handler in tasks.functions().items()}

    def invoke(
        self: Any, name: str, qualifier: Any, body: Any, headers: Any, response_headers: dict[str, str]
    ) -> bytes:
        event = json.loads(body or "{}")
        if name == WORK:
            _answer(tasks, event)
            return b"{}"
        try:
            return json.dumps(functions[name](event, None)).encode()
        except Exception as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()

    def declared(bindings: dict[str, Any]) -> str:
        return "".join(f"{name}:={to_json_str(value)};" for name, value in bindings.items())

    config: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    with (
        mock_aws(config=config),
        mock.patch.object(jsonata, "_eval_jsonata", _evaluate),
        mock.patch.object(LambdaSimpleBackend, "invoke", invoke),
        mock.patch.object(retrier_decl, "time", SimpleNamespace(sleep=_at_once)),
        mock.patch.object(wait_function.WaitFunction, "_wait_interval", _at_once),
        contextlib.ExitStack() as stack,
    ):
        original = jsonata.encode_jsonata_variable_declarations
        for name, module in list(sys.modules.items()):
            if name.startswith("moto.stepfunctions") and vars(module).get(original.__name__) is original:
                stack.enter_context(mock.patch.object(module, original.__name__, declared))
        yield


def _at_once(*_: Any, **__: Any) -> None:
    """In place of waiting."""


def _answer(tasks: Tasks, item: dict[str, Any]) -> None:
    """Has somebody answer the work item, once the state waits for it."""
    if "token" not in item:
        return
    import boto3

    client: Any = boto3.client("stepfunctions", region_name="us-east-1")

    def send() -> None:
        time.sleep(0.05)
        client.send_task_success(taskToken=item["token"], output=json.dumps(tasks.answer(item)))

    threading.Thread(target=send, daemon=True).start()


def _evaluate(expression: str) -> Any:
    if str(LIBRARY) not in sys.path:
        sys.path.append(str(LIBRARY))
    import jsonata  # pyright: ignore[reportMissingImports] - installed by `make portability`
    from moto.stepfunctions.parser.asl.jsonata.jsonata import JSONataException

    try:
        return jsonata.Jsonata(expression).evaluate(None)
    except (jsonata.JException, ValueError, TypeError) as error:
        raise JSONataException("UNKNOWN", str(error)) from error
