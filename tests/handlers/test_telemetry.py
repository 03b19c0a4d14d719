"""Traces and metrics: made of the history and of commits, sent and written by nobody who is not asked to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from command_line import done, stratum
from logs import commits_of
from stratum.handlers import advance, runtime, telemetry, timers
from stratum.handlers.http import HttpFailed, HttpRequest, HttpResponse
from stratum.handlers.identity import Identity
from stratum.handlers.store import Commit
from stratum.handlers.telemetry import collector, metrics
from stratum.handlers.telemetry.export import Exporter, NotSent, trace_of
from stratum.handlers.work.answers import Desk
from stratum.local.clock import VirtualClock
from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.events import scheduled_event, sqs_event
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store
from stratum.statelang.tracing import Span, otlp, spans_of, trace_id
from work_asl import agent, gate, text

X = "arn:aws:states:us-east-1:123456789012:execution:m:one"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
INVOKE = {
    "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f", "Payload.$": "$"},
}  # fmt: skip
RETRIED = {**INVOKE, "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 3, "IntervalSeconds": 10}]}


class Busy(Exception):
    pass


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def spans(
    definition: dict[str, Any], function: Any = lambda event, context: event, input: Any = 1
) -> list[Span]:
    commits: list[Commit] = commits_of(definition, input, {"f": function})
    return spans_of(X, [event for commit in commits for event in commit.events])


def failing(times: int) -> Any:
    left = [times]

    def function(event: Any, context: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise Busy
        return event

    return function


def test_one_span_per_attempt_in_the_trace_of_its_execution() -> None:
    found = spans(
        machine(t={**RETRIED, "Next": "w"}, w={"Type": "Wait", "Seconds": 60, "End": True}), failing(2)
    )
    *attempts, wait, root = found
    assert [(each.name, each.error, each.attributes["stratum.attempt"]) for each in attempts] == [
        ("t", "Busy", 1), ("t", "Busy", 2), ("t", "", 3),
    ]  # fmt: skip
    assert {each.trace for each in found} == {trace_id(X)}
    assert {each.parent for each in attempts} == {root.id}
    assert attempts[1].start - (attempts[0].end or 0) == 10_000
    assert (wait.name, wait.end - wait.start) == ("w", 60_000)  # pyright: ignore[reportOptionalOperand]
    assert (root.name, root.parent, root.error, root.attributes["stratum.status"]) == (
        "m",
        None,
        "",
        "SUCCEEDED",
    )
    assert len({each.id for each in found}) == len(found)


def test_what_is_in_a_map_or_a_parallel_is_under_it() -> None:
    inner = machine(q={"Type": "Task", "Resource": FUNCTION, "End": True})
    nested = machine(
        p={
            "Type": "Parallel", "Branches": [machine(a={**INVOKE, "End": True}), machine(m={"Type": "Map", "Iterator": inner, "End": True})],
            "Next": "after",
        },
        after={**INVOKE, "End": True},
    )  # fmt: skip
    found = spans(nested, input=[1, 2])
    by_id = {each.id: each for each in found}

    def path(span: Span) -> list[str]:
        return [*([] if span.parent is None else path(by_id[span.parent])), span.name]

    assert sorted("/".join(path(each)) for each in found) == [
        "m", "m/after", "m/p", "m/p/a", "m/p/m", "m/p/m/m [0]", "m/p/m/m [0]/q", "m/p/m/m [1]", "m/p/m/m [1]/q",
    ]  # fmt: skip
    for each in found:
        assert each.end is not None
        if each.parent is not None:
            assert by_id[each.parent].start <= each.start <= each.end <= (by_id[each.parent].end or 0)


def test_what_was_going_on_when_a_branch_failed_ends_and_says_so() -> None:
    slow = machine(s={"Type": "Wait", "Seconds": 600, "End": True})
    found = spans(
        machine(p={"Type": "Parallel", "Branches": [machine(a={**INVOKE, "End": True}), slow], "End": True}),
        failing(1),
    )
    errors = {each.name: each.error for each in found}
    assert errors == {"a": "Busy", "s": "Stratum.Abandoned", "p": "Busy", "m": "Busy"}


def test_of_an_execution_that_runs_only_what_has_ended_is_told() -> None:
    commits = commits_of(
        machine(t={**INVOKE, "Next": "u"}, u={**INVOKE, "End": True}), 1, {"f": lambda e, c: e}
    )
    events = [event for commit in commits for event in commit.events]
    whole = spans_of(X, events)
    for stop in range(len(events)):
        part = spans_of(X, events[:stop])
        assert part == whole[: len(part)]


def test_otlp_as_its_encoding_wants_it() -> None:
    request = otlp(spans(machine(t={**RETRIED, "End": True}), failing(1)), {"service.name": "shop \ud800"})
    [resource] = request["resourceSpans"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "shop ?"}}]
    first, _, root = resource["scopeSpans"][0]["spans"]
    assert (len(first["traceId"]), len(first["spanId"]), first["parentSpanId"]) == (32, 16, root["spanId"])
    assert first["status"] == {"code": 2, "message": "Busy"}
    assert {"key": "error.type", "value": {"stringValue": "Busy"}} in first["attributes"]
    assert {"key": "stratum.attempt", "value": {"intValue": "1"}} in first["attributes"]
    assert first["startTimeUnixNano"].isdigit()
    assert "parentSpanId" not in root
    json.dumps(request).encode()


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    functions = InProcessFunctions({"f": failing(1)})
    with LocalCloud(open_store("sqlite:///:memory:"), functions, clock=VirtualClock(), workers=0) as cloud:
        yield cloud


def start(cloud: LocalCloud, definition: str, input: Any = None) -> str:
    arn = cloud.call("CreateStateMachine", name="m", definition=definition, roleArn=ROLE)["stateMachineArn"]
    started = cloud.call("StartExecution", stateMachineArn=arn, input=json.dumps(input))["executionArn"]
    while cloud._work():
        pass
    return started


def test_an_agents_attempt_has_genai_attributes_and_no_content(cloud: LocalCloud) -> None:
    execution = start(cloud, text("notes: begin", agent(budget={"usd": 0.5, "tokens": 20})))
    desk = Desk(cloud.runtime, cloud.store.tenant)
    [item] = desk.items.open_items().items
    by = Identity("ada", "mcp", "here", agent="claude-code", client="claude-code 2.1")
    desk.claim(item.handle, by, "w1")
    desk.hand_in(item.handle, {"text": "top secret", "words": 2}, by, "w1", {"usd": 0.1, "tokens": 7})
    while cloud._work():
        pass
    found = trace_of(cloud.runtime.executions(), execution)
    told = next(each for each in found if each.name.startswith("invoke_agent"))
    assert told.name == "invoke_agent claude"
    assert told.attributes.items() >= {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "anthropic", "gen_ai.agent.name": "claude",
        "gen_ai.conversation.id": execution, "stratum.budget.tokens": 20, "stratum.usage.tokens": 7, "stratum.usage.usd": 0.1,
    }.items()  # fmt: skip
    assert "secret" not in json.dumps(otlp(found, {}))


def test_a_nested_executions_trace_is_linked_to_the_attempt_that_waited_for_it(cloud: LocalCloud) -> None:
    child = cloud.call(
        "CreateStateMachine", name="child", definition=json.dumps(machine(p={"Type": "Pass", "End": True})), roleArn=ROLE
    )  # fmt: skip
    state = {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child["stateMachineArn"], "Name": "c"}, "End": True,
    }  # fmt: skip
    execution = start(cloud, json.dumps(machine(t=state)))
    cloud.wait(execution)
    executions = cloud.runtime.executions()
    attempt, _ = trace_of(executions, execution)
    [root] = trace_of(executions, execution.rpartition(":")[0].replace(":m", ":child") + ":c")
    assert [(link.trace, link.span) for link in root.links] == [(attempt.trace, attempt.id)]


# -- sending -----------------------------------------------------------------------------------------------------


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            got.append((self.path, dict(self.headers), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()


def names(body: Any) -> list[str]:
    return [each["name"] for each in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]


SPEC = """
stratum: "1"
workflow: hello
version: 1.0.0
steps:
  - {id: greet, task: hello.greet, input: {}}
"""


def test_a_run_on_this_machine_is_sent_by_itself_and_any_execution_when_asked(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(SPEC)
    (tmp_path / "hello.py").write_text("def greet(event, context):\n    return 'hello'\n")
    with receiver() as (url, got):
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b",
            "OTEL_SERVICE_NAME": "shop",
        }
        ran = stratum(tmp_path, "run", "hello.yaml", "--name", "one", **environ)
        assert (ran.returncode, ran.stdout.strip()) == (0, '"hello"'), ran.stderr
        [(path, headers, body)] = got
        assert (path, headers["api-key"], names(body)) == ("/v1/traces", "a b", ["greet", "hello"])
        assert body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"] == "shop"
        sent = stratum(tmp_path, "trace", "one", "--otlp", f"{url}/v1/traces")
        assert (sent.returncode, "2 spans" in sent.stderr) == (0, True)
        assert names(got[1][2]) == names(body)
    assert names(done(tmp_path, "trace", "one")) == ["greet", "hello"]
    down = stratum(tmp_path, "run", "hello.yaml", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert (down.returncode, down.stdout.strip()) == (
        0,
        '"hello"',
    )  # nobody is there, and nothing fails for that
    lost = stratum(tmp_path, "trace", "one", "--otlp", url)
    assert (lost.returncode, "Traceback" in lost.stderr) == (1, False)
    assert stratum(tmp_path, "trace", "one", "--otlp", "nowhere").returncode == 2


def test_what_the_endpoint_refuses_is_told_and_xray_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[HttpRequest] = []

    def http(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return HttpResponse(403, "Forbidden", (), b"no")

    found = spans(machine(t={**INVOKE, "End": True}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    url = "https://xray.eu-west-1.amazonaws.com/v1/traces"
    with pytest.raises(NotSent, match="403 Forbidden: no"):
        Exporter(url, http=http).send(found)
    headers = dict(asked[0].headers)
    assert "/eu-west-1/xray/aws4_request" in headers["Authorization"]

    def nobody(request: HttpRequest) -> HttpResponse:
        raise HttpFailed("nobody")

    with pytest.raises(NotSent, match="nobody"):
        Exporter("http://here/v1/traces", http=nobody).send(found)


def test_thousands_of_spans_are_sent_in_parts() -> None:
    sizes: list[int] = []

    def http(request: HttpRequest) -> HttpResponse:
        sizes.append(len(names(json.loads(request.body))))
        return HttpResponse(200, "OK")

    [span, *_] = spans(machine(t={**INVOKE, "End": True}))
    assert Exporter("http://here", http=http).send([span] * 1201) == 3
    assert sizes == [500, 500, 201]


# -- metrics -----------------------------------------------------------------------------------------------------

ON = {telemetry.METRICS: "Stratum", "POWERTOOLS_SERVICE_NAME": "shop", "AWS_LAMBDA_FUNCTION_NAME": "advance"}


def test_nothing_is_there_unless_the_environment_asks_for_it() -> None:
    assert telemetry.from_environment({}) is None
    assert (
        telemetry.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"})
        is None
    )
    assert telemetry.from_environment(ON) is not None


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = (json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{"))
    return [line for line in found if "_aws" in line]


def test_each_batch_writes_one_line_with_what_it_did(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.runtime.telemetry = telemetry.from_environment(ON)
    monkeypatch.setattr(runtime, "deployed", lambda: cloud.runtime)
    execution = start(cloud, json.dumps(machine(t={**RETRIED, "End": True})))
    while cloud.store.head(execution).status == "RUNNING":  # pyright: ignore[reportOptionalMemberAccess]
        cloud.step(0)
    body = {"tenant": "default", "execution": execution, "message": {"type": "tick"}}
    bad = {"tenant": "default", "execution": "arn:none", "message": {"type": "tick"}}
    capsys.readouterr()
    advance.handler(sqs_event("q", [body, bad], 0), None)
    [line] = lines(capsys)
    assert line.items() >= {
        "service": "shop", "function": "advance", "tenants": ["default"], "ExecutionsStarted": 1, "ExecutionsSucceeded": 1,
        "StepAttempts": 2, "StepRetries": 1, "MessagesRefused": 1,
    }.items()  # fmt: skip
    assert len(line["CommitLatency"]) == line["Commits"]
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Stratum", [["service"]])
    assert all(each["Name"] in line for each in directive["Metrics"])
    assert {"Name": "CommitLatency", "Unit": "Milliseconds"} in directive["Metrics"]
    timers.handler(scheduled_event(), None)
    assert lines(capsys) == []  # nothing to say


def test_gates_tell_how_long_they_wait(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.runtime.telemetry = telemetry.from_environment(ON)
    monkeypatch.setattr(runtime, "deployed", lambda: cloud.runtime)
    start(cloud, text("approve", gate(approvers=["bob"])))
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(cloud.clock() + 90_000)
    timers.handler(scheduled_event(), None)
    assert lines(capsys)[-1]["OldestGate"] == [90]
    desk = Desk(cloud.runtime, cloud.store.tenant)
    desk.decide(desk.items.open_items().items[0].handle, "approve", Identity("bob", "cli", "here"))
    timers.handler(scheduled_event(), None)
    told = lines(capsys)[-1]
    assert (told["GateAge"], "OldestGate" in told) == ([90], False)


def test_a_line_has_a_hundred_values_at_the_most() -> None:
    line = metrics.document("S", {}, 0, {}, {"CommitLatency": [float(each) for each in range(1000)]}, [])
    assert line is not None
    assert (len(line["CommitLatency"]), line["CommitLatency"][:3]) == (100, [0, 10, 20])
    assert metrics.document("S", {}, 0, {"Commits": 0}, {}, []) is None


def test_a_telemetry_that_fails_fails_nothing_else(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(collector.logger, "warning", lambda message, **fields: said.append(message))
    made = telemetry.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert made is not None
    cloud.runtime.telemetry = made
    execution = start(cloud, json.dumps(machine(t={**RETRIED, "End": True})))
    assert cloud.wait(execution).snapshot["status"] == "SUCCEEDED"
    made.flush(cloud.runtime)
    cloud.store.close()
    made.committed(
        "default",
        execution,
        Commit(0, 0, [], [{"type": "ExecutionFailed", "executionFailedEventDetails": {}}], [], None, None),
    )
    made.flush(cloud.runtime)
    assert said == ["traces not sent", "telemetry failed"]


def test_every_function_writes_out_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that are no part of the way of messages: publishing, gates on Step Functions, the page for links."""
    from stratum.handlers import deployments, work
    from stratum.handlers.work import page

    flushed: list[int] = []

    class Collected(collector.Collector):
        def flush(self, runtime: Any) -> None:
            flushed.append(1)

    made = runtime.Runtime(
        open_store("sqlite:///:memory:"), runtime.NoOutbox(), InProcessFunctions({}),
        http=lambda request: HttpResponse(200, "OK"), telemetry=Collected(None, traces=False),
    )  # fmt: skip
    monkeypatch.setattr(runtime, "deployed", lambda: made)
    event = {
        "StackId": "s", "RequestId": "r", "LogicalResourceId": "l", "RequestType": "Create", "ResponseURL": "https://x",
        "ResourceProperties": {},
    }  # fmt: skip
    assert deployments.handler(event, None)["Status"] == "FAILED"
    assert page.handler({"requestContext": {"http": {"method": "PUT"}}}, None)["statusCode"] == 405
    with pytest.raises(ValueError, match="validation error"):
        work.handler({"kind": "nothing"}, None)
    assert len(flushed) == 3


def test_the_log_tells_which_state_an_answer_was_of(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(
        advance.logger, "info", lambda message, **fields: said.append({"is": message, **fields})
    )
    with LocalCloud(
        open_store("sqlite:///:memory:"), InProcessFunctions({"f": lambda event, context: 1}), workers=0
    ) as cloud:
        definition = {"StartAt": "Ask", "States": {"Ask": {**INVOKE, "End": True}}}
        from stratum.handlers.api.front_door import call

        made = {"name": "m", "definition": json.dumps(definition), "roleArn": ROLE}
        machine = call(cloud.runtime, "CreateStateMachine", made, "default")["stateMachineArn"]
        call(cloud.runtime, "StartExecution", {"stateMachineArn": machine, "name": "one"}, "default")
        cloud.drain()
    [told] = [each for each in said if each["is"] == "advanced"]
    assert (told["tenant"], told["execution"], told["state"], told["received"]) == (
        "default", X, "Ask", "task_succeeded",
    )  # fmt: skip
