"""What the local cloud counts, and alarms that go off by it: through boto3, under a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from endpoint import Everything
from stratum.local.aws.cloudwatch.alarms import judge
from stratum.local.aws.cloudwatch.log_patterns import UnreadPattern, compile_pattern
from stratum.local.clock import VirtualClock
from up import ROLE, archive

CODE = """
def handler(event, context):
    print('{"message": "ended", "status": "' + event["status"] + '", "took": 7}')
    if event["status"] == "FAILED":
        raise ValueError("as asked")
"""
PASS = {
    "StartAt": "A",
    "States": {"A": {"Type": "Wait", "Seconds": 90, "Next": "B"}, "B": {"Type": "Fail", "Error": "E"}},
}
FUNCTION = [{"Name": "FunctionName", "Value": "work"}]
LIVE = [*FUNCTION, {"Name": "Resource", "Value": "work:live"}]


class World:
    """A local cloud, and what tests ask it."""

    def __init__(self, everything: Everything):
        self.everything = everything
        self.clock: VirtualClock = everything.clock
        self.watch = self("cloudwatch")

    def __call__(self, service: str) -> Any:
        return self.everything.other(service, "123456789012")

    def later(self, seconds: float) -> None:
        self.clock.advance_to(self.clock() + int(seconds * 1000))

    def sums(self, namespace: str, name: str, dimensions: Any = (), statistic: str = "Sum") -> list[float]:
        """The values of the last hour, by minute."""
        now = datetime.fromtimestamp(self.clock() / 1000, UTC)
        found = self.watch.get_metric_statistics(
            Namespace=namespace, MetricName=name, Dimensions=list(dimensions), Period=60, Statistics=[statistic],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        return [each[statistic] for each in sorted(found, key=lambda each: each["Timestamp"])]

    def alarm(self, name: str, **given: Any) -> None:
        self.watch.put_metric_alarm(
            **{
                "AlarmName": name, "Namespace": "Own", "MetricName": "Bad", "Statistic": "Sum", "Period": 60, "Threshold": 0,
                "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
                **given,
            }
        )  # fmt: skip

    def state(self, name: str) -> str:
        found = self.watch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        [alarm] = found["MetricAlarms"] + found["CompositeAlarms"]
        return alarm["StateValue"]

    def put(self, value: float, name: str = "Bad") -> None:
        self.watch.put_metric_data(Namespace="Own", MetricData=[{"MetricName": name, "Value": value}])


@pytest.fixture(scope="module")
def everything() -> Iterator[Everything]:
    made = Everything()
    yield made
    made.close()


@pytest.fixture
def world(everything: Everything) -> World:
    return World(everything.fresh())


def test_functions_are_counted_and_their_alarm_goes_off(world: World) -> None:
    functions = world("lambda")
    functions.create_function(
        FunctionName="work", Runtime="python3.12", Role=ROLE, Handler="app.handler", Code={"ZipFile": archive({"app.py": CODE})},
        Publish=True,
    )  # fmt: skip
    functions.create_alias(FunctionName="work", Name="live", FunctionVersion="1")
    errors = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": LIVE}
    world.alarm("one", **errors)
    world.alarm("two", **errors, EvaluationPeriods=2)
    world.watch.put_composite_alarm(
        AlarmName="release", AlarmRule='ALARM("one") AND NOT (ALARM(two) OR FALSE)'
    )
    logs = world("logs")
    logs.create_log_group(logGroupName="/aws/lambda/work")
    logs.put_metric_filter(
        logGroupName="/aws/lambda/work", filterName="failed", filterPattern='{ $.message = "ended" && $.status != "OK" }',
        metricTransformations=[{"metricNamespace": "Own", "metricName": "Took", "metricValue": "$.took"}],
    )  # fmt: skip
    assert (world.state("one"), world.state("release")) == ("OK", "OK")

    def call(status: str, qualifier: str = "live") -> None:
        payload = json.dumps({"status": status}).encode()
        functions.invoke(FunctionName="work", Qualifier=qualifier, Payload=payload)

    call("OK")
    call("OK", "$LATEST")
    assert world.state("one") == "OK"
    call("FAILED")
    assert (world.state("one"), world.state("two"), world.state("release")) == ("ALARM", "OK", "ALARM")
    assert world.sums("AWS/Lambda", "Invocations", FUNCTION) == [3]
    assert world.sums("AWS/Lambda", "Invocations", LIVE) == [2]
    assert world.sums("AWS/Lambda", "Errors", [*LIVE, {"Name": "ExecutedVersion", "Value": "1"}]) == [1]
    assert world.sums("AWS/Lambda", "Duration", LIVE, "Maximum")[0] > 0
    assert world.sums("Own", "Took") == [7]
    functions.put_function_concurrency(FunctionName="work", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="Rate Exceeded"):
        call("OK")
    functions.delete_function_concurrency(FunctionName="work")
    assert world.sums("AWS/Lambda", "Throttles", LIVE) == [1]

    world.later(60)
    call("FAILED")  # in the next minute again: now two in a row are over
    assert (world.state("one"), world.state("two"), world.state("release")) == ("ALARM", "ALARM", "OK")
    world.later(600)
    assert (world.state("one"), world.state("two")) == ("OK", "OK")
    told = world.watch.describe_alarm_history(AlarmName="two", HistoryItemType="StateUpdate")[
        "AlarmHistoryItems"
    ]
    assert [each["HistorySummary"] for each in told] == [
        "Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM", "Alarm updated from INSUFFICIENT_DATA to OK",
    ]  # fmt: skip
    # It went back when the data were too old, and not when somebody looked.
    assert timedelta(minutes=2) < told[0]["Timestamp"] - told[1]["Timestamp"] < timedelta(minutes=6)
    listed = world.watch.list_metrics(Namespace="AWS/Lambda", MetricName="Errors")["Metrics"]
    assert len(listed) == 5  # all functions, the function, what was asked for twice, and what ran


def test_executions_are_counted(world: World) -> None:
    states = world("stepfunctions")
    machine = states.create_state_machine(
        name="fails", definition=json.dumps(PASS), roleArn=ROLE, publish=True
    )
    alias = states.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": machine["stateMachineVersionArn"], "weight": 100}]
    )["stateMachineAliasArn"]  # fmt: skip
    by_machine = [{"Name": "StateMachineArn", "Value": machine["stateMachineArn"]}]
    failed = {"Namespace": "AWS/States", "MetricName": "ExecutionsFailed", "Dimensions": by_machine}
    world.alarm("failed", **failed)
    states.start_execution(stateMachineArn=alias)
    states.start_execution(stateMachineArn=machine["stateMachineArn"])
    world.everything.settle()
    assert world.state("failed") == "ALARM"
    assert world.sums("AWS/States", "ExecutionsStarted", by_machine) == [2]
    assert world.sums("AWS/States", "ExecutionsFailed", by_machine) == [2]
    assert world.sums("AWS/States", "ExecutionTime", by_machine, "Maximum") == [90_000]
    for name, value in (("Version", "1"), ("Alias", "live")):
        by = [*by_machine, {"Name": name, "Value": value}]
        assert world.sums("AWS/States", "ExecutionsFailed", by) == [1]


def test_messages_grow_old(world: World) -> None:
    sqs = world("sqs")
    queue = sqs.create_queue(QueueName="slow")["QueueUrl"]
    by_queue = [{"Name": "QueueName", "Value": "slow"}]
    about = {"Namespace": "AWS/SQS", "Dimensions": by_queue, "Statistic": "Maximum"}
    world.alarm("dead", **about, MetricName="ApproximateNumberOfMessagesVisible")
    world.alarm(
        "old", **about, MetricName="ApproximateAgeOfOldestMessage", Threshold=600, EvaluationPeriods=3
    )
    assert (world.state("dead"), world.state("old")) == ("OK", "OK")
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert (world.state("dead"), world.state("old")) == ("ALARM", "OK")
    world.later(590)
    assert world.state("old") == "OK"
    world.later(300)
    assert world.state("old") == "ALARM"
    assert world.sums("AWS/SQS", "ApproximateAgeOfOldestMessage", by_queue, "Maximum")[-1] == 890
    sqs.purge_queue(QueueUrl=queue)
    world.later(300)
    assert (world.state("dead"), world.state("old")) == ("OK", "OK")


def test_who_is_told_of_an_alarm(world: World) -> None:
    topic = world("sns").create_topic(Name="ops")["TopicArn"]
    sqs, events = world("sqs"), world("events")
    queues = {}
    for name in ("mail", "bus"):
        queues[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:{}".format
    world("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("mail"))
    pattern = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "bus", "Arn": arn("bus")}])
    world.alarm("bad", AlarmActions=[topic], AlarmDescription="It is bad.")
    world.put(0)
    assert world.state("bad") == "OK"
    world.put(2)
    world.put(1)
    [mail] = sqs.receive_message(QueueUrl=queues["mail"], MaxNumberOfMessages=10)["Messages"]
    told = json.loads(json.loads(mail["Body"])["Message"])
    assert (told["AlarmName"], told["OldStateValue"], told["NewStateValue"]) == ("bad", "OK", "ALARM")
    assert told["NewStateReason"].startswith("Threshold Crossed: 1 datapoint [2.0 (01/01/26 ")
    [event] = sqs.receive_message(QueueUrl=queues["bus"], MaxNumberOfMessages=10)["Messages"]
    detail = json.loads(event["Body"])
    assert detail["detail-type"] == "CloudWatch Alarm State Change"
    assert detail["detail"]["previousState"]["value"] == "OK"
    assert detail["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "Bad"
    actions = world.watch.describe_alarm_history(AlarmName="bad", HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    assert [each["HistorySummary"] for each in actions] == [f"Successfully executed action {topic}"]

    # A state that somebody sets holds until CloudWatch looks again; an alarm that is changed keeps the state that it has.
    world.watch.set_alarm_state(AlarmName="bad", StateValue="OK", StateReason="mended")
    world.alarm("bad", AlarmActions=[topic], Threshold=0.5)
    assert world.state("bad") == "OK"
    world.later(61)
    assert world.state("bad") == "ALARM"


def test_metrics_embedded_in_logs(world: World) -> None:
    logs = world("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    about = {
        "Namespace": "Own",
        "Dimensions": [["service"], []],
        "Metrics": [{"Name": "Lag", "Unit": "Seconds"}],
    }
    line = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [about]}, "service": "s", "Lag": [1, 2, 6]}
    entries = [
        {"timestamp": 1_767_225_600_000, "message": text}
        for text in (json.dumps(line), '{"_aws": 1}', "_aws")
    ]
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=entries)
    by_service = [{"Name": "service", "Value": "s"}]
    assert world.sums("Own", "Lag", by_service) == world.sums("Own", "Lag") == [9]
    now = datetime.fromtimestamp(world.clock() / 1000, UTC)
    stat = {
        "Metric": {"Namespace": "Own", "MetricName": "Lag", "Dimensions": by_service},
        "Period": 60,
        "Stat": "Average",
    }
    [found] = world.watch.get_metric_data(
        MetricDataQueries=[{"Id": "a", "MetricStat": stat}], StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=2)
    )["MetricDataResults"]  # fmt: skip
    assert found["Values"] == [3]


def test_rules_that_are_none(world: World) -> None:
    for rule, says in (
        ("ALARM(", "not understood"),
        ("TRUE OR", "too early"),
        ('ALARM("nobody")', "do not exist: nobody"),
    ):
        with pytest.raises(ClientError, match=says):
            world.watch.put_composite_alarm(AlarmName="c", AlarmRule=rule)


@pytest.mark.parametrize(
    ("periods", "enough", "states"),
    [
        # The tables of "Configuring how CloudWatch alarms treat missing data": for missing, ignore, breaching, notBreaching.
        ("0-X-X", 3, "OK OK OK OK"),
        ("0----", 3, "OK OK OK OK"),
        ("-----", 3, "INSUFFICIENT_DATA now ALARM OK"),
        ("0XX-X", 3, "ALARM ALARM ALARM ALARM"),
        ("----X", 3, "INSUFFICIENT_DATA now ALARM OK"),
        ("X----", 3, "ALARM now ALARM OK"),
        ("0-X-X", 2, "ALARM ALARM ALARM ALARM"),
        ("00X0X", 2, "ALARM ALARM ALARM ALARM"),
        ("0-X--", 2, "OK OK ALARM OK"),
        ("----0", 2, "OK OK ALARM OK"),
        ("----X", 2, "INSUFFICIENT_DATA now ALARM OK"),
    ],
)
def test_missing_data_are_what_the_alarm_says(periods: str, enough: int, states: str) -> None:
    breaching = [{"X": True, "0": False, "-": None}[each] for each in periods]
    found = [
        judge(breaching, 3, enough, how, "now") for how in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert found == states.split()


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ('{ $.a = "x*" && ($.n > 2 || $.b IS TRUE) }', {"a": "xyz", "n": 3}, {"a": "xyz", "n": 2}),
        ('{ $.a.b[1] != "x" }', {"a": {"b": ["x", "y"]}}, {"a": {"b": ["x"]}}),
        ("{ $.a NOT EXISTS }", {"b": 1}, {"a": None}),
        ("{ $.n = 4.0 }", {"n": 4}, {"n": "5"}),
        ('ERROR -"not this"', "ERROR: that", "ERROR: not this"),
        ("?WARN ?ERROR", "a WARN", "an INFO"),
    ],
)
def test_patterns_of_metric_filters(pattern: str, yes: Any, no: Any) -> None:
    def matches(event: Any) -> bool:
        text = event if isinstance(event, str) else json.dumps(event)
        return compile_pattern(pattern)(text, None if isinstance(event, str) else event)

    assert matches(yes)
    assert not matches(no)


@pytest.mark.parametrize("pattern", ["[ip, user]", "{ $.a = }", "{ $.a ~ 1 }", "{ $.a > x }", "{ ($.a = 1 }"])
def test_patterns_that_are_not_read_are_said_to_be(pattern: str) -> None:
    with pytest.raises(UnreadPattern):
        compile_pattern(pattern)
