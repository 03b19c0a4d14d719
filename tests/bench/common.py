"""What the scripts on Stratum's side share."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")

from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

DATA = json.dumps({"n": 0, "text": "x" * 40})


def step(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"n": event["n"] + 1, "text": event["text"]}


def cloud(store: str) -> LocalCloud:
    return LocalCloud(open_store(store), InProcessFunctions({"step": step}), workers=0)


def create(cloud: LocalCloud, states: dict[str, Any], name: str) -> str:
    """A state machine of these states, in their order; answers its ARN."""
    names = list(states)
    for at, following in itertools.pairwise(names):
        states[at]["Next"] = following
    states[names[-1]]["End"] = True
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": names[0], "States": states})
    return cloud.call("CreateStateMachine", name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]


def tasks(count: int) -> dict[str, Any]:
    return {
        f"step{n}": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "step", "Payload": "{% $states.input %}"},
            "Output": "{% $states.result.Payload %}",
        }
        for n in range(count)
    }
