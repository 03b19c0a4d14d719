"""Stages on AWS in the place of a store: what is read and decided here, on the stage's table; what runs, runs there.

The runtime of a stage hands commands to the stage's own queues, so that a decision made here is carried out there.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from ...handlers.runtime import Runtime
from ...handlers.sqs import SqsOutbox
from ...handlers.steps import Steps
from ...handlers.store import Store, StoreError
from ...handlers.workflows import source_map
from ...infra import stages
from .aws import clients_of
from .parsers.adding import STAGE
from .problem import WrongRequest

_LOOK = 0.5
_ALIAS = "live"


class Stage:
    """A stage that was found: its store as that tenant's, and the runtime that decisions are made with. Of one on Step Functions both
    stand in for AWS's (`handlers.step_functions`), and nothing here need know."""

    def __init__(self, found: stages.Stage, clients: Callable[[str], Any], tenant: str = "default"):
        from ...handlers.store.dynamodb import DynamoDbStore

        self.found = found
        self.clients = clients
        table = DynamoDbStore(
            clients("dynamodb"),
            found.outputs["TableName"],
            bucket=found.outputs["BucketName"],
            s3=clients("s3"),
            tenant=tenant,
        )
        self.runtime = (
            _engine(found, clients, table) if found.target == "engine" else _native(found, clients, table)
        )
        self.store: Store = self.runtime.store

    @property
    def place(self) -> str:
        """Which stage this is, in a few words."""
        tenant = "" if self.store.tenant == "default" else f", tenant {self.store.tenant}"
        return f"stage {self.found.name} ({self.found.account}, {self.found.region}{tenant})"

    @functools.cached_property
    def caller(self) -> str:
        """The ARN that IAM knows whoever is here by. Raises `WrongRequest`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self.clients("sts").get_caller_identity()["Arn"]
        except (BotoCoreError, ClientError) as error:
            raise WrongRequest(f"AWS does not say who you are: {error}") from None

    def machine(self, workflow: str) -> str:
        """The ARN of a workflow's state machine."""
        return self.runtime.machine(workflow)


def _engine(found: stages.Stage, clients: Callable[[str], Any], table: Store) -> Runtime:
    outbox = SqsOutbox(found.outputs["AdvanceQueueUrl"], found.outputs["TasksQueueUrl"], clients("sqs"))
    return Runtime(
        table, outbox, _Elsewhere(), region=found.region, account=found.account,
        clients=lambda service, account, region: clients(service),
        retention=int(found.outputs["RetentionSeconds"]) * 1000 if "RetentionSeconds" in found.outputs else None,
    )  # fmt: skip


def _native(found: stages.Stage, clients: Callable[[str], Any], table: Store) -> Runtime:
    from ...handlers.step_functions.refusal import TENANT, NotOnStepFunctions
    from ...handlers.step_functions.runtime import StepFunctionsRuntime
    from ...handlers.step_functions.stage import NativeStage
    from ...infra.plan import machine_name

    if table.tenant != "default":
        raise NotOnStepFunctions(TENANT)

    def artifact(key: str) -> bytes:
        return clients("s3").get_object(Bucket=found.artifacts, Key=key)["Body"].read()

    stage = NativeStage(
        lambda workflow: machine_name(found.name, workflow), found.machines, found.work, artifact
    )
    return StepFunctionsRuntime(
        table,
        stage,
        lambda service, account, region: clients(service),
        region=found.region,
        account=found.account,
    )


class _Elsewhere:
    def invoke(self, invocation: object) -> Any:
        raise AssertionError("functions of a stage are called there")


_opened: weakref.WeakKeyDictionary[Any, Stage] = weakref.WeakKeyDictionary()


def open_stage(address: str) -> Stage:
    """The stage at `stage://NAME?profile=…&region=…`. Raises `WrongRequest`."""
    from ..stores import StoreUrlError, named_tenant

    name, _, query = address.removeprefix(STAGE).partition("?")
    given = {key: values[-1] for key, values in parse_qs(query).items()}
    clients = clients_of(given.get("profile"), given.get("region"))
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = Stage(stages.find(clients, name), clients, named_tenant())
    except (stages.NoSuchStage, StoreUrlError, StoreError) as problem:
        raise WrongRequest(str(problem)) from None
    except ClientError as error:
        raise WrongRequest(f"AWS refused to tell of the stage: {error}") from None
    except BotoCoreError as error:
        raise WrongRequest(f"AWS cannot be asked: {error}") from None
    _opened[found.store] = found
    return found


def stage_of(store: Store) -> Stage | None:
    """The stage that the store is of."""
    return _opened.get(store)


def run(options: argparse.Namespace, input: str, name: str) -> int:
    """Starts what is deployed, through its alias or what stands behind the `@`, and shows its steps until it has ended."""
    from ...handlers.api.errors import ApiError
    from ...handlers.api.front_door import call
    from .acting import who_acts

    stage = open_stage(options.store)
    workflow, _, wanted = options.file.partition("@")
    target = f"{stage.machine(workflow)}:{wanted or _ALIAS}"
    runtime = stage.runtime.on_behalf_of(who_acts(stage.store).to_json())
    tenant = stage.store.tenant
    try:
        request = {"stateMachineArn": target, "name": name, "input": input}
        execution = call(runtime, "StartExecution", request, tenant)["executionArn"]
    except ApiError as error:
        raise WrongRequest(f"{error.message} (the stage {stage.found.name})") from None
    return follow(stage, execution, options)


def follow(stage: Stage, execution: str, options: argparse.Namespace) -> int:
    """Shows the steps of an execution of the stage until it has ended; answers the exit code."""
    from .progress import progress
    from .run import outcome, report

    executions = stage.runtime.executions(stage.store.tenant)
    loaded = executions.load(execution)
    steps = Steps(source_map(stage.store, loaded.snapshot["definition"]))
    name = loaded.snapshot["state_machine"]["name"]
    shown = progress(f"{name} {execution.rpartition(':')[2]}", steps, stage.runtime.clock)
    seen = 0
    with shown:
        while True:
            for commit in stage.store.commits(execution, seen):
                shown.feed(commit.events, commit.messages)
                seen = commit.seq + 1
            loaded = executions.load(execution)
            if loaded.snapshot["status"] != "RUNNING" and loaded.seq < seen:
                break
            time.sleep(_LOOK)
    if options.json:
        print(json.dumps(outcome(loaded), indent=2, ensure_ascii=False))
    return report(loaded, options.store, result=not options.json)
