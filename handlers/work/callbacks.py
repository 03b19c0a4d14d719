"""The token of a task answered: in our own log, or by Step Functions where that runs the execution."""

from __future__ import annotations

from typing import Any

from ...statelang.engine import is_genuine, messages, read_token
from ..executions import Executions
from ..loading import ExecutionNotFound
from ..runtime import Runtime


def send_success(runtime: Runtime, tenant: str, token: str, output: str) -> bool:
    """Hands `output` (JSON text) to the task that waits at the token; answers whether it counted.

    What was due before is let happen first: an answer that comes after its task's timeout is late, also where
    nothing was running that would have noticed. Saying the same twice counts once and answers True both times.
    """
    found = read_token(token)
    executions = runtime.executions(tenant)
    if found is None or executions.on_step_functions:
        return _tell_aws(runtime, "send_task_success", taskToken=token, output=output)
    execution, frame, task = found
    try:
        loaded = executions.load(execution)
    except ExecutionNotFound:
        return _tell_aws(runtime, "send_task_success", taskToken=token, output=output)
    if not is_genuine(token, loaded.snapshot.get("secret", "")):
        return False
    waiting = loaded.snapshot["frames"].get(frame, {})
    waited = waiting.get("phase") == "task" and waiting["task"]["id"] == task
    said = [messages.tick(), messages.task_succeeded(frame, task, output)]
    for failure in executions.advance({execution: said}).values():
        raise failure
    # Where the task was not waited for any more, the answer may have been given earlier.
    return _counted(executions, execution, frame, task, since=loaded.seq + 1 if waited else 0)


def send_heartbeat(runtime: Runtime, tenant: str, token: str) -> None:
    """Says that somebody is still at it; of a task without a heartbeat, or one that is over, nothing comes."""
    found = read_token(token)
    executions = runtime.executions(tenant)
    try:
        if found is None or executions.on_step_functions:
            raise ExecutionNotFound
        execution, frame, task = found
        executions.load(execution)
    except ExecutionNotFound:
        _tell_aws(runtime, "send_task_heartbeat", taskToken=token)
        return
    for failure in executions.advance({execution: [messages.heartbeat(frame, task)]}).values():
        raise failure


def _counted(executions: Executions, execution: str, frame: str, task: int, since: int) -> bool:
    """Whether the log has an answer to that task; only one can be on its way, as the work item holds it."""
    return any(
        (message["type"], message.get("frame"), message.get("task")) == ("task_succeeded", frame, task)
        for commit in executions.store.commits(execution, since)
        for message in commit.messages
    )


def _tell_aws(runtime: Runtime, operation: str, **parameters: Any) -> bool:
    from botocore.exceptions import ClientError

    try:
        getattr(runtime.client("stepfunctions"), operation)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken"):
            return False
        raise
    return True
