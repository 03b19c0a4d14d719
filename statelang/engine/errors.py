"""Errors as Step Functions names them, and which names in `ErrorEquals` they match.

See the AWS guide, "Handling errors in Step Functions workflows", and the quotas page for the limits.
"""

from __future__ import annotations

from collections.abc import Iterable

ALL = "States.ALL"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEEDED_TOLERATED_FAILURES = "States.ExceedToleratedFailureThreshold"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
ITEM_READER_FAILED = "States.ItemReaderFailed"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"

DATA_LIMIT = 262_144
"""Bytes of UTF-8 text that a state, a task or an execution may take in or put out."""
HISTORY_LIMIT = 25_000
"""Events that an execution's history may hold; the one that says so is the last."""


class StateFailed(Exception):
    """A state failed with an error that its Retry and Catch may handle.

    `also` are the names that the error also goes by: a missed heartbeat is a `States.Timeout` too.
    `recorded` tells that the history already has an event for it (a task's failure), `fatal` that nothing may
    retry or catch it.
    """

    def __init__(
        self,
        error: str | None,
        cause: str | None = None,
        *,
        also: tuple[str, ...] = (),
        location: str | None = None,
        recorded: bool = False,
        fatal: bool = False,
    ):
        super().__init__(error, cause)
        self.error = error
        self.cause = cause
        self.also = also
        self.location = location
        self.recorded = recorded
        self.fatal = fatal


def matches(names: Iterable[str], failure: StateFailed) -> bool:
    """Whether an `ErrorEquals` of `names` takes this failure.

    `States.ALL` leaves out `States.DataLimitExceeded` and `States.Runtime`, which end an execution; but it takes the
    former of a task whose result is too large (so AWS does, whatever its guide says of the name).
    `States.TaskFailed` takes every error of a task but a timeout.
    """
    own = {failure.error, *failure.also}
    for name in names:
        if name in own:
            return True
        if name == ALL and failure.error not in (DATA_LIMIT_EXCEEDED, RUNTIME):
            return True
        if name == ALL and failure.error == DATA_LIMIT_EXCEEDED and failure.recorded:
            return True
        if name == TASK_FAILED and failure.error not in (TIMEOUT, DATA_LIMIT_EXCEEDED, RUNTIME):
            return True
    return False
