"""A stage on Step Functions in this process: state machines made of the artifacts of a deployment, on a local cloud that plays AWS;
the work function and the table beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from endpoint import ACCOUNT, Endpoint
from stratum.handlers.runtime import NoOutbox, Runtime
from stratum.handlers.step_functions.runtime import StepFunctionsRuntime
from stratum.handlers.step_functions.stage import NativeStage
from stratum.handlers.work.intake import handle
from stratum.infra.packaging import source_object, workflow_object
from stratum.infra.plan import Settings, Source, handler_name, machine_name, plan
from stratum.infra.stages import Stage as Found
from stratum.local.cli import stages
from stratum.local.cli.files import load_workflow
from stratum.local.clock import VirtualClock
from stratum.local.functions.handler_runtime import Handler
from stratum.local.stores import open_store

ROLE = "arn:aws:iam::000000000000:role/r"
NAME = "sfn"
CALLER = "arn:aws:iam::000000000000:user/eve"
"""Whoever IAM knows the commands as."""


class Native:
    """`spec` is in a folder with a `code.py` that has its handlers, which here are `functions`, by what definitions call them."""

    def __init__(self, folder: Path, spec: str, functions: dict[str, Handler]):
        (folder / "flow.yaml").write_text(spec)
        for name in functions:
            (folder / f"{name.partition('-')[0]}.py").touch()
        file = load_workflow(folder / "flow.yaml")
        source = Source(file.name, file.definition, file.folder, "1.0.0", file.source_map, file.text)
        deployment = plan([source], Settings(NAME, target="step-functions"))
        called = {each.deployed: functions[each.name] for each in deployment.functions}
        work = handler_name(deployment.settings.stack, "Work")
        self.table = open_store("sqlite:///:memory:")
        self.aws = Endpoint(functions={**called, work: self._work})
        self.client = self.aws.client()
        assert isinstance(self.aws.cloud.clock, VirtualClock)
        self.clock = self.aws.cloud.clock
        self.artifacts = {"sources/one.json": source_object(source)}
        text = workflow_object(deployment, source, "sources/one.json").decode()
        deployed = {each.logical: each.deployed for each in deployment.functions}
        text = re.sub(r"\$\{(\w+)\}", lambda found: _lambda(deployed.get(found[1], work)), text)
        self.machine = self.client.create_state_machine(
            name=machine_name(NAME, file.name), definition=text, roleArn=ROLE, publish=True
        )["stateMachineArn"]
        self.version = f"{self.machine}:1"
        self.client.create_state_machine_alias(
            name="live", routingConfiguration=[{"stateMachineVersionArn": self.version, "weight": 100}]
        )
        stage = NativeStage(
            lambda name: machine_name(NAME, name), [self.machine], work, lambda key: self.artifacts[key]
        )
        self.runtime = StepFunctionsRuntime(
            self.table, stage, lambda *_: self.client, region="us-east-1", account=ACCOUNT, clock=self._look
        )
        self.store = self.runtime.store

    def _look(self) -> int:
        """What there is to do is done whenever somebody looks at the clock, and every look is a new one."""
        queues = self.aws.cloud.queues
        self.aws.cloud.run(lambda: not (queues.messages_wait or queues.waiting))
        self.clock.advance_to(self.clock() + 1000)
        return self.clock()

    def deployed(self) -> Runtime:
        """What the stage's functions have on Lambda: the table, and nothing that runs executions."""
        return Runtime(
            self.table, NoOutbox(), None, clock=self.clock, clients=lambda *_: self.client  # pyright: ignore[reportArgumentType]
        )  # fmt: skip

    def _work(self, event: Any, context: Any) -> Any:
        return handle(self.deployed(), event, "default")

    def stage(self) -> stages.Stage:
        """As the commands have it that open it."""
        made = object.__new__(stages.Stage)
        found = Found(
            NAME, "step-functions", "UPDATE_COMPLETE", "us-east-1", ACCOUNT, {"Arn": self.machine}, {}
        )
        made.found, made.clients = found, lambda _: self.client
        made.__dict__["caller"] = CALLER
        made.runtime, made.store = self.runtime, self.store
        stages._opened[self.store] = made  # pyright: ignore[reportPrivateUsage]
        return made

    def close(self) -> None:
        self.aws.close()
        self.table.close()


def _lambda(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}:7"
