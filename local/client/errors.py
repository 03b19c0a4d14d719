"""What can go wrong, by type. Refusals of the API bear AWS's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .execution import Execution


class StratumError(Exception):
    """Everything that the client raises of its own."""


class ConnectionFailed(StratumError):
    """Nobody answers at the endpoint, or it has no use for the credentials."""


class NotAvailable(StratumError):
    """What was asked for is not to be had here; the message says where it is."""


class RunningElsewhere(StratumError):
    """Another process is running the execution."""


class InvalidInput(StratumError):
    """An input that is not as the workflow's contract wants it; `violations` are lines of `path: message`."""

    def __init__(self, workflow: str, violations: Sequence[str]):
        super().__init__(
            f"the input is not as {workflow} wants it\n" + "\n".join(f"  {each}" for each in violations)
        )
        self.violations = list(violations)


class GateRefused(StratumError):
    """A gate cannot be answered so; `reason` is one word (`NotAllowed`, `AlreadyAnswered`, …)."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


# -- executions that did not succeed ---------------------------------------------------------------------------


class ExecutionUnsuccessful(StratumError):
    """An execution has ended without a result; `execution` is what there is to know of it."""

    def __init__(self, execution: Execution):
        told = f"{execution.error}: {execution.cause}" if execution.error else execution.cause or ""
        super().__init__(f"{execution.name} {execution.status}" + (f": {told}" if told else ""))
        self.execution = execution
        self.error = execution.error
        self.cause = execution.cause


class ExecutionFailed(ExecutionUnsuccessful):
    pass


class ExecutionTimedOut(ExecutionUnsuccessful):
    pass


class ExecutionAborted(ExecutionUnsuccessful):
    pass


class WaitTimeout(StratumError, TimeoutError):
    """The execution is still running after as long as was to be waited."""


# -- refusals of the API -----------------------------------------------------------------------------------------


class ApiError(StratumError):
    """Step Functions refused: `code` is AWS's name of the reason."""

    def __init__(self, code: str, message: str):
        super().__init__(message or code)
        self.code = code
        self.message = message


class ExecutionDoesNotExist(ApiError):
    pass


class ExecutionAlreadyExists(ApiError):
    pass


class ExecutionNotRedrivable(ApiError):
    pass


class StateMachineDoesNotExist(ApiError):
    pass


class InvalidDefinition(ApiError):
    pass


class InvalidExecutionInput(ApiError):
    pass


class InvalidArn(ApiError):
    pass


class InvalidName(ApiError):
    pass


class InvalidToken(ApiError):
    pass


class InvalidOutput(ApiError):
    pass


class TaskDoesNotExist(ApiError):
    pass


class TaskTimedOut(ApiError):
    pass


class AccessDenied(ApiError):
    pass


_BY_CODE: dict[str, type[ApiError]] = {each.__name__: each for each in ApiError.__subclasses__()} | {
    "AccessDeniedException": AccessDenied
}


def api_error(code: str, message: str) -> ApiError:
    """The error of that name."""
    return _BY_CODE.get(code, ApiError)(code, message)
