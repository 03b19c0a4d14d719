"""The engine target: our handlers on Lambda, between two queues and a table, with a schedule that sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plan import ARTIFACTS, LONG, Deployment, logical
from . import alarms, functions, mcp, people, queues, release, roles, storage
from .functions import Code, Own
from .parts import Parts, Value, att, ref, sub
from .release import Live

_API_SECONDS = 310
"""StartSyncExecution answers within five minutes."""
_ADVANCE_SECONDS = 60
_SLACK = 60
"""Seconds that the tasks handler has beyond the longest function that it waits for."""
_AT_ONCE = 200
"""Batches of one queue that are handled at a time: more wait in the queue, and press on nothing behind it."""
_AFTER = 6
"""A message comes again after so many times the function's timeout: AWS's advice."""
_STUCK = 600


def add(parts: Parts, deployment: Deployment, code: Code, packages: Mapping[str, str], live: Live) -> None:
    """`packages` are keys by workflow."""
    storage.add(parts, deployment)
    watched = alarms.Alarms(parts, deployment)
    longs = [each for each in deployment.functions if each.long]
    task_seconds = LONG + _SLACK
    advance = queues.add(parts, deployment, "Advance", _AFTER * _ADVANCE_SECONDS)
    tasks = queues.add(parts, deployment, "Tasks", _AFTER * task_seconds)
    results = queues.add(parts, deployment, "Results", _AFTER * _ADVANCE_SECONDS) if longs else None
    streamed = queues.own_dead_letters(parts, deployment, "Stream")
    _schedules(parts, deployment, advance)
    versions = functions.add_users(parts, deployment, code, results)
    store = [roles.table(), roles.bucket()]
    out = [roles.send(advance, tasks), *roles.schedules()]
    environment: dict[str, Value] = {
        "STRATUM_ADVANCE_QUEUE": ref(advance), "STRATUM_ADVANCE_QUEUE_ARN": att(advance),
        "STRATUM_TASK_QUEUE": ref(tasks), "STRATUM_SCHEDULE_GROUP": ref("Schedules"),
        "STRATUM_SCHEDULE_ROLE": att("SchedulesRole"), "STRATUM_SCHEDULE_AFTER": str(deployment.settings.scheduler_after),
    }  # fmt: skip
    if (retention := deployment.settings.retention) is not None:
        environment["STRATUM_RETENTION"] = str(retention)
        parts.output("RetentionSeconds", str(retention), "How long executions are kept after they have ended")
    telling, told = people.telling(parts, deployment)
    own = [
        Own(
            "Api", "stratum.handlers.api.front_door.handler", _API_SECONDS, [*store, *out], environment,
            description="The front door: Step Functions' own API",
        ),
        Own(
            "Advance", "stratum.handlers.advance.handler", _ADVANCE_SECONDS,
            [*store, *out, roles.receive(advance, *([results] if results else [])), *_forgetting(deployment)],
            {**environment, **({"STRATUM_RESULT_QUEUE": att(results)} if results else {})},
            description="Decides what follows from messages, and commits it",
        ),
        Own(
            "Tasks", "stratum.handlers.tasks.handler", task_seconds,
            [*store, *out, roles.receive(tasks), *_calls(deployment), *roles.of_tasks(deployment.statements), *told],
            {**environment, **_long(deployment), **telling},
            description="Performs tasks, and sends what came of them",
        ),
        Own(
            "Timers", "stratum.handlers.timers.handler", _ADVANCE_SECONDS, [roles.table(write=False), roles.counters(), roles.send(advance)],
            {**environment, **_tenants(deployment)}, concurrency=1, description="Wakes what is due",
        ),
        Own(
            "Stream", "stratum.handlers.stream.handler", _ADVANCE_SECONDS,
            [*store, *out, _stream(), roles.send(streamed)], environment, concurrency=2,
            description="Goes on with starts that nobody followed up",
        ),
    ]  # fmt: skip
    for each in own:
        functions.add_own(parts, deployment, code, live, each)
        watched.function(each.name)
    page = people.add_page(parts, deployment, code, live, watched, [*store, *out], environment)
    served = mcp.add(parts, deployment, code, live, watched, [*store, *out], environment)
    _sources(parts, advance, tasks, results, streamed)
    _front_door(parts)
    _sweep(parts, deployment)
    _workflows(parts, deployment, code, packages, versions, environment, store)
    for name, queue in (("Advance", advance), ("Tasks", tasks), ("Results", results)):
        if queue is not None:
            watched.dead_letters(name, f"{name}{queues.DEAD}")
            watched.age(name, queue, _STUCK)
    watched.dead_letters("Stream", streamed)
    watched.stuck("TimersLogs", _STUCK)
    watched.executions("AdvanceLogs")
    named = [("Advance", advance), ("Tasks", tasks), ("Results", results), ("Stream", None)]
    alarms.dashboard(
        parts, deployment, [*(each.name for each in own), *page, *served],
        [alarms.Queue(name, queue, f"{name}{queues.DEAD}") for name, queue in named if queue or name == "Stream"],
    )  # fmt: skip
    watched.of_release()


def _calls(deployment: Deployment) -> list[dict[str, Any]]:
    """The functions that the workflows bring, in any version of theirs."""
    names = [f"{each.logical}Function" for each in deployment.functions]
    if not names:
        return []
    return [roles.allow("lambda:InvokeFunction", *(sub("${" + name + ".Arn}:*") for name in names))]


def _long(deployment: Deployment) -> dict[str, str]:
    names = [each.deployed for each in deployment.functions if each.long]
    return {"STRATUM_LONG_FUNCTIONS": ",".join(names)} if names else {}


def _forgetting(deployment: Deployment) -> list[dict[str, Any]]:
    """What deletes executions whose time is over."""
    if deployment.settings.retention is None:
        return []
    return [
        roles.allow("dynamodb:BatchWriteItem", att("Table")),
        roles.allow("s3:DeleteObject", sub("${Bucket.Arn}/*")),
    ]


def _tenants(deployment: Deployment) -> dict[str, str]:
    """The stage's own tenant is swept whatever others are named; so are all that are registered."""
    named = list(dict.fromkeys(["default", *deployment.settings.tenants]))
    return {"STRATUM_TENANTS": ",".join(named)} if len(named) > 1 else {}


def _stream() -> dict[str, Any]:
    actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    return roles.allow(actions, att("Table", "StreamArn"))


def _schedules(parts: Parts, deployment: Deployment, advance: str) -> None:
    parts.add("Schedules", "AWS::Scheduler::ScheduleGroup", {"Name": deployment.settings.stack})
    roles.add(parts, deployment, "SchedulesRole", "scheduler", [roles.send(advance), roles.key(deployment)])


def _sources(parts: Parts, advance: str, tasks: str, results: str | None, streamed: str) -> None:
    """What brings events to the handlers. Each batch's failures come again by themselves, the rest of it does not."""
    for name, queue, alias, batch in (
        ("Advance", advance, "AdvanceAlias", 10),
        ("Tasks", tasks, "TasksAlias", 1),  # one after the other would make each wait for all before it
        ("Results", results, "AdvanceAlias", 10),
    ):
        if queue is not None:
            parts.add(
                f"{name}Source",
                "AWS::Lambda::EventSourceMapping",
                {
                    "BatchSize": batch, "EventSourceArn": att(queue), "FunctionName": ref(alias),
                    "FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": _AT_ONCE},
                },
            )  # fmt: skip
    pattern = '{"eventName":["INSERT"],"dynamodb":{"Keys":{"sk":{"S":["c#0000000000"]}}}}'
    parts.add(
        "StreamSource",
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 100, "BisectBatchOnFunctionError": True, "DestinationConfig": {"OnFailure": {"Destination": att(streamed)}},
            "EventSourceArn": att("Table", "StreamArn"), "FilterCriteria": {"Filters": [{"Pattern": pattern}]},
            "FunctionName": ref("StreamAlias"), "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": 5, "MaximumRetryAttempts": 10, "StartingPosition": "TRIM_HORIZON",
        },
    )  # fmt: skip


def _front_door(parts: Parts) -> None:
    parts.add(
        "ApiUrl", "AWS::Lambda::Url", {"AuthType": "AWS_IAM", "Qualifier": functions.ALIAS, "TargetFunctionArn": ref("ApiFunction")},
        DependsOn="ApiAlias",
    )  # fmt: skip
    parts.output(
        "ApiUrl", att("ApiUrl", "FunctionUrl"), "Step Functions' API, for whoever may invoke it by IAM"
    )
    parts.add(
        "ClientPolicy",
        "AWS::IAM::ManagedPolicy",
        {
            "Description": "Starts, watches and answers executions through the front door",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": roles.calling_url("ApiAlias"),
            },
        },
    )
    parts.output("ClientPolicyArn", ref("ClientPolicy"), "The policy of those who may call the API")


def _sweep(parts: Parts, deployment: Deployment) -> None:
    role = roles.add(
        parts,
        deployment,
        "SweepRole",
        "scheduler",
        [roles.allow("lambda:InvokeFunction", ref("TimersAlias"))],
    )
    parts.add(
        "Sweep",
        "AWS::Scheduler::Schedule",
        {
            "Description": "Wakes what is due, once a minute", "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": ref("Schedules"), "KmsKeyArn": deployment.settings.kms_key, "ScheduleExpression": "rate(1 minute)",
            "Target": {
                "Arn": ref("TimersAlias"), "RoleArn": att(role), "Input": "{}",
                "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
            },
        },
    )  # fmt: skip


def _workflows(
    parts: Parts, deployment: Deployment, code: Code, packages: Mapping[str, str], versions: Mapping[str, str],
    environment: Mapping[str, Value], store: list[dict[str, Any]],
) -> None:  # fmt: skip
    """Each workflow is published by a custom resource, whose function is of the same code."""
    artifacts = roles.allow("s3:GetObject", sub("arn:${AWS::Partition}:s3:::${ArtifactBucket}/workflows/*"))
    functions.add_own(
        parts, deployment, code, Live(),
        Own(
            "Deployments", "stratum.handlers.deployments.handler", _ADVANCE_SECONDS, [*store, artifacts], {**environment},
            description="Publishes workflows for CloudFormation",
        ),
    )  # fmt: skip
    for workflow in deployment.workflows:
        called = [each.logical for each in deployment.functions_of(workflow).values()]
        resource = parts.add(
            f"{logical(workflow.name)}Workflow",
            "Custom::StratumWorkflow",
            {
                "ServiceToken": ref("DeploymentsAlias"), "Name": workflow.name, "Bucket": ref(ARTIFACTS),
                "Key": packages[workflow.name], "Functions": {name: ref(versions[name]) for name in called},
                "Alias": functions.ALIAS, "Weight": release.share(parts),
            },
            DependsOn=["AdvanceSource", "TasksSource", "BucketPolicy"],
        )  # fmt: skip
        parts.output(
            f"{logical(workflow.name)}Arn", att(resource, "Arn"), f"The state machine {workflow.name}"
        )
