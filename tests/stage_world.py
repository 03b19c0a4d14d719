"""A stage's table and queues in moto, and in this process what its functions would do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws
from stratum.handlers import advance, tasks
from stratum.handlers.identity import Identity
from stratum.handlers.own_functions import WithOwn
from stratum.handlers.runtime import Runtime
from stratum.handlers.sqs import SqsOutbox
from stratum.handlers.store.dynamodb import DynamoDbStore
from stratum.handlers.store.table import create_table
from stratum.handlers.versions import publishing, routing
from stratum.handlers.workflows import check, workflow_of
from stratum.infra import stages
from stratum.local.cli import stages as opened
from stratum.local.events import sqs_event
from stratum.local.functions import InProcessFunctions

DEPLOYER = Identity("arn:aws:iam::123456789012:user/deployer", "deploy")


class StageWorld:
    """The stage `dev`; `functions` are those that its workflows call."""

    def __init__(self, functions: dict[str, Callable[[Any, Any], Any]], caller: str) -> None:
        self.clients = {
            name: boto3.client(name, region_name="us-east-1") for name in ("dynamodb", "sqs", "s3", "sts")
        }
        create_table(self.clients["dynamodb"], "stage-table")
        self.clients["s3"].create_bucket(Bucket="stage-bucket")
        sqs = self.clients["sqs"]
        self.queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("advance", "tasks")}
        outputs = {
            "TableName": "stage-table", "BucketName": "stage-bucket", "AdvanceQueueUrl": self.queues["advance"],
            "TasksQueueUrl": self.queues["tasks"],
        }  # fmt: skip
        self.found = stages.Stage(
            "dev", "engine", "CREATE_COMPLETE", "us-east-1", "123456789012", outputs, {}
        )
        self.caller = caller
        self.machine = ""
        self.store = DynamoDbStore(
            self.clients["dynamodb"], "stage-table", bucket="stage-bucket", s3=self.clients["s3"]
        )
        self.runtime = Runtime(
            self.store,
            SqsOutbox(self.queues["advance"], self.queues["tasks"], sqs),
            WithOwn(InProcessFunctions(functions), lambda: self.runtime),
        )

    def client(self, service: str) -> Any:
        return self if service == "sts" else self.clients[service]

    def get_caller_identity(self) -> dict[str, str]:
        """Of STS."""
        return {"Arn": self.caller}

    def deploy(self, spec: str, version: str) -> str:
        """Publishes the workflow and leads the alias `live` to it, as a deployment does; answers its machine's ARN."""
        checked = check(spec.encode(), "shop.yaml")
        assert checked.ok, checked.texts
        workflow = workflow_of(checked)
        made, _ = publishing.publish(self.runtime, "default", workflow, version, DEPLOYER)
        routing.move(self.runtime, "default", workflow.name, "live", version, DEPLOYER)
        self.machine = made.machine
        return made.machine

    def settle(self) -> None:
        """Hands messages of the queues to the handlers until there are none."""
        busy = True
        while busy:
            busy = False
            for name, handle in (("advance", advance.handle), ("tasks", tasks.handle)):
                while bodies := self.taken(name):
                    busy = True
                    assert handle(self.runtime, sqs_event(name, bodies, 0)) == {"batchItemFailures": []}

    def taken(self, queue: str) -> list[Any]:
        url, sqs = self.queues[queue], self.clients["sqs"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"]) for each in found]


@contextmanager
def stage_world(functions: dict[str, Callable[[Any, Any], Any]], caller: str) -> Iterator[StageWorld]:
    """Commands with `--stage dev` find it."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "none")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        world = StageWorld(functions, caller)
        patch.setattr(opened, "clients_of", lambda profile, region: world.client)
        patch.setattr(stages, "find", lambda clients, name: world.found)
        yield world
