"""`stratum console --stage`, and the other commands that act on a stage: over its table and queues, as whoever IAM knows."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.exceptions import ClientError
from stage_world import StageWorld, stage_world
from stratum.handlers.api.front_door import call
from stratum.handlers.audit.trail import trail
from stratum.handlers.store.dynamodb import DynamoDbStore
from stratum.handlers.tenancy.limits import set_limits
from stratum.handlers.tenancy.registry import Limits, Tenant
from stratum.handlers.work.answers import Desk
from stratum.local.cli import main
from stratum.local.cli.console import open_console, told
from stratum.local.cli.parsers import parser
from stratum.local.console.site import PREFIX

ADA = "arn:aws:sts::123456789012:assumed-role/Operators/ada"
BOB = "arn:aws:iam::123456789012:user/bob"
SHOP = """\
stratum: "1"
workflow: shop
version: VERSION
input: {id: string}
steps:
  - {id: quote, task: shop.quote, input: {id: "{% $input.id %}"}, output: {price: number}}
  - {id: approve, gate: {message: "Ship?", approvers: ["arn:aws:iam::123456789012:user/*", requester], timeout: 1h}}
  - {id: pack, agent: claude, intent: Pack it., output: {parcel: string}, timeout: 1h}
result: {price: "{% $quote.price %}"}
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[StageWorld]:
    def quote(event: Any, context: Any) -> Any:
        if event["id"] == "bad":
            raise ValueError("no such order")
        return {"price": 7}

    with stage_world({"shop-quote": quote}, ADA) as world:
        world.deploy(SHOP.replace("VERSION", "1.0.0"), "1.0.0+a")
        world.deploy(SHOP.replace("VERSION", "1.1.0"), "1.1.0+b")
        yield world


@pytest.fixture
def world(shared: StageWorld) -> StageWorld:
    shared.caller = ADA
    return shared


class Page:
    """The console as a browser has it."""

    def __init__(self, *arguments: str):
        options = parser().parse_args(["console", "--stage", "dev", "--port", "0", *arguments])
        options.store = "stage://dev"
        self.opened = open_console(options)
        self._server = self.opened.server
        self._server.__enter__()
        self._host = urlsplit(self._server.link).netloc
        self._cookie = ""
        answer = self._ask("GET", self._server.link.partition(self._host)[2])
        self._cookie = answer.headers["set-cookie"].partition(";")[0]

    def close(self) -> None:
        self._server.__exit__()

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        connection = http.client.HTTPConnection(self._host, timeout=20)
        headers = {"cookie": self._cookie, "x-stratum-console": "1"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer

    def get(self, name: str, code: int = 200, **parameters: Any) -> Any:
        return self._told(self._ask("GET", f"{PREFIX}/api/{name}?{urlencode(parameters)}"), code)

    def post(self, way: str, code: int = 200, /, **body: Any) -> Any:
        return self._told(self._ask("POST", f"{PREFIX}/api/{way}", json.dumps(body)), code)

    def _told(self, answer: Any, code: int = 200) -> Any:
        assert answer.status == code, answer.text
        return json.loads(answer.text)

    def changes(self, **parameters: Any) -> Iterator[Any]:
        connection = http.client.HTTPConnection(self._host, timeout=20)
        path = f"{PREFIX}/api/stream?{urlencode(parameters)}"
        connection.request("GET", path, headers={"cookie": self._cookie})
        answer = connection.getresponse()
        while line := answer.readline().decode():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


@pytest.fixture
def page(world: StageWorld) -> Iterator[Page]:
    made = Page()
    yield made
    made.close()


def test_an_operator_sees_and_acts_on_a_stage(world: StageWorld, page: Page) -> None:
    said = "\n".join(told(page.opened))
    assert "stage dev (123456789012, us-east-1)" in said
    assert ADA in said
    assert page.get("about")["who"]["user"] == ADA
    [shop] = page.get("workflows")
    started = page.post("start", machine=shop["machine"], input={"id": "o-1"}, name="one")
    execution = started["execution"]
    changes = page.changes(execution=execution, after=0)
    world.settle()
    assert next(changes)["story"]["visits"]  # told by what the store has
    overview = page.get("execution", execution=execution)
    assert overview["requester"]["user"] == ADA
    # What a deployment leads is what is started, and not the newest definition of all.
    assert world.runtime.executions().load(execution).snapshot["alias"].endswith(":shop:live")
    [gate] = page.get("gates")["items"]
    assert gate["refused"] is None
    page.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"], comment="fine")
    world.settle()  # the stage's own queues were told, not only its table
    [agent] = page.get("agents")["items"]
    assert agent["step"] == "pack"
    page.post("stop", execution=execution, error="Stopped", cause="enough")
    assert page.get("execution", execution=execution)["status"] == "ABORTED"
    page.post("redrive", execution=execution)
    assert page.get("execution", execution=execution)["status"] == "RUNNING"
    whole = page.get("execution", execution=execution)["story"]
    entered = next(each["id"] for each in whole["visits"] if each["step"] == "pack")
    forked = page.post("fork", execution=execution, event=entered, name="other", reason="to see")
    world.settle()
    assert page.get("execution", execution=forked["execution"])["status"] == "RUNNING"
    assert {each["name"] for each in page.get("executions")["items"]} == {"one", "other"}
    moved = page.post(
        "alias", workflow="shop", alias="live", version="1.0.0+a", weight=50, reason="half of it"
    )
    assert moved["routing"] == {"1.0.0+a": 50, "1.1.0+b": 50}
    assert moved["moves"][-1]["by"]["user"] == ADA
    story = trail(world.store, execution)
    assert (story.requester or {})["user"] == ADA
    by = {each.what for each in story.entries if each.who is not None and each.who.get("user") == ADA}
    assert by >= {"approved", "stop asked", "redrive asked"}
    assert (trail(world.store, forked["execution"]).forked or {})["by"]["user"] == ADA


def test_who_only_looks_does_nothing(world: StageWorld) -> None:
    page = Page("--read-only")
    try:
        assert page.get("about")["who"] is None
        assert "read-only" in "\n".join(told(page.opened))
        page.post("start", 403, machine=world.machine, input={"id": "o-1"})
    finally:
        page.close()


def test_a_refusal_of_aws_is_told(world: StageWorld, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "Query")

    monkeypatch.setattr(DynamoDbStore, "heads", refused)
    assert "ExpiredTokenException" in page.get("executions", 502, limit=1)["message"]


def test_commands_on_a_stage_act_as_their_caller(
    world: StageWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever asks by the API and approves by a command is one and the same; what a command decides goes on at once."""
    runtime = world.runtime.on_behalf_of({"user": BOB, "via": "api"})
    arguments = {"stateMachineArn": f"{world.machine}:live", "name": "two", "input": '{"id": "o-2"}'}
    execution = call(runtime, "StartExecution", arguments, "default")["executionArn"]
    world.settle()
    assert main(["approve", "two", "--stage", "dev", "--yes"]) == 2
    assert "is not among the approvers" in capsys.readouterr().err
    world.caller = BOB.replace("bob", "eve")
    assert main(["approve", "two", "--stage", "dev", "--yes"]) == 0
    world.settle()
    waiting = Desk(world.runtime, "default").items.open_items(kind="agent").items
    assert execution in [each.execution for each in waiting]


def test_what_is_redriven_counts_among_what_its_tenant_may_run(
    world: StageWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, id in (("bad", "bad"), ("three", "o-3")):
        arguments = {
            "stateMachineArn": f"{world.machine}:live",
            "name": name,
            "input": json.dumps({"id": id}),
        }
        call(world.runtime, "StartExecution", arguments, "default")
    world.settle()
    set_limits(world.store, Tenant("default", limits=Limits(executions=world.store.running())))
    assert main(["redrive", "bad", "--stage", "dev"]) == 2
    assert "no more may run at once" in capsys.readouterr().err
    page = Page()
    try:
        execution = f"{world.machine.replace(':stateMachine:', ':execution:')}:bad"
        assert "no more may run" in page.post("redrive", 409, execution=execution)["message"]
        assert page.get("execution", execution=execution)["status"] == "FAILED"
    finally:
        page.close()
