"""Work items: gates and agent steps opened, claimed, answered once, refused with a reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from stratum.handlers.identity import Identity
from stratum.handlers.store import verify
from stratum.handlers.work.answers import Desk
from stratum.handlers.work.items import WorkItem, item_id
from stratum.handlers.work.journal import journal_key
from stratum.handlers.work.refusal import Refused
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store
from stratum.statelang.engine import make_token
from work_asl import FORM, agent, gate, text

HOUR = 3600_000
AGENT = Identity("ada", "mcp", "here", agent="claude-code", client="claude-code 2.1")
ADA, BOB = Identity("ada", "cli", "here"), Identity("bob", "cli", "here")
GOOD = {"text": "one two", "words": 2}
LONG = {"text": "a b c d e f", "words": 6}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    store = open_store("sqlite:///:memory:")
    with LocalCloud(store, InProcessFunctions({}), clock=VirtualClock(), workers=0) as cloud:
        yield cloud


@pytest.fixture
def desk(cloud: LocalCloud) -> Desk:
    return Desk(cloud.runtime, cloud.store.tenant)


def start(cloud: LocalCloud, definition: str, requester: Identity | None = AGENT, name: str = "w") -> str:
    machine = cloud.call(
        "CreateStateMachine", name=name, definition=definition, roleArn="arn:aws:iam::1:role/r"
    )
    runtime = cloud.runtime if requester is None else cloud.runtime.on_behalf_of(requester.to_json())
    from stratum.handlers.api.front_door import call

    started = call(
        runtime, "StartExecution", {"stateMachineArn": machine["stateMachineArn"]}, cloud.store.tenant
    )
    settle(cloud)
    return started["executionArn"]


def settle(cloud: LocalCloud) -> None:
    """Does what there is to do now, and lets no time pass."""
    while cloud._work():
        pass


def pass_time(cloud: LocalCloud, milliseconds: int) -> None:
    assert isinstance(cloud.clock, VirtualClock)
    end = cloud.clock() + milliseconds
    settle(cloud)
    while (wake := cloud.queues.next_wake) is not None and wake <= end:
        cloud.clock.advance_to(wake)
        settle(cloud)
    cloud.clock.advance_to(end)


def only(desk: Desk, kind: str | None = None) -> WorkItem:
    [item] = desk.items.open_items(kind=kind).items
    return item


def status(cloud: LocalCloud, execution: str) -> dict[str, Any]:
    return cloud.call("DescribeExecution", executionArn=execution)


def notes(desk: Desk, execution: str | None) -> list[str]:
    return [note["type"] for note in desk.journal.read(execution)]


def refused(call: Any, *arguments: Any, **named: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)
    return caught.value


# -- agents ------------------------------------------------------------------------------------------------


def test_an_agent_step_is_checked_tried_again_with_its_violations_and_done(
    cloud: LocalCloud, desk: Desk
) -> None:
    execution = start(cloud, text("notes: begin", agent(), output="{% $notes %}"))
    item = only(desk)
    assert (item.step, item.attempt, item.handle) == ("notes", 1, f"{item.id}.1")
    assert item.request["intent"] == "Write the release notes."
    wrong = refused(desk.hand_in, item.handle, {"text": 1, "words": 0}, AGENT, "w1")
    assert [each["path"] for each in wrong.violations] == ["$.text", "$.words"]
    desk.hand_in(item.handle, LONG, AGENT, "w1", {"usd": 0.1, "tokens": 100})
    settle(cloud)
    again = only(desk)
    assert (again.attempt, again.handle) == (2, f"{item.id}.2")
    assert again.request["violations"] == [{"that": "$result.words < 5", "message": "too long"}]
    assert "has come round again" in str(refused(desk.hand_in, item.handle, GOOD, AGENT, "w1"))
    desk.hand_in(again.handle, GOOD, AGENT, "w1")
    settle(cloud)
    described = status(cloud, execution)
    assert described["status"] == "SUCCEEDED"
    answer = json.loads(described["output"])
    assert answer["result"] == GOOD
    assert answer["by"] == {"agent": "claude-code", "client": "claude-code 2.1"}
    assert desk.items.open_items().items == []
    assert notes(desk, execution) == ["opened", "refused", "answered", "opened", "refused", "answered"]
    assert verify(cloud.store, journal_key(execution)) == []


def test_a_claim_keeps_others_away_until_it_ends(cloud: LocalCloud, desk: Desk) -> None:
    start(cloud, text("notes: begin", agent(timeout=7200)))
    item = only(desk)
    desk.claim(item.handle, AGENT, "one")
    assert refused(desk.hand_in, item.handle, GOOD, AGENT, "two").reason == "ClaimedByAnother"
    assert refused(desk.claim, item.handle, AGENT, "two").reason == "ClaimedByAnother"
    pass_time(cloud, 14 * 60_000)
    desk.claim(item.handle, AGENT, "one")  # holds on to it
    pass_time(cloud, 14 * 60_000)
    assert refused(desk.claim, item.handle, AGENT, "two").reason == "ClaimedByAnother"
    pass_time(cloud, 60_000)
    assert desk.claim(item.handle, AGENT, "two").claim["worker"] == "two"  # pyright: ignore[reportOptionalSubscript]
    assert refused(desk.hand_in, item.handle, GOOD, AGENT, "one").reason == "ClaimedByAnother"


def test_the_claim_of_an_agent_that_is_gone_holds_nobody_up(cloud: LocalCloud) -> None:
    gone: set[str] = set()
    desk = Desk(cloud.runtime, cloud.store.tenant, is_gone=gone.__contains__)
    start(cloud, text("notes: begin", agent()))
    item = only(desk)
    desk.claim(item.handle, AGENT, "one")
    gone.add("one")
    desk.hand_in(item.handle, GOOD, AGENT, "two")
    assert desk.find(item.handle).state == "answered"


def test_claims_are_the_heartbeat_and_silence_is_a_timeout(cloud: LocalCloud, desk: Desk) -> None:
    execution = start(cloud, text("notes: begin", agent(heartbeat=60)))
    item = only(desk)
    for _ in range(3):
        pass_time(cloud, 50_000)
        desk.claim(item.handle, AGENT, "one")
    pass_time(cloud, 61_000)
    assert status(cloud, execution)["status"] == "FAILED"
    late = refused(desk.hand_in, item.handle, GOOD, AGENT, "one")
    assert late.reason == "TooLate"
    assert desk.items.open_items().items == []


def test_an_answer_after_the_timeout_is_late_also_where_nobody_noticed_the_timeout(
    cloud: LocalCloud, desk: Desk
) -> None:
    execution = start(cloud, text("notes: begin", agent(timeout=60)))
    item = only(desk)
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(cloud.clock() + 60_000)  # and no tick was delivered
    assert refused(desk.hand_in, item.handle, GOOD, AGENT, "one").reason == "TooLate"
    assert status(cloud, execution)["status"] == "FAILED"


def test_of_many_answers_at_once_one_counts_and_the_others_are_told_so(tmp_path: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db?sync=normal")
    with LocalCloud(store, InProcessFunctions({}), clock=VirtualClock(), workers=0) as cloud:
        desk = Desk(cloud.runtime, store.tenant)
        execution = start(cloud, text("notes: begin", agent(), output="{% $notes %}"))
        item = only(desk)
        outcomes: list[str] = []

        def answer(number: int) -> None:
            try:
                desk.hand_in(item.handle, {"text": f"by {number}", "words": 2}, AGENT, "one")
                outcomes.append("counted")
            except Refused as error:
                outcomes.append(error.reason)

        threads = [threading.Thread(target=answer, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        settle(cloud)
        assert sorted(outcomes) == ["AlreadyAnswered"] * 39 + ["counted"]
        assert status(cloud, execution)["status"] == "SUCCEEDED"
        assert notes(desk, execution).count("refused") == 39
        assert verify(store, journal_key(execution)) == []
        succeeded = [
            event for commit in store.commits(execution) for event in commit.events if event["type"] == "TaskSucceeded"
        ]  # fmt: skip
        assert len(succeeded) == 1


def test_an_answer_that_was_written_down_before_a_crash_reaches_its_task(
    cloud: LocalCloud, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stratum.handlers.work import callbacks

    execution = start(cloud, text("notes: begin", agent()))
    item = only(desk)
    with monkeypatch.context() as patch:

        def crash(*arguments: Any) -> bool:
            raise SystemExit("killed")

        patch.setattr(callbacks, "send_success", crash)
        with pytest.raises(SystemExit):
            desk.hand_in(item.handle, GOOD, AGENT, "one")
    assert only(desk).state == "answering"
    assert refused(desk.hand_in, item.handle, GOOD, AGENT, "one").reason == "AlreadyAnswered"
    settle(cloud)
    assert status(cloud, execution)["status"] == "SUCCEEDED"


def test_an_answer_whose_record_was_lost_in_a_crash_counts_once(
    cloud: LocalCloud, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = start(cloud, text("notes: begin", agent()))
    item = only(desk)
    with monkeypatch.context() as patch:

        def crash(*arguments: Any) -> WorkItem:
            raise SystemExit("killed")

        patch.setattr(desk, "_settle", crash)
        with pytest.raises(SystemExit):
            desk.hand_in(item.handle, GOOD, AGENT, "one")
    settle(cloud)
    assert status(cloud, execution)["status"] == "SUCCEEDED"
    found = desk.refresh(desk.find(item.handle))
    assert found.state == "answered"


def test_another_tenants_work_is_not_there(cloud: LocalCloud, desk: Desk) -> None:
    start(cloud, text("notes: begin", agent()))
    item = only(desk)
    other = Desk(cloud.runtime, "other")
    assert refused(other.hand_in, item.handle, GOOD, AGENT, "one").reason == "NotFound"
    assert other.items.open_items().items == []
    assert notes(other, None) == ["refused"]
    assert only(desk).state == "pending"


def test_a_forged_token_moves_nothing(cloud: LocalCloud, desk: Desk) -> None:
    from stratum.handlers.work.callbacks import send_success

    execution = start(cloud, text("notes: begin", agent()))
    item = only(desk)
    [frame] = cloud.runtime.executions().load(execution).snapshot["frames"].values()
    forged = make_token(execution, "0", frame["task"]["id"], "guessed")
    assert forged != item.token
    assert not send_success(cloud.runtime, cloud.store.tenant, forged, json.dumps({"result": GOOD}))
    from stratum.local.cloud import CallFailed

    with pytest.raises(CallFailed, match="InvalidToken"):
        cloud.call("SendTaskSuccess", taskToken=forged, output="{}")
    assert status(cloud, execution)["status"] == "RUNNING"
    assert [note["reason"] for note in desk.journal.read(execution) if note["type"] == "refused"] == [
        "Forged"
    ]


@pytest.mark.parametrize("made", [gate(), agent()])
def test_who_has_read_a_token_out_of_a_history_answers_nothing_with_it(
    cloud: LocalCloud, desk: Desk, made: dict[str, Any]
) -> None:
    from stratum.local.cloud import CallFailed

    name = "approve" if "approve" in made else next(iter(made))
    execution = start(cloud, text(name, made))
    token = only(desk).token
    events = cloud.call("GetExecutionHistory", executionArn=execution)["events"]
    assert token in json.dumps(events)
    answer = {"outcome": "approve", "by": {"user": "bob", "via": "cli"}, "result": GOOD}
    for operation, given in (
        ("SendTaskSuccess", {"output": json.dumps(answer)}),
        ("SendTaskFailure", {"error": "E"}),
    ):
        with pytest.raises(CallFailed, match="InvalidToken"):
            cloud.call(operation, taskToken=token, **given)
    assert status(cloud, execution)["status"] == "RUNNING"
    noted = [note["reason"] for note in desk.journal.read(execution) if note["type"] == "refused"]
    assert noted == ["NotAllowed", "NotAllowed"]


@pytest.mark.parametrize(
    ("result", "usage", "reason"),
    [
        ({"text": "x" * 300_000, "words": 1}, None, "262144"),
        (float("nan"), None, "not JSON"),
        ("text", None, "$: 'text' is not of type 'object'"),
        (None, None, "$: None is not of type 'object'"),
        ({"text": "a", "words": 2**70}, {"usd": -1}, "usage.usd"),
        (GOOD, {"tokens": 1.5}, "whole number"),
        (GOOD, {"euro": 1}, "usage is"),
        (GOOD, [], "usage is"),
    ],
)
def test_what_is_no_result_is_refused_and_the_step_goes_on_waiting(
    cloud: LocalCloud, desk: Desk, result: Any, usage: Any, reason: str
) -> None:
    start(cloud, text("notes: begin", agent()))
    item = only(desk)
    error = refused(desk.hand_in, item.handle, result, AGENT, "one", usage)
    assert reason in str(error)
    assert only(desk) == item


@pytest.mark.parametrize("handle", ["", "x", ".", "aaaaaaaaaa.1", "💥", "a" * 5000, "../x"])
def test_what_names_no_work_is_refused(cloud: LocalCloud, desk: Desk, handle: str) -> None:
    assert refused(desk.hand_in, handle, GOOD, AGENT, "one").reason == "NotFound"


def test_branches_are_worked_on_at_once(cloud: LocalCloud, desk: Desk) -> None:
    branches = []
    for name in ("left", "right"):
        states = agent(name, f"{name}: end")
        states[f"{name}: end"] = {"Type": "Pass", "Output": f"{{% ${name}.result.text %}}", "End": True}
        branches.append({"StartAt": f"{name}: begin", "States": states})
    definition = {
        "QueryLanguage": "JSONata", "StartAt": "both",
        "States": {"both": {"Type": "Parallel", "Branches": branches, "End": True}},
    }  # fmt: skip
    execution = start(cloud, json.dumps(definition))
    items = desk.items.of_execution(cloud.runtime.executions().load(execution))
    assert [item.step for item in items] == ["left", "right"]
    desk.claim(items[0].handle, AGENT, "one")
    desk.hand_in(items[1].handle, {"text": "r", "words": 1}, AGENT, "two")
    desk.hand_in(items[0].handle, {"text": "l", "words": 1}, AGENT, "one")
    settle(cloud)
    assert json.loads(status(cloud, execution)["output"]) == ["l", "r"]


def test_a_payload_that_is_none_fails_the_task_with_the_reason(cloud: LocalCloud) -> None:
    definition = {
        "QueryLanguage": "JSONata", "StartAt": "a",
        "States": {"a": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
            "Arguments": {"FunctionName": "stratum-work", "Payload": {"kind": "agent", "execution": "e", "step": "s"}},
        }},
    }  # fmt: skip
    execution = start(cloud, json.dumps(definition))
    assert "$states.context.Task.Token" in status(cloud, execution)["cause"]


# -- gates -------------------------------------------------------------------------------------------------


def test_a_gate_is_decided_by_a_person_and_the_answer_says_by_whom(cloud: LocalCloud, desk: Desk) -> None:
    execution = start(cloud, text("approve", gate(), output="{% $approve %}"))
    item = only(desk, "gate")
    desk.decide(item.id, "approve", ADA, comment="  fine ", shown=item.digest[:12])
    settle(cloud)
    answer = json.loads(status(cloud, execution)["output"])
    assert answer["by"] == {"user": "ada", "host": "here", "via": "cli"}
    assert (answer["outcome"], answer["comment"], answer["shown"]) == ("approve", "fine", item.digest)
    assert refused(desk.decide, item.id, "reject", BOB).reason == "AlreadyAnswered"


def test_who_may_not_decide_is_refused_and_noted(cloud: LocalCloud, desk: Desk) -> None:
    execution = start(cloud, text("approve", gate(approvers=["bob", "ops@example.com"])), requester=ADA)
    item = only(desk)
    assert "agent cannot" in str(refused(desk.decide, item.id, "approve", AGENT))
    assert "ada has started this" in str(refused(desk.decide, item.id, "approve", ADA))
    assert "not among the approvers" in str(refused(desk.decide, item.id, "approve", Identity("eve", "cli")))
    assert "low risk" in str(refused(desk.decide, item.id, "approve", Identity("bob", "elicitation")))
    assert refused(desk.decide, item.id, "approve", Identity(None, "cli")).reason == "NotAllowed"
    assert notes(desk, execution).count("refused") == 5
    assert only(desk) == item
    mapped = Desk(
        cloud.runtime, cloud.store.tenant, people={"ops@example.com": ["team"], "team": ["eve", "team"]}
    )
    mapped.decide(item.id, "approve", Identity("eve", "cli"))
    settle(cloud)
    assert status(cloud, execution)["status"] == "SUCCEEDED"


def test_the_requester_may_decide_where_the_gate_says_so(cloud: LocalCloud, desk: Desk) -> None:
    start(cloud, text("approve", gate(approvers=["requester"])), requester=ADA)
    item = only(desk)
    assert "only whoever has started" in str(refused(desk.decide, item.id, "approve", BOB))
    desk.decide(item.id, "approve", ADA)


def test_a_nested_executions_requester_is_its_parents(cloud: LocalCloud, desk: Desk) -> None:
    cloud.call(
        "CreateStateMachine",
        name="inner",
        definition=text("approve", gate()),
        roleArn="arn:aws:iam::1:role/r",
    )
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:inner"
    for resource in ("states:startExecution", "states:startExecution.sync"):
        outer = {
            "QueryLanguage": "JSONata", "StartAt": "a",
            "States": {"a": {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True,
                             "Arguments": {"StateMachineArn": arn}}},
        }  # fmt: skip
        start(cloud, json.dumps(outer), requester=ADA, name=resource.replace(":", "-").replace(".", "-"))
    for item in desk.items.open_items().items:
        assert "ada has started" in str(refused(desk.decide, item.id, "approve", ADA))


def test_a_form_is_edited_and_checked(cloud: LocalCloud, desk: Desk) -> None:
    values = {"version": "1.0", "canary": 5}
    execution = start(cloud, text("approve", gate(form=FORM, values=values), output="{% $approve.form %}"))
    item = only(desk)
    error = refused(desk.decide, item.id, "approve", ADA, form={"version": "x", "canary": 500})
    assert [each["path"] for each in error.violations] == ["$.canary", "$.version"]
    desk.decide(item.id, "approve", ADA, form={"version": "1.1"})
    settle(cloud)
    assert json.loads(status(cloud, execution)["output"]) == {"version": "1.1"}


def test_a_decision_holds_for_what_was_shown(cloud: LocalCloud, desk: Desk) -> None:
    start(cloud, text("approve", gate(form=FORM, values={"version": "1.0"})))
    item = only(desk)
    for shown in ("0" * 64, item.digest[:4], item.digest + "0"):
        assert refused(desk.decide, item.id, "approve", ADA, shown=shown).reason == "Changed"
    assert "no form" not in str(refused(desk.decide, item.id, "revise", ADA))
    desk.decide(item.id, "approve", ADA, shown=item.digest.upper())


def test_what_a_gate_does_not_know_is_refused(cloud: LocalCloud, desk: Desk) -> None:
    start(cloud, text("approve", gate(outcomes=["approve", "revise"])))
    item = only(desk)
    assert "knows approve, revise" in str(refused(desk.decide, item.id, "reject", ADA))
    assert "needs a comment" in str(refused(desk.decide, item.id, "revise", ADA, comment=" "))
    assert "has no form" in str(refused(desk.decide, item.id, "approve", ADA, form={}))
    assert "8192" in str(refused(desk.decide, item.id, "approve", ADA, comment="x" * 9000))
    assert refused(desk.hand_in, item.handle, GOOD, AGENT, "one").reason == "NotFound"


def test_a_reminded_gate_is_the_same_gate_and_its_deadline_ends_it(cloud: LocalCloud, desk: Desk) -> None:
    execution = start(cloud, text("approve", gate()))
    before = only(desk)
    pass_time(cloud, 5 * HOUR)
    after = only(desk)
    assert (after.id, after.digest, after.opening) == (before.id, before.digest, 1)
    assert after.token != before.token
    pass_time(cloud, 3 * HOUR)
    assert status(cloud, execution)["error"] == "Stratum.Rejected"
    assert refused(desk.decide, before.id, "approve", ADA).reason == "TooLate"
    assert desk.items.open_items().items == []


def test_a_decision_between_two_tokens_counts_with_the_next(cloud: LocalCloud, desk: Desk) -> None:
    execution = start(cloud, text("approve", gate(), output="{% $approve.by.user %}"))
    item = only(desk)
    assert isinstance(cloud.clock, VirtualClock)
    cloud.clock.advance_to(
        cloud.clock() + 4 * HOUR
    )  # the first token's time is over, and nothing has run since
    taken = desk.decide(item.id, "approve", ADA)
    assert taken.state == "answering"
    assert refused(desk.decide, item.id, "reject", BOB).reason == "AlreadyAnswered"
    settle(cloud)
    assert json.loads(status(cloud, execution)["output"]) == "ada"
    assert desk.find(item.id).state == "answered"


def test_a_gate_that_is_come_back_to_is_asked_anew(cloud: LocalCloud, desk: Desk) -> None:
    states = gate(following="again")
    states["again"] = {
        "Type": "Choice", "Choices": [{"Condition": "{% $approve.comment = 'enough' %}", "Next": "done"}],
        "Default": "approve",
    }  # fmt: skip
    execution = start(cloud, text("approve", states))
    first = only(desk)
    desk.decide(first.handle, "approve", ADA)
    settle(cloud)
    second = only(desk)
    assert second.handle == f"{first.id}.2"
    assert second.digest != first.digest
    assert refused(desk.decide, first.handle, "approve", ADA).reason == "AlreadyAnswered"
    assert refused(desk.decide, second.id, "approve", ADA, shown=first.digest).reason == "Changed"
    desk.decide(second.handle, "approve", ADA, comment="enough")
    settle(cloud)
    assert status(cloud, execution)["status"] == "SUCCEEDED"


def test_a_stopped_executions_gate_is_open_no_more(cloud: LocalCloud, desk: Desk) -> None:
    execution = start(cloud, text("approve", gate()))
    item = only(desk)
    cloud.call("StopExecution", executionArn=execution)
    assert desk.items.open_items().items == []
    assert refused(desk.decide, item.id, "approve", ADA).reason == "TooLate"


def test_the_same_payload_twice_is_one_item(cloud: LocalCloud, desk: Desk) -> None:
    from stratum.handlers import work
    from stratum.handlers.work.items import payload_of

    execution = start(cloud, text("approve", gate()))
    [frame] = cloud.runtime.executions().load(execution).snapshot["frames"].values()
    payload = payload_of(frame)
    assert payload is not None
    assert item_id(payload) == only(desk).id
    work.handle(cloud.runtime, payload, cloud.store.tenant)
    assert notes(desk, execution) == ["opened"]
    desk.decide(only(desk).id, "approve", ADA)
    work.handle(cloud.runtime, payload, cloud.store.tenant)  # delivered again, late
    assert desk.items.open_items().items == []


def test_open_items_are_listed_in_pages_the_oldest_first(cloud: LocalCloud, desk: Desk) -> None:
    for number in range(5):
        start(cloud, text("approve", gate()), name=f"m{number}")
        pass_time(cloud, 1000)
    seen: list[str] = []
    token = None
    while True:
        page = desk.items.open_items(limit=2, token=token)
        seen += [item.execution.split(":")[6] for item in page.items]
        if (token := page.token) is None:
            break
    assert seen == [f"m{number}" for number in range(5)]


def test_all_of_it_on_dynamodb(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto import mock_aws
    from stratum.handlers.store.table import create_table

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        store = open_store("dynamodb://stratum?region=us-east-1")
        with LocalCloud(store, InProcessFunctions({}), clock=VirtualClock(), workers=0) as cloud:
            desk = Desk(cloud.runtime, store.tenant)
            execution = start(cloud, text("notes: begin", agent(following="approve"), gate()))
            item = only(desk)
            desk.claim(item.handle, AGENT, "one")
            refused(desk.hand_in, item.handle, GOOD, AGENT, "two")
            desk.hand_in(item.handle, GOOD, AGENT, "one")
            settle(cloud)
            decided = only(desk, "gate")
            desk.decide(decided.id, "approve", ADA)
            settle(cloud)
            assert status(cloud, execution)["status"] == "SUCCEEDED"
            assert notes(desk, execution) == [
                "opened",
                "claimed",
                "refused",
                "answered",
                "opened",
                "answered",
            ]
            assert verify(store, journal_key(execution)) == []
            assert desk.items.open_items().items == []
            assert [head.execution for head in store.heads().items] == [execution]
