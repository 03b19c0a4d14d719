"""How a task ends when it does not succeed at once."""

from __future__ import annotations


class TaskFailed(Exception):
    """The task failed; `error` is the name that Retry and Catch see, `cause` text for people or JSON text."""

    def __init__(self, error: str, cause: str | None = None):
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


class TaskTimedOut(Exception):
    """The task's own timeout passed while it was performed."""


class TaskSubmitted(Exception):
    """The task was handed over and goes on elsewhere; `output` says where, as JSON text (None: nothing to say). `job` is the
    handle of what it has started, where that is to be looked after."""

    def __init__(self, output: str | None, job: str | None = None):
        super().__init__(output)
        self.output = output
        self.job = job


class JobRunning(Exception):
    """The job that the task has started is under way; it is worth a look in `milliseconds`."""

    def __init__(self, milliseconds: int):
        super().__init__(milliseconds)
        self.milliseconds = milliseconds
