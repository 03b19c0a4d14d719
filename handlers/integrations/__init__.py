"""What a Task's resource does: Lambda functions, nested executions, activities, and any service of AWS.

Each integration is a function `(runtime, execution, command) -> JSON text of the result`. It raises
`TaskFailed` with the error's name as Step Functions gives it, `TaskTimedOut` when it saw the task's own timeout
pass, `TaskSubmitted` when the task goes on elsewhere, or `JobRunning` while what it has started goes on.

- `calls`: one operation of a service, with `names` and `values` as Step Functions has them, and its errors.
- `aws_sdk`, `optimized`, `lambda_function`, `step_functions`, `activities`, `api_gateway`, …: the families of tasks.
- `later`: functions that nobody waits for.
- `jobs`, `job_kinds`: `.sync`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...statelang.engine.resources import Resource, parse_resource
from .. import plugins
from .outcomes import JobRunning, TaskFailed, TaskSubmitted, TaskTimedOut

if TYPE_CHECKING:
    from ..runtime import Body, Runtime
    from ..tasks import TaskCommand

__all__ = ["TOKEN", "JobRunning", "TaskFailed", "TaskSubmitted", "TaskTimedOut", "cancel", "perform"]

TOKEN = ".waitForTaskToken"
SYNC = ".sync"


def perform(runtime: Runtime, tenant: str, execution: str, command: TaskCommand) -> str:
    """Performs the task of `command`; answers its result as JSON text."""
    resource = parse_resource(command.resource)
    runtime = runtime.for_task(command.state, command.role)
    if resource.family == "activity":
        from .activities import offer

        offer(runtime, tenant, execution, command)
        raise TaskSubmitted(None)
    action = resource.action.removesuffix(TOKEN)
    if resource.family == "service" and (plugin := plugins.find(f"{resource.type}:{action}")) is not None:
        output = plugins.perform(plugin, execution, command)
    elif resource.type in ("states", "aws-sdk:sfn"):
        from ..children import requester_of
        from .step_functions import perform as step_functions

        # What an execution starts is started for whoever has started it.
        if (requester := requester_of(runtime.executions(tenant), execution)) is not None:
            runtime = runtime.on_behalf_of(requester)
        output = step_functions(runtime, tenant, execution, command, resource.type, action)
    else:
        if resource.family == "service":
            _check_reach(runtime, resource, command.state)
        integration = _integration(resource.family, resource.type, action)
        if integration is None:
            raise TaskFailed("States.Runtime", f"The resource {command.resource} is not supported.")
        plain = command.model_copy(
            update={"resource": command.resource.removesuffix(TOKEN), "tenant": tenant}
        )
        if _calls_function(resource) and not resource.waits_for_token:
            from .later import begin

            if begin(runtime, execution, plain):
                raise TaskSubmitted(None)
        output = integration(runtime, execution, plain)
    if resource.waits_for_token:
        raise TaskSubmitted(output)
    return output


def _check_reach(runtime: Runtime, resource: Resource, state: str) -> None:
    """Raises `TaskFailed` for what nothing here performs; no Retry or Catch takes it for a failure of the service."""
    from .reach import refused

    if (refusal := refused(runtime, resource, state)) is not None:
        raise TaskFailed("States.Runtime", f"{refusal}.")


def cancel(runtime: Runtime, tenant: str, arn: str, job: str, state: str, role: str | None) -> list[Body]:
    """Ends the job that a task has started; answers what is to be sent for that. Raises `TaskFailed`."""
    resource = parse_resource(arn)
    runtime = runtime.for_task(state, role)
    if resource.type == "states":
        from .step_functions import stop_child

        return stop_child(tenant, job)
    from .jobs import cancel as cancel_job

    cancel_job(runtime, resource.type, resource.action.removesuffix(SYNC), job)
    return []


def _calls_function(resource: Resource) -> bool:
    return resource.family == "lambda" or (resource.type == "lambda" and resource.call == "invoke")


Integration = Callable[["Runtime", str, "TaskCommand"], str]


def _integration(family: str, type: str, action: str) -> Integration | None:
    if family == "lambda" or (type == "lambda" and action == "invoke"):
        from .lambda_function import call

        return call
    if action.endswith(SYNC):
        from . import jobs

        job = action.removesuffix(SYNC)
        if f"{type}:{job}" in jobs.JOBS:
            return lambda runtime, execution, command: jobs.perform(runtime, command, type, job)
        return None
    if type.startswith("aws-sdk:"):
        from .aws_sdk import perform as call_sdk

        return call_sdk
    if type == "apigateway":
        from .api_gateway import invoke as call_api

        return call_api
    if type == "http" and action == "invoke":
        from .http_task import invoke as call_http

        return call_http
    if type == "bedrock" and action == "invokeModel":
        from .bedrock import invoke_model

        return invoke_model
    from . import optimized

    if type in optimized.SERVICES:
        return lambda runtime, execution, command: optimized.perform(
            runtime, execution, command, type, action
        )
    return None
