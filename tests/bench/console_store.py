"""Fills a store with executions of 50 events, as an engine writes them: for `console.py`, which reads it in a process of its own."""

import json
import sys
from typing import Any

from common import ROLE, LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

WORKFLOWS = ("orders", "invoices", "parcels", "refunds")
EVENTS = 50
FAILS, WAITS = 50, 500
"""One in so many executions fails, and one in so many still waits."""
_TOGETHER = 500


def step(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event["n"] == event.get("fails"):
        raise ValueError(f"{event['customer']} has no such card")
    return {**event, "n": event["n"] + 1}


def definition() -> str:
    """Eight tasks of five events each, and four states of two; with its beginning and its end these are 50."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "step", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
    }
    states: dict[str, Any] = {f"step{n}": {**task, "Next": f"step{n + 1}"} for n in range(8)}
    late = {"Condition": "{% $exists($states.input.late) %}", "Next": "later"}
    states |= {"step8": {"Type": "Pass", "Next": "step9"}, "step9": {"Type": "Pass", "Next": "late"}}
    states["late"] = {"Type": "Choice", "Choices": [late], "Default": "end"}
    states["later"] = {"Type": "Wait", "Seconds": 86400, "End": True}
    states["end"] = {"Type": "Succeed"}
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": "step0", "States": states})


def fill(url: str, count: int) -> None:
    with LocalCloud(open_store(url), InProcessFunctions({"step": step}), workers=0) as local:
        machines = [
            local.call("CreateStateMachine", name=name, definition=definition(), roleArn=ROLE)[
                "stateMachineArn"
            ]
            for name in WORKFLOWS
        ]
        for number in range(count):
            given: dict[str, Any] = {"n": 0, "customer": f"customer-{number % 997:03}", "text": "x" * 40}
            given |= {"fails": 5} if number % FAILS == 7 else {}
            given |= {"late": True} if number % WAITS == WAITS - 1 else {}
            machine = machines[number % len(machines)]
            local.call(
                "StartExecution", stateMachineArn=machine, name=f"order-{number:05}", input=json.dumps(given)
            )
            if number % _TOGETHER == _TOGETHER - 1 or number == count - 1:
                while local._work():
                    pass


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]))
