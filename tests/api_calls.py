"""Shorthands of the tests of Step Functions' API: definitions, calls, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from endpoint import Endpoint

ROLE = "arn:aws:iam::000000000000:role/r"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


def definition(*states: dict[str, Any], **top: Any) -> str:
    """States `A`, `B`, … one after the other."""
    names = [chr(ord("A") + index) for index in range(len(states))]
    bodies = {}
    for index, state in enumerate(states):
        ends = state["Type"] in ("Succeed", "Fail", "Choice")
        where = {} if ends else {"Next": names[index + 1]} if index + 1 < len(states) else {"End": True}
        bodies[names[index]] = {**state, **where}
    return json.dumps({"StartAt": "A", "States": bodies, **top})


def create(sfn: Any, text: str, name: str = "m", **fields: Any) -> str:
    return sfn.create_state_machine(name=name, definition=text, roleArn=ROLE, **fields)["stateMachineArn"]


def run(endpoint: Endpoint, sfn: Any, text: str, input: Any = None, name: str = "m") -> dict[str, Any]:
    """Runs a definition to its end; answers its description."""
    execution = sfn.start_execution(stateMachineArn=create(sfn, text, name), input=json.dumps(input))[
        "executionArn"
    ]
    endpoint.cloud.drain()
    return sfn.describe_execution(executionArn=execution)


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def types(sfn: Any, execution: str) -> list[str]:
    return [event["type"] for event in sfn.get_execution_history(executionArn=execution)["events"]]
