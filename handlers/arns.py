"""ARNs of state machines and executions, as Step Functions writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ARN = re.compile(
    r"arn:(?P<partition>[^:]+):states:(?P<region>[^:]*):(?P<account>[^:]*):(?P<kind>[^:]+):(?P<rest>.+)", re.S
)


@dataclass(frozen=True, slots=True)
class StatesArn:
    """`kind` is `stateMachine`, `execution`, `express`, `activity`, …; `rest` is what follows it."""

    region: str
    account: str
    kind: str
    rest: str
    partition: str = "aws"

    def __str__(self) -> str:
        return f"arn:{self.partition}:states:{self.region}:{self.account}:{self.kind}:{self.rest}"

    @property
    def name(self) -> str:
        return self.rest.rpartition(":")[2]


def parse_arn(text: str) -> StatesArn | None:
    """The parts of an ARN of Step Functions, or None when `text` is none."""
    found = _ARN.fullmatch(text)
    if found is None:
        return None
    return StatesArn(found["region"], found["account"], found["kind"], found["rest"], found["partition"])


def execution_arn(state_machine: str, name: str) -> str:
    """The ARN of the execution called `name` of the state machine with that ARN."""
    head, _, machine = state_machine.partition(":stateMachine:")
    return f"{head}:execution:{machine.partition(':')[0]}:{name}"


def state_machine_arn(execution: str) -> str:
    """The ARN of the state machine that an execution's ARN belongs to."""
    head, _, rest = execution.partition(":execution:")
    return f"{head}:stateMachine:{rest.partition(':')[0]}"
