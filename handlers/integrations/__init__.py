"""What a Task's resource does: Lambda functions, and any service of AWS through its SDK.

Each integration is a function `(runtime, execution, command) -> JSON text of the result`. It raises
`TaskFailed` with the error's name as Step Functions gives it, or `TaskTimedOut` when it saw the task's own
timeout pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...statelang.engine.resources import parse_resource
from .outcomes import TaskFailed, TaskTimedOut

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..tasks import TaskCommand

__all__ = ["TaskFailed", "TaskTimedOut", "perform"]


def perform(runtime: Runtime, execution: str, command: TaskCommand) -> str:
    """Performs the task of `command`; answers its result as JSON text."""
    resource = parse_resource(command.resource)
    integration: Callable[[Runtime, str, TaskCommand], str] | None = None
    if resource.family == "lambda":
        from .lambda_function import call as integration
    elif resource.type == "lambda" and resource.action == "invoke":
        from .lambda_function import invoke as integration
    elif resource.type.startswith("aws-sdk:") and "." not in resource.action:
        from .aws_sdk import perform as integration
    if integration is None:
        raise TaskFailed("States.Runtime", f"The resource {command.resource} is not supported yet.")
    return integration(runtime, execution, command)
