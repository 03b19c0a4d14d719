"""Definitions for tests, put together of states."""

from __future__ import annotations

from typing import Any

LAMBDA = "arn:aws:states:::lambda:invoke"
TOKEN = f"{LAMBDA}.waitForTaskToken"
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3600, "MaxAttempts": 3, "BackoffRate": 1}]


def machine(**states: Any) -> dict[str, Any]:
    """A definition of these states, one after the other where they do not say otherwise."""
    names = list(states)
    for name, following in zip(names, [*names[1:], None], strict=True):
        if states[name]["Type"] not in ("Fail", "Succeed", "Choice") and "Next" not in states[name]:
            states[name] |= {"End": True} if following is None else {"Next": following}
    return {"StartAt": names[0], "States": states}


def task(resource: str, fields: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    """A Task with these parameters."""
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **(fields or {})}


def call(function: str, **fields: Any) -> dict[str, Any]:
    """A Task that calls a Lambda function with the state's input, and comes to what it returns."""
    fields = {"OutputPath": "$.Payload", **fields}
    return task(LAMBDA, fields, FunctionName=function, **{"Payload.$": "$"})


def callback(function: str = "ask", **fields: Any) -> dict[str, Any]:
    """A Task that hands its token to a function."""
    return task(TOKEN, fields, FunctionName=function, Payload={"token.$": "$$.Task.Token", "input.$": "$"})


def wait(seconds: int) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds}
