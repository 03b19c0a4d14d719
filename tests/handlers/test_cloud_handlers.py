"""What only the cloud has: far wake-ups, functions nobody waits for, the stream, workflows published by CloudFormation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from stratum.handlers import advance, deployments, stream, tasks
from stratum.handlers.functions import Invocation, InvocationResult, InvokeError
from stratum.handlers.http import HttpRequest, HttpResponse
from stratum.handlers.runtime import Body, NoOutbox, Runtime, from_environment
from stratum.handlers.sqs import Scheduler, SqsOutbox
from stratum.handlers.versions import routing
from stratum.local.events import sqs_event
from stratum.local.stores import open_store

NOW = 1_800_000_000_000
RESULTS = "arn:aws:sqs:us-east-1:123456789012:results"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:stage-slow:7"


class Outbox:
    def __init__(self) -> None:
        self.messages: list[Body] = []
        self.tasks: list[Body] = []

    def advance(self, bodies: Any) -> None:
        self.messages += bodies

    def perform(self, bodies: Any) -> None:
        self.tasks += bodies

    def perform_later(self, body: Body, at: int) -> None: ...
    def wake(self, tenant: str, execution: str, at: int) -> None: ...


class Lambda:
    """Lambda, where functions are invoked and no more."""

    def __init__(self) -> None:
        self.later: list[Invocation] = []

    def is_long(self, name: str) -> bool:
        return name == "stage-slow"

    def invoke_later(self, invocation: Invocation) -> None:
        self.later.append(invocation)

    def invoke(self, invocation: Invocation) -> InvocationResult:
        raise InvokeError("Lambda.TooManyRequestsException", "Rate Exceeded.")


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(open_store("sqlite:///:memory:"), Outbox(), Lambda(), clock=lambda: NOW)


def started(runtime: Runtime, *, token: bool = False, function: str = ARN, name: str = "one") -> str:
    from stratum.handlers.api.front_door import call

    resource = "arn:aws:states:::lambda:invoke" + (".waitForTaskToken" if token else "")
    state = {
        "Type": "Task",
        "Resource": resource,
        "Arguments": {"FunctionName": function, "Payload": {"n": 1}},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Slow", "States": {"Slow": state}}
    machine = call(
        runtime, "CreateStateMachine", {"name": f"m-{name}", "definition": json.dumps(definition), "roleArn": "arn:aws:iam::123456789012:role/r"}, "default"
    )["stateMachineArn"]  # fmt: skip
    return call(
        runtime, "StartExecution", {"stateMachineArn": machine, "name": name, "input": "{}"}, "default"
    )["executionArn"]


def record(
    event: str, payload: Any, *, error: str | None = None, condition: str = "Success", function: str = ARN
) -> dict[str, Any]:
    context = {"statusCode": 200, "executedVersion": "7", **({"functionError": error} if error else {})}
    return {
        "version": "1.0", "requestContext": {"functionArn": function, "condition": condition}, "requestPayload": json.loads(event),
        "responseContext": context, "responsePayload": payload,
    }  # fmt: skip


def handed_back(runtime: Runtime, *records: Any) -> list[Any]:
    event = sqs_event("results", records, NOW)
    for each in event["Records"]:
        each["eventSourceARN"] = RESULTS
    return advance.handle(runtime, event)["batchItemFailures"]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATUM_RESULT_QUEUE", RESULTS)


def status(runtime: Runtime, execution: str) -> tuple[str, Any, Any]:
    snapshot = runtime.executions().load(execution).snapshot
    return snapshot["status"], snapshot.get("output"), snapshot.get("error")


def perform(runtime: Runtime) -> Any:
    outbox: Any = runtime.outbox
    return tasks.handle(runtime, sqs_event("tasks", outbox.tasks, NOW))


@pytest.mark.usefixtures("results")
def test_what_runs_long_is_not_waited_for(runtime: Runtime) -> None:
    execution = started(runtime)
    functions: Any = runtime.functions
    assert perform(runtime) == {"batchItemFailures": []}
    assert runtime.outbox.messages == []  # type: ignore[attr-defined]
    [invocation] = functions.later
    envelope = json.loads(invocation.payload)
    assert envelope["payload"] == {"n": 1}
    assert envelope["stratum:task"]["context"]["idempotency_key"]
    assert handed_back(runtime, record(invocation.payload, {"said": "yes"})) == []
    ended, output, _ = status(runtime, execution)
    assert (ended, json.loads(output)["Payload"], json.loads(output)["ExecutedVersion"]) == (
        "SUCCEEDED",
        {"said": "yes"},
        "7",
    )
    # Lambda may hand a record over twice.
    assert handed_back(runtime, record(invocation.payload, {"said": "no"})) == []
    assert status(runtime, execution)[1] == output


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("payload", "condition", "error"),
    [
        ({"errorType": "Boom", "errorMessage": "no", "stackTrace": []}, "RetriesExhausted", "Boom"),
        ({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: x Error: Task timed out after 60.00 seconds"}, "RetriesExhausted", "Sandbox.Timedout"),
        (None, "EventAgeExceeded", "Lambda.EventAgeExceeded"),
    ],
)  # fmt: skip
def test_how_it_fails_is_the_tasks_failure(
    runtime: Runtime, payload: Any, condition: str, error: str
) -> None:
    execution = started(runtime)
    perform(runtime)
    [invocation] = runtime.functions.later  # type: ignore[attr-defined]
    assert (
        handed_back(runtime, record(invocation.payload, payload, error="Unhandled", condition=condition))
        == []
    )
    assert status(runtime, execution)[::2] == ("FAILED", error)


@pytest.mark.usefixtures("results")
def test_a_record_counts_for_tasks_of_its_function_alone(runtime: Runtime) -> None:
    waiting = started(runtime, token=True, name="gate")
    frames = runtime.executions().load(waiting).snapshot["frames"]
    [(frame, state)] = frames.items()
    forged = {
        "tenant": "default", "execution": waiting, "frame": frame, "task": state["task"]["id"],
        "resource": "arn:aws:states:::lambda:invoke", "context": {}, "request": "r",
    }  # fmt: skip
    event = json.dumps({"stratum:task": forged, "payload": 1})
    assert len(handed_back(runtime, record(event, {"outcome": "approve"}))) == 1
    assert status(runtime, waiting)[0] == "RUNNING"
    other = started(runtime, name="other")
    perform(runtime)
    [invocation] = runtime.functions.later  # type: ignore[attr-defined]
    elses = "arn:aws:lambda:us-east-1:123456789012:function:stage-else:1"
    assert len(handed_back(runtime, record(invocation.payload, 1, function=elses))) == 1
    assert status(runtime, other)[0] == "RUNNING"
    # Nor does a message of the engine's own come by that queue.
    tick = {"tenant": "default", "execution": other, "message": {"type": "stop"}}
    assert len(handed_back(runtime, tick)) == 1


def test_what_waits_for_a_token_is_invoked_as_ever(runtime: Runtime) -> None:
    execution = started(runtime, token=True)
    perform(runtime)
    [message] = runtime.outbox.messages  # type: ignore[attr-defined]
    assert (message["execution"], message["message"]["error"]) == (
        execution,
        "Lambda.TooManyRequestsException",
    )


def test_a_long_function_finds_its_context(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from stratum.handlers import long_function

    monkeypatch.setenv("STRATUM_HANDLER", "tests_echo.echo")
    module = SimpleNamespace(
        echo=lambda event, context: (event, context.client_context and context.client_context.custom)
    )
    monkeypatch.setitem(__import__("sys").modules, "tests_echo", module)
    long_function._handler.cache_clear()
    context = SimpleNamespace(client_context=None)
    assert long_function.handler({"plain": 1}, context) == ({"plain": 1}, None)
    event = {"stratum:task": {"context": {"idempotency_key": "k"}}, "payload": [1, 2]}
    assert long_function.handler(event, context) == ([1, 2], {"idempotency_key": "k"})
    long_function._handler.cache_clear()


# -- far wake-ups --------------------------------------------------------------------------------------------


class Client:
    """A client that keeps what it was asked."""

    class exceptions:  # noqa: N801 - boto3's name
        class ConflictException(Exception): ...

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def operation(**given: Any) -> dict[str, Any]:
            if name == "create_schedule" and any(given["Name"] == each[1].get("Name") for each in self.asked):
                raise self.exceptions.ConflictException
            self.asked.append((name, given))
            return {}

        return operation


def test_what_is_due_far_ahead_is_a_schedule_that_runs_a_little_early() -> None:
    from stratum.handlers.runtime import system_clock

    sqs, schedules = Client(), Client()
    outbox = SqsOutbox(
        "advance",
        "tasks",
        sqs,
        Scheduler("group", "role", "arn:aws:sqs:us-east-1:1:advance", client=schedules),
    )
    now = system_clock()
    outbox.wake("default", "e", now + 30_000)
    [(operation, given)] = sqs.asked
    assert (operation, given["DelaySeconds"]) == ("send_message", 30)
    far = now + 7 * 24 * 3600 * 1000
    outbox.wake("default", "e", far)
    outbox.wake("default", "e", far)  # the same again changes nothing
    [(operation, given)] = schedules.asked
    at = datetime.fromtimestamp(far // 1000 - 60, UTC)
    assert given["ScheduleExpression"] == f"at({at:%Y-%m-%dT%H:%M:%S})"
    assert given["ActionAfterCompletion"] == "DELETE"
    assert given["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
    message = json.loads(given["Target"]["Input"])
    assert (message["QueueUrl"], message["MessageGroupId"]) == ("advance", "default")  # fair as any other
    assert json.loads(message["MessageBody"]) == {
        "tenant": "default",
        "execution": "e",
        "message": {"type": "tick"},
    }
    assert len(sqs.asked) == 1


def test_without_queues_nothing_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = from_environment({"STRATUM_STORE": "dynamodb://table?region=us-east-1"})
    assert isinstance(made.outbox, NoOutbox)
    with pytest.raises(RuntimeError, match="STRATUM_ADVANCE_QUEUE names no queue"):
        made.outbox.perform([{}])
    with pytest.raises(RuntimeError, match="STRATUM_STORE is not set"):
        from_environment({})


def test_where_nothing_is_run_a_token_is_somebody_elses_whatever_it_looks_like(runtime: Runtime) -> None:
    from stratum.handlers import work
    from stratum.statelang.engine import make_token

    execution = "arn:aws:states:us-east-1:123456789012:execution:stratum-prod-ask:one"
    payload = {
        "kind": "gate",
        "token": make_token(execution, "0", 7, "theirs"),
        "execution": execution,
        "workflow": "ask",
        "step": "may",
    }
    with pytest.raises(ValueError, match="the token is none of"):
        work.handle(runtime, payload, "default")
    elsewhere = Runtime(runtime.store, NoOutbox(), runtime.functions, clock=lambda: NOW)
    assert work.handle(elsewhere, payload, "default")["step"] == "may"


# -- the stream ----------------------------------------------------------------------------------------------


def streamed(execution: str, seq: int = 0, at: float = NOW / 1000 - 10) -> dict[str, Any]:
    keys = {"pk": {"S": f"default#x#{execution}"}, "sk": {"S": f"c#{seq:010d}"}}
    return {
        "eventName": "INSERT",
        "dynamodb": {"Keys": keys, "SequenceNumber": "1", "ApproximateCreationDateTime": at},
    }


def test_a_start_without_a_head_is_gone_on_with(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = started(runtime)
    outbox: Any = runtime.outbox
    store = runtime.store
    heads: dict[str, Any] = {}
    first = outbox.tasks.copy()
    outbox.tasks.clear()
    # Whoever began it ended before the head was written.
    monkeypatch.setattr(store, "head", heads.get)
    monkeypatch.setattr(store, "put_head", lambda head: heads.__setitem__(head.execution, head))
    fresh = Runtime(store, outbox, runtime.functions, clock=lambda: NOW)
    assert stream.handle(fresh, {"Records": [streamed(execution)]}) == {"batchItemFailures": []}
    assert [each["command"]["key"] for each in outbox.tasks] == [each["command"]["key"] for each in first]
    assert heads[execution].wake_at is not None
    stream.handle(
        fresh,
        {
            "Records": [
                streamed(execution),
                streamed(execution, 1),
                streamed(f"{execution}/work"),
                streamed("work/refused"),
            ]
        },
    )
    assert len(outbox.tasks) == len(first)


def test_what_the_stream_cannot_handle_comes_again(runtime: Runtime) -> None:
    gone = "arn:aws:states:us-east-1:123456789012:execution:m:gone"
    assert stream.handle(runtime, {"Records": [streamed(gone)]}) == {
        "batchItemFailures": [{"itemIdentifier": "1"}]
    }
    record_of_another_kind = {**streamed(gone), "eventName": "REMOVE"}
    assert stream.handle(runtime, {"Records": [record_of_another_kind]}) == {"batchItemFailures": []}


# -- workflows by CloudFormation -----------------------------------------------------------------------------


class S3:
    def __init__(self, objects: dict[str, Any]):
        self.objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803 - boto3's names
        import io

        return {"Body": io.BytesIO(json.dumps(self.objects[Key]).encode())}


class Stack:
    """CloudFormation, as the handler meets it."""

    def __init__(self) -> None:
        definition = {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke",
                    "Parameters": {"FunctionName": "${Greet}"},
                    "End": True,
                }
            },
        }
        self.s3 = S3({"hello": {"name": "hello", "version": "1.0.0", "definition": definition}})
        self.told: list[tuple[HttpRequest, dict[str, Any]]] = []
        store = open_store("sqlite:///:memory:")
        self.runtime = Runtime(
            store, Outbox(), Lambda(), clock=lambda: NOW, clients=lambda *_: self.s3, http=self._http
        )

    def _http(self, request: HttpRequest) -> HttpResponse:
        self.told.append((request, json.loads(request.body)))
        return HttpResponse(200, "OK")

    def ask(self, what: str, version: int = 1, weight: str = "1", **properties: Any) -> dict[str, Any]:
        given = {
            "Name": "hello",
            "Bucket": "b",
            "Key": "hello",
            "Functions": {"Greet": f"arn:greet:{version}"},
            "Alias": "live",
            "Weight": weight,
        }
        event = {
            "RequestType": what, "RequestId": "r", "StackId": "s", "LogicalResourceId": "HelloWorkflow", "ResponseURL": "https://answers/1?signed",
            "ResourceProperties": {**given, **properties},
        }  # fmt: skip
        deployments.handle(self.runtime, event)
        return self.told[-1][1]

    def routing(self) -> dict[str, int]:
        alias = routing.describe(self.runtime, "default", "hello", "live")
        assert alias is not None
        return alias.routing


def test_a_stack_publishes_workflows_and_leads_their_alias() -> None:
    stack = Stack()
    first = stack.ask("Create")
    assert (first["Status"], first["PhysicalResourceId"]) == (
        "SUCCESS",
        "arn:aws:states:us-east-1:123456789012:stateMachine:hello",
    )
    assert stack.told[0][0].method == "PUT"
    one = first["Data"]["Version"]
    assert one.startswith("1.0.0+")
    assert stack.routing() == {one: 100}
    two = stack.ask("Update", 2, "0.1")["Data"]["Version"]
    assert stack.routing() == {two: 10, one: 90}
    assert stack.ask("Update", 2, "0.1")["Data"]["Version"] == two  # CloudFormation may ask twice
    assert stack.routing() == {two: 10, one: 90}
    stack.ask("Update", 2, "1")
    assert stack.routing() == {two: 100}
    stack.ask("Update", 1, "1")  # the stack is rolled back
    assert stack.routing() == {one: 100}
    assert stack.ask("Delete")["Status"] == "SUCCESS"
    assert stack.ask("Delete")["Status"] == "SUCCESS"


def test_what_cannot_be_published_is_told_to_the_stack() -> None:
    stack = Stack()
    told = stack.ask("Create", Key="gone")
    assert (told["Status"], told["Reason"]) == ("FAILED", "KeyError: 'gone'")
    stack.s3.objects["hello"]["definition"]["States"]["A"]["Next"] = "Nowhere"
    told = stack.ask("Create")
    assert (told["Status"], "DeploymentRefused" in told["Reason"]) == ("FAILED", True)
