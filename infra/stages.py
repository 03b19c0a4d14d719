"""What is deployed: a stage, found by the outputs of its stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .plan import ARTIFACTS, Target, handler_name, stack_name

Clients = Callable[[str], Any]
"""Makes boto3's client of a service, for one account and region."""


class NoSuchStage(LookupError):
    """Nothing is deployed as that stage; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`outputs`, `parameters` are the stack's; `status` as CloudFormation has it; `region` and `account` where it is."""

    name: str
    target: Target
    status: str
    region: str
    account: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def stack(self) -> str:
        return stack_name(self.name)

    @property
    def store(self) -> str:
        """The address of its store."""
        return (
            f"dynamodb://{self.outputs['TableName']}?region={self.region}&bucket={self.outputs['BucketName']}"
        )

    @property
    def artifacts(self) -> str:
        """The bucket that it was deployed from."""
        return self.parameters[ARTIFACTS]

    @property
    def work(self) -> str:
        """The function that gates and agent steps invoke."""
        return handler_name(self.stack, "Work")

    @property
    def machines(self) -> list[str]:
        """The ARNs of its state machines, where Step Functions runs them."""
        return [each for each in self.outputs.values() if ":stateMachine:" in each]

    @property
    def watching(self) -> list[str]:
        """Names of the alarms that stop a release."""
        return [name for name in self.outputs.get("ReleaseAlarms", "").split(",") if name]

    @property
    def shift(self) -> float:
        """The share that the latest versions have."""
        return float(self.parameters.get("Shift", "1"))


def find(clients: Clients, name: str) -> Stage:
    """The stage of that name. Raises `NoSuchStage`."""
    described = describe(clients("cloudformation"), stack_name(name))
    if described is None:
        there = ", ".join(sorted(names(clients))) or "none"
        raise NoSuchStage(
            f"there is no stage '{name}' in this account and region (there is: {there}); `stratum deploy --stage {name}` makes it"
        )
    return of_stack(name, described)


def of_stack(name: str, described: Mapping[str, Any]) -> Stage:
    region, account = described["StackId"].split(":")[3:5]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", ())}
    parameters = {
        each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", ())
    }
    target: Target = "engine" if "AdvanceQueueUrl" in outputs else "step-functions"
    return Stage(name, target, described["StackStatus"], region, account, outputs, parameters)


def names(clients: Clients) -> list[str]:
    """The stages of the account and region."""
    prefix = stack_name("")
    found: list[str] = []
    pages = clients("cloudformation").get_paginator("describe_stacks").paginate()
    for page in pages:
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(prefix) and any(
                each["OutputKey"] == "TableName" for each in stack.get("Outputs", ())
            ):
                found.append(stack["StackName"].removeprefix(prefix))
    return found


def describe(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    """CloudFormation's description of the stack; None where there is none."""
    from botocore.exceptions import ClientError

    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
