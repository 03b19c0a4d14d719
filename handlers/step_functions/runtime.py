"""The runtime of a stage on Step Functions: the seam by which all the rest of the code meets AWS's executions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..executions import Executions
from ..runtime import Clients, NoOutbox, Runtime, system_clock
from ..store import Store
from .api import Api
from .executions import StepFunctionsExecutions
from .refusal import NEW, NotOnStepFunctions
from .stage import NativeStage
from .store import StepFunctionsStore

_FORWARDED = (
    "DescribeExecution", "DescribeMapRun", "DescribeStateMachine", "DescribeStateMachineAlias", "DescribeStateMachineForExecution",
    "GetExecutionHistory", "ListExecutions", "ListMapRuns", "ListStateMachineAliases", "ListStateMachineVersions",
    "SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess",
)  # fmt: skip
"""Operations that AWS answers as they are."""


class _Nowhere:
    def invoke(self, invocation: object) -> Any:
        raise AssertionError("Step Functions calls the functions of its executions")


class StepFunctionsRuntime(Runtime):
    """`table` is the store of the stage's table, `clients` makes boto3's clients."""

    def __init__(
        self, table: Store, stage: NativeStage, clients: Clients, *, region: str, account: str,
        clock: Callable[[], int] = system_clock,
    ):  # fmt: skip
        self.stage = stage
        self.api = Api(lambda: self.client("stepfunctions"))
        store = StepFunctionsStore(table, self.api, stage, clock)
        super().__init__(
            store, NoOutbox(), _Nowhere(), clock=clock, region=region, account=account, clients=clients
        )
        self._led = StepFunctionsExecutions(store, self, self.api)

    def executions(self, tenant: str = "default") -> Executions:
        self.store.for_tenant(tenant)  # raises for another than its own
        return self._led

    def machine(self, workflow: str) -> str:
        return super().machine(self.stage.named(workflow))

    def workflow(self, machine: str) -> str:
        return self.stage.workflow(machine)

    def forwarded(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        led = self._led
        match operation:
            case "StartExecution":
                import uuid

                name = parameters.get("name") or str(uuid.uuid4())
                return led.begin(
                    parameters["stateMachineArn"], name, parameters.get("input", "{}"), self.requester
                )
            case "StopExecution":
                return led.stop(
                    parameters["executionArn"],
                    parameters.get("error"),
                    parameters.get("cause"),
                    self.requester,
                )
            case "RedriveExecution":
                return led.redrive(parameters["executionArn"], self.requester, parameters.get("clientToken"))
            case "ListStateMachines":
                return self._own_machines(parameters)
            case _ if operation in _FORWARDED:
                return self.api.call(operation, **parameters)
        raise NotOnStepFunctions(NEW)

    def _own_machines(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """A page of ListStateMachines, with those of the stage alone: the account has others."""
        page = self.api.call("ListStateMachines", **parameters)
        own = [each for each in page["stateMachines"] if each["stateMachineArn"] in self.stage.machines]
        return {**page, "stateMachines": own}
