"""When schedules come due, and what they bring: EventBridge's rules and EventBridge Scheduler, through boto3."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from endpoint import Everything
from hypothesis import given
from hypothesis import strategies as st
from stratum.local.aws.schedule_expressions import WrongExpression, next_due

NOW = "2026-12-01T10:30:15"
"""A Tuesday."""


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(expression: str, after: str = NOW, zone: str | None = None) -> str | None:
    found = next_due(expression, at(after), zone)
    return None if found is None else datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("rate(1 minute)", "2026-12-01T10:31:15"),
        ("rate(2 hours)", "2026-12-01T12:30:15"),
        ("at(2026-12-24T18:00:00)", "2026-12-24T18:00:00"),
        ("at(2026-11-24T18:00:00)", None),
        ("cron(0 10 * * ? *)", "2026-12-02T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-12-01T12:15:00"),
        ("cron(0/10 * * * ? *)", "2026-12-01T10:40:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-12-01T10:35:00"),
        ("cron(0 18 ? * mon-fri *)", "2026-12-01T18:00:00"),
        ("cron(0 0 ? * SUN,3 *)", "2026-12-06T00:00:00"),
        ("cron(0 0 ? * FRI-SUN *)", "2026-12-04T00:00:00"),
        ("cron(0 8 1 * ? *)", "2027-01-01T08:00:00"),
        ("cron(0 8 L * ? *)", "2026-12-31T08:00:00"),
        ("cron(0 8 5W * ? *)", "2026-12-04T08:00:00"),
        ("cron(0 8 6W * ? *)", "2026-12-07T08:00:00"),
        ("cron(0 8 ? * 3#2 *)", "2026-12-08T08:00:00"),
        ("cron(0 8 ? * 6L *)", "2026-12-25T08:00:00"),
        ("cron(0 8 ? * L *)", "2026-12-05T08:00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29T00:00:00"),
        ("cron(0 0 1 JAN,JUL ? 2030/5)", "2030-01-01T00:00:00"),
        ("cron(0 0 30 2 ? *)", None),
        ("cron(0 0 1 1 ? 2020)", None),
    ],
)
def test_the_next_time(expression: str, first: str | None) -> None:
    assert due(expression) == first


def test_local_times_that_a_clock_change_leaves_out_or_doubles() -> None:
    berlin = "Europe/Berlin"
    assert due("cron(30 2 * * ? *)", "2027-03-27T12:00:00", berlin) == "2027-03-29T00:30:00"
    assert due("cron(30 2 * * ? *)", "2026-10-24T12:00:00", berlin) == "2026-10-25T00:30:00"
    assert due("cron(30 2 * * ? *)", "2026-10-25T00:30:00", berlin) == "2026-10-26T01:30:00"
    assert due("at(2026-12-24T18:00:00)", NOW, "America/New_York") == "2026-12-24T23:00:00"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("rate(0 minutes)", "above 0"),
        ("rate(5 seconds)", "neither"),
        ("cron(0 10 * * *)", "six fields"),
        ("cron(0 10 * * * *)", "has to be `\\?`"),
        ("cron(60 10 * * ? *)", "minutes: 60 is not from 0 to 59"),
        ("cron(0 10 ? * XYZ *)", "day-of-week: 'XYZ'"),
        ("cron(0/0 10 * * ? *)", "no increment"),
        ("cron(0 10 ? * 3#1,6#3 *)", "day-of-week"),
        ("at(2026-02-30T00:00:00)", "day is out of range"),
    ],
)
def test_what_is_none_is_told(expression: str, reason: str) -> None:
    with pytest.raises(WrongExpression, match=reason):
        next_due(expression, at(NOW))
    with pytest.raises(WrongExpression, match="no time zone"):
        next_due("cron(0 10 * * ? *)", at(NOW), "Mars/Olympus")


@given(
    st.integers(0, 59), st.integers(0, 23), st.sampled_from(["*", "L", "15W", "1-7,20/3"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)  # fmt: skip
def test_times_come_one_after_the_other(
    minute: int, hour: int, days: str, moment: datetime, zone: str
) -> None:
    last = moment.replace(tzinfo=UTC).timestamp()
    for _ in range(3):
        found = next_due(f"cron({minute} {hour} {days} * ? *)", last, zone)
        assert found is not None
        assert found > last
        assert found % 60 == 0
        last = found


# -- in the local cloud ------------------------------------------------------------------------------------


class Inbox:
    """A queue that rules and schedules bring something to, on a clock that goes where the test wants it."""

    def __init__(self, everything: Everything):
        self.everything = everything
        self.sqs = everything.other("sqs")
        self.url = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        self.arn = "arn:aws:sqs:us-east-1:000000000000:inbox"
        everything.clock.advance_to(everything.clock() // 86_400_000 * 86_400_000 + 86_400_000 + 30_000)

    def after(self, seconds: float) -> list[str]:
        """What has come once so many seconds have gone by."""
        door, clock = self.everything.door, self.everything.clock
        door.schedules.bring_due()
        clock.advance_to(clock() + int(seconds * 1000))
        door.schedules.bring_due()
        self.everything.settle()
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in answer.get("Messages", [])]


@pytest.fixture
def inbox(everything: Everything) -> Inbox:
    return Inbox(everything)


def test_a_rule_with_a_schedule_comes_due_and_no_other_event_sets_it_off(inbox: Inbox) -> None:
    events = inbox.everything.other("events")
    arn = events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    targets = [{"Id": "a", "Arn": inbox.arn}, {"Id": "b", "Arn": inbox.arn, "Input": '{"from": "b"}'}]
    events.put_targets(Rule="tick", Targets=targets)
    entry = {"Source": "shop", "DetailType": "Sold", "Detail": "{}"}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert inbox.after(299) == []
    event, given = map(json.loads, inbox.after(1))
    assert given == {"from": "b"}
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == [arn]
    assert event["time"].endswith(":05:30Z")
    assert len(inbox.after(300)) == 2
    events.disable_rule(Name="tick")
    assert inbox.after(3000) == []
    events.put_rule(Name="tick", ScheduleExpression="cron(0 12 * * ? *)")
    assert len(inbox.after(86_400)) == 2


def test_schedules_come_due_by_their_own_clocks(inbox: Inbox) -> None:
    scheduler = inbox.everything.other("scheduler")
    now = inbox.everything.clock() / 1000

    def schedule(name: str, expression: str, target: dict[str, Any], **more: Any) -> None:
        scheduler.create_schedule(
            Name=name, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"},
            Target={"RoleArn": "arn:aws:iam::000000000000:role/any", **target}, **more,
        )  # fmt: skip

    def message(text: str) -> dict[str, Any]:
        return {"Arn": inbox.arn, "Input": json.dumps(text)}

    noon = datetime.fromtimestamp(now, UTC).replace(hour=12, minute=0, second=0).strftime("%Y-%m-%dT%H:%M:%S")
    schedule("once", f"at({noon})", message("<aws.scheduler.scheduled-time>"), ActionAfterCompletion="DELETE")
    schedule("zoned", "cron(0 12 * * ? *)", message("zoned"), ScheduleExpressionTimezone="Asia/Tokyo")
    whole = {"QueueUrl": inbox.url, "MessageBody": "universal"}
    universal = {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": json.dumps(whole)}
    schedule("universal", "cron(0 6 * * ? *)", universal)
    schedule("late", "rate(1 hour)", message("late"), StartDate=datetime.fromtimestamp(now + 86_400, UTC))
    assert inbox.after(3 * 3600 - 30) == ['"zoned"']
    assert inbox.after(3 * 3600) == ["universal"]
    assert inbox.after(6 * 3600) == [f'"{noon}Z"']
    assert sorted(each["Name"] for each in scheduler.list_schedules()["Schedules"]) == [
        "late",
        "universal",
        "zoned",
    ]
    assert inbox.after(12 * 3600 + 60).count('"late"') == 1


def test_a_schedule_starts_an_execution(inbox: Inbox) -> None:
    sfn, events = inbox.everything.client(), inbox.everything.other("events")
    machine = sfn.create_state_machine(
        name="nightly", roleArn="arn:aws:iam::000000000000:role/any",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
    )["stateMachineArn"]  # fmt: skip
    events.put_rule(Name="nightly", ScheduleExpression="cron(0 2 * * ? *)")
    target = {
        "Id": "m",
        "Arn": machine,
        "RoleArn": "arn:aws:iam::000000000000:role/any",
        "Input": '{"night": 1}',
    }
    events.put_targets(Rule="nightly", Targets=[target])
    inbox.after(3 * 86_400)
    inbox.after(3600)
    [execution] = sfn.list_executions(stateMachineArn=machine)["executions"]
    assert sfn.describe_execution(executionArn=execution["executionArn"])["output"] == '{"night": 1}'
