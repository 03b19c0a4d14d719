"""The last stage, and the only one that changes anything: artifacts are uploaded, a change set is made, shown, executed, watched.

Whoever calls is told of each step by `Progress`, and is asked by `confirm` before anything is changed. Traffic goes over to new
versions by updates of one parameter (`template.release`); CloudFormation watches the alarms and takes an update back by itself.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import stages
from .packaging import Artifacts
from .plan import ARTIFACTS, Deployment, Refused
from .stages import Clients, Stage
from .template import template
from .template.artifacts import BUCKET, STACK, artifacts_template
from .template.functions import ALIAS, own_name
from .template.release import SHIFT, Live, parameters

_SECONDS = 2.0
"""Between two looks at a stack."""
_BODY = 51_200
"""Bytes of a template above which it has to be in S3."""
_OUR_OWN = ("Api", "Advance", "Tasks", "Timers", "Stream", "Work")

Say = Callable[[str], None]
Confirm = Callable[[str], bool]


class Failed(RuntimeError):
    """The stack did not become what was asked for; the text says why, as CloudFormation tells it."""


class RolledBack(Failed):
    """An alarm went off, or something could not be made: everything is as it was before."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How new versions take over: the shares that they have, one after the other, and the minutes that each is watched."""

    shares: Sequence[float] = (1.0,)
    minutes: int = 0

    @classmethod
    def read(cls, canary: str | None, linear: str | None) -> Strategy:
        """`10%/5m`: a canary of so much for so long, or steps of so much. Raises `Refused`."""
        if canary is not None and linear is not None:
            raise Refused("either --canary or --linear")
        text = canary or linear
        if text is None:
            return cls()
        percent, minutes = _read_share(text)
        if canary is not None:
            return cls((percent / 100, 1.0), minutes)
        shares = [each / 100 for each in range(percent, 100, percent)]
        return cls((*shares, 1.0), minutes)


def _read_share(text: str) -> tuple[int, int]:
    share, _, time_ = text.partition("/")
    number, unit = time_[:-1], time_[-1:]
    if not (share.endswith("%") and share[:-1].isdigit() and 1 <= int(share[:-1]) <= 99) or not (
        number.isdigit() and unit in "mh" and unit
    ):
        raise Refused(f"'{text}' is no share and time: write it like 10%/5m, with minutes (m) or hours (h)")
    minutes = int(number) * (60 if unit == "h" else 1)
    if not 1 <= minutes <= 180:
        raise Refused(f"'{text}': CloudFormation watches for 1 to 180 minutes")
    return int(share[:-1]), minutes


@dataclass(frozen=True, slots=True)
class Change:
    """A resource as a change set has it. `action` is Add, Modify or Remove; `replaced`: it will be another one."""

    action: str
    name: str
    type: str
    replaced: bool = False
    what: tuple[str, ...] = ()


class Deployer:
    """For one account and region. `patience` is in seconds between two looks."""

    def __init__(self, clients: Clients, say: Say, *, patience: float = _SECONDS):
        self._clients = clients
        self._say = say
        self._patience = patience

    # -- deploying ---------------------------------------------------------------------------------------

    def deploy(
        self, deployment: Deployment, artifacts: Artifacts, strategy: Strategy, confirm: Confirm, *, despite_alarms: bool = False
    ) -> Stage | None:  # fmt: skip
        """Makes the stage what the deployment says. Answers it; None where nothing was to be changed, or confirmed.

        Raises `Failed`, `RolledBack`, `Refused`.
        """
        settings = deployment.settings
        described = stages.describe(self._clients("cloudformation"), settings.stack)
        if described is not None and described["StackStatus"] in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"):
            # It was never made: what is left of the attempt is taken away.
            self._delete_stack(settings.stack)
            described = None
        present = None if described is None else stages.of_stack(settings.stage, described)
        if present is not None and present.target != settings.target:
            raise Refused(
                f"the stage {settings.stage} is on {present.target}: another target is another stage, with executions of its own"
            )
        if present is not None and not present.status.endswith("_COMPLETE"):
            raise Refused(f"the stack {settings.stack} is {present.status}: wait until it has ended")
        triggers = [] if present is None or despite_alarms else self._triggers(present)
        bucket = self.artifact_bucket()
        live = self.live(deployment, present)
        made = template(deployment, artifacts.code, artifacts.workflows, live)
        for line in self.upload(bucket, artifacts):
            self._say(line)
        body = self._put_template(bucket, made)
        first = strategy.shares[0] if present is not None else 1.0
        given = {ARTIFACTS: bucket, **_known(made, parameters(first))}
        change_set = self._change_set(
            settings.stack, body, given, triggers, strategy.minutes if first < 1 else 0, present
        )
        if change_set is None:
            self._say("nothing to change: the stage is what it was to be")
            return None
        changes = self._changes(change_set, settings.stack)
        if not confirm("\n".join(_lines(changes, settings.stack, present is None))):
            self._forget(change_set, settings.stack, present)
            return None
        self._execute(change_set, settings.stack)
        for share in strategy.shares[1:] if first < 1 and SHIFT in made.get("Parameters", {}) else ():
            self._say(
                f"new versions have had {first:.0%} for {strategy.minutes} min, and no alarm went off: now {share:.0%}"
            )
            self.shift(settings.stage, share, strategy.minutes if share < 1 else 0)
            first = share
        return stages.find(self._clients, settings.stage)

    def shift(self, stage: str, share: float, minutes: int) -> None:
        """Gives the latest versions another share. Raises `Failed`, `RolledBack`."""
        present = stages.find(self._clients, stage)
        given = {
            **present.parameters,
            **{key: value for key, value in parameters(share).items() if key in present.parameters},
        }
        change_set = self._change_set(present.stack, None, given, self._triggers(present), minutes, present)
        if change_set is not None:
            self._execute(change_set, present.stack)

    def _triggers(self, stage: Stage) -> list[str]:
        """The alarms to watch. Raises `Refused` where one is off already: it would take everything back at once."""
        pages = self._clients("cloudwatch").get_paginator("describe_alarms")
        found = [
            alarm["AlarmName"]
            for page in pages.paginate(AlarmNamePrefix=f"{stage.stack}-")
            for alarm in page["MetricAlarms"]
            if alarm["StateValue"] == "ALARM" and alarm["AlarmName"] in stage.watching
        ]
        if found:
            raise Refused(
                f"these alarms are off at present: {', '.join(found)}. A release would be taken back at once; see to them "
                "first, or release without looking at alarms: --despite-alarms"
            )
        return [stage.outputs["ReleaseAlarmArn"]] if "ReleaseAlarmArn" in stage.outputs else []

    # -- artifacts ---------------------------------------------------------------------------------------

    def artifact_bucket(self) -> str:
        """The bucket of artifacts of the account and region; made where there is none."""
        client = self._clients("cloudformation")
        described = stages.describe(client, STACK)
        if described is None:
            self._say(f"making the bucket of artifacts (stack {STACK})")
            client.create_stack(StackName=STACK, TemplateBody=json.dumps(artifacts_template()), Tags=_TAGS)
            self._wait(STACK, since=None)
            described = stages.describe(client, STACK)
        outputs = {each["OutputKey"]: each["OutputValue"] for each in (described or {}).get("Outputs", ())}
        if "Bucket" not in outputs:
            raise Failed(f"the stack {STACK} names no {BUCKET}: it is {(described or {}).get('StackStatus')}")
        return outputs["Bucket"]

    def upload(self, bucket: str, artifacts: Artifacts) -> Iterator[str]:
        """Uploads what is not there, and says so."""
        from botocore.exceptions import ClientError

        client = self._clients("s3")
        for key, content in sorted(artifacts.objects.items()):
            try:
                client.head_object(Bucket=bucket, Key=key)
                continue
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                    raise
            client.put_object(Bucket=bucket, Key=key, Body=content)
            yield f"uploaded {key} ({len(content) / 1024:.0f} KB)"

    def _put_template(self, bucket: str, made: Mapping[str, Any]) -> dict[str, str]:
        """The template as CloudFormation is given it."""
        from .bundle.archive import digest

        text = json.dumps(made, sort_keys=True, separators=(",", ":"))
        if len(text.encode()) <= _BODY:
            return {"TemplateBody": text}
        key = f"templates/{digest(text.encode())}.json"
        client = self._clients("s3")
        client.put_object(Bucket=bucket, Key=key, Body=text.encode())
        return {"TemplateURL": f"https://s3.{client.meta.region_name}.amazonaws.com/{bucket}/{key}"}

    def live(self, deployment: Deployment, present: Stage | None) -> Live:
        """What is deployed at present, so that it keeps its share until the new versions have it all."""
        if present is None:
            return Live()
        client = self._clients("lambda")
        functions: dict[str, str] = {}
        shifting = present.shift < 1
        for name in _OUR_OWN:
            called = own_name(deployment, name)
            try:
                alias = client.get_alias(FunctionName=called, Name=ALIAS)
            except client.exceptions.ResourceNotFoundException:
                continue
            if not shifting or alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
                functions[called] = alias["FunctionVersion"]
        return Live(
            functions, self._machines(deployment), frozenset() if shifting else self._versions(present)
        )

    def _versions(self, present: Stage) -> frozenset[str]:
        pages = (
            self._clients("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=present.stack)
        )
        return frozenset(
            each["LogicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceType"].endswith("Version")
        )

    def _machines(self, deployment: Deployment) -> dict[str, str]:
        """The version that each workflow's alias leads to, on Step Functions: of two the one that was there before."""
        from .plan import machine_name

        if deployment.settings.target != "step-functions":
            return {}
        client = self._clients("stepfunctions")
        region, found = client.meta.region_name, {}
        account = self._clients("sts").get_caller_identity()["Account"]
        for workflow in deployment.workflows:
            name = machine_name(deployment.settings.stage, workflow.name)
            arn = f"arn:aws:states:{region}:{account}:stateMachine:{name}:{ALIAS}"
            try:
                routing = client.describe_state_machine_alias(stateMachineAliasArn=arn)[
                    "routingConfiguration"
                ]
            except client.exceptions.ClientError:
                continue
            found[workflow.name] = routing[-1]["stateMachineVersionArn"]
        return found

    # -- change sets -------------------------------------------------------------------------------------

    def _change_set(
        self, stack: str, body: Mapping[str, str] | None, given: Mapping[str, str], triggers: Sequence[str], minutes: int,
        present: Stage | None,
    ) -> str | None:  # fmt: skip
        """The ARN of a change set that is ready; None where there is nothing in it."""
        client = self._clients("cloudformation")
        rollback: dict[str, Any] = {
            "RollbackTriggers": [{"Arn": arn, "Type": "AWS::CloudWatch::CompositeAlarm"} for arn in triggers]
        }
        if triggers:
            rollback["MonitoringTimeInMinutes"] = minutes
        made = client.create_change_set(
            StackName=stack,
            ChangeSetName=f"deploy-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{time.time_ns() % 10**6}",
            ChangeSetType="CREATE" if present is None else "UPDATE",
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            RollbackConfiguration=rollback,
            Tags=_TAGS,
            **({"UsePreviousTemplate": True} if body is None else dict(body)),
        )["Id"]
        while True:
            described = client.describe_change_set(ChangeSetName=made, StackName=stack)
            if described["Status"] in ("CREATE_COMPLETE", "FAILED"):
                break
            time.sleep(self._patience)
        if described["Status"] == "CREATE_COMPLETE":
            return made
        reason = described.get("StatusReason", "")
        client.delete_change_set(ChangeSetName=made, StackName=stack)
        if "didn't contain changes" in reason or "No updates are to be performed" in reason:
            return None
        raise Failed(f"CloudFormation refused the change set: {reason}")

    def _changes(self, change_set: str, stack: str) -> list[Change]:
        client, found = self._clients("cloudformation"), []
        more: dict[str, Any] = {"ChangeSetName": change_set, "StackName": stack}
        while True:
            page = client.describe_change_set(**more)
            for each in page["Changes"]:
                change = each["ResourceChange"]
                details = {
                    item["Target"].get("Name") for item in change.get("Details", []) if item.get("Target")
                }
                found.append(
                    Change(
                        change["Action"], change["LogicalResourceId"], change["ResourceType"],
                        change.get("Replacement") == "True", tuple(sorted(filter(None, details))),
                    )
                )  # fmt: skip
            if not page.get("NextToken"):
                return found
            more["NextToken"] = page["NextToken"]

    def _forget(self, change_set: str, stack: str, present: Stage | None) -> None:
        """Nothing is left of a change set that is not executed, nor of a stack that was only made for it."""
        client = self._clients("cloudformation")
        client.delete_change_set(ChangeSetName=change_set, StackName=stack)
        if present is None:
            client.delete_stack(StackName=stack)

    def _execute(self, change_set: str, stack: str) -> None:
        client = self._clients("cloudformation")
        since = self._last_event(stack)
        client.execute_change_set(ChangeSetName=change_set, StackName=stack)
        self._wait(stack, since)

    def _last_event(self, stack: str) -> str | None:
        events = self._clients("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return events[0]["EventId"] if events else None

    def _wait(self, stack: str, since: str | None) -> None:
        """Tells what happens until the stack has come to an end. Raises `Failed`, `RolledBack`."""
        seen, reasons = since, []
        while True:
            described = stages.describe(self._clients("cloudformation"), stack)
            status = "DELETE_COMPLETE" if described is None else described["StackStatus"]
            for event in self._events(stack, seen) if described is not None else ():
                seen = event["EventId"]
                reason = event.get("ResourceStatusReason") or ""
                if (
                    event["ResourceStatus"].endswith("FAILED")
                    or "ROLLBACK_IN_PROGRESS" in event["ResourceStatus"]
                ):
                    reasons.append(f"{event['LogicalResourceId']}: {reason}")
                self._say(
                    f"{event['ResourceStatus']:<28} {event['LogicalResourceId']}{f'  {reason}' if reason else ''}"
                )
            if not status.endswith("IN_PROGRESS"):
                break
            time.sleep(self._patience)
        if "ROLLBACK" in status:
            told = "\n".join(dict.fromkeys(reasons)) or status
            kind = RolledBack if status.endswith("_COMPLETE") else Failed
            raise kind(f"{stack} is {status}:\n{told}")
        if status.endswith("FAILED"):
            raise Failed(f"{stack} is {status}:\n" + "\n".join(dict.fromkeys(reasons)))

    def _events(self, stack: str, seen: str | None) -> list[dict[str, Any]]:
        """Events after the one that was seen last, in order."""
        found: list[dict[str, Any]] = []
        pages = (
            self._clients("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
        )
        for page in pages:
            for event in page["StackEvents"]:
                if event["EventId"] == seen:
                    return found[::-1]
                found.append(event)
        return found[::-1]

    # -- destroying --------------------------------------------------------------------------------------

    def destroy(self, stage: Stage, *, data: bool) -> None:
        """Deletes the stack; with `data` the table and the bucket too, with everything in them. Raises `Failed`."""
        self._delete_stack(stage.stack)
        if not data:
            return
        table, bucket = stage.outputs["TableName"], stage.outputs["BucketName"]
        client = self._clients("dynamodb")
        client.update_table(TableName=table, DeletionProtectionEnabled=False)
        client.get_waiter("table_exists").wait(TableName=table)
        client.delete_table(TableName=table)
        self._say(f"deleted the table {table}")
        s3 = self._clients("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            every = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if every:
                named = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in every]
                s3.delete_objects(Bucket=bucket, Delete={"Objects": named})
        s3.delete_bucket(Bucket=bucket)
        self._say(f"deleted the bucket {bucket}")

    def _delete_stack(self, stack: str) -> None:
        since = self._last_event(stack)
        self._clients("cloudformation").delete_stack(StackName=stack)
        self._wait(stack, since)


_TAGS = [{"Key": "stratum", "Value": "deployment"}]


def _known(made: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name in made.get("Parameters", {})}


_SIGNS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": ">", "Dynamic": "~"}
_KINDS = {
    "AWS::Lambda::Function": "function", "AWS::SQS::Queue": "queue", "AWS::DynamoDB::Table": "table", "AWS::IAM::Role": "role",
    "AWS::S3::Bucket": "bucket", "AWS::CloudWatch::Alarm": "alarm", "Custom::StratumWorkflow": "workflow",
    "AWS::StepFunctions::StateMachine": "state machine", "AWS::Logs::LogGroup": "log group", "AWS::Scheduler::Schedule": "schedule",
}  # fmt: skip
_QUIET = (
    "Version",
    "Alias",
    "MetricFilter",
    "EventInvokeConfig",
    "QueuePolicy",
    "BucketPolicy",
    "LogGroup",
    "Permission",
)


def _lines(changes: Sequence[Change], stack: str, new: bool) -> Iterator[str]:
    """A change set as people read it: what matters by name, the rest in numbers."""
    yield f"{stack}: " + ("a new stack" if new else "an update")
    if new:
        kinds = Counter(_kind(each.type) for each in changes)
        for each in sorted(each.name for each in changes if each.type in _NAMED):
            yield f"  + {each}"
        yield f"  + {', '.join(_counted(count, kind) for kind, count in sorted(kinds.items()))}"
        yield f"  {len(changes)} to add"
        return
    shown = [each for each in changes if not each.type.endswith(_QUIET) or each.replaced]
    for each in sorted(shown, key=lambda each: (each.type, each.name)):
        kind = _kind(each.type)
        replaced = (
            "   REPLACED: what it holds is left behind" if each.replaced and each.type in _HOLDING else ""
        )
        what = f"  ({', '.join(each.what)})" if each.action == "Modify" and each.what else ""
        yield f"  {_SIGNS.get(each.action, each.action)} {kind:<16} {each.name}{what}{replaced}"
    rest = len(changes) - len(shown)
    if rest:
        yield f"  and {rest} that belong to these: versions, aliases, policies, log groups, metrics"
    numbers = {
        action: sum(each.action == action for each in changes) for action in ("Add", "Modify", "Remove")
    }
    yield f"  {numbers['Add']} to add, {numbers['Modify']} to change, {numbers['Remove']} to remove"


_NAMED = ("Custom::StratumWorkflow", "AWS::StepFunctions::StateMachine")


def _kind(type: str) -> str:
    return _KINDS.get(type) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type.rpartition("::")[2]).lower()


def _counted(count: int, kind: str) -> str:
    if count == 1:
        return f"1 {kind}"
    ending = "ies" if kind.endswith("y") else "es" if kind.endswith("s") else "s"
    return f"{count} {kind.removesuffix('y') if kind.endswith('y') else kind}{ending}"


_HOLDING = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
