"""`elasticmapreduce:*`: Step Functions' own names and shapes for the operations of EMR.

See the AWS guide, "Create and manage Amazon EMR clusters with Step Functions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .calls import Answer, call, could_not_start
from .outcomes import TaskFailed

if TYPE_CHECKING:
    from ..runtime import Runtime
    from .optimized import Service

Arguments = dict[str, Any]

_CALLS: dict[str, tuple[str, tuple[str, ...], Callable[[Arguments], Arguments]]] = {
    "createCluster": ("runJobFlow", (), lambda given: given),
    "setClusterTerminationProtection": (
        "setTerminationProtection",
        ("ClusterId", "TerminationProtected"),
        lambda given: {
            "JobFlowIds": [given["ClusterId"]],
            "TerminationProtected": given["TerminationProtected"],
        },
    ),
    "terminateCluster": (
        "terminateJobFlows",
        ("ClusterId",),
        lambda given: {"JobFlowIds": [given["ClusterId"]]},
    ),
    "addStep": (
        "addJobFlowSteps",
        ("ClusterId", "Step"),
        lambda given: {
            "JobFlowId": given["ClusterId"],
            "Steps": [given["Step"]],
            **{name: given[name] for name in ("ExecutionRoleArn",) if name in given},
        },
    ),
    "cancelStep": (
        "cancelSteps",
        ("ClusterId", "StepId"),
        lambda given: {"ClusterId": given["ClusterId"], "StepIds": [given["StepId"]]},
    ),
}
"""The operation of each action, what it needs, and its arguments as the operation has them."""

_BY_NAME = {
    "modifyInstanceFleetByName": ("Fleet", "modifyInstanceFleet"),
    "modifyInstanceGroupByName": ("Group", "modifyInstanceGroups"),
}


def operations(action: str) -> list[str]:
    """The operations of the API that the action is made of."""
    if action in _BY_NAME:
        kind, operation = _BY_NAME[action]
        names = [f"listInstance{kind}s", operation]
    else:
        names = [_CALLS[action][0]]
    return [f"{name[0].upper()}{name[1:]}" for name in names]


def ask(runtime: Runtime, service: Service, action: str, arguments: Any, key: str) -> Answer:
    """Raises `TaskFailed`."""
    client = runtime.client(service.botocore)
    if action in _BY_NAME:
        return _modify(client, service, action, arguments)
    operation, required, shape = _CALLS[action]
    _require(arguments, required)
    answer = call(client, operation, shape(arguments), service.style, key=key)
    return Answer(answer.raw, _given(action, answer))


def _require(arguments: Any, names: tuple[str, ...]) -> None:
    missing = [name for name in names if not isinstance(arguments, dict) or name not in arguments]
    if missing:
        raise could_not_start(
            arguments, [f"The field '{name}' is required but was missing" for name in missing]
        )


def _given(action: str, answer: Answer) -> dict[str, Any]:
    fields = answer.fields
    if action == "createCluster":
        return {"ClusterId": fields["JobFlowId"], **{k: v for k, v in fields.items() if k != "JobFlowId"}}
    if action == "addStep":
        return {"StepId": fields["StepIds"][0]}
    if action == "cancelStep":
        return next(iter(fields.get("CancelStepsInfoList", [])), {})
    return fields


def _modify(client: Any, service: Service, action: str, arguments: Any) -> Answer:
    """Changes the instance fleet or group that has the name: the API knows it by its id."""
    kind, operation = _BY_NAME[action]
    named, changed = f"Instance{kind}Name", f"Instance{kind}"
    _require(arguments, ("ClusterId", named, changed))
    cluster = {"ClusterId": arguments["ClusterId"]}
    listed = call(client, f"listInstance{kind}s", cluster, service.style).raw[f"Instance{kind}s"]
    id = next((each["Id"] for each in listed if each.get("Name") == arguments[named]), None)
    if id is None:
        raise TaskFailed(
            "ElasticMapReduce.AmazonElasticMapReduceException",
            f"The cluster '{arguments['ClusterId']}' has no instance {kind.lower()} '{arguments[named]}'.",
        )
    change = {f"Instance{kind}Id": id, **arguments[changed]}
    shape = {"InstanceFleet": change} if kind == "Fleet" else {"InstanceGroups": [change]}
    return call(client, operation, {**cluster, **shape}, service.style)
