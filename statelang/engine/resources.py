"""What a Task's `Resource` names, and how its history events are called.

Three families, as in the AWS guide "Integrating services with Step Functions": a Lambda function's own ARN,
an activity's ARN, and a service integration `arn:aws:states:::service:action[.sync|.sync:2|.waitForTaskToken]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """`family` is `lambda`, `activity` or `service`; `type` and `action` are the history's resourceType and resource."""

    arn: str
    family: str
    type: str
    action: str

    @property
    def call(self) -> str:
        """The service's action without the pattern: `sendMessage` of `sendMessage.waitForTaskToken`."""
        return self.action.removesuffix(self.pattern)

    @property
    def pattern(self) -> str:
        """`.sync`, `.sync:2`, `.waitForTaskToken`, or nothing for a call whose answer is the task's."""
        patterns = (".sync", ".sync:2", ".waitForTaskToken")
        return next((end for end in patterns if self.family == "service" and self.action.endswith(end)), "")

    @property
    def waits_for_token(self) -> bool:
        return self.action.endswith(".waitForTaskToken")

    @property
    def waits_for_end(self) -> bool:
        """Whether the task ends when what it started has ended."""
        return self.action.endswith((".sync", ".sync:2"))


@lru_cache(maxsize=1024)
def parse_resource(arn: str) -> Resource:
    """Raises ValueError for text that is no resource of a Task."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":
        service, rest = parts[2], parts[5]
        if service == "lambda" and rest.startswith("function:"):
            return Resource(arn, "lambda", "lambda", arn)
        if service == "states" and rest.startswith("activity:"):
            return Resource(arn, "activity", "activity", arn)
        if service == "states" and not parts[3] and not parts[4]:
            kind, _, action = rest.rpartition(":")
            if action == "2" and kind.endswith(".sync"):
                kind, _, head = kind.rpartition(":")
                action = f"{head}:2"
            if kind and action:
                return Resource(arn, "service", kind, action)
    raise ValueError(f"'{arn}' is not the ARN of a Lambda function, an activity or a service integration")


def scheduled(
    resource: Resource, arguments: str, region: str, limits: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Type and fields of the event that a task was scheduled; `limits` are its timeouts and credentials, where
    it has any."""
    if resource.family == "service":
        details = {
            "resourceType": resource.type,
            "resource": resource.action,
            "region": region,
            "parameters": arguments,
        }
        return "TaskScheduled", {"taskScheduledEventDetails": {**details, **limits}}
    name, key = _family(resource, "Scheduled")
    details = {"resource": resource.arn, "input": arguments, "inputDetails": {"truncated": False}}
    return name, {key: {**details, **limits}}


def started(resource: Resource) -> tuple[str, dict[str, Any]]:
    if resource.family == "service":
        return "TaskStarted", {
            "taskStartedEventDetails": {"resourceType": resource.type, "resource": resource.action}
        }
    return _family(resource, "Started")[0], {}


def succeeded(resource: Resource, output: str) -> tuple[str, dict[str, Any]]:
    return _ended(resource, "Succeeded", {"output": output, "outputDetails": {"truncated": False}})


def submitted(resource: Resource, output: str) -> tuple[str, dict[str, Any]]:
    return _ended(resource, "Submitted", {"output": output, "outputDetails": {"truncated": False}})


def failed(resource: Resource, error: str | None, cause: str | None) -> tuple[str, dict[str, Any]]:
    details = {"error": error, "cause": cause}
    return _ended(resource, "Failed", {key: value for key, value in details.items() if value is not None})


def timed_out(resource: Resource, error: str) -> tuple[str, dict[str, Any]]:
    return _ended(resource, "TimedOut", {"error": error})


def _ended(resource: Resource, what: str, details: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name, key = _family(resource, what)
    if resource.family == "service":
        details = {"resourceType": resource.type, "resource": resource.action, **details}
    return name, {key: details}


def _family(resource: Resource, what: str) -> tuple[str, str]:
    prefix = {"lambda": "LambdaFunction", "activity": "Activity", "service": "Task"}[resource.family]
    return f"{prefix}{what}", f"{prefix[0].lower()}{prefix[1:]}{what}EventDetails"
