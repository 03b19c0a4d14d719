"""Tasks of one's own, installed as a Python package: entry points of the group `stratum.tasks`.

    [project.entry-points."stratum.tasks"]
    "slack.post" = "stratum_slack:post"                 # a function: `task: slack.post`, FunctionName "slack-post"
    "mediaconvert.createJob.sync" = "encoder:run"       # what does arn:aws:states:::mediaconvert:createJob.sync here

A function is a Lambda handler, `(event, context)`, and on AWS it is one: a Lambda function of that name with the same
handler. What stands in for a service's action is called `(arguments, context)`, the context being a `TaskContext`; on AWS the
state calls the service itself. Either way the definition is the same on AWS. A name may be written with dots, hyphens or
colons.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from .tasks import TaskCommand

GROUP = "stratum.tasks"


@lru_cache(maxsize=1)
def _installed() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {_key(found.name): found for found in entry_points(group=GROUP)}


def _key(name: str) -> str:
    return name.replace(".", "-").replace(":", "-")


def find(name: str) -> EntryPoint | None:
    """The plug-in of that name: a function's, or `service:action` with the pattern that it stands in for."""
    return _installed().get(_key(name))


def forget() -> None:
    """What is installed may be another now."""
    _installed.cache_clear()


def perform(plugin: EntryPoint, execution: str, command: TaskCommand) -> str:
    """Calls what stands in for a service; answers its result as JSON text. Raises `TaskFailed`, by the name of the
    exception that it raised."""
    from .integrations.outcomes import TaskFailed
    from .integrations.values import compact
    from .task_function import TaskContext

    where = f"the plug-in '{plugin.name}' ({plugin.value})"
    try:
        stand_in = plugin.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise TaskFailed("States.Runtime", f"{where} could not be loaded: {reason}") from error
    context = TaskContext(
        idempotency_key=command.key, execution=execution, step=command.state, attempt=command.attempt
    )
    try:
        answer: Any = stand_in(json.loads(command.arguments), context)
    except TaskFailed:
        raise
    except Exception as error:
        raise TaskFailed(type(error).__name__, str(error)) from error
    try:
        return compact(answer)
    except (TypeError, ValueError, RecursionError) as error:
        raise TaskFailed("States.Runtime", f"the result of {where} is not JSON: {error}") from None
