"""Tenants: no door lets one see, move or slow another, and each keeps to its limits."""

from __future__ import annotations

import fnmatch
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from command_line import done, stratum
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from stratum.handlers import timers, work
from stratum.handlers.api import front_door
from stratum.handlers.audit.search import Query, search
from stratum.handlers.console import api as console_api
from stratum.handlers.console.host import Console
from stratum.handlers.identity import Identity
from stratum.handlers.sqs import SqsOutbox
from stratum.handlers.store import Store
from stratum.handlers.store.table import create_table
from stratum.handlers.tenancy import callers, limits, registry
from stratum.handlers.tenancy.names import OPERATOR, InvalidTenant
from stratum.handlers.work import links, page
from stratum.handlers.work.answers import Desk
from stratum.handlers.work.refusal import Refused
from stratum.infra.tenants import ACTIONS, policy
from stratum.local.clock import VirtualClock
from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.events import function_url_event, scheduled_event
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store
from work_asl import gate, text

SECRET = "b-has-this"
ADA, BOB = Identity("ada", "cli", "here"), Identity("bob", "cli", "here")
WAIT = {"StartAt": "w", "States": {"w": {"Type": "Wait", "Seconds": 3600, "End": True}}}
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
TASK = "arn:aws:lambda:us-east-1:123456789012:function:f"
CHAIN = {
    "StartAt": "1",
    "States": {
        "1": {"Type": "Task", "Resource": TASK, "Next": "2"},
        "2": {"Type": "Task", "Resource": TASK, "Next": "3"},
        "3": {"Type": "Task", "Resource": TASK, "End": True},
    },
}


class World:
    """One cloud, and requests to its front door as some tenant, or some caller of AWS."""

    def __init__(self, store: Store | None = None):
        self.done: list[str] = []
        self.cloud = LocalCloud(
            store or open_store("sqlite:///:memory:"),
            InProcessFunctions({"f": self._function}),
            clock=VirtualClock(),
            workers=0,
        )
        self.store = self.cloud.store
        self.runtime = self.cloud.runtime

    def _function(self, event: Any, context: Any) -> Any:
        self.done.append(context.client_context.custom["tenant"])
        return event

    def ask(
        self, operation: str, *, tenant: str | None = None, caller: str | None = None, **parameters: Any
    ) -> Any:
        """The answer's status, and what it says."""
        event = function_url_event(operation, parameters)
        if tenant is not None:
            event["headers"]["X-Stratum-Tenant"] = tenant
        if caller is not None:
            event.setdefault("requestContext", {})["authorizer"] = {"iam": {"userArn": caller}}
        answer = front_door.handle(self.runtime, event)
        return answer["statusCode"], json.loads(answer["body"])

    def create(self, definition: dict[str, Any], tenant: str | None = None, name: str = "m") -> str:
        text = json.dumps(definition)
        status, answer = self.ask(
            "CreateStateMachine", tenant=tenant, name=name, definition=text, roleArn=ROLE
        )
        assert status == 200, answer
        return answer["stateMachineArn"]

    def start(self, machine: str, tenant: str | None = None, **more: Any) -> str:
        status, answer = self.ask("StartExecution", tenant=tenant, stateMachineArn=machine, **more)
        assert status == 200, answer
        return answer["executionArn"]

    def refused(self, machine: str, tenant: str | None = None, **more: Any) -> str:
        status, answer = self.ask("StartExecution", tenant=tenant, stateMachineArn=machine, **more)
        assert status == 400, answer
        return answer["__type"]

    def settle(self) -> None:
        while self.cloud._work():
            pass


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.cloud.close()


# -- seeing ------------------------------------------------------------------------------------------------------


def test_no_operation_of_the_api_shows_or_moves_what_is_another_tenants(world: World) -> None:
    waiting = {
        "StartAt": "w", "Comment": SECRET, "States": {"w": {"Type": "Task", "Resource": ACTIVITY, "End": True}}
    }  # fmt: skip
    world.ask("CreateActivity", tenant="b", name="a")
    machine = world.create(waiting, "b", name="hidden")
    execution = world.start(machine, "b", name="x", input=json.dumps({"text": SECRET}))
    world.settle()
    _, version = world.ask("PublishStateMachineVersion", tenant="b", stateMachineArn=machine)
    route = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
    _, alias = world.ask("CreateStateMachineAlias", tenant="b", name="prod", routingConfiguration=route)
    # What stands there of b is a token that b's worker could have been given.
    [offered] = world.store.for_tenant("b").records("activity-task").items
    before = [each.digest for each in world.store.for_tenant("b").commits(execution)]
    given = {
        "stateMachineArn": machine, "executionArn": execution, "activityArn": ACTIVITY, "resourceArn": machine,
        "stateMachineVersionArn": version["stateMachineVersionArn"], "stateMachineAliasArn": alias["stateMachineAliasArn"],
        "mapRunArn": execution.replace(":execution:", ":mapRun:") + "/w:1", "taskToken": offered.value["token"],
        "output": "1", "error": "E", "cause": "c", "name": "x", "tags": [{"key": "k", "value": "v"}], "tagKeys": ["k"],
        "maxConcurrency": 1, "definition": json.dumps(WAIT), "routingConfiguration": route, "roleArn": ROLE,
    }  # fmt: skip
    from stratum.handlers.api import shapes

    for operation in front_door.OPERATIONS:
        if operation in (
            "CreateStateMachine",
            "CreateActivity",
            "TestState",
            "ValidateStateMachineDefinition",
        ):
            continue  # a's own
        known = shapes.OPERATIONS[operation].members
        parameters = {key: value for key, value in given.items() if key in known}
        if operation in ("ListExecutions",):
            parameters.pop("mapRunArn")
        status, answer = world.ask(operation, tenant="a", **parameters)
        assert SECRET not in json.dumps(answer), operation
        if operation.startswith(("List",)) and status == 200:
            assert not next(iter(answer.values())), operation
        elif not operation.startswith("Delete"):  # what is not there is deleted, too
            assert status == 400, (operation, answer)
    assert [each.digest for each in world.store.for_tenant("b").commits(execution)] == before
    assert world.ask("DescribeExecution", tenant="b", executionArn=execution)[1]["status"] == "RUNNING"
    assert world.ask("DescribeStateMachine", tenant="b", stateMachineArn=machine)[0] == 200
    assert (
        world.ask(
            "DescribeStateMachineAlias", tenant="b", stateMachineAliasArn=alias["stateMachineAliasArn"]
        )[0]
        == 200
    )
    assert world.ask("DescribeActivity", tenant="b", activityArn=ACTIVITY)[0] == 200
    assert world.ask("SendTaskSuccess", tenant="b", taskToken=offered.value["token"], output="1")[0] == 200


def gated(world: World, tenant: str) -> tuple[Desk, Any]:
    machine = world.create(
        json.loads(text("approve", gate(approvers=["bob"], shows={"text": SECRET}))), tenant, name="gated"
    )
    world.start(machine, tenant, input=json.dumps({"text": SECRET}))
    world.settle()
    desk = Desk(world.runtime, tenant, link_key=lambda: b"key")
    [item] = desk.items.open_items().items
    return desk, item


def test_the_gates_of_one_tenant_are_found_decided_and_opened_by_nobody_of_another(world: World) -> None:
    b, item = gated(world, "b")
    a = Desk(world.runtime, "a", link_key=lambda: b"key")
    assert a.items.open_items().items == []
    for act in (
        lambda: a.find(item.handle),
        lambda: a.decide(item.handle, "approve", BOB),
        lambda: links.read(a, links.make(b, item, "bob", by=ADA)),
    ):
        with pytest.raises(Refused):
            act()
    # A link says whose it is, and leads to its own gate.
    token = links.make(b, item, "bob", by=ADA)
    event = {"requestContext": {"http": {"method": "GET"}}, "rawQueryString": f"link={token}"}
    assert links.tenant_of(token) == "b"
    assert (
        page.handle(
            lambda: Desk(world.runtime, links.tenant_of(token) or "", link_key=lambda: b"key"), event
        )["statusCode"]
        == 200
    )
    assert page.handle(lambda: a, event)["statusCode"] == 403
    # Whoever may invoke the function that opens gates cannot open one among another tenant's, whatever it says.
    payload = {
        "kind": "gate",
        "execution": item.execution,
        "step": "forged",
        "token": item.token,
        "timeout": 60,
    }
    for tenant, token in (("a", item.token), ("b", item.token[:-4] + "AAAA"), ("b", "of Step Functions")):
        with pytest.raises(ValueError, match="token"):
            work.handle(world.runtime, {**payload, "token": token}, tenant)
    assert [each.step for each in b.items.open_items().items] == [item.step]
    assert a.items.open_items().items == []


def test_a_tenant_that_a_task_names_in_its_client_context_is_not_believed(world: World) -> None:
    import base64

    context = base64.b64encode(json.dumps({"custom": {"tenant": "b"}}).encode()).decode()
    arguments = {"FunctionName": "f", "Payload": {}, "ClientContext": context}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": arguments,
        "End": True,
    }
    machine = world.create({"StartAt": "t", "States": {"t": state}}, "a")
    world.start(machine, "a")
    world.settle()
    assert world.done == ["a"]


def test_search_audit_and_console_know_one_tenant(world: World) -> None:
    b, item = gated(world, "b")
    own = world.store.for_tenant("a")
    assert search(own, Query(text=SECRET)).found == []
    assert search(world.store.for_tenant("b"), Query(text=SECRET)).found != []
    console = Console(Desk(world.runtime, "a"), BOB)

    def asked(name: str, body: Any = None, **query: str) -> Any:
        from urllib.parse import urlencode

        event = {
            "rawPath": f"/{name}", "rawQueryString": urlencode(query), "headers": {console_api.HEADER: "1"},
            "requestContext": {"http": {"method": "GET" if body is None else "POST"}}, "body": json.dumps(body),
        }  # fmt: skip
        answer = console_api.handle(console, event)
        return answer["statusCode"], answer["body"]

    for name in ("executions", "gates", "agents", "workflows"):
        status, shown = asked(name)
        assert (status, item.execution in shown, "gated" in shown) == (200, False, False), name
    for name in ("execution", "definition", "visit", "event", "value"):
        status, shown = asked(
            name, execution=item.execution, id="1", visit="1", digest="0", event="1", path="$"
        )
        assert (status >= 400, SECRET in shown) == (True, False), name
    for name, body in (
        ("stop", {"execution": item.execution}),
        ("redrive", {"execution": item.execution}),
        ("fork", {"execution": item.execution, "event": 2}),
        ("decide", {"work": item.handle, "handle": item.handle, "outcome": "approve", "shown": item.digest}),
    ):
        assert asked(name, body)[0] >= 400, name
    assert b.items.open_items().items != []


@pytest.mark.parametrize(
    "name", ["", "a#x", "b#r#definition", "-", "../b", "a/b", "a b", "a\nb", "ü", "x" * 65, "*", "a?"]
)
def test_a_name_that_could_be_part_of_a_key_is_no_tenant(world: World, name: str) -> None:
    status, answer = world.ask("ListStateMachines", tenant=name)
    assert (status, answer["__type"]) == (400, "ValidationException")
    if name != OPERATOR:
        with pytest.raises(InvalidTenant):
            world.store.for_tenant(name)


# -- who calls ---------------------------------------------------------------------------------------------------

ROLE_A = "arn:aws:iam::123456789012:role/tenant-a"
SESSION_A = "arn:aws:sts::123456789012:assumed-role/tenant-a/somebody"
STRANGER = "arn:aws:iam::999999999999:user/eve"


def test_whoever_calls_is_in_its_own_tenant_and_in_no_other(world: World) -> None:
    registry.keep(world.store, registry.Tenant("a", callers=(ROLE_A,)))
    machine = world.create(WAIT, "b")
    own = world.ask(
        "CreateStateMachine", caller=SESSION_A, name="own", definition=json.dumps(WAIT), roleArn=ROLE
    )
    assert own[0] == 200
    names = [each["name"] for each in world.ask("ListStateMachines", tenant="a")[1]["stateMachines"]]
    assert names == ["own"]
    for caller, tenant in ((SESSION_A, "b"), (SESSION_A, "default"), (STRANGER, "a"), (STRANGER, "b")):
        status, answer = world.ask("StartExecution", caller=caller, tenant=tenant, stateMachineArn=machine)
        assert (status, answer["__type"]) == (400, "AccessDeniedException"), (caller, tenant)
    assert world.ask("ListStateMachines", caller=SESSION_A, tenant="a")[0] == 200
    # Those whom nobody has registered share the stage's own tenant.
    assert world.ask("ListStateMachines", caller=STRANGER)[1]["stateMachines"] == []
    registry.remove(world.store, "a")
    assert world.ask("ListStateMachines", caller=SESSION_A)[1]["stateMachines"] == []


def test_the_mcp_server_on_lambda_is_in_its_callers_tenant(world: World) -> None:
    from stratum.handlers.mcp import function

    registry.keep(world.store, registry.Tenant("a", callers=(ROLE_A,)))
    for caller, tenant, status in ((SESSION_A, "b", 403), (STRANGER, "a", 403), (STRANGER, "a#b", 400)):
        event = {
            "rawPath": "/mcp", "headers": {"X-Stratum-Tenant": tenant},
            "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userArn": caller}}},
        }  # fmt: skip
        assert function.handle(world.runtime, event)["statusCode"] == status, (caller, tenant)


def test_a_caller_of_several_tenants_says_which_and_accounts_can_be_callers(world: World) -> None:
    for name in ("a", "b"):
        registry.keep(world.store, registry.Tenant(name, callers=("arn:aws:iam::123456789012:root",)))
    status, answer = world.ask("ListStateMachines", caller=SESSION_A)
    assert (status, "several tenants" in answer["message"]) == (400, True)
    assert world.ask("ListStateMachines", caller=SESSION_A, tenant="b")[0] == 200
    registry.keep(world.store, registry.Tenant("a", callers=(ROLE_A,)))
    assert callers.tenant_of(world.store, Identity(SESSION_A, "api"), {}) == "a"


# -- IAM ---------------------------------------------------------------------------------------------------------


class Watched:
    """DynamoDB's client, which notes the partition keys of every request as IAM sees them."""

    def __init__(self, client: Any):
        self.asked: list[tuple[str, list[str]]] = []
        client.meta.events.register("provide-client-params.dynamodb.*", self._note)

    def _note(self, params: dict[str, Any], model: Any, **kwargs: Any) -> None:
        if "KeyConditionExpression" in params:
            keys = [params["ExpressionAttributeValues"][":p"]["S"]]
        elif "RequestItems" in params:
            keys = [key["pk"]["S"] for asked in params["RequestItems"].values() for key in asked["Keys"]]
        else:
            keys = [(params.get("Key") or params.get("Item") or {"pk": {"S": ""}})["pk"]["S"]]
        self.asked.append((f"dynamodb:{model.name}", keys))


def allowed(document: dict[str, Any], action: str, keys: list[str]) -> bool:
    """As IAM decides it."""
    for statement in document["Statement"]:
        condition = statement["Condition"]
        assert condition["Null"] == {"dynamodb:LeadingKeys": "false"}
        patterns = condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        fits = all(any(fnmatch.fnmatchcase(key, each) for each in patterns) for key in keys)
        if action in statement["Action"] and keys and fits:
            return True
    return False


@pytest.mark.parametrize("shards", ["", "&shards=3"])
def test_every_request_of_a_tenants_store_keeps_to_the_leading_keys_of_its_policy(
    shards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        store = open_store(f"dynamodb://stratum?region=us-east-1{shards}", "acme")
        watched = Watched(store._client)  # pyright: ignore[reportAttributeAccessIssue]
        world = World(store)
        execution = world.start(world.create(CHAIN), input=json.dumps({"text": "x" * 2000}))
        world.cloud.wait(execution)
        for _ in (
            store.commits(execution), store.heads(limit=5), store.heads(state_machine="arn:m"), store.due(0), store.running(),
            store.count("c", 1), store.count("c", 1, most=1), store.records("definition"), store.delete("note", "x"),
        ):  # fmt: skip
            pass
        assert {action for action, _ in watched.asked} == set(ACTIONS)
        others = [policy(name, "arn") for name in ("acm", "acme2", "default")]
        for action, keys in watched.asked:
            assert allowed(policy("acme", "arn"), action, keys), (action, keys)
            assert not any(allowed(each, action, keys) for each in others)


def test_the_policy_of_a_tenant_as_the_command_prints_it(tmp_path: Path) -> None:
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/stratum"
    printed = done(tmp_path, "tenants", "policy", "acme", "--table", table, "--bucket", "large")
    assert printed == policy("acme", table, "large")
    assert printed["Statement"][-1]["Resource"] == ["arn:aws:s3:::large/acme/*"]
    assert stratum(tmp_path, "tenants", "policy", "ac*me", "--table", table).returncode == 2
    assert stratum(tmp_path, "tenants", "policy", "acme", "--table", "stratum").returncode == 2


# -- limits ------------------------------------------------------------------------------------------------------


def limit(world: World, tenant: str, executions: int | None = None, starts: int | None = None) -> None:
    limits.set_limits(world.store, registry.Tenant(tenant, registry.Limits(executions, starts)))


def test_executions_at_once(world: World) -> None:
    machine = world.create(WAIT, "a")
    limit(world, "a", executions=2)
    first = world.start(machine, "a", name="one")
    world.start(machine, "a", name="two")
    assert world.refused(machine, "a") == "ExecutionLimitExceeded"
    assert world.start(machine, "a", name="one") == first  # the same request again is no new execution
    assert world.ask("StopExecution", tenant="a", executionArn=first)[0] == 200
    assert world.ask("RedriveExecution", tenant="a", executionArn=first)[0] == 200
    assert world.refused(machine, "a") == "ExecutionLimitExceeded"
    world.ask("StopExecution", tenant="a", executionArn=first)
    world.start(machine, "a", name="three")
    status, answer = world.ask("RedriveExecution", tenant="a", executionArn=first)
    assert (status, answer["__type"]) == (400, "ExecutionLimitExceeded")
    world.start(world.create(WAIT, "b"), "b")  # another tenant's limits are its own
    world.cloud.drain()
    assert limits.usage(world.store.for_tenant("a")) == 0


def test_a_start_that_fails_takes_no_place(world: World) -> None:
    machine = world.create(WAIT, "a")
    limit(world, "a", executions=1)
    assert world.refused(machine + "x", "a") == "StateMachineDoesNotExist"
    world.start(machine, "a", name="one", input='{"n": 1}')
    assert world.refused(machine, "a", name="one", input='{"n": 2}') == "ExecutionAlreadyExists"
    assert limits.usage(world.store.for_tenant("a")) == 1


def test_starts_per_second(world: World) -> None:
    machine = world.create({"StartAt": "p", "States": {"p": {"Type": "Pass", "End": True}}}, "a")
    limit(world, "a", starts=5)
    clock = world.cloud.clock
    assert isinstance(clock, VirtualClock)

    def started(tries: int) -> int:
        return sum(
            world.ask("StartExecution", tenant="a", stateMachineArn=machine)[0] == 200 for _ in range(tries)
        )

    assert started(8) == 5
    assert world.refused(machine, "a") == "ThrottlingException"
    clock.advance_to(clock() + 200)
    assert started(8) == 1
    clock.advance_to(clock() + 60_000)
    assert started(8) == 5  # what was not used is not saved up
    limit(world, "a")
    clock.advance_to(clock() + 6_000)
    assert started(8) == 8


def test_a_nested_execution_that_is_refused_fails_its_task_by_name(world: World) -> None:
    child = world.create(WAIT, "a", name="child")
    state = {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "Parameters": {"StateMachineArn": child}, "End": True,
    }  # fmt: skip
    parent = world.create({"StartAt": "t", "States": {"t": state}}, "a", name="parent")
    limit(world, "a", executions=1)
    execution = world.start(parent, "a")
    world.settle()
    _, told = world.ask("DescribeExecution", tenant="a", executionArn=execution)
    assert (told["status"], told["error"]) == ("FAILED", "StepFunctions.ExecutionLimitExceededException")


@pytest.mark.parametrize("form", ["sqlite", "dynamodb"])
def test_starts_that_come_at_once_never_pass_the_limit_together(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        if form == "sqlite":
            stores = [open_store(f"sqlite:///{tmp_path}/s.db", "a") for _ in range(4)]
        else:
            create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
            stores = [open_store("dynamodb://stratum?region=us-east-1", "a") for _ in range(4)]
            # moto looks at a condition and writes in two steps, which others can come between.
            lock = threading.Lock()
            for store in stores:
                move = store._move  # pyright: ignore[reportAttributeAccessIssue]
                monkeypatch.setattr(store, "_move", lambda *given, move=move: _locked(lock, move, given))
        answers: list[int | None] = []

        def take(store: Store) -> None:
            for _ in range(10):
                answers.append(store.count("running", 1, most=13))
                if len(answers) % 3 == 0:
                    answers.append(None)

        threads = [threading.Thread(target=take, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(each for each in answers if each is not None) == list(range(1, 14))
        assert stores[0].counted("running") == 13


def _locked(lock: Any, move: Any, given: Any) -> Any:
    with lock:
        return move(*given)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-5, 9), st.integers(0, 12), st.none() | st.integers(0, 15)),
        min_size=1,
        max_size=12,
    )
)
def test_counters_of_both_forms_count_alike(moves: list[tuple[int, int, int | None]]) -> None:
    sqlite = open_store("sqlite:///:memory:")
    expected = 0
    for amount, floor, most in moves:
        after = max(expected, floor) + amount
        wanted = None if most is not None and after > most else after
        expected = expected if wanted is None else after
        assert sqlite.count("c", amount, floor=floor, most=most) == wanted
        assert sqlite.counted("c") == expected


def test_a_table_counts_as_a_file_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        table, file = open_store("dynamodb://stratum?region=us-east-1"), open_store("sqlite:///:memory:")
        for amount, floor, most in (
            (1, 0, 0), (1, 0, 2), (1, 0, 2), (1, 0, 2), (-1, 1, None), (-1, 1, None), (-1, 1, None), (5, 100, 104), (5, 100, 105),
            (5, 100, 109), (5, 100, 110), (-3, 0, None),
        ):  # fmt: skip
            asked = {"floor": floor, "most": most}
            assert table.count("c", amount, **asked) == file.count("c", amount, **asked), (amount, asked)
            assert table.counted("c") == file.counted("c")


def test_a_count_that_a_crash_left_wrong_is_mended_by_the_sweeper(world: World) -> None:
    machine = world.create(WAIT, "a")
    world.start(machine, "a")
    limit(world, "a", executions=3)  # what runs already counts
    own = world.store.for_tenant("a")
    assert limits.usage(own) == 1
    world.cloud.clock.advance_to(world.cloud.clock() + 5_000)  # pyright: ignore[reportAttributeAccessIssue]
    own.count(limits.RUNNING, 2)  # places of starts whose process was killed
    assert world.refused(machine, "a") == "ExecutionLimitExceeded"
    timers.handle(world.runtime, scheduled_event())
    assert limits.usage(own) == 3  # once may be a start that is under way
    timers.handle(world.runtime, scheduled_event())
    assert limits.usage(own) == 1
    world.start(machine, "a")
    own.count(limits.RUNNING, -2, floor=2)
    for _ in range(3):
        timers.handle(world.runtime, scheduled_event())
    assert limits.usage(own) == own.running() == 2


def test_the_sweeper_wakes_what_is_due_of_every_registered_tenant(world: World) -> None:
    execution = world.start(world.create(WAIT, "a"), "a")
    registry.keep(world.store, registry.Tenant("a"))
    world.cloud.queues.clear()
    world.cloud.clock.advance_to(world.cloud.clock() + 3_700_000)  # pyright: ignore[reportAttributeAccessIssue]
    assert world.cloud.sweep() == 1
    world.settle()
    assert world.ask("DescribeExecution", tenant="a", executionArn=execution)[1]["status"] == "SUCCEEDED"


def test_tenants_from_the_command_line(tmp_path: Path) -> None:
    set_ = ("tenants", "set", "acme")
    assert done(tmp_path, *set_, "--executions", "10", "--starts-per-second", "5", "--caller", ROLE_A, "--json") == {
        "tenant": "acme", "limits": {"executions": 10, "starts_per_second": 5}, "callers": [ROLE_A],
    }  # fmt: skip
    assert done(tmp_path, *set_, "--executions", "none", "--no-caller", ROLE_A, "--json")["limits"] == {
        "starts_per_second": 5
    }
    assert [each["tenant"] for each in done(tmp_path, "tenants", "--json")] == ["acme"]
    for wrong in (
        ("set", "a/b"), ("set", "acme", "--executions", "-1"), ("set", "acme", "--starts-per-second", "0"), ("what",),
        ("set", "acme", "--caller", "eve"), ("set", "acme", "--no-caller", ROLE_A), ("set",),
    ):  # fmt: skip
        ended = stratum(tmp_path, "tenants", *wrong)
        assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), wrong
    assert stratum(tmp_path, "tenants", "remove", "acme").returncode == 0
    assert stratum(tmp_path, "list", STRATUM_TENANT="a/b").returncode == 2


# -- slowing -----------------------------------------------------------------------------------------------------


def turns(world: World, execution: str, tenant: str) -> int:
    """How many tasks were performed, of anybody, until the execution has ended."""
    executions = world.runtime.executions(tenant)
    before = len(world.done)
    while executions.known(execution).snapshot["status"] == "RUNNING":
        assert world.cloud._work()
    return len(world.done) - before


def test_a_backlog_of_one_tenant_does_not_slow_another() -> None:
    alone = World()
    machine = alone.create(CHAIN, "b")
    assert turns(alone, alone.start(machine, "b"), "b") == 3
    world = World()
    flood, quiet = world.create(CHAIN, "a"), world.create(CHAIN, "b")
    # Their first tasks alone are put into the queue 5,000 times over: what the starts themselves take is not asked here.
    world.start(flood, "a")
    [task] = world.cloud.queues.take_tasks()
    for number in range(5000):
        command = {**task["command"], "frame": f"{task['command']['frame']}{number}"}
        world.cloud.queues.perform([{**task, "command": command}])
    execution = world.start(quiet, "b")
    # Three turns, in each of which the other tenant has a small batch: and not 5,000.
    assert turns(world, execution, "b") <= 3 * 11 + 3
    assert world.done.count("b") == 3


def test_what_workers_cannot_begin_yet_waits_where_tenants_take_turns() -> None:
    begun, release, order = threading.Semaphore(0), threading.Event(), []

    def slow(event: Any, context: Any) -> Any:
        begun.release()
        assert release.wait(30)
        order.append(context.client_context.custom["tenant"])

    store = open_store("sqlite:///:memory:")
    with LocalCloud(store, InProcessFunctions({"f": slow}), workers=2) as cloud:
        world = World.__new__(World)
        world.cloud, world.store, world.runtime, world.done = cloud, store, cloud.runtime, []
        one = {"StartAt": "1", "States": {"1": {"Type": "Task", "Resource": TASK, "End": True}}}
        flood, quiet = world.create(one, "a"), world.create(one, "b")
        for _ in range(40):
            world.start(flood, "a")
        cloud._work()
        for _ in range(2):
            assert begun.acquire(timeout=30)
        execution = world.start(quiet, "b")
        executions = cloud.runtime.executions("b")
        release.set()
        cloud.run(lambda: executions.known(execution).snapshot["status"] != "RUNNING", timeout=30)
        assert order.count("a") < 15
        cloud.drain()
        assert len(order) == 41


def test_messages_on_sqs_carry_their_tenant_as_group(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        client = boto3.client("sqs", region_name="us-east-1")
        urls = [client.create_queue(QueueName=name)["QueueUrl"] for name in ("advance", "tasks")]
        outbox = SqsOutbox(urls[0], urls[1], client)
        bodies = [{"tenant": tenant, "execution": "x", "command": {}} for tenant in ("a", "b", "a")]
        outbox.advance(bodies)
        outbox.perform(bodies)
        outbox.wake("c", "x", 0)
        for url, expected in zip(urls, (["a", "a", "b", "c"], ["a", "a", "b"]), strict=True):
            got = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])[
                "Messages"
            ]
            assert sorted(each["Attributes"]["MessageGroupId"] for each in got) == expected
