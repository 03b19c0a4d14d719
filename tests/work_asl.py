"""Workflows with agent steps and gates in Amazon States Language, in the shape in which the compiler lowers them."""

from __future__ import annotations

import json
from typing import Any

CONTRACT = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "words": {"type": "integer", "minimum": 1}},
    "required": ["text", "words"],
}
FORM = {
    "type": "object",
    "properties": {"version": {"type": "string", "pattern": r"^\d+\.\d+$"}, "canary": {"type": "integer", "maximum": 100}},
    "required": ["version"],
}  # fmt: skip


def _task(payload: dict[str, Any], **fields: Any) -> dict[str, Any]:
    common = {
        "token": "{% $states.context.Task.Token %}", "execution": "{% $states.context.Execution.Id %}", "workflow": "w",
        "version": "1.0.0", "iteration": None, "round": 1, "deadline": None,
    }  # fmt: skip
    return {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": "stratum-work", "Payload": {**common, **payload}}, **fields,
    }  # fmt: skip


def agent(id: str = "notes", following: str = "done", **payload: Any) -> dict[str, Any]:
    """An agent step whose result must have fewer than 5 words, in three attempts."""
    timeout = payload.pop("timeout", 3600)
    heartbeat = payload.pop("heartbeat", None)
    words = f"${id}.result.words < 5"
    task = _task(
        {
            "kind": "agent", "step": id, "agent": "claude", "intent": "Write the release notes.", "input": {"version": "1.0"},
            "contract": CONTRACT, "ensure": ["$result.words < 5"], "attempt": f"{{% ${id}_attempt %}}", "attempts": 3,
            "violations": f"{{% ${id}_violations %}}", "budget": {}, "heartbeat": heartbeat, "timeout": timeout, **payload,
        },
        TimeoutSeconds=timeout,
        Assign={
            id: "{% $states.result %}",
            f"{id}_violations": "{% $states.result.result.words < 5 ? [] : [{'that': '$result.words < 5', 'message': 'too long'}] %}",
        },
        Next=f"{id}: check",
    )  # fmt: skip
    if heartbeat:
        task["HeartbeatSeconds"] = heartbeat
    return {
        f"{id}: begin": {"Type": "Pass", "Assign": {f"{id}_attempt": 1, f"{id}_violations": []}, "Next": id},
        id: task,
        f"{id}: check": {
            "Type": "Choice",
            "Choices": [
                {"Condition": f"{{% {words} %}}", "Next": following},
                {"Condition": f"{{% ${id}_attempt >= 3 %}}", "Next": f"{id}: fail"},
            ],
            "Default": f"{id}: again",
        },
        f"{id}: again": {
            "Type": "Pass",
            "Assign": {f"{id}_attempt": f"{{% ${id}_attempt + 1 %}}"},
            "Next": id,
        },
        f"{id}: fail": {"Type": "Fail", "Error": "Stratum.PostconditionFailed"},
    }  # fmt: skip


def gate(id: str = "approve", following: str = "done", **payload: Any) -> dict[str, Any]:
    """A gate of four hours with a reminder after each; rejected when nobody has decided by the second."""
    common = {
        "step": id, "approvers": [], "shows": {"notes": "short & sweet"}, "message": "Ship it?", "form": None, "values": None,
        "outcomes": ["approve", "reject"], "on_timeout": "reject", "risk": "normal", "remarks": [], "notify": [],
        "deadline": f"{{% $fromMillis($toMillis($states.context.Execution.StartTime) + {8 * 3600_000}) %}}", **payload,
    }  # fmt: skip
    return {
        id: _task(
            {"kind": "gate", "timeout": 4 * 3600, **common},
            TimeoutSeconds=4 * 3600,
            Assign={id: "{% $states.result %}"},
            Catch=[{"ErrorEquals": ["States.Timeout"], "Next": f"{id}: remind"}],
            Next=f"{id}: route",
        ),
        f"{id}: remind": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": "stratum-work",
                "Payload": {**common, "kind": "reminder", "execution": "{% $states.context.Execution.Id %}", "iteration": None, "round": 1},
            },
            "Next": f"{id}: late",
        },
        f"{id}: late": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": f"{{% $millis() >= $toMillis($states.context.Execution.StartTime) + {8 * 3600_000} %}}",
                    "Next": f"{id}: reject",
                }
            ],
            "Default": id,
        },
        f"{id}: route": {
            "Type": "Choice",
            "Choices": [{"Condition": f"{{% ${id}.outcome = 'approve' %}}", "Next": following}],
            "Default": f"{id}: reject",
        },
        f"{id}: reject": {"Type": "Fail", "Error": "Stratum.Rejected"},
    }  # fmt: skip


def machine(start: str, *parts: dict[str, Any], output: str = "{% $states.input %}") -> dict[str, Any]:
    states: dict[str, Any] = {}
    for part in parts:
        states |= part
    states.setdefault("done", {"Type": "Pass", "Output": output, "End": True})
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": states}


def text(*arguments: Any, **fields: Any) -> str:
    return json.dumps(machine(*arguments, **fields))
