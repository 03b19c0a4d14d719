"""`.sync`: jobs that a task starts in another service, looks after until they have ended, and ends with its execution.

Nothing waits while a job runs: the task's command comes again with the job's handle, later and later, and asks how the
job goes. A job that has failed is the error `States.TaskFailed`, whose cause is the job's description. See the AWS guide,
"Discover service integration patterns in Step Functions", and its page on each service.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..logs import logger
from .calls import Answer, call_api, operation_of
from .job_kinds import JOBS, Description, Job
from .optimized import SERVICES, Service, ask, shown
from .outcomes import JobRunning, TaskFailed, TaskSubmitted
from .values import compact, from_api

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand

_SECOND_LOOK = 500
_LAST_LOOK = 30_000
"""Milliseconds between two looks at a job: they double from the second to the last."""


def perform(runtime: Runtime, command: TaskCommand, type: str, action: str) -> str:
    """Starts the job, or looks how it goes; answers the task's result when it has ended well.

    Raises `TaskSubmitted` when it was started, `JobRunning` while it runs, and `TaskFailed`.
    """
    service, job = SERVICES[type], JOBS[f"{type}:{action}"]
    if command.job is None:
        _start(runtime, command, service, job, type, action)
    assert command.job is not None
    return _look(runtime, service, job, json.loads(command.job), command.looks)


def _start(
    runtime: Runtime, command: TaskCommand, service: Service, job: Job, type: str, action: str
) -> None:
    if runtime.lacks is not None and not runtime.is_elsewhere(service.botocore):
        logger.warning(
            "job pretended", state=command.state, resource=command.resource,
            reason="moto runs nothing: it says that the job went well, and has no result of it",
        )  # fmt: skip
    arguments = started_with(type, json.loads(command.arguments))
    answer = start(runtime, service, type, action, arguments, command.key)
    given = _api_names(runtime, service, action, arguments)
    raise TaskSubmitted(compact(shown(service, answer)), compact(job.handle(given, answer.raw)))


def start(runtime: Runtime, service: Service, type: str, action: str, arguments: Any, key: str) -> Answer:
    """Raises `TaskFailed`, also where the service answers and has started nothing."""
    if type == "elasticmapreduce":
        from .emr import ask as ask_emr

        return ask_emr(runtime, service, action, arguments, key)
    answer = ask(runtime, service, action, arguments, key)
    if type == "ecs" and not answer.raw.get("tasks"):
        raise TaskFailed("ECS.AmazonECSException", compact(answer.fields))
    return answer


def started_with(type: str, arguments: Any) -> Any:
    """Arguments with what Step Functions adds to them for jobs that it waits for."""
    if not isinstance(arguments, dict):
        return arguments
    if type == "ecs":
        return {**arguments, "StartedBy": "AWS Step Functions"}
    if type == "batch":
        overrides = arguments.get("ContainerOverrides") or {}
        mark = {"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
        if isinstance(overrides, dict):
            environment = [*(overrides.get("Environment") or []), mark]
            return {**arguments, "ContainerOverrides": {**overrides, "Environment": environment}}
    return arguments


def _api_names(runtime: Runtime, service: Service, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments by the names that the API has for them."""
    operation = operation_of(runtime.client(service.botocore).meta.service_model, action)
    members = {} if operation is None else operation.input_shape.members
    names = {service.style.spell(name): name for name in members}
    return {names.get(name, name): value for name, value in arguments.items()}


def _look(runtime: Runtime, service: Service, job: Job, handle: dict[str, Any], looks: int) -> str:
    client = runtime.client(service.botocore)
    try:
        answer = call_api(client, job.describe, job.ask(handle), service.style)
    except TaskFailed as failed:
        if job.gone is not None and failed.error.endswith(job.gone):
            return "{}"
        raise
    found = _within(answer, job.within)
    status = job.status(found) if found else ""
    if status not in job.done and status not in job.failed:
        raise JobRunning(min(_LAST_LOOK, _SECOND_LOOK << min(looks, 10)))
    text = compact(_described(client, service, job, answer, found, handle))
    if status in job.failed or job.broken(found):
        raise TaskFailed("States.TaskFailed", text)
    return text


def _within(answer: Description, name: str | None) -> Description:
    """The job in an answer: a field of it, or the first of several."""
    found: Any = answer if name is None else answer.get(name)
    if isinstance(found, list):
        return found[0] if found else {}
    return found or {}


def _described(
    client: Any, service: Service, job: Job, answer: Description, found: Description, handle: dict[str, Any]
) -> Description:
    """The job as Step Functions gives it: its own fields, or the whole answer that it was found in."""
    operation = client.meta.service_model.operation_model(job.describe)
    fields = from_api(answer, operation.output_shape, service.style.spell, milliseconds=service.style.legacy)
    if job.within is not None:
        fields = _within(fields, service.style.spell(job.within))
    return dict(sorted(job.result(fields, handle).items()))


def cancel(runtime: Runtime, type: str, action: str, handle: str) -> None:
    """Ends the job, as well as that may be. Raises `TaskFailed`."""
    service, job = SERVICES[type], JOBS[f"{type}:{action}"]
    if job.cancel is not None:
        arguments = job.cancelling(json.loads(handle))
        call_api(runtime.client(service.botocore), job.cancel, arguments, service.style)
