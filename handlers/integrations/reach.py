"""What a definition's tasks call, and whether that can be had here: told when a state machine is made, and not only
when an execution comes to the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...statelang.asl.integrations import unrecognized
from ...statelang.asl.problems import Problem
from ...statelang.engine.resources import Resource, parse_resource
from .. import plugins

if TYPE_CHECKING:
    from ..runtime import Runtime

UNREACHABLE = "NOT_AVAILABLE_HERE"
_OURS = ("lambda", "states", "aws-sdk:sfn", "apigateway", "http")
_UNBUILT = {"eks:call", "eks:runJob"}


def unreachable(runtime: Runtime, machine: str, definition: Mapping[str, Any]) -> list[Problem]:
    """The states whose tasks nothing here can perform: neither a service, nor a plug-in, nor a mock."""
    problems: list[Problem] = []
    for place, name, arn in _tasks(definition, ""):
        resource = parse_resource(arn)
        if (
            resource.family != "service"
            or plugins.find(stand_in(resource))
            or _mocked(runtime, machine, name)
        ):
            continue
        if not is_recognized(resource):
            problems.append(
                Problem("SCHEMA_VALIDATION_FAILED", unrecognized(resource.arn), f"{place}/Resource")
            )
        elif (refusal := refused(runtime, resource, name)) is not None:
            problems.append(Problem(UNREACHABLE, refusal, f"{place}/Resource"))
    return problems


def stand_in(resource: Resource) -> str:
    """The name of the plug-in that performs the resource in the place of its service."""
    return f"{resource.type}:{resource.action.removesuffix('.waitForTaskToken')}"


def is_recognized(resource: Resource) -> bool:
    """Whether AWS has the operation that an `aws-sdk:` task calls, as far as botocore knows."""
    if not resource.type.startswith("aws-sdk:") or resource.type in _OURS:
        return True
    import botocore.session

    from .calls import botocore_service, operation_of

    service = botocore_service(resource.type.removeprefix("aws-sdk:"))
    if service is None:
        return False
    model = botocore.session.get_session().get_service_model(service)
    return operation_of(model, resource.call) is not None


def refused(runtime: Runtime, resource: Resource, state: str) -> str | None:
    """Why nothing here performs the resource, and what can be done about it; None where something does."""
    plugin = f"an entry point {stand_in(resource).replace(':', '.')} of the group {plugins.GROUP}"
    if f"{resource.type}:{resource.call}" in _UNBUILT:
        reason = f"{resource.action} calls the API of a Kubernetes cluster, which nothing here does"
        return f"{reason}: mock the state '{state}', or install a plug-in that does it ({plugin})"
    reason = _missing(runtime, resource, state)
    if reason is None:
        return None
    service = resource.type.removeprefix("aws-sdk:")
    return (
        f"{reason}: mock the state '{state}', have its service answered elsewhere (stratum up --bind {service}=aws), "
        f"or install a plug-in that does it ({plugin})"
    )


def _missing(runtime: Runtime, resource: Resource, state: str) -> str | None:
    if runtime.lacks is None or resource.type in _OURS:
        return None
    for service, operation in _calls(resource):
        if runtime.elsewhere is not None and runtime.elsewhere.clients(service, state) is not None:
            continue
        if (reason := runtime.lacks(service, operation)) is not None:
            return reason
    return None


def _calls(resource: Resource) -> Iterator[tuple[str, str]]:
    """The operations that a task of the resource performs: the service by botocore's name, and the operation."""
    from . import emr
    from .calls import botocore_service
    from .job_kinds import JOBS
    from .optimized import SERVICES

    action = f"{resource.call[:1].upper()}{resource.call[1:]}"
    if resource.type.startswith("aws-sdk:"):
        yield botocore_service(resource.type.removeprefix("aws-sdk:")) or "", action
        return
    service = "bedrock-runtime" if resource.call == "invokeModel" else SERVICES[resource.type].botocore
    for operation in emr.operations(resource.call) if resource.type == "elasticmapreduce" else [action]:
        yield service, operation
    if resource.waits_for_end:
        yield service, f"{JOBS[f'{resource.type}:{resource.call}'].describe}:ends:{action}"


def _mocked(runtime: Runtime, machine: str, state: str) -> bool:
    covers = getattr(runtime.mocks, "covers", None)
    return bool(covers and covers(machine, state))


def _tasks(machine: Mapping[str, Any], at: str) -> Iterator[tuple[str, str, str]]:
    """Every Task of a definition: its place, its name and its resource."""
    for name, state in machine["States"].items():
        place = f"{at}/States/{name}"
        if state["Type"] == "Task":
            yield place, name, state["Resource"]
        for index, branch in enumerate(state.get("Branches", [])):
            yield from _tasks(branch, f"{place}/Branches[{index}]")
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _tasks(state[key], f"{place}/{key}")
